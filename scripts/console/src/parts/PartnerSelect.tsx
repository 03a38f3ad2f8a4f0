import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';
import { useEffect, useState } from 'react';

import { answer, useCursorPages } from '../api';
import { useApi } from '../session';

export interface PartnerChoice {
  id: string;
  name: string;
}

/** Finds a partner organisation by typing: the service searches, page by page. */
export function PartnerSelect({
  value,
  onChange,
  error,
  label = 'Organisation',
  description = 'Type the beginning of any word of its name.',
}: {
  value: PartnerChoice | undefined;
  onChange: (partner: PartnerChoice) => void;
  error?: string;
  label?: string;
  description?: string;
}) {
  const api = useApi();
  const [typed, setTyped] = useState('');
  const [q, setQ] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setQ(typed), 200);
    return () => clearTimeout(timer);
  }, [typed]);
  const pages = useCursorPages(
    ['partners', q],
    async (cursor, signal) => (await answer(api.GET('/v1/partners', { params: { query: { limit: 25, cursor, ...(q ? { q } : {}) } }, signal }))).data,
  );
  const waiting = pages.loading || typed !== q;
  return (
    <FormField label={label} description={description} errorText={error}>
      <Select
        filteringType="manual"
        filteringAriaLabel="Find an organisation"
        filteringPlaceholder="Any word of the name"
        placeholder="Choose an organisation"
        selectedOption={value ? { value: value.id, label: value.name } : null}
        options={waiting ? [] : pages.all.map((p) => ({ value: p.id, label: p.name, description: p.id }))}
        statusType={pages.problem ? 'error' : waiting || pages.fetching ? 'loading' : pages.more ? 'pending' : 'finished'}
        loadingText="Looking"
        errorText={pages.problem?.title}
        recoveryText="Try again"
        empty={q ? `No partner has a word in its name that begins with “${q}”.` : 'There are no partners.'}
        onLoadItems={({ detail: { filteringText, firstPage, samePage } }) => {
          setTyped(filteringText);
          if (samePage) pages.retry();
          else if (!firstPage) pages.loadMore();
        }}
        onChange={({ detail: { selectedOption: o } }) => onChange({ id: o.value ?? '', name: o.label ?? '' })}
      />
    </FormField>
  );
}
