import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Toggle from '@cloudscape-design/components/toggle';

import type { Schemas } from '../api';
import { ContactsField } from '../parts/Contacts';
import { Group } from '../parts/Group';
import { LinesField } from '../parts/LinesField';
import { levelAbout, levelName, type Level } from '../parts/words';

export type PartnerValues = Pick<
  Schemas['Partner'],
  'name' | 'class' | 'offer' | 'sso' | 'owner_sets_sso' | 'parent' | 'contacts' | 'domains'
>;

export const partnerPointers = ['/name', '/class', '/offer', '/sso', '/owner_sets_sso', '/parent', '/contacts', '/domains'];

// The three options of the documents (W4), with View between the first two.
const offers: { value: Level; label: string; description: string }[] = [
  { value: 'none', label: 'No access', description: 'This partner cannot access any customer data.' },
  { value: 'view', label: levelName('view'), description: levelAbout('view') },
  { value: 'support', label: levelName('support'), description: `${levelAbout('support')}. The default of a new relationship.` },
  { value: 'manage', label: levelName('manage'), description: `${levelAbout('manage')}. A customer still has to grant it explicitly.` },
];

const domainsAbout =
  'Confirm only what belongs to the partner: addresses in these domains, and below them, count as proved, ' +
  'and no other partner can create users there.';

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
      <FormField label="Name" errorText={nameMissing ?? at('/name')}>
        <Input value={value.name} onChange={(e) => edit({ name: e.detail.value })} autoComplete={false} />
      </FormField>
      <FormField label="Class" errorText={at('/class')}>
        <RadioGroup
          value={value.class}
          onChange={(e) => edit({ class: e.detail.value as PartnerValues['class'] })}
          items={[
            { value: 'channel', label: 'Channel partner', description: 'Customers can grant access to it.' },
            { value: 'other', label: 'Other', description: 'Listed in the directory, but customers cannot grant access to it.' },
          ]}
        />
      </FormField>
      <FormField label="Offer" description="The highest level that a customer can grant to this partner." errorText={at('/offer')}>
        <RadioGroup value={value.offer} onChange={(e) => edit({ offer: e.detail.value as Level })} items={offers} />
      </FormField>
      <Group label="Single sign-on" error={at('/sso') ?? at('/owner_sets_sso')}>
        <SpaceBetween size="s">
          <Toggle
            checked={value.sso}
            onChange={(e) => edit({ sso: e.detail.checked })}
            description="Where a customer requires it, only the users of partners that have it have access."
          >
            The partner has it
          </Toggle>
          <Checkbox
            checked={value.owner_sets_sso}
            onChange={(e) => edit({ owner_sets_sso: e.detail.checked })}
            description="Only for a partner that you trust to say so: whether it really has single sign-on is not checked."
          >
            Its owner can change this
          </Checkbox>
        </SpaceBetween>
      </Group>
      <FormField label="Parent" description="The id of the partner above it, for the tree only: access is never inherited along it." errorText={at('/parent')}>
        <Input value={value.parent ?? ''} onChange={(e) => edit({ parent: e.detail.value.trim() || null })} autoComplete={false} placeholder="None" />
      </FormField>
      <ContactsField value={value.contacts} onChange={(contacts) => edit({ contacts })} description="They get the mails about the whole organisation. The first is the primary address." error={at('/contacts')} />
      <LinesField
        label="Domains"
        value={value.domains}
        onChange={(domains) => edit({ domains })}
        description={domainsAbout}
        constraint="Domains, one on each line."
        error={at('/domains')}
      />
    </SpaceBetween>
  );
}
