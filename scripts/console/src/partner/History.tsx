import { useState } from 'react';

import { answer, useCursorPages } from '../api';
import { ExportButton } from '../parts/ExportButton';
import { HistoryTable, type EventType } from '../parts/HistoryTable';
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

/** What happened around the partner. */
export function History() {
  const api = useApi();
  const { partner } = usePartner();
  const [type, setType] = useState<EventType>();
  const pages = useCursorPages(
    keyOf(partner, 'history', type),
    async (cursor, signal) =>
      (await answer(api.GET('/v1/partners/{partner}/history', { params: { path: { partner }, query: { limit: 25, cursor, type } }, signal }))).data,
  );
  return (
    <HistoryTable
      pages={pages}
      other={(e) => e.customer?.name ?? ''}
      otherHeader="Customer"
      types={types}
      type={type}
      onType={setType}
      download={
        <ExportButton
          name="History"
          read={(query, signal) => api.GET('/v1/partners/{partner}/history', { params: { path: { partner }, query: { ...query, type } }, parseAs: 'text', signal })}
        />
      }
    />
  );
}
