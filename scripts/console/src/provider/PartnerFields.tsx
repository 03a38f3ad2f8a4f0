import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Toggle from '@cloudscape-design/components/toggle';

import type { Schemas } from '../api';
import { t } from '../language';
import { ContactsField } from '../parts/Contacts';
import { Group } from '../parts/Group';
import { LinesField } from '../parts/LinesField';
import { levelName, type Level } from '../parts/words';

export type PartnerValues = Pick<
  Schemas['Partner'],
  'name' | 'class' | 'offer' | 'sso' | 'owner_sets_sso' | 'parent' | 'contacts' | 'domains'
>;

export const partnerPointers = ['/name', '/class', '/offer', '/sso', '/owner_sets_sso', '/parent', '/contacts', '/domains'];

// The three options of the documents (W4), with View between the first two.
const offers = () =>
  (['none', 'view', 'support', 'manage'] as const).map((level) => ({ value: level as string, label: levelName(level), description: t(`pages.partner.offer_${level}`) }));

/** What a partner is made of; the same to create and to edit. */
export function PartnerFields({
  value,
  edit,
  at,
  nameMissing,
}: {
  value: PartnerValues;
  edit: (more: Partial<PartnerValues>) => void;
  at: (pointer: string) => string | undefined;
  nameMissing?: string;
}) {
  return (
    <SpaceBetween size="l">
      <FormField label={t('words.field.name')} errorText={nameMissing ?? at('/name')}>
        <Input value={value.name} onChange={(e) => edit({ name: e.detail.value })} autoComplete={false} />
      </FormField>
      <FormField label={t('words.field.class')} errorText={at('/class')}>
        <RadioGroup
          value={value.class}
          onChange={(e) => edit({ class: e.detail.value as PartnerValues['class'] })}
          items={[
            { value: 'channel', label: t('words.class.channel'), description: t('pages.partner.channel_about') },
            { value: 'other', label: t('words.class.other'), description: t('pages.partner.other_about') },
          ]}
        />
      </FormField>
      <FormField label={t('words.field.offer')} description={t('pages.partner.offer_about')} errorText={at('/offer')}>
        <RadioGroup value={value.offer} onChange={(e) => edit({ offer: e.detail.value as Level })} items={offers()} />
      </FormField>
      <Group label={t('words.field.sso')} error={at('/sso') ?? at('/owner_sets_sso')}>
        <SpaceBetween size="s">
          <Toggle
            checked={value.sso}
            onChange={(e) => edit({ sso: e.detail.checked })}
            description={t('pages.partner.sso_about')}
          >{t('pages.partner.has_sso')}</Toggle>
          <Checkbox
            checked={value.owner_sets_sso}
            onChange={(e) => edit({ owner_sets_sso: e.detail.checked })}
            description={t('pages.partner.owner_sets_about')}
          >{t('pages.partner.owner_sets')}</Checkbox>
        </SpaceBetween>
      </Group>
      <FormField label={t('words.field.parent')} description={t('pages.partner.parent_about')} errorText={at('/parent')}>
        <Input value={value.parent ?? ''} onChange={(e) => edit({ parent: e.detail.value.trim() || null })} autoComplete={false} placeholder={t('pages.customer.no_level')} />
      </FormField>
      <ContactsField value={value.contacts} onChange={(contacts) => edit({ contacts })} description={t('pages.partner.contacts_about')} error={at('/contacts')} />
      <LinesField
        label={t('words.field.domains')}
        value={value.domains}
        onChange={(domains) => edit({ domains })}
        description={t('pages.partner.domains_about')}
        constraint={t('pages.partner.domains_rule')}
        error={at('/domains')}
      />
    </SpaceBetween>
  );
}
