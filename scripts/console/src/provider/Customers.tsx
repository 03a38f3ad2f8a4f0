import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import { useCallback } from 'react';
import { useNavigate, useSearchParams } from 'react-router';

import { answer, useCursorPages } from '../api';
import { DataTable } from '../parts/DataTable';
import { Instant } from '../parts/Instant';
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
        title="Customers"
        description="The customers' records, their members, and their relationships with partners."
        actions={
          <Button variant="primary" onClick={() => void navigate('/provider/customers/new')}>
            Register customer
          </Button>
        }
        pages={pages}
        trackBy={(c) => c.id}
        empty={q ? 'No customer matches this search.' : 'There are no customers yet.'}
        emptyAction={q ? <Button onClick={() => setQuery({}, { replace: true })}>Show all customers</Button> : undefined}
        filter={<SearchField key={q ? 'filtered' : 'all'} value={q} onChange={search} placeholder="Find by a word of the name, the domain or the id" label="Find customers" />}
        columns={[
          {
            id: 'name',
            header: 'Customer',
            isRowHeader: true,
            minWidth: 150,
            cell: (c) => (
              <>
                <Link href={`/provider/customers/${c.id}`} onFollow={follow}>
                  {c.name}
                </Link>
                <Box variant="small" display="block" color="text-body-secondary">
                  {c.id}
                </Box>
              </>
            ),
          },
          { id: 'domain', header: 'Domain', minWidth: 140, cell: (c) => c.domain ?? '–' },
          { id: 'managed', header: 'Managing partner', minWidth: 130, cell: (c) => (c.managing_partner ? <PartnerName id={c.managing_partner} /> : 'None') },
          { id: 'since', header: 'Registered', whole: true, minWidth: 130, cell: (c) => <Instant at={c.created_at} /> },
        ]}
      />
      <PanelOutlet />
    </>
  );
}
