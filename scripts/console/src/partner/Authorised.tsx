import Alert from '@cloudscape-design/components/alert';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import Toggle from '@cloudscape-design/components/toggle';
import { useCallback, useMemo, useState } from 'react';
import { useLocation, useNavigate, useParams } from 'react-router';

import { answer, type Answer, type Api, type Schemas } from '../api';
import { t } from '../language';
import { useCancelInvitation } from '../parts/CancelInvitation';
import { Group } from '../parts/Group';
import { Instant } from '../parts/Instant';
import { LevelText } from '../parts/LevelText';
import { PanelForm } from '../parts/PanelForm';
import { ProblemAlert } from '../parts/ProblemAlert';
import { Status } from '../parts/Status';
import { Theirs } from '../parts/Theirs';
import { useEditing } from '../parts/useEditing';
import { UserChecks, type AnyUser } from '../parts/UserChecks';
import { changeLines, names } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { Panel } from '../shell/Panel';
import { useKept } from '../shell/useKept';
import { Entry } from './Entry';
import { readPicked, useChanged, usePartner, usePendingInvitations, usePicked, useUsers } from './queries';

type Customer = Schemas['PartnerCustomer'];

/** The users of the partner with access to a customer. */
interface Inside {
  of: Customer;
  users: Map<string, Schemas['GrantUser']>; // empty while everyone is on
}

async function read(api: Api, partner: string, customer: string, signal: AbortSignal): Promise<Answer<Inside>> {
  const { data: of, ...answered } = await answer(api.GET('/v1/partners/{partner}/customers/{customer}', { params: { path: { partner, customer } }, signal }));
  const users = of.everyone ? [] : await readPicked(api, partner, customer, signal);
  return { ...answered, data: { of, users: new Map(users.map((u) => [u.id, u])) } };
}

const lines = ({ of, users }: Inside): Record<string, string> => ({
  [t('pages.customer.assigned_by')]: t(`words.by.${of.assigned_by}`),
  [t('pages.assigned.everyone')]: of.everyone ? t('words.on') : t('words.off'),
  [t('pages.users.title')]: of.everyone ? t('words.wish.everyone') : names([...users.values()].map((u) => u.name)),
});

interface Picked {
  everyone: boolean | undefined; // undefined: as it is
  add: ReadonlyMap<string, AnyUser>;
  remove: ReadonlySet<string>;
}

const nothing: Picked = { everyone: undefined, add: new Map(), remove: new Set() };

/**
 * The panel of a customer: its information with the sign-in link, and the users with access; they are edited where the partner assigns them. It stands over
 * the list of customers, or over the customer's own page.
 */
export function Authorised() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const { partner, name, me, may } = usePartner();
  const { customer = '' } = useParams();
  const { pathname } = useLocation();
  const under = pathname.endsWith('/edit') ? `/partners/${partner}/customers/${customer}/people` : `/partners/${partner}/customers`;
  const close = useCallback(() => void navigate({ pathname: under, search: location.search }), [navigate, under]);
  const editing = useEditing<Inside, Schemas['Pick'], Schemas['GrantChange']>({
    key: ['picked', partner, customer],
    read: (signal) => read(api, partner, customer, signal),
    send: async (body, etag) =>
      (await answer(api.PUT('/v1/partners/{partner}/customers/{customer}/users', { params: { path: { partner, customer }, header: { 'If-Match': etag } }, body }))).data,
    lines,
    onDone: (change, { of }) => {
      form.done();
      flash.done(t('pages.assigned.changed', { customer: of.customer.name }), changeLines(change).join(' '));
      void changed();
      close();
    },
  });
  const { base } = editing;
  const [{ everyone, add, remove }, edit, form] = useKept<Picked>(
    `users of ${partner} for ${customer}`,
    nothing,
    nothing,
    (picked) => (base ? bodyOf(base, picked.everyone ?? base.of.everyone, picked.add, picked.remove) !== undefined : picked.everyone !== undefined || picked.add.size + picked.remove.size > 0),
  );
  if (!base) {
    return (
      <Panel title={t('pages.assigned.title')} close={close}>
        {editing.readProblem ? <ProblemAlert problem={editing.readProblem} retry={editing.retry} /> : <Spinner />}
      </Panel>
    );
  }
  const { of, users } = base;
  const why = frozenFor(of, may.lead);
  const setting = (
    <KeyValuePairs
      columns={2}
      items={[
        { label: t('words.field.domain'), value: of.customer.domain ?? '–' },
        { label: t('pages.column.id'), value: of.customer.id },
        { label: t('words.field.state'), value: <Status of={of.status} reason={of.reason} /> },
        { label: t('words.field.level'), value: <LevelText level={of.level} effective={of.effective_level} /> },
        { label: t('pages.column.since'), value: <Instant at={of.from} both /> },
        { label: t('pages.period.until'), value: of.until ? <Instant at={of.until} both /> : t('pages.until.continuous') },
        ...(of.message ? [{ label: t('words.field.message'), value: of.message }] : []),
        { label: t('words.field.sso'), value: of.require_sso ? t('pages.required') : t('pages.not_required') },
        ...(me ? [{ label: t('pages.customer.sign_in'), value: <Entry of={of} /> }] : []),
      ]}
    />
  );
  if (why) {
    return (
      <Panel title={of.customer.name} close={close}>
        <SpaceBetween size="l">
          {setting}
          <Alert type="info">{why}</Alert>
          <Seen of={of} name={name} />
        </SpaceBetween>
      </Panel>
    );
  }
  const now = everyone ?? of.everyone;
  const body = bodyOf(base, now, add, remove);
  return (
    <PanelForm
      title={of.customer.name}
      close={close}
      action={editing.theirs ? t('pages.button.apply_mine') : t('pages.button.save')}
      submit={() => body && editing.send(body)}
      sending={editing.sending}
      disabledReason={body ? undefined : t('pages.form.unchanged')}
      problem={editing.problem}
      notice={<Theirs lines={editing.theirs} />}
      shown={['/users', '/everyone']}
    >
      {form.guard}
      {setting}
      <Group label={t('pages.assigned.title')} error={editing.problem?.at('/everyone') ?? editing.problem?.at('/users')}>
        <SpaceBetween size="s">
          <Toggle
            checked={now}
            onChange={(e) => {
              edit({ everyone: e.detail.checked, add: new Map(), remove: new Set() });
            }}
            description={everyoneAbout(now, of.everyone)}
          >{t('pages.edit.everyone_of', { name })}</Toggle>
          {!now && !of.everyone && (
            <Checks
              of={of}
              inside={users}
              checked={(id) => (users.has(id) ? !remove.has(id) : add.has(id))}
              toggle={(changedUsers, on) => {
                const nextAdd = new Map(add);
                const nextRemove = new Set(remove);
                for (const u of changedUsers) {
                  if (users.has(u.id)) {
                    if (on) nextRemove.delete(u.id);
                    else nextRemove.add(u.id);
                  } else if (on) nextAdd.set(u.id, u);
                  else nextAdd.delete(u.id);
                }
                edit({ add: nextAdd, remove: nextRemove });
              }}
            />
          )}
          {of.everyone && <Seen of={of} name={name} />}
        </SpaceBetween>
      </Group>
    </PanelForm>
  );
}

function everyoneAbout(now: boolean, was: boolean): string | undefined {
  if (now) return was ? t('pages.assigned.switch_off') : t('pages.assigned.replaces');
  return was ? t('pages.assigned.keeps') : undefined;
}

function frozenFor(of: Customer, lead: boolean): string | undefined {
  if (of.status === 'ended' || of.status === 'expired') return t('pages.assigned.ended');
  if (of.assigned_by === 'customer') return t('pages.assigned.assigns_itself', { customer: of.customer.name });
  return lead ? undefined : t('pages.assigned.who_assigns');
}

/** What is to be sent; undefined when nothing is. */
function bodyOf({ of, users }: Inside, everyone: boolean, add: ReadonlyMap<string, AnyUser>, remove: ReadonlySet<string>): Schemas['Pick'] | undefined {
  if (everyone !== of.everyone) return { everyone };
  const added = [...add.keys()].filter((id) => !users.has(id));
  const kept = [...users.keys()].filter((id) => !remove.has(id));
  if (everyone || (added.length === 0 && kept.length === users.size)) return undefined;
  return { users: [...kept, ...added] };
}

/** The customer's pending invitations among the users (E5), and the dialog that cancels one: by those who may. */
function usePending(of: Customer) {
  const { may } = usePartner();
  const { cancel, dialog } = useCancelInvitation(useChanged());
  return { rows: { invitations: usePendingInvitations(of.customer.id), cancel: may.lead ? cancel : undefined }, dialog };
}

/** The users with access and those who are invited first, then the partner's other users who could be. */
function Checks({
  of,
  inside,
  checked,
  toggle,
}: {
  of: Customer;
  inside: Inside['users'];
  checked: (id: string) => boolean;
  toggle: (users: AnyUser[], on: boolean) => void;
}) {
  const [search, setSearch] = useState('');
  const { name } = usePartner();
  const pending = usePending(of);
  const others = useUsers(search, 50);
  const users = useMemo(
    () => [...[...inside.values()].filter((u) => matches(u, search)), ...others.all.filter((u) => !inside.has(u.id) && u.status !== 'disabled')],
    [inside, others.all, search],
  );
  return (
    <>
      <UserChecks
        label={t('pages.users.of', { name })}
        users={users}
        checked={checked}
        toggle={toggle}
        search={search}
        onSearch={setSearch}
        pages={others}
        {...pending.rows}
      />
      {pending.dialog}
    </>
  );
}

/** The users with access and those who are invited, to read only. */
function Seen({ of, name }: { of: Customer; name: string }) {
  const [search, setSearch] = useState('');
  const users = usePicked(of.customer.id);
  const pending = usePending(of);
  return (
    <>
      <UserChecks
        label={of.everyone ? t('pages.assigned.all_of', { name }) : t('pages.users.of_with_access', { name })}
        users={users.all.filter((u) => matches(u, search))}
        checked={() => true}
        toggle={() => undefined}
        search={search}
        onSearch={setSearch}
        pages={users}
        frozen
        {...pending.rows}
      />
      {pending.dialog}
    </>
  );
}

const matches = (u: AnyUser, search: string): boolean =>
  search === '' || u.name.toLowerCase().includes(search.toLowerCase()) || u.email.startsWith(search.toLowerCase());
