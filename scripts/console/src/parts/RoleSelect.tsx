import FormField from '@cloudscape-design/components/form-field';
import Select, { type SelectProps } from '@cloudscape-design/components/select';

import type { Schemas } from '../api';
import { t } from '../language';
import { roleName } from './words';

type Role = Schemas['Role'];

/** The roles of employees. What each has, and has not, is said as the default catalogue has it (P8 to P11). */
const roles = ['owner', 'admin', 'business', 'tech', 'sales_marketing'] as const;

/** What every role gives (P1, P3, P4). */
export const everyRole = (): string => t('words.role_about.every');

/** The roles that an employee can be given, as far as the reader may give them. */
export function roleOptions(may: (role: Role) => boolean): SelectProps.Option[] {
  return roles.filter(may).map((r) => ({ value: r, label: roleName(r), description: t(`words.role_about.${r}`) }));
}

export function RoleSelect({ value, onChange, may, error }: { value: Role; onChange: (role: Role) => void; may: (role: Role) => boolean; error?: string }) {
  const options = roleOptions(may);
  return (
    <FormField label={t('words.field.role')} description={everyRole()} errorText={error}>
      <Select
        selectedOption={options.find((o) => o.value === value) ?? null}
        options={options}
        onChange={(e) => onChange(e.detail.selectedOption.value as Role)}
      />
    </FormField>
  );
}
