import { answer } from '../api';
import { t } from '../language';
import { HistoryPage, type EventType, type HistoryFilter } from '../parts/HistoryPage';
import { useApi } from '../session';
import { keyOf, useCustomer } from './queries';

const types: EventType[] = [
  'grant.created',
  'grant.edited',
  'grant.suspended',
  'grant.resumed',
  'grant.revoked',
  'grant.relinquished',
  'grant.expired',
  'grant.started',
  'invitation.created',
  'invitation.accepted',
  'invitation.cancelled',
  'member.added',
  'member.removed',
];

const query = ({ other, ...filter }: HistoryFilter) => ({ ...filter, ...(other ? { partner: other } : {}) });

/** What happened around the customer, or between it and one partner. */
export function History({ only }: { only?: string }) {
  const api = useApi();
  const { customer } = useCustomer();
  const path = { customer };
  return (
    <HistoryPage
      only={only}
      side={{
        cacheKey: keyOf(customer, 'history'),
        read: async (filter, cursor, signal) => (await answer(api.GET('/v1/customers/{customer}/history', { params: { path, query: { limit: 25, cursor, ...query(filter) } }, signal }))).data,
        exported: (filter, page, signal) => api.GET('/v1/customers/{customer}/history', { params: { path, query: { ...page, ...query(filter) } }, parseAs: 'text', signal }),
        types,
        otherHeader: t('words.partner'),
        otherNoun: t('words.noun.partner'),
        other: (e) => e.partner?.name,
        others: async (q, cursor, signal) => {
          const status = ['active', 'scheduled', 'suspended', 'expired', 'ended'] as const;
          const { data } = await answer(api.GET('/v1/customers/{customer}/grants', { params: { path, query: { limit: 25, cursor, status: [...status], ...(q ? { q } : {}) } }, signal }));
          return { items: data.items.map((g) => g.partner), next_cursor: data.next_cursor };
        },
      }}
    />
  );
}
