import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from 'react-router';

import { answer, asProblem, useCursorPages, type Schemas } from '../api';
import { number, t } from '../language';
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
      title={t('pages.nav.overview')}
      description={words ?? t('pages.overview.about', { name })}
      actions={
        admin &&
        managed === false && (
          <Button variant="primary" onClick={() => void navigate(`${at}/partners/add`)}>{t('pages.grant.add')}</Button>
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
  const shown = problem ? t('pages.overview.unknown') : total === undefined ? '…' : total === null ? t('pages.overview.more_than', { count: number(most) }) : number(total);
  return (
    <div>
      <Box variant="awsui-key-label">{label}</Box>
      <Link href={href} onFollow={follow} fontSize="display-l" ariaLabel={t('pages.overview.figure', { label, shown })}>
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
          what={t('pages.overview.unread')}
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
          <Figure label={t('pages.overview.partners')} href={`${at}/partners?status=active`} total={partners.data} problem={partners.error} />
          <Figure label={t('pages.overview.people')} href={`${at}/people`} total={people.data} problem={people.error} />
          <Figure label={t('pages.overview.unused')} href={`${at}/people?unused=90`} total={unused.data} problem={unused.error} />
          <Figure
            label={t('pages.overview.waiting')}
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
      title={t('pages.people.ends_within', { count: soonDays })}
      heading="h2"
      pages={pages}
      trackBy={(g) => g.partner.id}
      empty={t('pages.overview.none_ends', { count: soonDays })}
      columns={[
        {
          id: 'partner',
          header: t('words.partner'),
          isRowHeader: true,
          minWidth: 140,
          cell: (g) => (
            <Link href={`/customers/${customer}/partners/${g.partner.id}`} onFollow={follow}>
              <Name>{g.partner.name}</Name>
            </Link>
          ),
        },
        { id: 'level', header: t('words.field.level'), whole: true, minWidth: 90, cell: (g) => <LevelText level={g.level} effective={g.effective_level} /> },
        { id: 'until', header: t('pages.period.ends'), whole: true, minWidth: 150, cell: (g) => <Until until={g.until} /> },
        { id: 'status', header: t('words.field.state'), whole: true, minWidth: 110, cell: (g) => <Status of={g.status} reason={g.reason} /> },
        ...(admin ? [{ id: 'extend', header: t('pages.extend.action'), whole: true, minWidth: 110, cell: (g: Grant) => (g.managed ? null : <Extend grant={g} />) }] : []),
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
      title={t('pages.overview.unused_title')}
      heading="h2"
      description={t('pages.overview.unused_about')}
      pages={pages}
      trackBy={(p) => `${p.partner.id} ${p.user.id}`}
      empty={t('pages.overview.unused_none')}
      columns={[
        { id: 'name', header: t('pages.column.user'), isRowHeader: true, minWidth: 150, cell: (p) => <Who name={p.user.name} about={p.user.email} /> },
        {
          id: 'partner',
          header: t('words.partner'),
          minWidth: 140,
          cell: (p) => (
            <Link href={`/customers/${customer}/partners/${p.partner.id}/people`} onFollow={follow}>
              <Name>{p.partner.name}</Name>
            </Link>
          ),
        },
        { id: 'used', header: t('pages.column.last_used'), whole: true, minWidth: 110, cell: (p) => <LastUse on={p.last_used_on} /> },
      ]}
    />
  );
}
