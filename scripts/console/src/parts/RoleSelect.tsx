import FormField from '@cloudscape-design/components/form-field';
import Select, { type SelectProps } from '@cloudscape-design/components/select';

import type { Schemas } from '../api';
import { roleName } from './words';

type Role = Schemas['Role'];

// As the default catalogue has it (P8 to P11): what each role gives, and what it does not.
const about: Record<Exclude<Role, 'external'>, string> = {
  owner: 'Everything, including the account settings.',
  admin: 'Everything except the account settings, which only the owner manages.',
  business: 'Stores, licences, integrations, customers, employees and admin pages. Not device status, device audit or round trips.',
  tech: 'Devices, device status, tickets and APIs. No marketing, no store, and no managing of employees.',
  sales_marketing: 'Marketing material, price lists and buying. No devices, and no managing of employees.',
};

/** What every role gives (P1, P3, P4). */
export const everyRole = 'Every role signs in to the portal, the academy and the knowledge base, and reads tickets and history.';

/** The roles that an employee can be given, as far as the reader may give them. */
export function roleOptions(may: (role: Role) => boolean): SelectProps.Option[] {
  return (Object.keys(about) as (keyof typeof about)[])
    .filter(may)
    .map((r) => ({ value: r, label: roleName[r], description: about[r] }));
}

export function RoleSelect({ value, onChange, may, error }: { value: Role; onChange: (role: Role) => void; may: (role: Role) => boolean; error?: string }) {
  const options = roleOptions(may);
  return (
    <FormField label="Role" description={everyRole} errorText={error}>
      <Select
        selectedOption={options.find((o) => o.value === value) ?? null}
        options={options}
        onChange={(e) => onChange(e.detail.selectedOption.value as Role)}
      />
    </FormField>
  );
}
