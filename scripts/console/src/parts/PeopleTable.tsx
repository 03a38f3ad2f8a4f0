import Box from '@cloudscape-design/components/box';
import ButtonDropdown, { type ButtonDropdownProps } from '@cloudscape-design/components/button-dropdown';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { ReactNode } from 'react';

import type { CursorPages, Schemas } from '../api';
import { t } from '../language';
import { DataTable } from './DataTable';
import { LastUse } from './Ending';
import { Instant } from './Instant';
import { InvitationStatus, UserStatus } from './Status';
import { Who } from './Who';
import { byWhom, instant, levelName, roleName } from './words';

type User = Schemas['GrantUser'];
type Invitation = Schemas['Invitation'];
export type PersonRow = { user: User; invitation?: undefined } | { user?: undefined; invitation: Invitation };

/** The people with access in one grant and the invitations that wait for an answer, in one list (E5 to E8). `menu` is what one may do with a row. */
export function PeopleTable({
  users,
  invitations,
  title = t('pages.people.title'),
  description,
  actions,
  empty,
  emptyAction,
  menu,
}: {
  users: CursorPages<User>;
  invitations: readonly Invitation[];
  title?: string;
  description: string;
  actions?: ReactNode;
  empty: string;
  emptyAction?: ReactNode;
  menu?: (row: PersonRow) => { items: readonly ButtonDropdownProps.Item[]; chosen: (id: string) => void; busy?: boolean };
}) {
  const rows: PersonRow[] = [...(users.page === 1 ? invitations.map((invitation) => ({ invitation })) : []), ...users.items.map((user) => ({ user }))];
  return (
    <DataTable<PersonRow>
      title={title}
      heading="h2"
      description={description}
      actions={actions}
      pages={{ ...users, items: rows, all: rows }}
      trackBy={(r) => (r.user ? r.user.id : r.invitation.id)}
      empty={empty}
      emptyAction={emptyAction}
      columns={[
        {
          id: 'name',
          header: t('pages.column.user'),
          isRowHeader: true,
          minWidth: 160,
          cell: (r) => (r.user ? <Who name={r.user.name} about={r.user.email} /> : <Who name={r.invitation.email} about={t('pages.people.invited_by', { who: byWhom(r.invitation.invited_by) })} />),
        },
        { id: 'role', header: t('words.field.role'), whole: true, minWidth: 100, cell: (r) => (r.user ? roleName(r.user.role) : roleName('external')) },
        { id: 'level', header: t('words.field.level'), whole: true, minWidth: 90, cell: (r) => <Level row={r} /> },
        { id: 'status', header: t('words.field.state'), whole: true, minWidth: 150, cell: (r) => <RowStatus row={r} /> },
        { id: 'since', header: t('pages.column.since'), whole: true, minWidth: 120, cell: (r) => (r.user?.assigned_at ? <Instant at={r.user.assigned_at} /> : '–') },
        { id: 'used', header: t('pages.column.last_used'), whole: true, minWidth: 100, cell: (r) => (r.user ? <LastUse on={r.user.last_used_on} /> : '–') },
        ...(menu
          ? [
              {
                id: 'actions',
                header: t('pages.column.actions'),
                minWidth: 80,
                cell: (r: PersonRow) => {
                  const { items, chosen, busy = false } = menu(r);
                  if (items.length === 0) return null;
                  return (
                    <ButtonDropdown
                      variant="inline-icon"
                      ariaLabel={t('pages.actions_for', { name: r.user ? r.user.name : r.invitation.email })}
                      expandToViewport
                      loading={busy}
                      items={items}
                      onItemClick={({ detail: { id } }) => chosen(id)}
                    />
                  );
                },
              },
            ]
          : []),
      ]}
    />
  );
}

function Level({ row: r }: { row: PersonRow }) {
  if (!r.user) return <>{levelName(r.invitation.level)}</>;
  return (
    <>
      {levelName(r.user.effective_level)}
      {r.user.cap === r.user.effective_level && (
        <Box variant="small" display="block" color="text-body-secondary">{t('pages.users.limit')}</Box>
      )}
    </>
  );
}

function RowStatus({ row: r }: { row: PersonRow }) {
  if (!r.user) {
    return (
      <>
        <InvitationStatus of={r.invitation.status} />
        <Box variant="small" display="block" color="text-body-secondary">
          {t('pages.invitation.acceptable_until_at', { at: instant(r.invitation.expires_at) })}
        </Box>
      </>
    );
  }
  if (r.user.status !== 'active') return <UserStatus of={r.user.status} />;
  return <StatusIndicator type="success">{r.user.assigned_at ? t('pages.people.assigned') : t('pages.people.by_everyone')}</StatusIndicator>;
}
