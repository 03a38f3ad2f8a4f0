import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from 'react-router';

import { answer, asProblem, useCursorPages, type Schemas } from '../api';
import { DataTable } from '../parts/DataTable';
import { LastUse, soonDays, Until } from '../parts/Ending';
import { LevelText } from '../parts/LevelText';
import { Name } from '../parts/Name';
import { Page } from '../parts/Page';
import { ProblemAlert } from '../parts/ProblemAlert';
import { Status } from '../parts/Status';
import { daysBefore } from '../parts/time';
import { Who } from '../parts/Who';
import { useApi, useNow } from '../session';
import { useFollow } from '../shell/useFollow';
import { Extend } from './Extend';
import { keyOf, useCustomer, useManagement } from './queries';
import { useWaiting } from './RequestBadge';

type Grant = Schemas['Grant'];
const day = 86_400_000;

/** What an admin opens every Monday: who can come in now, what ends soon, and what nobody uses. */
export function Overview() {
  const { customer, name, admin } = useCustomer();
  const { managed, words } = useManagement();
  const navigate = useNavigate();
  const at = `/customers/${customer}`;
  return (
    <Page
      title="Overview"
      description={words ?? `Who can come in to ${name} from outside, until when, and what is not used.`}
      actions={
        admin &&
        managed === false && (
          <Button variant="primary" onClick={() => void navigate(`${at}/partners/add`)}>
            Add partner
          </Button>
        )
      }
    >
      <SpaceBetween size="l">
        <Numbers />
        <Ending />
        <Unused />
      </SpaceBetween>
    </Page>
  );
}

/** One number that leads to its list. */
function Figure({ label, href, total, problem, most = 500 }: { label: string; href: string; total: number | null | undefined; problem: unknown; most?: number }) {
  const follow = useFollow();
  const shown = problem ? 'Not known' : total === undefined ? '…' : total === null ? `More than ${most}` : total.toLocaleString('en');
  return (
    <div>
      <Box variant="awsui-key-label">{label}</Box>
      <Link href={href} onFollow={follow} fontSize="display-l" ariaLabel={`${label}: ${shown}`}>
        {shown}
      </Link>
    </div>
  );
}

function Numbers() {
  const api = useApi();
  const now = useNow();
  const { customer } = useCustomer();
  const at = `/customers/${customer}`;
  const path = { customer };
  const partners = useQuery({
    queryKey: keyOf(customer, 'grants', 'active', 'total'),
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/customers/{customer}/grants', { params: { path, query: { limit: 1, status: ['active'] } }, signal }))).data.total,
  });
  const people = useQuery({
    queryKey: keyOf(customer, 'people', 'total'),
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/customers/{customer}/people', { params: { path, query: { limit: 1, count: true } }, signal }))).data.total,
  });
  const since = daysBefore(now, 90);
  const unused = useQuery({
    queryKey: keyOf(customer, 'people', 'unused', since, 'total'),
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/v1/customers/{customer}/people', { params: { path, query: { limit: 1, count: true, unused_since: since } }, signal }))).data.total,
  });
  const waiting = useWaiting(customer);
  const problem = partners.error ?? people.error ?? unused.error ?? waiting.error;
  return (
    <SpaceBetween size="l">
      {problem && (
        <ProblemAlert
          problem={asProblem(problem)}
          what="Not all numbers could be read"
          retry={() => {
            void partners.refetch();
            void people.refetch();
            void unused.refetch();
            void waiting.refetch();
          }}
        />
      )}
      <Container>
        <ColumnLayout columns={4} variant="text-grid">
          <Figure label="Partners with access now" href={`${at}/partners?status=active`} total={partners.data} problem={partners.error} />
          <Figure label="People who can come in now" href={`${at}/people`} total={people.data} problem={people.error} />
          <Figure label="Of them, not in the last 90 days" href={`${at}/people?unused=90`} total={unused.data} problem={unused.error} />
          <Figure
            label="Requests that wait"
            href={`${at}/requests`}
            total={waiting.data?.next_cursor ? null : waiting.data?.items.length}
            problem={waiting.error}
            most={100}
          />
        </ColumnLayout>
      </Container>
    </SpaceBetween>
  );
}

/** What ends within 30 days, and extending it. */
function Ending() {
  const api = useApi();
  const now = useNow();
  const follow = useFollow();
  const { customer, admin } = useCustomer();
  const before = new Date(Math.floor(now.getTime() / 60_000) * 60_000 + soonDays * day).toISOString();
  const pages = useCursorPages(keyOf(customer, 'grants', 'ending'), async (cursor, signal) => {
    const query = { limit: 10, cursor, ends_before: before, sort: 'until' as const, status: ['active' as const, 'scheduled' as const, 'suspended' as const] };
    return (await answer(api.GET('/v1/customers/{customer}/grants', { params: { path: { customer }, query }, signal }))).data;
  });
  return (
    <DataTable
      title={`Ends within ${soonDays} days`}
      heading="h2"
      pages={pages}
      trackBy={(g) => g.partner.id}
      empty={`No access ends within ${soonDays} days.`}
      columns={[
        {
          id: 'partner',
          header: 'Partner',
          isRowHeader: true,
          minWidth: 140,
          cell: (g) => (
            <Link href={`/customers/${customer}/partners/${g.partner.id}`} onFollow={follow}>
              <Name>{g.partner.name}</Name>
            </Link>
          ),
        },
        { id: 'level', header: 'Level', whole: true, minWidth: 90, cell: (g) => <LevelText level={g.level} effective={g.effective_level} /> },
        { id: 'until', header: 'Ends', whole: true, minWidth: 150, cell: (g) => <Until until={g.until} /> },
        { id: 'status', header: 'Status', whole: true, minWidth: 110, cell: (g) => <Status of={g.status} reason={g.reason} /> },
        ...(admin ? [{ id: 'extend', header: 'Extend', whole: true, minWidth: 110, cell: (g: Grant) => (g.managed ? null : <Extend grant={g} />) }] : []),
      ]}
    />
  );
}

/** Who has not used the access for 90 days, longest ago first. */
function Unused() {
  const api = useApi();
  const now = useNow();
  const follow = useFollow();
  const { customer } = useCustomer();
  const since = daysBefore(now, 90);
  const pages = useCursorPages(keyOf(customer, 'people', 'unused', since), async (cursor, signal) => {
    const query = { limit: 10, cursor, unused_since: since, sort: 'last_used_on' as const };
    return (await answer(api.GET('/v1/customers/{customer}/people', { params: { path: { customer }, query }, signal }))).data;
  });
  return (
    <DataTable
      title="Not used for 90 days"
      heading="h2"
      description="Who can come in and has not done so for 90 days, or never."
      pages={pages}
      trackBy={(p) => `${p.partner.id} ${p.user.id}`}
      empty="Everybody who can come in has done so within 90 days."
      columns={[
        { id: 'name', header: 'User', isRowHeader: true, minWidth: 150, cell: (p) => <Who name={p.user.name} about={p.user.email} /> },
        {
          id: 'partner',
          header: 'Partner',
          minWidth: 140,
          cell: (p) => (
            <Link href={`/customers/${customer}/partners/${p.partner.id}/people`} onFollow={follow}>
              <Name>{p.partner.name}</Name>
            </Link>
          ),
        },
        { id: 'used', header: 'Last used', whole: true, minWidth: 110, cell: (p) => <LastUse on={p.last_used_on} /> },
      ]}
    />
  );
}
