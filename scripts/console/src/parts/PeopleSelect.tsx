import FormField from '@cloudscape-design/components/form-field';
import Multiselect from '@cloudscape-design/components/multiselect';

import { t } from '../language';

/** A choice of some people from not too many: by id, or by address. */
export function PeopleSelect({
  label,
  description,
  people,
  value,
  onChange,
  placeholder,
  error,
}: {
  label: string;
  description: string;
  people: readonly { key: string; name: string; about?: string }[];
  value: readonly string[]; // the keys; of people who are not in the list, too
  onChange: (keys: string[]) => void;
  placeholder: string;
  error?: string;
}) {
  const options = people.map((p) => ({ value: p.key, label: p.name, description: p.about }));
  return (
    <FormField label={label} description={description} errorText={error}>
      <Multiselect
        selectedOptions={value.map((key) => options.find((o) => o.value === key) ?? { value: key, label: key })}
        options={options}
        onChange={(e) => onChange(e.detail.selectedOptions.map((o) => o.value ?? ''))}
        placeholder={placeholder}
        filteringType="auto"
        deselectAriaLabel={(o) => t('pages.remove_of', { name: o.label ?? '' })}
      />
    </FormField>
  );
}
