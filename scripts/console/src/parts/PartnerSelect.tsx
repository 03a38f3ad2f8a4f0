import FormField from '@cloudscape-design/components/form-field';

import { answer } from '../api';
import { t } from '../language';
import { useApi } from '../session';
import { SearchSelect, type Choice } from './SearchSelect';

export type PartnerChoice = Choice;

/** Finds a partner organisation by typing: the service searches, page by page. */
export function PartnerSelect({
  value,
  onChange,
  error,
  label = t('pages.partner_select.label'),
  description = t('pages.partner_select.about'),
}: {
  value: PartnerChoice | undefined;
  onChange: (partner: PartnerChoice) => void;
  error?: string;
  label?: string;
  description?: string;
}) {
  const api = useApi();
  return (
    <FormField label={label} description={description} errorText={error}>
      <SearchSelect
        of={t('pages.partner_select.of')}
        cacheKey={['partners']}
        value={value}
        onChange={(p) => p && onChange(p)}
        read={async (q, cursor, signal) => (await answer(api.GET('/v1/partners', { params: { query: { limit: 25, cursor, ...(q ? { q } : {}) } }, signal }))).data}
      />
    </FormField>
  );
}
