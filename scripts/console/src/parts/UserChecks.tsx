import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';

import type { CursorPages, Schemas } from '../api';
import { Instant } from './Instant';
import { ProblemAlert } from './ProblemAlert';
import { SearchField } from './SearchField';
import { useNarrow } from './useNarrow';
import { Who } from './Who';
import { levelName, roleName } from './words';

export type AnyUser = Schemas['UserSummary'] | Schemas['GrantUser'] | Schemas['User'];

type Invitation = Schemas['Invitation'];
type Row = { id: string; user: AnyUser } | { id: string; invitation: Invitation };

/**
 * A partner's users as checkboxes. What is checked is the caller's to keep, so that it outlives searching and paging. Pending invitations stand in
 * the same table, above the users (E5, E8); they have no checkbox that could be changed.
 */
export function UserChecks({
  label,
  users,
  checked,
  toggle,
  search,
  onSearch,
  pages: { loading, problem, retry, more, loadMore },
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
  pages: Pick<CursorPages<AnyUser>, 'loading' | 'problem' | 'retry' | 'more' | 'loadMore'>; // that the users come from
  frozen?: boolean; // to be seen, not to be changed
  invitations?: readonly Invitation[]; // that are pending
  cancel?: (invitation: Invitation) => void; // undefined where one may not
}) {
  const narrow = useNarrow();
  const rows: Row[] = [
    ...invitations.filter((i) => i.email.includes(search.toLowerCase())).map((invitation) => ({ id: invitation.id, invitation })),
    ...users.map((user) => ({ id: user.id, user })),
  ];
  const levels = rows.some((r) => 'invitation' in r || 'effective_level' in r.user);
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
        const on = users.filter((u) => now.has(u.id) && !checked(u.id));
        const off = users.filter((u) => !now.has(u.id) && checked(u.id));
        if (on.length > 0) toggle(on, true);
        if (off.length > 0) toggle(off, false);
      }}
      ariaLabels={{
        tableLabel: label,
        selectionGroupLabel: label,
        allItemsSelectionLabel: () => 'All that are shown',
        itemSelectionLabel: (_, r) => ('user' in r ? r.user.name : r.invitation.email),
      }}
      loading={loading}
      loadingText="Loading users"
      columnDefinitions={[
        {
          id: 'user',
          header: 'User',
          isRowHeader: true,
          cell: (r) => (
            <div className="breaks-words">
              {'user' in r ? (
                <Who
                  name={r.user.name}
                  about={[r.user.email, levels && roleName[r.user.role], levels && narrow && levelLine(r)].filter(Boolean).join(' · ')}
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
            : [{ id: 'level', header: 'Level', cell: (r: Row) => <Has row={r} /> }]
          : [{ id: 'role', header: 'Role', cell: (r: Row) => ('user' in r ? roleName[r.user.role] : '') }]),
      ]}
      filter={<SearchField value={search} onChange={onSearch} placeholder="Find by any word of a name, or by address" label={`Find in ${label}`} />}
      empty={
        problem ? (
          <ProblemAlert problem={problem} retry={retry} />
        ) : (
          <Box textAlign="center" color="inherit">
            {search ? `No user has a name or an address with “${search}”.` : 'There are no users.'}
          </Box>
        )
      }
      footer={
        more && (
          <Box textAlign="center">
            <Button onClick={loadMore} loading={loading}>
              More users
            </Button>
          </Box>
        )
      }
    />
  );
}

/** What the user has, or what accepting the invitation gives; '' for a user without access. */
function levelOf(row: Row): string {
  if ('invitation' in row) return levelName[row.invitation.level];
  return 'effective_level' in row.user ? levelName[row.user.effective_level] : '';
}

/** Whether the level is a limit of this person's own. */
const isLimit = (row: Row): boolean => 'user' in row && 'effective_level' in row.user && row.user.cap === row.user.effective_level;

/** The level in a line, where there is no column for it. */
const levelLine = (row: Row): string => (isLimit(row) ? `${levelOf(row)} (limit)` : levelOf(row));

function Has({ row }: { row: Row }) {
  return (
    <>
      <div>{levelOf(row) || '–'}</div>
      {isLimit(row) && (
        <Box variant="small" color="text-body-secondary">
          Limit
        </Box>
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
          Invited{level && ` (${levelName[i.level]})`}, until <Instant at={i.expires_at} />
        </StatusIndicator>
      </Box>
      {cancel && (
        <Button variant="inline-link" formAction="none" onClick={() => cancel(i)} ariaLabel={`Cancel the invitation of ${i.email}`}>
          Cancel the invitation
        </Button>
      )}
    </>
  );
}
