import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Link from '@cloudscape-design/components/link';
import { useState } from 'react';
import { useNavigate } from 'react-router';

import { answer, useCursorPages, type Schemas } from '../api';
import { DataTable } from '../parts/DataTable';
import { GrantSearch, useGrantSearch } from '../parts/GrantSearch';
import { Instant } from '../parts/Instant';
import { LevelText } from '../parts/Level';
import { Status } from '../parts/Status';
import { count } from '../parts/words';
import { useApi } from '../session';
import { PanelOutlet } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { keyOf, usePartner } from './queries';
import { Relinquish } from './Relinquish';

type Customer = Schemas['PartnerCustomer'];

/** Whom the partner may enter: every customer with its present setting, and the way in while that is open. */
export function Customers() {
  const api = useApi();
  const { partner, name, me, may } = usePartner();
  const navigate = useNavigate();
  const follow = useFollow();
  const search = useGrantSearch();
  const [leaving, setLeaving] = useState<Customer>();
  const at = `/partners/${partner}/customers`;
  const panelOf = (c: Customer): string => search.at(`${at}/${c.customer.id}`);

  const pages = useCursorPages(keyOf(partner, 'customers', search.q, search.status), async (cursor, signal) => {
    const filter = { limit: 25, cursor, ...search.filter };
    return (await answer(api.GET('/v1/partners/{partner}/customers', { params: { path: { partner }, query: filter }, signal }))).data;
  });
  const seesUsers = may.employee || may.provider;
  return (
    <>
      <DataTable
        title="Customers"
        description={me ? 'The customers who let you in: how much, for how long, and whom of you.' : `The customers who let ${name} in.`}
        pages={pages}
        trackBy={(c) => c.customer.id}
        empty={search.filtered ? 'No customer fits this search.' : 'No customer lets you in yet.'}
        emptyAction={search.filtered ? <Button onClick={search.clear}>Show all customers</Button> : undefined}
        filter={<GrantSearch of="customers" search={search} />}
        columns={[
          {
            id: 'customer',
            header: 'Customer',
            isRowHeader: true,
            minWidth: 150,
            cell: (c) => (
              <>
                {seesUsers ? (
                  <Link href={panelOf(c)} onFollow={follow}>
                    {c.customer.name}
                  </Link>
                ) : (
                  c.customer.name
                )}
                {[c.customer.domain, `Id: ${c.customer.id}`, c.managed && (me ? 'Managed by you' : 'Managed')].filter(Boolean).map((line) => (
                  <Box key={String(line)} variant="small" display="block" color="text-body-secondary">
                    {line}
                  </Box>
                ))}
              </>
            ),
          },
          { id: 'status', header: 'Status', minWidth: 120, cell: (c) => <Status of={c.status} reason={c.reason} /> },
          { id: 'level', header: 'Level', minWidth: 100, cell: (c) => <LevelText level={c.level} effective={c.effective_level} /> },
          { id: 'until', header: 'Until', minWidth: 120, cell: (c) => <Until of={c} /> },
          ...(seesUsers ? [{ id: 'users', header: 'Users', minWidth: 100, cell: (c: Customer) => (c.everyone ? `Everyone (${c.user_count})` : count(c.user_count, 'user')) }] : []),
          ...(me
            ? [
                {
                  id: 'in',
                  header: 'Your way in',
                  minWidth: 120,
                  cell: (c: Customer) =>
                    c.sign_in_url ? (
                      <Link href={c.sign_in_url} external externalIconAriaLabel="(opens in a new tab)" ariaLabel={`Sign in to ${c.customer.name}`}>
                        Sign in
                      </Link>
                    ) : (
                      <Box color="text-body-secondary">{closed(c)}</Box>
                    ),
                },
              ]
            : []),
          ...(may.lead
            ? [
                {
                  id: 'actions',
                  header: 'Actions',
                  minWidth: 80,
                  cell: (c: Customer) => (
                    <ButtonDropdown
                      variant="inline-icon"
                      ariaLabel={`Actions for ${c.customer.name}`}
                      expandToViewport
                      items={[
                        { id: 'users', text: 'Authorised users' },
                        ...(c.managed || c.status === 'ended' || c.status === 'expired' ? [] : [{ id: 'leave', text: 'Give up the access' }]),
                      ]}
                      onItemClick={({ detail: { id } }) => {
                        if (id === 'leave') setLeaving(c);
                        else void navigate(panelOf(c));
                      }}
                    />
                  ),
                },
              ]
            : []),
        ]}
      />
      {leaving && <Relinquish customer={leaving} close={() => setLeaving(undefined)} />}
      <PanelOutlet />
    </>
  );
}

/** Why there is no way in, as far as the list tells: it is closed for all, or one is not among those who are in. */
function closed(c: Customer): string {
  if (c.status !== 'active') return 'Closed';
  return c.effective_level === 'none' ? 'No access' : 'You are not in';
}

function Until({ of }: { of: Customer }) {
  return (
    <>
      {of.status === 'scheduled' && (
        <div>
          From <Instant at={of.from} />
        </div>
      )}
      {of.until ? <Instant at={of.until} /> : 'Continuous'}
    </>
  );
}
