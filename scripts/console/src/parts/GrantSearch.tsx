import SpaceBetween from '@cloudscape-design/components/space-between';
import { useCallback } from 'react';

import { t } from '../language';
import { SearchField } from './SearchField';
import { StatusFilter } from './StatusFilter';
import { sortOf, useAddress } from './useAddress';
import { grantStatuses as statuses, type GrantStatus } from './words';

/** The search of a list of grants, by name and status, and its order. It lives in the address. */
export function useGrantSearch() {
  const address = useAddress();
  const q = address.get('q');
  const status = address
    .get('status')
    .split(',')
    .filter((s): s is GrantStatus => statuses.includes(s as GrantStatus));
  const sort = sortOf(address.order, ['name', 'until', 'users']);
  return {
    ...address,
    q,
    status,
    filter: { ...(q ? { q } : {}), ...(status.length > 0 ? { status } : {}), ...(sort ? { sort } : {}) },
  };
}

/** The fields of such a search; of names what is looked for, in the plural. */
export function GrantSearch({ of, search: { q, status, filtered, set } }: { of: string; search: ReturnType<typeof useGrantSearch> }) {
  const setName = useCallback((text: string) => set('q', text), [set]);
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <SearchField key={filtered ? 'filtered' : 'all'} value={q} onChange={setName} placeholder={t('pages.search.word')} label={t('pages.search.find', { of })} />
      <StatusFilter status={status} choose={(chosen) => set('status', chosen)} />
    </SpaceBetween>
  );
}
