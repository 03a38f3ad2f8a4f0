import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FormField from '@cloudscape-design/components/form-field';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import Textarea from '@cloudscape-design/components/textarea';
import Toggle from '@cloudscape-design/components/toggle';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo, useState } from 'react';
import { useLocation, useNavigate, useParams, useSearchParams } from 'react-router';

import { answer, asProblem, useSubmit, type Api, type Schemas } from '../api';
import { Group } from '../parts/Group';
import { LevelSelect } from '../parts/Level';
import { useCancelInvitation } from '../parts/CancelInvitation';
import { PanelForm } from '../parts/PanelForm';
import { complete, PeriodFields, type Period } from '../parts/Period';
import { ProblemAlert } from '../parts/ProblemAlert';
import { Theirs } from '../parts/Theirs';
import { UserChecks, type AnyUser } from '../parts/UserChecks';
import { changeLines, count, daysOf, instant, levelName, managedWords, names, statusWords, type Level } from '../parts/words';
import { useApi, useProduct } from '../session';
import { useFlash } from '../shell/flash';
import { Panel } from '../shell/Panel';
import { useKept } from '../shell/useKept';
import { frozenWords } from './grants';
import { useChanged, useCustomer, useGrantUsers, useOffer, usePartnerUsers, usePending } from './queries';

type Grant = Schemas['Grant'];

/** What was there when the person began, or when they looked again after somebody else's change. */
interface Base {
  grant: Grant;
  etag: string;
  users: Map<string, Schemas['GrantUser']>; // empty while everyone is on
}

/** What the person wants to change. What is left out stays as it is, whoever changes it meanwhile. */
interface Draft {
  level?: Level;
  enabled?: boolean;
  everyone?: boolean;
  assigned_by?: Grant['assigned_by'];
  require_sso?: boolean;
  auto_extend?: string | null;
  note?: string;
  message?: string;
  period?: Period;
  add: ReadonlyMap<string, AnyUser>;
  remove: ReadonlySet<string>;
}

const untouched: Draft = { add: new Map(), remove: new Set() };
const fields = ['/users', '/everyone', '/level', '/from', '/until', '/auto_extend', '/note', '/message', '/state'];

/** The draft that a reminder's link asks for: the present end, so many days later. */
function extended(grant: Grant, extend: string | null): Draft {
  const days = /^P([1-9]\d{0,3})D$/.exec(extend ?? '')?.[1];
  if (!days || !grant.until) return untouched;
  return { ...untouched, period: { from: grant.from, until: new Date(Date.parse(grant.until) + Number(days) * 86_400_000).toISOString() } };
}

async function readBase(api: Api, customer: string, partner: string, signal: AbortSignal): Promise<Base> {
  const { data: grant, etag } = await answer(api.GET('/v1/customers/{customer}/grants/{partner}', { params: { path: { customer, partner } }, signal }));
  const users = new Map<string, Schemas['GrantUser']>();
  let cursor: string | undefined;
  if (!grant.everyone) {
    do {
      const { data } = await answer(
        api.GET('/v1/customers/{customer}/grants/{partner}/users', { params: { path: { customer, partner }, query: { limit: 100, cursor } }, signal }),
      );
      for (const u of data.items) users.set(u.id, u);
      cursor = data.next_cursor ?? undefined;
    } while (cursor);
  }
  return { grant, etag, users };
}

/** The panel of one partner: its users as checkboxes, level, period, suspended or not. Where nothing can be changed it says why. */
export function EditPartner() {
  const api = useApi();
  const navigate = useNavigate();
  const { customer, name, admin } = useCustomer();
  const product = useProduct();
  const { partner = '' } = useParams();
  const [params] = useSearchParams();
  const { state } = useLocation();
  const back = (state as { back?: string } | null)?.back ?? `/customers/${customer}/partners/${partner}`;
  const close = useCallback(() => void navigate(back), [navigate, back]);
  // Read when the panel is opened and when a change met another one's: what the person looks at does not change by itself.
  const query = useQuery({
    queryKey: ['edit', customer, partner],
    queryFn: ({ signal }) => readBase(api, customer, partner, signal),
    gcTime: 0,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const base = query.data;
  const frozen = base && (base.grant.managed ? managedWords(base.grant.partner.name, name, product) : frozenWords(base.grant, admin));
  if (!base || frozen) {
    return (
      <Panel title={base ? base.grant.partner.name : 'Partner'} close={close}>
        {frozen ? <Alert type="info">{frozen}</Alert> : query.error ? <ProblemAlert problem={asProblem(query.error)} retry={() => void query.refetch()} /> : <Spinner />}
      </Panel>
    );
  }
  return (
    <EditForm
      base={base}
      begun={extended(base.grant, params.get('extend'))}
      reread={async () => {
        const again = await query.refetch();
        return again.data;
      }}
      close={close}
    />
  );
}

/** Who has access, and who is invited, to be looked at. Whoever `cancels` may cancel invitations. */
function Seen({ grant, cancels = false }: { grant: Grant; cancels?: boolean }) {
  const [search, setSearch] = useState('');
  const { cancel, dialog } = useCancelInvitation(useChanged());
  const users = useGrantUsers(grant.partner.id);
  const pending = usePending(grant.partner.id);
  return (
    <>
      <UserChecks
        label={`Users of ${grant.partner.name} with access`}
        users={users.all.filter((u) => matches(u, search))}
        checked={() => true}
        toggle={() => undefined}
        search={search}
        onSearch={setSearch}
        pages={users}
        frozen
        invitations={pending.all}
        cancel={cancels ? cancel : undefined}
      />
      {dialog}
    </>
  );
}

function EditForm({ base, begun, reread, close }: { base: Base; begun: Draft; reread: () => Promise<Base | undefined>; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { customer } = useCustomer();
  const { grant } = base;
  const [draft, edit, form] = useKept<Draft>(`edit ${customer} ${grant.partner.id}`, untouched, begun);
  const [theirs, setTheirs] = useState<string[]>(); // what somebody else changed meanwhile
  const [tried, setTried] = useState(false);

  const now = {
    level: draft.level ?? grant.level,
    enabled: draft.enabled ?? grant.state !== 'suspended',
    everyone: draft.everyone ?? grant.everyone,
    assigned_by: draft.assigned_by ?? grant.assigned_by,
    require_sso: draft.require_sso ?? grant.require_sso,
    auto_extend: draft.auto_extend === undefined ? grant.auto_extend : draft.auto_extend,
    note: draft.note ?? grant.note,
    message: draft.message ?? grant.message,
    period: draft.period ?? { from: grant.from, until: grant.until },
  };
  const body = bodyOf(base, draft);

  const save = useSubmit(
    async (wanted: Schemas['GrantEdit']) =>
      (
        await answer(
          api.PATCH('/v1/customers/{customer}/grants/{partner}', {
            params: { path: { customer, partner: grant.partner.id }, header: { 'If-Match': base.etag } },
            body: wanted,
          }),
        )
      ).data,
    {
      onDone: (change) => {
        flash.done(`The access of ${grant.partner.name} is changed`, changeLines(change).join(' '));
        form.done();
        void changed();
        close();
      },
      onProblem: (problem) => {
        if (problem.code !== 'version_mismatch') return;
        void reread().then((fresh) => {
          if (fresh) setTheirs(difference(base, fresh));
          void changed();
        });
      },
    },
  );
  const conflict = save.problem?.code === 'version_mismatch';
  const at = (pointer: string): string | undefined => save.problem?.at(pointer);
  const missing = complete(now.period) ? undefined : 'Choose a day and a time.';

  const offer = useOffer(grant.partner.id, true);

  return (
    <PanelForm
      title={grant.partner.name}
      label={`Edit ${grant.partner.name}`}
      close={close}
      action={theirs ? 'Apply my changes' : 'Save'}
      submit={() => {
        setTried(true);
        if (!missing && body) save.send(body);
      }}
      sending={save.sending}
      disabledReason={body || missing ? undefined : 'There is nothing to save yet.'}
      problem={conflict ? undefined : save.problem}
      notice={theirs && <Theirs lines={theirs} mine={body && mine(body, base, draft)} />}
      shown={fields}
    >
      {form.guard}
      <Toggle
        checked={!now.enabled}
        onChange={(e) => edit({ enabled: !e.detail.checked })}
        description={now.enabled ? undefined : 'No user of the partner has access until you resume it.'}
      >
        Suspend access
      </Toggle>
      <Group label="Users" error={at('/everyone') ?? at('/users')}>
        <SpaceBetween size="s">
          <Toggle
            checked={now.everyone}
            onChange={(e) => edit({ everyone: e.detail.checked, add: new Map(), remove: new Set() })}
            description={
              now.everyone
                ? grant.everyone
                  ? 'To remove single users, switch this off.'
                  : 'Replaces the users that are checked one by one.'
                : grant.everyone
                  ? 'Current users keep their access, new users do not get it. After saving you can remove single users.'
                  : undefined
            }
          >
            Everyone of {grant.partner.name}, now and later
          </Toggle>
          {!now.everyone && !grant.everyone && <Checks base={base} draft={draft} edit={edit} />}
          {grant.everyone && <Seen grant={grant} cancels />}
        </SpaceBetween>
      </Group>
      <LevelSelect value={now.level} onChange={(level) => edit({ level })} offer={offer} error={at('/level')} withNone={grant.level === 'none'} />
      <PeriodFields
        value={now.period}
        since={grant.status === 'scheduled' ? undefined : grant.from}
        onChange={(period) => edit({ period })}
        problem={{
          from: at('/from') ?? (tried && now.period.from === undefined ? missing : undefined),
          until: at('/until') ?? (tried && now.period.until === undefined ? missing : undefined),
        }}
      />
      <ExpandableSection headerText="More settings">
        <SpaceBetween size="l">
          <FormField label="Who assigns the users">
            <RadioGroup
              value={now.assigned_by}
              onChange={(e) => edit({ assigned_by: e.detail.value as Grant['assigned_by'] })}
              items={[
                { value: 'customer', label: 'You' },
                { value: 'partner', label: 'The partner', description: 'You can still remove users.' },
              ]}
            />
          </FormField>
          <FormField
            label="Extend automatically"
            description="A day before the end, if somebody used the access within as long. Everybody concerned is told, either way."
            errorText={at('/auto_extend')}
          >
            <Select
              selectedOption={extension(now.auto_extend)}
              onChange={(e) => edit({ auto_extend: e.detail.selectedOption.value || null })}
              options={[...new Set([null, 'P30D', 'P90D', 'P365D', grant.auto_extend])].map(extension)}
              disabled={now.period.until === null}
            />
          </FormField>
          <Toggle checked={now.require_sso} onChange={(e) => edit({ require_sso: e.detail.checked })} description="Users have access only while their organisation has single sign-on.">
            Require single sign-on
          </Toggle>
          <FormField label="Message to the partner" description="Shown to its people in the mails and in their list." errorText={at('/message')}>
            <Textarea value={now.message} onChange={(e) => edit({ message: e.detail.value })} rows={3} />
          </FormField>
          <FormField label="Note" description="What the access is for. Not visible to the partner." errorText={at('/note')}>
            <Textarea value={now.note} onChange={(e) => edit({ note: e.detail.value })} rows={3} />
          </FormField>
        </SpaceBetween>
      </ExpandableSection>
      <Box variant="small" color="text-body-secondary">
        Status: {statusWords(grant)}
        {grant.effective_level !== grant.level && ` · in effect: ${levelName(grant.effective_level)}, the most that the provider offers`}
      </Box>
    </PanelForm>
  );
}

/** Those who have access first, and whoever is invited; then the partner's other users. */
function Checks({ base, draft, edit }: { base: Base; draft: Draft; edit: (more: Partial<Draft>) => void }) {
  const [search, setSearch] = useState('');
  const { cancel, dialog } = useCancelInvitation(useChanged());
  const pending = usePending(base.grant.partner.id);
  // Customers find a partner, and its people, in the directory only while it can be granted access: until then, those who have access can be removed.
  const listed = base.grant.reason !== 'partner_not_active' && base.grant.reason !== 'partner_not_eligible';
  const others = usePartnerUsers(base.grant.partner.id, search, listed);
  const users = useMemo(() => {
    const inside: AnyUser[] = [...base.users.values()].filter((u) => matches(u, search));
    return [...inside, ...others.all.filter((u) => !base.users.has(u.id))];
  }, [base.users, others.all, search]);
  return (
    <>
      <UserChecks
        label={`Users of ${base.grant.partner.name}`}
        users={users}
        checked={(id) => (base.users.has(id) ? !draft.remove.has(id) : draft.add.has(id))}
        toggle={(changed, on) => {
          const add = new Map(draft.add);
          const remove = new Set(draft.remove);
          for (const u of changed) {
            if (base.users.has(u.id)) {
              if (on) remove.delete(u.id);
              else remove.add(u.id);
            } else if (on) add.set(u.id, u);
            else add.delete(u.id);
          }
          edit({ add, remove });
        }}
        search={search}
        onSearch={setSearch}
        pages={others}
        invitations={pending.all}
        cancel={cancel}
      />
      {dialog}
    </>
  );
}

/** What is to be sent: only what differs from what is there. undefined when nothing does. */
function bodyOf({ grant, users }: Base, draft: Draft): Schemas['GrantEdit'] | undefined {
  const body: Schemas['GrantEdit'] = {};
  if (draft.level && draft.level !== grant.level) body.level = draft.level;
  if (draft.enabled !== undefined && draft.enabled !== (grant.state !== 'suspended')) body.state = draft.enabled ? 'open' : 'suspended';
  if (draft.everyone !== undefined && draft.everyone !== grant.everyone) body.everyone = draft.everyone;
  if (draft.assigned_by && draft.assigned_by !== grant.assigned_by) body.assigned_by = draft.assigned_by;
  if (draft.require_sso !== undefined && draft.require_sso !== grant.require_sso) body.require_sso = draft.require_sso;
  if (draft.auto_extend !== undefined && draft.auto_extend !== grant.auto_extend) body.auto_extend = draft.auto_extend;
  if (draft.note !== undefined && draft.note !== grant.note) body.note = draft.note;
  if (draft.message !== undefined && draft.message !== grant.message) body.message = draft.message;
  if (draft.period?.from !== undefined && !same(draft.period.from, grant.from)) body.from = draft.period.from;
  if (draft.period?.until !== undefined && !same(draft.period.until, grant.until)) body.until = draft.period.until;
  if (!(draft.everyone ?? grant.everyone)) {
    const add = [...draft.add.keys()].filter((id) => !users.has(id));
    const remove = [...draft.remove].filter((id) => users.has(id));
    if (add.length > 0 || remove.length > 0) body.users = { ...(add.length > 0 ? { add } : {}), ...(remove.length > 0 ? { remove } : {}) };
  }
  return Object.keys(body).length > 0 ? body : undefined;
}

/** What the person's own changes are, in words: what the button applies. */
function mine(body: Schemas['GrantEdit'], { grant }: Base, draft: Draft): string[] {
  const out: string[] = [];
  if (body.level) out.push(`Level: ${levelName(body.level)}`);
  if (body.state) out.push(body.state === 'suspended' ? 'Suspended' : 'Resumed');
  if (body.everyone !== undefined) out.push(`Everyone: ${body.everyone ? 'switched on' : 'switched off'}`);
  if (body.users?.add) out.push(`Added: ${names(body.users.add.map((id) => draft.add.get(id)?.name ?? id))}`);
  if (body.users?.remove) out.push(`Removed: ${count(body.users.remove.length, 'user')}`);
  if (body.from !== undefined) out.push(`Starts: ${body.from ? instant(body.from) : 'immediately'}`);
  if (body.until !== undefined) out.push(`Ends: ${body.until ? instant(body.until) : 'never'}`);
  if (body.assigned_by) out.push(body.assigned_by === 'partner' ? `${grant.partner.name} assigns the users` : 'You assign the users');
  if (body.require_sso !== undefined) out.push(`Single sign-on: ${body.require_sso ? 'required' : 'not required'}`);
  if (body.auto_extend !== undefined) out.push(`Extended automatically: ${extension(body.auto_extend).label.toLowerCase()}`);
  if (body.note !== undefined) out.push('The note');
  if (body.message !== undefined) out.push('The message to the partner');
  return out;
}

const same = (a: string | null, b: string | null): boolean => (a && b ? Date.parse(a) === Date.parse(b) : a === b);

const matches = (u: AnyUser, search: string): boolean =>
  search === '' || u.name.toLowerCase().includes(search.toLowerCase()) || u.email.startsWith(search.toLowerCase());

/** A choice of how far the end moves by itself. */
const extension = (by: string | null) => ({ value: by ?? '', label: by ? `By ${daysOf(by)} days` : 'No' });

/** What somebody else changed, in words. */
function difference(was: Base, is: Base): string[] {
  const out: string[] = [];
  const a = was.grant;
  const b = is.grant;
  if (a.id !== b.id) out.push('The access ended and was granted again.');
  if (a.level !== b.level) out.push(`Level: ${levelName(a.level)} → ${levelName(b.level)}`);
  if (statusWords(a) !== statusWords(b)) out.push(`Status: ${statusWords(a)} → ${statusWords(b)}`);
  if (a.from !== b.from) out.push(`Starts: ${instant(a.from)} → ${instant(b.from)}`);
  if (a.until !== b.until) out.push(`Ends: ${a.until ? instant(a.until) : 'never'} → ${b.until ? instant(b.until) : 'never'}`);
  if (a.everyone !== b.everyone) out.push(`Everyone: ${b.everyone ? 'switched on' : 'switched off'}`);
  if (a.assigned_by !== b.assigned_by) out.push(b.assigned_by === 'partner' ? 'The partner assigns the users now' : 'You assign the users now');
  if (a.require_sso !== b.require_sso) out.push(`Single sign-on: ${b.require_sso ? 'required now' : 'no longer required'}`);
  if (a.auto_extend !== b.auto_extend) out.push(`Extended automatically: ${extension(b.auto_extend).label.toLowerCase()}`);
  if (a.note !== b.note) out.push(`Note: ${b.note || 'removed'}`);
  if (a.message !== b.message) out.push(`Message to the partner: ${b.message || 'removed'}`);
  const added = [...is.users.values()].filter((u) => !was.users.has(u.id));
  const removed = [...was.users.values()].filter((u) => !is.users.has(u.id));
  if (!b.everyone && !a.everyone) {
    if (added.length > 0) out.push(`Added: ${names(added.map((u) => u.name))}`);
    if (removed.length > 0) out.push(`Removed: ${names(removed.map((u) => u.name))}`);
  }
  return out.length > 0 ? out : ['Something that this panel does not show.'];
}

