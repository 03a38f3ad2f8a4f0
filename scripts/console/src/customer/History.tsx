import { useState } from 'react';

import { answer, useCursorPages } from '../api';
import { ExportButton } from '../parts/ExportButton';
import { HistoryTable, type EventType } from '../parts/HistoryTable';
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

/** What happened around the customer. */
export function History() {
  const api = useApi();
  const { customer } = useCustomer();
  const [type, setType] = useState<EventType>();
  const pages = useCursorPages(
    keyOf(customer, 'history', type),
    async (cursor, signal) =>
      (await answer(api.GET('/v1/customers/{customer}/history', { params: { path: { customer }, query: { limit: 25, cursor, type } }, signal }))).data,
  );
  return (
    <HistoryTable
      pages={pages}
      other={(e) => e.partner?.name ?? ''}
      otherHeader="Partner"
      types={types}
      type={type}
      onType={setType}
      download={
        <ExportButton
          name="History"
          read={(query, signal) => api.GET('/v1/customers/{customer}/history', { params: { path: { customer }, query: { ...query, type } }, parseAs: 'text', signal })}
        />
      }
    />
  );
}
