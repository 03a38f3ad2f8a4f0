import Button from '@cloudscape-design/components/button';
import { useState } from 'react';
import { useNavigate } from 'react-router';

import { answer, useCursorPages } from '../api';
import { t } from '../language';
import { RequestTable, type Shown } from '../parts/RequestTable';
import { useApi } from '../session';
import { PartnerName } from './Invitations';
import { keyOf, useCustomer } from './queries';

/** What partners ask for. A request opens beside it, with what approving it would grant. */
export function Requests() {
  const api = useApi();
  const navigate = useNavigate();
  const { customer } = useCustomer();
  const [status, setStatus] = useState<Shown>('pending');
  const at = `/customers/${customer}/requests`;
  const pages = useCursorPages(
    keyOf(customer, 'requests', status),
    async (cursor, signal) =>
      (await answer(api.GET('/v1/customers/{customer}/requests', { params: { path: { customer }, query: { limit: 25, cursor, ...(status ? { status } : {}) } }, signal }))).data,
  );
  return (
    <RequestTable
      pages={pages}
      shown={status}
      show={setStatus}
      description={t('pages.requests.about_customer')}
      actions={<Button onClick={() => void navigate(`${at}/policy`)}>{t('pages.requests.who_may')}</Button>}
      at={at}
      otherSide={t('words.partner')}
      other={(r) => <PartnerName id={r.partner} />}
    />
  );
}
