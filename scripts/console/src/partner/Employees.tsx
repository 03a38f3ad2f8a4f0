import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Link from '@cloudscape-design/components/link';
import { useCallback, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';

import { answer, etagOf, useSubmit, type Schemas } from '../api';
import { DataTable } from '../parts/DataTable';
import { SearchField } from '../parts/SearchField';
import { UserStatus } from '../parts/Status';
import { Who } from '../parts/Who';
import { instant, roleName } from '../parts/words';
import { problemWords } from '../parts/problems';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { PanelOutlet } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { DeleteEmployee } from './DeleteEmployee';
import { useChanged, usePartner, useUsers } from './queries';
import { mayHandle } from './rights';
import { ResetPassword } from './ResetPassword';

type User = Schemas['User'];

/** The partner's own people: employees, and the external users who accepted an invitation. */
export function Employees() {
  const { partner, name, me, may } = usePartner();
  const navigate = useNavigate();
  const follow = useFollow();
  const [query, setQuery] = useSearchParams();
  const [deleting, setDeleting] = useState<User>();
  const [resetting, setResetting] = useState<User>();
  const q = query.get('q') ?? '';
  const pages = useUsers(q);
  const search = useCallback((text: string) => setQuery(text ? { q: text } : {}, { replace: true }), [setQuery]);
  const switching = useSwitch();
  const sendPassword = useSendPassword();
  const at = `/partners/${partner}/employees`;
  const panelOf = (u: User): string => `${at}/${u.id}${query.size > 0 ? `?${query}` : ''}`; // the search stays
  const keeps = (u: User): boolean => mayHandle(may, u.role);
  return (
    <>
      <DataTable
        title="Employees"
        description={`The people of ${name}, and people outside it who accepted an invitation.`}
        actions={
          (may.lead || may.provider) && (
            <Button variant="primary" onClick={() => void navigate(`${at}/add`)}>
              Add employees
            </Button>
          )
        }
        pages={pages}
        trackBy={(u) => u.id}
        empty={q ? 'No employee matches this search.' : 'There are no employees yet.'}
        emptyAction={q ? <Button onClick={() => setQuery({}, { replace: true })}>Show all employees</Button> : undefined}
        filter={<SearchField key={q ? 'filtered' : 'all'} value={q} onChange={search} placeholder="Find by a word of the name" label="Find employees" />}
        columns={[
          {
            id: 'name',
            header: 'Name',
            isRowHeader: true,
            minWidth: 130,
            cell: (u) => (
              <>
                {keeps(u) ? (
                  <Link href={panelOf(u)} onFollow={follow}>
                    {u.name}
                  </Link>
                ) : (
                  u.name
                )}
                {u.id === me && ' (you)'}
              </>
            ),
          },
          { id: 'email', header: 'E-mail address', minWidth: 160, cell: (u) => u.email },
          { id: 'role', header: 'Role', whole: true, minWidth: 110, cell: (u) => roleName(u.role) },
          { id: 'phone', header: 'Telephone', minWidth: 120, cell: (u) => <Who name={u.phone ?? '–'} about={u.mfa ? 'Signs in with two factors' : undefined} /> },
          {
            id: 'status',
            header: 'Status',
            whole: true,
            minWidth: 120,
            cell: (u) => (
              <>
                <UserStatus of={u.status} />
                {u.activation_missed_at && (
                  <Box variant="small" display="block" color="text-status-warning">
                    Did not sign in by {instant(u.activation_missed_at)}: the temporary password has expired
                  </Box>
                )}
              </>
            ),
          },
          ...(may.lead || may.provider
            ? [
                {
                  id: 'actions',
                  header: 'Actions',
                  minWidth: 80,
                  cell: (u: User) =>
                    keeps(u) ? (
                      <ButtonDropdown
                        variant="inline-icon"
                        ariaLabel={`Actions for ${u.name}`}
                        expandToViewport
                        loading={(switching.sending && switching.input?.id === u.id) || (sendPassword.sending && sendPassword.input?.id === u.id)}
                        items={[
                          { id: 'edit', text: 'Edit' },
                          u.status === 'disabled' ? { id: 'enable', text: 'Enable' } : { id: 'disable', text: 'Disable' },
                          ...(u.role === 'external' || u.status === 'disabled'
                            ? []
                            : [u.activation_missed_at ? { id: 'password', text: 'Send temporary password' } : { id: 'reset', text: 'Reset password' }]),
                          { id: 'delete', text: 'Delete' },
                        ]}
                        onItemClick={({ detail: { id } }) => {
                          if (id === 'edit') void navigate(panelOf(u));
                          else if (id === 'delete') setDeleting(u);
                          else if (id === 'password') sendPassword.send(u);
                          else if (id === 'reset') setResetting(u);
                          else switching.send(u);
                        }}
                      />
                    ) : null,
                },
              ]
            : []),
        ]}
      />
      {resetting && <ResetPassword user={resetting} close={() => setResetting(undefined)} />}
      {deleting && <DeleteEmployee user={deleting} close={() => setDeleting(undefined)} />}
      <PanelOutlet />
    </>
  );
}

/** Disables a user, or enables it again. */
function useSwitch() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { partner } = usePartner();
  return useSubmit(
    async (u: User) =>
      (
        await answer(
          api.PATCH('/v1/partners/{partner}/users/{user}', {
            params: { path: { partner, user: u.id }, header: { 'If-Match': etagOf(u) } },
            body: { status: u.status === 'disabled' ? 'active' : 'disabled' },
          }),
        )
      ).data,
    {
      onDone: (u) => {
        if (u.status === 'disabled') flash.done(`${u.name} is disabled`, 'The account no longer has access to anything.');
        else flash.done(`${u.name} is enabled`, 'The account has the access again that it had before.');
        void changed();
      },
      onProblem: (problem, u) => {
        if (problem.code === 'version_mismatch') flash.warn(`Someone else changed ${u.name} meanwhile`, 'The list shows the current state. Check it, then try again.');
        else flash.warn(...problemWords(problem));
        void changed();
      },
    },
  );
}

/** Has a temporary password sent to somebody who has not signed in yet. */
function useSendPassword() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { partner } = usePartner();
  return useSubmit(
    async (u: User, key) => {
      await answer(
        api.POST('/v1/partners/{partner}/users/{user}/password', { params: { path: { partner, user: u.id }, header: { 'Idempotency-Key': key } }, body: { send: true } }),
      );
    },
    {
      repeatable: true,
      onDone: (_, u) => {
        flash.done(`A temporary password is on its way to ${u.email}`, 'It works once, within 7 days. Earlier ones no longer work.');
        void changed();
      },
      onProblem: (problem, u) => {
        if (problem.code === 'not_found') flash.warn('No accounts are kept here', `Where ${u.name} signs in, passwords are kept elsewhere.`);
        else flash.warn(...problemWords(problem));
      },
    },
  );
}
