import FormField from '@cloudscape-design/components/form-field';
import Select, { type SelectProps } from '@cloudscape-design/components/select';

import type { Schemas } from '../api';
import { roleName } from './words';

type Role = Schemas['Role'];

const about: Record<Exclude<Role, 'external'>, string> = {
  owner: 'Everything, and the account settings',
  admin: 'Everything but the account settings',
  business: 'Stores, licences, integrations, customers and employees',
  tech: 'Devices, tickets and APIs',
  sales_marketing: 'Marketing material, prices and buying',
};

/** The roles that an employee can be given; that of an owner is the provider's to give. */
export function roleOptions(withOwner: boolean): SelectProps.Option[] {
  return (Object.keys(about) as (keyof typeof about)[])
    .filter((r) => r !== 'owner' || withOwner)
    .map((r) => ({ value: r, label: roleName[r], description: about[r] }));
}

export function RoleSelect({ value, onChange, withOwner, error }: { value: Role; onChange: (role: Role) => void; withOwner: boolean; error?: string }) {
  const options = roleOptions(withOwner);
  return (
    <FormField label="Role" errorText={error}>
      <Select
        selectedOption={options.find((o) => o.value === value) ?? null}
        options={options}
        onChange={(e) => onChange(e.detail.selectedOption.value as Role)}
      />
    </FormField>
  );
}
