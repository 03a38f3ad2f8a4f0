import { answer } from '../api';
import { t } from '../language';
import { HistoryPage, type EventType, type HistoryFilter } from '../parts/HistoryPage';
import { useApi } from '../session';
import { keyOf, usePartner } from './queries';

const types: EventType[] = [
  'grant.created',
  'grant.edited',
  'grant.suspended',
  'grant.resumed',
  'grant.revoked',
  'grant.relinquished',
  'grant.expired',
  'user.created',
  'user.edited',
  'user.disabled',
  'user.enabled',
  'user.removed',
  'user.erased',
  'invitation.created',
  'invitation.accepted',
  'invitation.declined',
  'invitation.cancelled',
  'partner.edited',
];

const query = ({ other, ...filter }: HistoryFilter) => ({ ...filter, ...(other ? { customer: other } : {}) });

/** What happened around the partner, or between it and one customer. */
export function History({ only }: { only?: string }) {
  const api = useApi();
  const { partner } = usePartner();
  const path = { partner };
  return (
    <HistoryPage
      only={only}
      side={{
        cacheKey: keyOf(partner, 'history'),
        read: async (filter, cursor, signal) => (await answer(api.GET('/v1/partners/{partner}/history', { params: { path, query: { limit: 25, cursor, ...query(filter) } }, signal }))).data,
        exported: (filter, page, signal) => api.GET('/v1/partners/{partner}/history', { params: { path, query: { ...page, ...query(filter) } }, parseAs: 'text', signal }),
        types,
        otherHeader: t('words.customer'),
        otherNoun: t('words.noun.customer'),
        other: (e) => e.customer?.name,
        others: async (q, cursor, signal) => {
          const status = ['active', 'scheduled', 'suspended', 'expired', 'ended'] as const;
          const { data } = await answer(api.GET('/v1/partners/{partner}/customers', { params: { path, query: { limit: 25, cursor, status: [...status], ...(q ? { q } : {}) } }, signal }));
          return { items: data.items.map((c) => c.customer), next_cursor: data.next_cursor };
        },
      }}
    />
  );
}
