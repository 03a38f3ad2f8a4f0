import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Grid from '@cloudscape-design/components/grid';
import Link from '@cloudscape-design/components/link';
import Multiselect from '@cloudscape-design/components/multiselect';
import Select from '@cloudscape-design/components/select';
import { useCallback } from 'react';

import { answer, useCursorPages, type Schemas } from '../api';
import { t } from '../language';
import { DataTable } from '../parts/DataTable';
import { LastUse, Until } from '../parts/Ending';
import { ExportButton } from '../parts/ExportButton';
import { Instant } from '../parts/Instant';
import { Name } from '../parts/Name';
import { SearchField } from '../parts/SearchField';
import { SearchSelect } from '../parts/SearchSelect';
import { daysBefore } from '../parts/time';
import { sortOf, useAddress } from '../parts/useAddress';
import { Who } from '../parts/Who';
import { byWhom, levelName, roleName } from '../parts/words';
import { useApi, useNow } from '../session';
import { useFollow } from '../shell/useFollow';
import { keyOf, useCustomer } from './queries';

type Person = Schemas['PersonWithAccess'];

const levels = ['view', 'support', 'manage'] as const;
const endChoices = () => [
  { value: '', label: t('pages.people.any_end') },
  ...[7, 30, 90].map((n) => ({ value: String(n), label: t('pages.people.ends_within', { count: n }) })),
];
const unusedChoices = () => [
  { value: '', label: t('pages.people.any_use') },
  ...[30, 90, 365].map((n) => ({ value: String(n), label: t('pages.people.unused_for', { count: n }) })),
];

/** Everybody who can come in now, over all partners. */
export function People() {
  const api = useApi();
  const now = useNow();
  const follow = useFollow();
  const { customer, name } = useCustomer();
  const address = useAddress();
  const { get, set } = address;
  const path = { customer };
  const level = get('level')
    .split(',')
    .filter((l): l is (typeof levels)[number] => levels.includes(l as (typeof levels)[number]));
  const sort = sortOf(address.order, ['name', 'partner', 'until', 'last_used_on']);
  const within = Number(get('ends')) || 0;
  const idle = Number(get('unused')) || 0;
  const filter = {
    ...(get('q') ? { q: get('q') } : {}),
    ...(get('partner') ? { partner: get('partner') } : {}),
    ...(level.length > 0 ? { level: level.join(',') } : {}),
    ...(within ? { ends_before: new Date(Math.floor(now.getTime() / 3600_000) * 3600_000 + within * 86_400_000).toISOString() } : {}),
    ...(idle ? { unused_since: daysBefore(now, idle) } : {}),
    ...(sort ? { sort } : {}),
  };
  const pages = useCursorPages(
    keyOf(customer, 'people', filter),
    async (cursor, signal) => (await answer(api.GET('/v1/customers/{customer}/people', { params: { path, query: { limit: 25, cursor, count: true, ...filter } }, signal }))).data,
    { at: address.page },
  );
  const setName = useCallback((text: string) => set('q', text), [set]);
  const third = { default: 12, xxs: 6, xs: 4 } as const;
  const chosen = get('partner');
  const ends = endChoices();
  const unused = unusedChoices();
  return (
    <DataTable
      title={t('pages.nav.people')}
      description={t('pages.people.about', { name })}
      actions={
        <ExportButton name="People" read={(query, signal) => api.GET('/v1/customers/{customer}/people', { params: { path, query: { ...query, ...filter } }, parseAs: 'text', signal })} />
      }
      pages={pages}
      trackBy={(p) => `${p.partner.id} ${p.user.id}`}
      empty={address.filtered ? t('pages.people.none_found') : t('pages.people.nobody')}
      emptyAction={address.filtered ? <Button onClick={address.clear}>{t('pages.people.show_all')}</Button> : undefined}
      order={{ by: address.order.by || 'name', down: address.order.down }}
      orderBy={address.orderBy}
      filter={
        <Grid gridDefinition={[{ colspan: third }, { colspan: third }, { colspan: third }, { colspan: third }, { colspan: third }]}>
          <SearchField key={address.filtered ? 'filtered' : 'all'} value={get('q')} onChange={setName} placeholder={t('pages.people.word')} label={t('pages.people.find')} />
          <SearchSelect
            ariaLabel={t('words.partner')}
            of={t('pages.people.a_partner')}
            any={t('pages.people.all_partners')}
            cacheKey={keyOf(customer, 'people', 'partners')}
            value={chosen ? { id: chosen, name: chosen } : undefined}
            onChange={(p) => set('partner', p?.id)}
            read={async (q, cursor, signal) => {
              const { data } = await answer(api.GET('/v1/customers/{customer}/grants', { params: { path, query: { limit: 25, cursor, ...(q ? { q } : {}) } }, signal }));
              return { items: data.items.map((g) => g.partner), next_cursor: data.next_cursor };
            }}
          />
          <Multiselect
            ariaLabel={t('words.field.level')}
            inlineTokens
            placeholder={t('pages.people.all_levels')}
            selectedOptions={level.map((l) => ({ value: l, label: levelName(l) }))}
            options={levels.map((l) => ({ value: l, label: levelName(l) }))}
            onChange={(e) => set('level', e.detail.selectedOptions.map((o) => o.value).join(','))}
          />
          <Select ariaLabel={t('words.field.until')} selectedOption={ends.find((o) => o.value === get('ends')) ?? null} options={ends} onChange={(e) => set('ends', e.detail.selectedOption.value)} />
          <Select ariaLabel={t('pages.people.use')} selectedOption={unused.find((o) => o.value === get('unused')) ?? null} options={unused} onChange={(e) => set('unused', e.detail.selectedOption.value)} />
        </Grid>
      }
      columns={[
        { id: 'name', header: t('pages.column.user'), isRowHeader: true, sortingField: 'name', minWidth: 150, cell: (p) => <Who name={p.user.name} about={`${p.user.email} · ${roleName(p.user.role)}`} /> },
        {
          id: 'partner',
          header: t('words.partner'),
          sortingField: 'partner',
          minWidth: 120,
          cell: (p) => (
            <Link href={`/customers/${customer}/partners/${p.partner.id}`} onFollow={follow}>
              <Name>{p.partner.name}</Name>
            </Link>
          ),
        },
        { id: 'level', header: t('words.field.level'), whole: true, minWidth: 90, cell: (p) => levelWords(p) },
        {
          id: 'why',
          header: t('pages.people.why'),
          minWidth: 130,
          cell: (p) => (
            <>
              {t(`words.why.${p.why}`)}
              {p.granted_by && (
                <Box variant="small" display="block" color="text-body-secondary">
                  <Name>{t('pages.people.by', { who: byWhom(p.granted_by) })}</Name>
                </Box>
              )}
            </>
          ),
        },
        { id: 'since', header: t('pages.column.since'), whole: true, minWidth: 110, cell: (p) => (p.since ? <Instant at={p.since} /> : '–') },
        { id: 'until', header: t('pages.period.until'), whole: true, sortingField: 'until', minWidth: 120, cell: (p) => <Until until={p.until} /> },
        { id: 'used', header: t('pages.column.last_used'), whole: true, sortingField: 'last_used_on', minWidth: 100, cell: (p) => <LastUse on={p.last_used_on} /> },
      ]}
    />
  );
}

/** The level in effect, and what was granted where that is more. */
function levelWords(p: Person): React.ReactNode {
  return (
    <>
      {levelName(p.level)}
      {p.granted_level !== p.level && (
        <Box variant="small" display="block" color="text-body-secondary">
          {p.cap === p.level ? t('pages.users.limit') : t('pages.people.granted', { level: levelName(p.granted_level) })}
        </Box>
      )}
    </>
  );
}
