import Multiselect from '@cloudscape-design/components/multiselect';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useCallback } from 'react';
import { useSearchParams } from 'react-router';

import { SearchField } from './SearchField';
import { statusName, type GrantStatus } from './words';

const statuses = Object.keys(statusName) as GrantStatus[];

/** The search of a list of grants, by name and status. It lives in the address, so that it survives a reload and the way into a panel and back. */
export function useGrantSearch() {
  const [query, setQuery] = useSearchParams();
  const q = query.get('q') ?? '';
  const status = query.get('status')?.split(',').filter((s): s is GrantStatus => statuses.includes(s as GrantStatus)) ?? [];
  const set = useCallback(
    (name: string, value: string) =>
      setQuery(
        (old) => {
          const next = new URLSearchParams(old);
          if (value) next.set(name, value);
          else next.delete(name);
          return next;
        },
        { replace: true },
      ),
    [setQuery],
  );
  return {
    q,
    status,
    set,
    filtered: q !== '' || status.length > 0,
    filter: { ...(q ? { q } : {}), ...(status.length > 0 ? { status } : {}) },
    clear: () => setQuery({}, { replace: true }),
    /** the address of another page, with the search */
    at: (path: string): string => `${path}${query.size > 0 ? `?${query}` : ''}`,
  };
}

/** The fields of such a search; of names what is looked for, in the plural. */
export function GrantSearch({ of, search: { q, status, filtered, set } }: { of: string; search: ReturnType<typeof useGrantSearch> }) {
  const setName = useCallback((text: string) => set('q', text), [set]);
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <SearchField key={filtered ? 'filtered' : 'all'} value={q} onChange={setName} placeholder="Any word of the name" label={`Find ${of}`} />
      <Multiselect
        ariaLabel="Status"
        selectedOptions={status.map((s) => ({ value: s, label: statusName[s] }))}
        options={statuses.map((s) => ({ value: s, label: statusName[s] }))}
        onChange={(e) => set('status', e.detail.selectedOptions.map((o) => o.value).join(','))}
        placeholder="All that have not ended"
        inlineTokens
      />
    </SpaceBetween>
  );
}
