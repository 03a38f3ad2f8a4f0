import Select from '@cloudscape-design/components/select';
import { useEffect, useState } from 'react';

import { useCursorPages, type Page } from '../api';
import { t } from '../language';
import { problemWords } from './problems';

export interface Choice {
  id: string;
  name: string;
}

/** Chooses an organisation that the service finds by its name, page by page. `cacheKey` names the list that is searched. */
export function SearchSelect({
  value,
  onChange,
  read,
  cacheKey,
  of,
  any,
  ariaLabel,
}: {
  value: Choice | undefined;
  onChange: (choice: Choice | undefined) => void;
  read: (q: string, cursor: string | undefined, signal: AbortSignal) => Promise<Page<Choice>>;
  cacheKey: readonly unknown[];
  of: string; // what is chosen: "an organisation"
  any?: string; // the choice of none, where there is one
  ariaLabel?: string; // outside of a FormField
}) {
  const [typed, setTyped] = useState('');
  const [q, setQ] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setQ(typed), 200);
    return () => clearTimeout(timer);
  }, [typed]);
  const pages = useCursorPages([...cacheKey, q], (cursor, signal) => read(q, cursor, signal));
  const waiting = pages.loading || typed !== q;
  const found = waiting ? [] : pages.all.map((p) => ({ value: p.id, label: p.name, description: p.id }));
  return (
    <Select
      filteringType="manual"
      filteringAriaLabel={t('pages.search.find', { of })}
      filteringPlaceholder={t('pages.search.word')}
      placeholder={any ?? t('pages.search.choose', { of })}
      ariaLabel={ariaLabel}
      selectedOption={value ? { value: value.id, label: value.name } : null}
      options={any && !q ? [{ value: '', label: any }, ...found] : found}
      statusType={pages.problem ? 'error' : waiting || pages.fetching ? 'loading' : pages.more ? 'pending' : 'finished'}
      loadingText={t('pages.search.looking')}
      errorText={pages.problem && problemWords(pages.problem)[0]}
      recoveryText={t('pages.button.try_again')}
      empty={q ? t('pages.search.none_found', { text: q }) : t('pages.search.none')}
      onLoadItems={({ detail: { filteringText, firstPage, samePage } }) => {
        setTyped(filteringText);
        if (samePage) pages.retry();
        else if (!firstPage) pages.loadMore();
      }}
      onChange={({ detail: { selectedOption: o } }) => onChange(o.value ? { id: o.value, name: o.label ?? '' } : undefined)}
    />
  );
}
