import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Link from '@cloudscape-design/components/link';
import { useCallback, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';

import { answer, etagOf, useSubmit, type Schemas } from '../api';
import { t } from '../language';
import { DataTable } from '../parts/DataTable';
import { Name } from '../parts/Name';
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
        title={t('pages.nav.employees')}
        description={t('pages.employees.about', { name })}
        actions={
          (may.lead || may.provider) && (
            <Button variant="primary" onClick={() => void navigate(`${at}/add`)}>{t('pages.employees.add')}</Button>
          )
        }
        pages={pages}
        trackBy={(u) => u.id}
        empty={q ? t('pages.employees.none_found') : t('pages.employees.none')}
        emptyAction={q ? <Button onClick={() => setQuery({}, { replace: true })}>{t('pages.employees.show_all')}</Button> : undefined}
        filter={<SearchField key={q ? 'filtered' : 'all'} value={q} onChange={search} placeholder={t('pages.employees.word')} label={t('pages.employees.find')} />}
        columns={[
          {
            id: 'name',
            header: t('words.field.name'),
            isRowHeader: true,
            minWidth: 130,
            cell: (u) => (
              <>
                {keeps(u) ? (
                  <Link href={panelOf(u)} onFollow={follow}>
                    <Name>{u.name}</Name>
                  </Link>
                ) : (
                  <Name>{u.name}</Name>
                )}
                {u.id === me && ' '}
                {u.id === me && t('pages.employees.you')}
              </>
            ),
          },
          { id: 'email', header: t('words.field.email'), minWidth: 160, cell: (u) => u.email },
          { id: 'role', header: t('words.field.role'), whole: true, minWidth: 110, cell: (u) => roleName(u.role) },
          { id: 'phone', header: t('pages.employees.phone'), minWidth: 120, cell: (u) => <Who name={u.phone ?? '–'} about={u.mfa ? t('pages.employees.uses_mfa') : undefined} /> },
          {
            id: 'status',
            header: t('words.field.state'),
            whole: true,
            minWidth: 120,
            cell: (u) => (
              <>
                <UserStatus of={u.status} />
                {u.activation_missed_at && (
                  <Box variant="small" display="block" color="text-status-warning">
                    {t('pages.employees.missed', { at: instant(u.activation_missed_at) })}
                  </Box>
                )}
              </>
            ),
          },
          ...(may.lead || may.provider
            ? [
                {
                  id: 'actions',
                  header: t('pages.column.actions'),
                  minWidth: 80,
                  cell: (u: User) =>
                    keeps(u) ? (
                      <ButtonDropdown
                        variant="inline-icon"
                        ariaLabel={t('pages.actions_for', { name: u.name })}
                        expandToViewport
                        loading={(switching.sending && switching.input?.id === u.id) || (sendPassword.sending && sendPassword.input?.id === u.id)}
                        items={[
                          { id: 'edit', text: t('pages.button.edit') },
                          u.status === 'disabled' ? { id: 'enable', text: t('pages.employees.enable') } : { id: 'disable', text: t('pages.employees.disable') },
                          ...(u.role === 'external' || u.status === 'disabled'
                            ? []
                            : [u.activation_missed_at ? { id: 'password', text: t('pages.employees.send_password') } : { id: 'reset', text: t('pages.employees.reset') }]),
                          { id: 'delete', text: t('pages.button.delete') },
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
        if (u.status === 'disabled') flash.done(t('pages.employees.disabled', { name: u.name }), t('pages.employees.disabled_about'));
        else flash.done(t('pages.employees.enabled', { name: u.name }), t('pages.employees.enabled_about'));
        void changed();
      },
      onProblem: (problem, u) => {
        if (problem.code === 'version_mismatch') flash.warn(t('pages.grant.changed_meanwhile', { name: u.name }), t('pages.employees.check'));
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
        flash.done(t('pages.employees.password_sent', { email: u.email }), t('pages.employees.password_about'));
        void changed();
      },
      onProblem: (problem, u) => {
        if (problem.code === 'not_found') flash.warn(t('pages.employees.no_accounts'), t('pages.employees.elsewhere', { name: u.name }));
        else flash.warn(...problemWords(problem));
      },
    },
  );
}
