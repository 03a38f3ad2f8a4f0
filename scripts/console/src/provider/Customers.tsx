import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import { useCallback } from 'react';
import { useNavigate, useSearchParams } from 'react-router';

import { answer, useCursorPages } from '../api';
import { t } from '../language';
import { DataTable } from '../parts/DataTable';
import { Instant } from '../parts/Instant';
import { Name } from '../parts/Name';
import { SearchField } from '../parts/SearchField';
import { useApi } from '../session';
import { PanelOutlet } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { PartnerName } from './PartnerName';
import { keyOf } from './queries';

/** All customers of the directory, by name. */
export function Customers() {
  const api = useApi();
  const navigate = useNavigate();
  const follow = useFollow();
  const [query, setQuery] = useSearchParams();
  const q = query.get('q') ?? '';
  const search = useCallback((text: string) => setQuery(text ? { q: text } : {}, { replace: true }), [setQuery]);
  const pages = useCursorPages(
    keyOf('customers', q),
    async (cursor, signal) => (await answer(api.GET('/v1/customers', { params: { query: { limit: 25, cursor, ...(q ? { q } : {}) } }, signal }))).data,
  );
  return (
    <>
      <DataTable
        title={t('pages.nav.customers')}
        description={t('pages.directory.customers_about')}
        actions={
          <Button variant="primary" onClick={() => void navigate('/provider/customers/new')}>{t('pages.directory.register')}</Button>
        }
        pages={pages}
        trackBy={(c) => c.id}
        empty={q ? t('pages.customers.none_found') : t('pages.directory.no_customers')}
        emptyAction={q ? <Button onClick={() => setQuery({}, { replace: true })}>{t('pages.customers.show_all')}</Button> : undefined}
        filter={<SearchField key={q ? 'filtered' : 'all'} value={q} onChange={search} placeholder={t('pages.directory.customer_word')} label={t('pages.directory.find_customers')} />}
        columns={[
          {
            id: 'name',
            header: t('words.customer'),
            isRowHeader: true,
            minWidth: 150,
            cell: (c) => (
              <>
                <Link href={`/provider/customers/${c.id}`} onFollow={follow}>
                  <Name>{c.name}</Name>
                </Link>
                <Box variant="small" display="block" color="text-body-secondary">
                  {c.id}
                </Box>
              </>
            ),
          },
          { id: 'domain', header: t('words.field.domain'), minWidth: 140, cell: (c) => c.domain ?? '–' },
          { id: 'managed', header: t('pages.directory.managing_partner'), minWidth: 130, cell: (c) => (c.managing_partner ? <PartnerName id={c.managing_partner} /> : t('pages.customer.no_level')) },
          { id: 'since', header: t('pages.directory.registered'), whole: true, minWidth: 130, cell: (c) => <Instant at={c.created_at} /> },
        ]}
      />
      <PanelOutlet />
    </>
  );
}
