import Multiselect from '@cloudscape-design/components/multiselect';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useCallback } from 'react';

import { t } from '../language';
import { SearchField } from './SearchField';
import { sortOf, useAddress } from './useAddress';
import { grantStatuses as statuses, statusName, type GrantStatus } from './words';

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
      <Multiselect
        ariaLabel={t('words.field.state')}
        selectedOptions={status.map((s) => ({ value: s, label: statusName(s) }))}
        options={statuses.map((s) => ({ value: s, label: statusName(s) }))}
        onChange={(e) => set('status', e.detail.selectedOptions.map((o) => o.value).join(','))}
        placeholder={t('pages.search.not_ended')}
        inlineTokens
      />
    </SpaceBetween>
  );
}
