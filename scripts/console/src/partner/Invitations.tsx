import { useState } from 'react';

import { answer, useCursorPages } from '../api';
import { InvitationTable, type Shown } from '../parts/InvitationTable';
import { Who } from '../parts/Who';
import { byWhom } from '../parts/words';
import { useApi } from '../session';
import { keyOf, useAllCustomers, useChanged, usePartner } from './queries';

/** The people invited to act for the partner, by itself or by a customer, and what became of each invitation (E3, E5). */
export function Invitations() {
  const api = useApi();
  const changed = useChanged();
  const { partner, may } = usePartner();
  const { customers } = useAllCustomers();
  const [status, setStatus] = useState<Shown>('');
  const pages = useCursorPages(
    keyOf(partner, 'invitations', status),
    async (cursor, signal) =>
      (await answer(api.GET('/v1/partners/{partner}/invitations', { params: { path: { partner }, query: { limit: 25, cursor, ...(status ? { status } : {}) } }, signal }))).data,
  );
  return (
    <InvitationTable
      pages={pages}
      shown={status}
      show={setStatus}
      description="People without an account who were invited by e-mail, each to one customer."
      invite={may.lead ? `/partners/${partner}/invitations/new` : undefined}
      side="partner"
      first={[
        { id: 'email', header: 'E-mail address', isRowHeader: true, minWidth: 170, cell: (i) => <Who name={i.email} about={`Invited by ${byWhom(i.invited_by)}`} /> },
        { id: 'customer', header: 'Customer', minWidth: 120, cell: (i) => customers?.find((c) => c.customer.id === i.customer)?.customer.name ?? (customers ? i.customer : '') },
      ]}
      changed={changed}
    />
  );
}
