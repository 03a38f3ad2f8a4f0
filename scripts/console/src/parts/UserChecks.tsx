import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useDeferredValue, useEffect, useState } from 'react';

import type { CursorPages, Schemas } from '../api';
import { number, rich, t } from '../language';
import { Instant } from './Instant';
import { ProblemAlert } from './ProblemAlert';
import { SearchField } from './SearchField';
import { useNarrow } from './useNarrow';
import { Who } from './Who';
import { levelName, roleName } from './words';

export type AnyUser = Schemas['UserSummary'] | Schemas['GrantUser'] | Schemas['User'];

type Invitation = Schemas['Invitation'];
const pageSize = 25;
const most = 2000; // users that are read by themselves

type Row = { id: string; user: AnyUser } | { id: string; invitation: Invitation };

/**
 * A partner's users as checkboxes. What is checked is the caller's to keep, so that it outlives searching and paging. Pending invitations stand in
 * the same table, above the users (E5, E8); they have no checkbox that could be changed.
 */
export function UserChecks({
  label,
  users: read,
  checked,
  toggle,
  search,
  onSearch,
  pages: { loading, fetching, problem, retry, more, loadMore },
  frozen = false,
  invitations = [],
  cancel,
}: {
  label: string;
  users: readonly AnyUser[];
  checked: (id: string) => boolean;
  toggle: (users: AnyUser[], on: boolean) => void;
  search: string;
  onSearch: (text: string) => void;
  pages: Pick<CursorPages<AnyUser>, 'loading' | 'fetching' | 'problem' | 'retry' | 'more' | 'loadMore'>; // that the users come from
  frozen?: boolean; // to be seen, not to be changed
  invitations?: readonly Invitation[]; // that are pending
  cancel?: (invitation: Invitation) => void; // undefined where one may not
}) {
  const narrow = useNarrow();
  const users = useDeferredValue(read); // each page that is read draws the table again: not while somebody types
  const [at, setAt] = useState({ search, page: 1 });
  // All users are read, as far as somebody would page through them, so that they can be counted and selected.
  const reading = more && read.length < most;
  useEffect(() => {
    if (reading && !problem && !fetching) loadMore();
  }, [reading, problem, fetching]); // loadMore is another function each time
  const all: Row[] = [
    ...invitations.filter((i) => i.email.includes(search.toLowerCase())).map((invitation) => ({ id: invitation.id, invitation })),
    ...users.map((user) => ({ id: user.id, user })),
  ];
  const selected = users.filter((u) => checked(u.id)).length;
  const pagesCount = Math.max(1, Math.ceil(all.length / pageSize));
  const page = Math.min(at.search === search ? at.page : 1, pagesCount);
  const rows = all.slice((page - 1) * pageSize, page * pageSize);
  const shown = rows.filter((r) => 'user' in r).map((r) => r.user);
  const levels = all.some((r) => 'invitation' in r || 'effective_level' in r.user);
  return (
    <Table<Row>
      variant="embedded"
      contentDensity="compact"
      wrapLines
      items={problem ? [] : rows}
      trackBy="id"
      selectionType="multi"
      selectedItems={rows.filter((r) => 'user' in r && checked(r.id))}
      isItemDisabled={(r) => frozen || 'invitation' in r}
      onSelectionChange={({ detail: { selectedItems } }) => {
        const now = new Set(selectedItems.map((r) => r.id));
        const on = shown.filter((u) => now.has(u.id) && !checked(u.id));
        const off = shown.filter((u) => !now.has(u.id) && checked(u.id));
        if (on.length > 0) toggle(on, true);
        if (off.length > 0) toggle(off, false);
      }}
      ariaLabels={{
        tableLabel: label,
        selectionGroupLabel: label,
        allItemsSelectionLabel: () => t('pages.users.all_shown'),
        itemSelectionLabel: (_, r) => ('user' in r ? r.user.name : r.invitation.email),
      }}
      loading={loading}
      loadingText={t('pages.users.loading')}
      columnDefinitions={[
        {
          id: 'user',
          header: t('pages.column.user'),
          isRowHeader: true,
          cell: (r) => (
            <div className="breaks-words">
              {'user' in r ? (
                <Who
                  name={r.user.name}
                  about={[r.user.email, levels && roleName(r.user.role), levels && narrow && levelLine(r)].filter(Boolean).join(' · ')}
                />
              ) : (
                <Invited invitation={r.invitation} level={narrow} cancel={cancel} />
              )}
            </div>
          ),
        },
        ...(levels // in a panel there is room for one more column, on a telephone for none
          ? narrow
            ? []
            : [{ id: 'level', header: t('words.field.level'), cell: (r: Row) => <Has row={r} /> }]
          : [{ id: 'role', header: t('words.field.role'), cell: (r: Row) => ('user' in r ? roleName(r.user.role) : '') }]),
      ]}
      filter={<SearchField value={search} onChange={onSearch} placeholder={t('pages.users.search')} label={t('pages.users.search_in', { label })} />}
      empty={
        problem ? (
          <ProblemAlert problem={problem} retry={retry} />
        ) : (
          <Box textAlign="center" color="inherit">
            {search ? t('pages.users.none_found', { text: search }) : t('pages.users.none')}
          </Box>
        )
      }
      pagination={
        pagesCount > 1 && (
          <Pagination
            currentPageIndex={page}
            pagesCount={pagesCount}
            openEnd={more}
            onChange={(e) => setAt({ search, page: e.detail.currentPageIndex })}
            ariaLabels={{ nextPageLabel: t('pages.users.next_page'), previousPageLabel: t('pages.users.previous_page'), pageLabel: (n) => t('pages.users.page', { page: number(n) }) }}
          />
        )
      }
      footer={
        !frozen &&
        users.length > 0 && (
          <SpaceBetween direction="horizontal" size="s">
            <span aria-live="polite">
              {t('pages.users.selected', { selected: number(selected), all: number(users.length), more: more ? 'yes' : 'no', found: search ? 'yes' : 'no' })}
            </span>
            {users.length > pageSize && selected < users.length && (
              <Button variant="inline-link" formAction="none" onClick={() => toggle(users.filter((u) => !checked(u.id)), true)}>
                {t('pages.users.select_all', { all: number(users.length) })}
              </Button>
            )}
            {selected > 0 && users.length > pageSize && (
              <Button variant="inline-link" formAction="none" onClick={() => toggle(users.filter((u) => checked(u.id)), false)}>
                {t('pages.users.select_none')}
              </Button>
            )}
          </SpaceBetween>
        )
      }
    />
  );
}

/** What the user has, or what accepting the invitation gives; '' for a user without access. */
function levelOf(row: Row): string {
  if ('invitation' in row) return levelName(row.invitation.level);
  return 'effective_level' in row.user ? levelName(row.user.effective_level) : '';
}

/** Whether the level is a limit of this person's own. */
const isLimit = (row: Row): boolean => 'user' in row && 'effective_level' in row.user && row.user.cap === row.user.effective_level;

/** The level in a line, where there is no column for it. */
const levelLine = (row: Row): string => (isLimit(row) ? t('pages.users.level_limit', { level: levelOf(row) }) : levelOf(row));

function Has({ row }: { row: Row }) {
  return (
    <>
      <div>{levelOf(row) || '–'}</div>
      {isLimit(row) && (
        <Box variant="small" color="text-body-secondary">{t('pages.users.limit')}</Box>
      )}
    </>
  );
}

function Invited({ invitation: i, level, cancel }: { invitation: Invitation; level: boolean; cancel?: (invitation: Invitation) => void }) {
  return (
    <>
      {i.email}
      <Box variant="small" display="block" color="text-body-secondary">
        <StatusIndicator type="pending">
          {level ? rich('pages.users.invited_level', { level: levelName(i.level), until: <Instant at={i.expires_at} /> }) : rich('pages.users.invited', { until: <Instant at={i.expires_at} /> })}
        </StatusIndicator>
      </Box>
      {cancel && (
        <Button variant="inline-link" formAction="none" onClick={() => cancel(i)} ariaLabel={t('pages.invitation.cancel.of', { email: i.email })}>
          {t('pages.invitation.cancel.action')}
        </Button>
      )}
    </>
  );
}
