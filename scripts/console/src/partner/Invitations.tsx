import { useState } from 'react';

import { answer, useCursorPages } from '../api';
import { t } from '../language';
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
      description={t('pages.invitation.about_partner')}
      invite={may.lead ? `/partners/${partner}/invitations/new` : undefined}
      side="partner"
      first={[
        { id: 'email', header: t('words.field.email'), isRowHeader: true, minWidth: 170, cell: (i) => <Who name={i.email} about={t('pages.people.invited_by', { who: byWhom(i.invited_by) })} /> },
        { id: 'customer', header: t('words.customer'), minWidth: 120, cell: (i) => customers?.find((c) => c.customer.id === i.customer)?.customer.name ?? (customers ? i.customer : '') },
      ]}
      changed={changed}
    />
  );
}
