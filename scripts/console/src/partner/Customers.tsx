import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Link from '@cloudscape-design/components/link';
import Multiselect from '@cloudscape-design/components/multiselect';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useCallback, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';

import { answer, useCursorPages, type Schemas } from '../api';
import { DataTable } from '../parts/DataTable';
import { Instant } from '../parts/Instant';
import { LevelText } from '../parts/Level';
import { SearchField } from '../parts/SearchField';
import { Status } from '../parts/Status';
import { count, statusName, type GrantStatus } from '../parts/words';
import { useApi } from '../session';
import { PanelOutlet } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { keyOf, usePartner } from './queries';
import { Relinquish } from './Relinquish';

type Customer = Schemas['PartnerCustomer'];

const statuses = Object.keys(statusName) as GrantStatus[];

/** Whom the partner may enter: every customer with its present setting, and the way in while that is open. */
export function Customers() {
  const api = useApi();
  const { partner, name, me, may } = usePartner();
  const navigate = useNavigate();
  const follow = useFollow();
  const [query, setQuery] = useSearchParams();
  const [leaving, setLeaving] = useState<Customer>();
  const q = query.get('q') ?? '';
  const status = query.get('status')?.split(',').filter((s): s is GrantStatus => statuses.includes(s as GrantStatus)) ?? [];
  const at = `/partners/${partner}/customers`;
  const panelOf = (c: Customer): string => `${at}/${c.customer.id}${query.size > 0 ? `?${query}` : ''}`; // the search stays

  const pages = useCursorPages(keyOf(partner, 'customers', q, status), async (cursor, signal) => {
    const filter = { limit: 25, cursor, ...(q ? { q } : {}), ...(status.length > 0 ? { status } : {}) };
    return (await answer(api.GET('/v1/partners/{partner}/customers', { params: { path: { partner }, query: filter }, signal }))).data;
  });
  const search = useCallback(
    (field: string, value: string) =>
      setQuery(
        (old) => {
          const next = new URLSearchParams(old);
          if (value) next.set(field, value);
          else next.delete(field);
          return next;
        },
        { replace: true },
      ),
    [setQuery],
  );
  const searchName = useCallback((text: string) => search('q', text), [search]);
  const filtered = q !== '' || status.length > 0;
  const seesUsers = may.employee || may.provider;
  return (
    <>
      <DataTable
        title="Customers"
        description={me ? 'The customers who let you in: how much, for how long, and whom of you.' : `The customers who let ${name} in.`}
        pages={pages}
        trackBy={(c) => c.customer.id}
        empty={filtered ? 'No customer fits this search.' : 'No customer lets you in yet.'}
        emptyAction={filtered ? <Button onClick={() => setQuery({}, { replace: true })}>Show all customers</Button> : undefined}
        filter={
          <SpaceBetween direction="horizontal" size="xs">
            <SearchField key={filtered ? 'filtered' : 'all'} value={q} onChange={searchName} placeholder="Find customers by name" label="Find customers" />
            <Multiselect
              ariaLabel="Status"
              selectedOptions={status.map((s) => ({ value: s, label: statusName[s] }))}
              options={statuses.map((s) => ({ value: s, label: statusName[s] }))}
              onChange={(e) => search('status', e.detail.selectedOptions.map((o) => o.value).join(','))}
              placeholder="All that have not ended"
              inlineTokens
            />
          </SpaceBetween>
        }
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
          { id: 'status', header: 'Status', minWidth: 120, cell: (c) => <Status of={c.status} /> },
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
