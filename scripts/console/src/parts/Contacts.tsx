import FormField from '@cloudscape-design/components/form-field';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';

/** E-mail addresses of an organisation, one on each line. */
export function ContactsField({ value, onChange, description, error }: { value: readonly string[]; onChange: (contacts: string[]) => void; description: string; error?: string }) {
  const [text, setText] = useState(value.join('\n'));
  return (
    <FormField label="Contacts" description={description} constraintText="E-mail addresses, one on each line." errorText={error}>
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
