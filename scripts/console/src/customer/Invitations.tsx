import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { answer, useCursorPages } from '../api';
import { t } from '../language';
import { InvitationTable, type Shown } from '../parts/InvitationTable';
import { Who } from '../parts/Who';
import { byWhom } from '../parts/words';
import { useApi } from '../session';
import { keyOf, useChanged, useCustomer, useManagement } from './queries';

/** Who was invited by e-mail, and what became of it. */
export function Invitations() {
  const api = useApi();
  const changed = useChanged();
  const { customer, admin } = useCustomer();
  const { managed, words } = useManagement();
  const [status, setStatus] = useState<Shown>('');
  const pages = useCursorPages(
    keyOf(customer, 'invitations', status),
    async (cursor, signal) =>
      (await answer(api.GET('/v1/customers/{customer}/invitations', { params: { path: { customer }, query: { limit: 25, cursor, ...(status ? { status } : {}) } }, signal })))
        .data,
  );
  return (
    <InvitationTable
      pages={pages}
      shown={status}
      show={setStatus}
      description={words ?? t('pages.invitation.about_customer')}
      invite={admin && managed === false ? `/customers/${customer}/invitations/new` : undefined}
      side="customer"
      first={[
        { id: 'email', header: t('words.field.email'), isRowHeader: true, minWidth: 150, cell: (i) => i.email },
        { id: 'partner', header: t('words.partner'), minWidth: 120, cell: (i) => <PartnerName id={i.partner} /> },
      ]}
      last={[{ id: 'by', header: t('pages.column.by'), minWidth: 130, cell: (i) => byWhom(i.invited_by) }]}
      changed={changed}
    />
  );
}

/** A partner's name, for where the service gives its id alone; the id where the name may not be seen. */
export function PartnerName({ id }: { id: string }) {
  const api = useApi();
  const query = useQuery({
    queryKey: ['partner', id],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/partners/{partner}', { params: { path: { partner: id } }, signal }))).data,
    staleTime: 60_000,
  });
  return <Who name={query.data?.name ?? (query.error ? id : '')} />;
}
