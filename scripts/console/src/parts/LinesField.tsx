import FormField from '@cloudscape-design/components/form-field';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';

/** A list of words, such as addresses or domains, one on each line. Commas and spaces separate them, too, and each is taken once. */
export function LinesField({
  label,
  value,
  onChange,
  description,
  constraint,
  error,
}: {
  label: string;
  value: readonly string[];
  onChange: (words: string[]) => void;
  description: string;
  constraint: string;
  error?: string;
}) {
  const [text, setText] = useState(value.join('\n'));
  return (
    <FormField label={label} description={description} constraintText={constraint} errorText={error}>
      <Textarea
        value={text}
        rows={3}
        onChange={(e) => {
          setText(e.detail.value);
          onChange([...new Set(e.detail.value.split(/[\s,;]+/).filter(Boolean))]);
        }}
      />
    </FormField>
  );
}
