import Button from '@cloudscape-design/components/button';
import { useState } from 'react';
import { useNavigate } from 'react-router';

import { answer, useCursorPages } from '../api';
import { t } from '../language';
import { RequestTable, type Shown } from '../parts/RequestTable';
import { useApi } from '../session';
import { keyOf, useAllCustomers, usePartner } from './queries';

/** What the partner, or the reader, has asked customers for. */
export function Requests() {
  const api = useApi();
  const navigate = useNavigate();
  const { partner, me } = usePartner();
  const { customers } = useAllCustomers();
  const [status, setStatus] = useState<Shown>('');
  const at = `/partners/${partner}/requests`;
  const pages = useCursorPages(
    keyOf(partner, 'requests', status),
    async (cursor, signal) =>
      (await answer(api.GET('/v1/partners/{partner}/requests', { params: { path: { partner }, query: { limit: 25, cursor, ...(status ? { status } : {}) } }, signal }))).data,
  );
  return (
    <RequestTable
      pages={pages}
      shown={status}
      show={setStatus}
      description={t('pages.requests.about_partner')}
      actions={
        me && (
          <Button variant="primary" onClick={() => void navigate(`${at}/new`)}>{t('pages.ask.title')}</Button>
        )
      }
      at={at}
      otherSide={t('words.customer')}
      other={(r) => customers?.find((c) => c.customer.id === r.customer)?.customer.name ?? r.customer}
    />
  );
}
