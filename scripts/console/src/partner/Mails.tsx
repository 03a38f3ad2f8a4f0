import { answer } from '../api';
import { MailPage } from '../parts/MailPage';
import { useApi } from '../session';
import { keyOf, useChanged, usePartner } from './queries';

/** The mails about the partner, or about what happened between it and one customer. */
export function Mails({ only }: { only?: string }) {
  const api = useApi();
  const changed = useChanged();
  const { partner } = usePartner();
  const path = { partner };
  return (
    <MailPage
      side={{
        cacheKey: keyOf(partner, 'mail', only),
        changed,
        read: async (cursor, signal) => (await answer(api.GET('/v1/partners/{partner}/mail', { params: { path, query: { limit: only ? 100 : 25, cursor } }, signal }))).data,
        open: async (mail, signal) => (await answer(api.GET('/v1/partners/{partner}/mail/{mail}', { params: { path: { ...path, mail } }, signal }))).data,
        resend: async ({ id: mail }, key) =>
          (await answer(api.POST('/v1/partners/{partner}/mail/{mail}/resend', { params: { path: { ...path, mail }, header: { 'Idempotency-Key': key } } }))).data,
        exported: (query, signal) => api.GET('/v1/partners/{partner}/mail', { params: { path, query }, parseAs: 'text', signal }),
        events: only
          ? async (bounds, cursor, signal) =>
              (await answer(api.GET('/v1/partners/{partner}/history', { params: { path, query: { ...bounds, customer: only, limit: 100, cursor } }, signal }))).data
          : undefined,
      }}
    />
  );
}
