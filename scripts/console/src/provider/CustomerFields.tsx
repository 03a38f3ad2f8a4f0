import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';

import type { Schemas } from '../api';
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
      <FormField label="Name" errorText={nameMissing ?? at('/name')}>
        <Input value={value.name} onChange={(e) => edit({ name: e.detail.value })} autoComplete={false} />
      </FormField>
      <FormField label="Domain" description="Of the customer's own people: nobody with an address there can have access as a partner's user. Partners sign in at it." errorText={at('/domain')}>
        <Input value={value.domain ?? ''} onChange={(e) => edit({ domain: e.detail.value.trim() || null })} autoComplete={false} placeholder="acme.example" />
      </FormField>
      <ContactsField value={value.contacts} onChange={(contacts) => edit({ contacts })} description="Where mails about its partners go." error={at('/contacts')} />
    </SpaceBetween>
  );
}
