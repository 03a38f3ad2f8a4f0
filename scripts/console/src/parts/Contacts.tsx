import { t } from '../language';
import { LinesField } from './LinesField';

/** E-mail addresses of an organisation, one on each line. */
export function ContactsField({
  value,
  onChange,
  description,
  error,
}: {
  value: readonly string[];
  onChange: (contacts: string[]) => void;
  description: string;
  error?: string;
}) {
  return (
    <LinesField
      label={t('words.field.contacts')}
      value={value}
      onChange={onChange}
      description={description}
      constraint={t('pages.contacts.constraint')}
      error={error}
    />
  );
}
