import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';

import type { Schemas } from '../api';
import { t } from '../language';
import { ContactsField } from '../parts/Contacts';

export type CustomerValues = Pick<Schemas['Customer'], 'name' | 'domain' | 'contacts'>;

export const customerPointers = ['/name', '/domain', '/contacts'];

/** What a customer is made of; the same to register and to edit. */
export function CustomerFields({
  value,
  edit,
  at,
  nameMissing,
}: {
  value: CustomerValues;
  edit: (more: Partial<CustomerValues>) => void;
  at: (pointer: string) => string | undefined;
  nameMissing?: string;
}) {
  return (
    <SpaceBetween size="l">
      <FormField label={t('words.field.name')} errorText={nameMissing ?? at('/name')}>
        <Input value={value.name} onChange={(e) => edit({ name: e.detail.value })} autoComplete={false} />
      </FormField>
      <FormField label={t('words.field.domain')} description={t('pages.directory.domain_about')} errorText={at('/domain')}>
        <Input value={value.domain ?? ''} onChange={(e) => edit({ domain: e.detail.value.trim() || null })} autoComplete={false} placeholder="acme.example" />
      </FormField>
      <ContactsField value={value.contacts} onChange={(contacts) => edit({ contacts })} description={t('pages.directory.contacts_about')} error={at('/contacts')} />
    </SpaceBetween>
  );
}
