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
import { t } from '../language';
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
      <Panel title={base ? base.grant.partner.name : t('words.partner')} close={close}>
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
        label={t('pages.users.of_with_access', { name: grant.partner.name })}
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
        flash.done(t('pages.grant.changed', { name: grant.partner.name }), changeLines(change).join(' '));
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
  const missing = complete(now.period) ? undefined : t('pages.period.incomplete');

  const offer = useOffer(grant.partner.id, true);

  return (
    <PanelForm
      title={grant.partner.name}
      label={t('pages.edit.of', { name: grant.partner.name })}
      close={close}
      action={theirs ? t('pages.button.apply_mine') : t('pages.button.save')}
      submit={() => {
        setTried(true);
        if (!missing && body) save.send(body);
      }}
      sending={save.sending}
      disabledReason={body || missing ? undefined : t('pages.form.unchanged')}
      problem={conflict ? undefined : save.problem}
      notice={theirs && <Theirs lines={theirs} mine={body && mine(body, base, draft)} />}
      shown={fields}
    >
      {form.guard}
      <Toggle
        checked={!now.enabled}
        onChange={(e) => edit({ enabled: !e.detail.checked })}
        description={now.enabled ? undefined : t('pages.edit.suspended_about')}
      >{t('pages.grant.suspend')}</Toggle>
      <Group label={t('pages.users.title')} error={at('/everyone') ?? at('/users')}>
        <SpaceBetween size="s">
          <Toggle
            checked={now.everyone}
            onChange={(e) => edit({ everyone: e.detail.checked, add: new Map(), remove: new Set() })}
            description={
              now.everyone
                ? grant.everyone
                  ? t('pages.edit.switch_off')
                  : t('pages.edit.replaces')
                : grant.everyone
                  ? t('pages.edit.keeps')
                  : undefined
            }
          >{t('pages.edit.everyone_of', { name: grant.partner.name })}</Toggle>
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
      <ExpandableSection headerText={t('pages.edit.more')}>
        <SpaceBetween size="l">
          <FormField label={t('pages.edit.who_assigns')}>
            <RadioGroup
              value={now.assigned_by}
              onChange={(e) => edit({ assigned_by: e.detail.value as Grant['assigned_by'] })}
              items={[
                { value: 'customer', label: t('pages.you') },
                { value: 'partner', label: t('words.actor.partner'), description: t('pages.edit.still_remove') },
              ]}
            />
          </FormField>
          <FormField
            label={t('pages.extend.automatically')}
            description={t('pages.extend.automatically_about')}
            errorText={at('/auto_extend')}
          >
            <Select
              selectedOption={extension(now.auto_extend)}
              onChange={(e) => edit({ auto_extend: e.detail.selectedOption.value || null })}
              options={[...new Set([null, 'P30D', 'P90D', 'P365D', grant.auto_extend])].map(extension)}
              disabled={now.period.until === null}
            />
          </FormField>
          <Toggle checked={now.require_sso} onChange={(e) => edit({ require_sso: e.detail.checked })} description={t('pages.edit.require_sso_about')}>
            {t('pages.edit.require_sso')}
          </Toggle>
          <FormField label={t('pages.grant.message')} description={t('pages.grant.message_about')} errorText={at('/message')}>
            <Textarea value={now.message} onChange={(e) => edit({ message: e.detail.value })} rows={3} />
          </FormField>
          <FormField label={t('words.field.note')} description={t('pages.grant.note_about')} errorText={at('/note')}>
            <Textarea value={now.note} onChange={(e) => edit({ note: e.detail.value })} rows={3} />
          </FormField>
        </SpaceBetween>
      </ExpandableSection>
      <Box variant="small" color="text-body-secondary">
        {grant.effective_level === grant.level
          ? t('pages.edit.status', { status: statusWords(grant) })
          : t('pages.edit.status_lower', { status: statusWords(grant), level: levelName(grant.effective_level) })}
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
        label={t('pages.users.of', { name: base.grant.partner.name })}
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
  if (body.level) out.push(t('words.event_line.level', { level: levelName(body.level) }));
  if (body.state) out.push(body.state === 'suspended' ? t('words.status.suspended') : t('pages.edit.resumed'));
  if (body.everyone !== undefined) out.push(body.everyone ? t('pages.edit.everyone_on') : t('pages.edit.everyone_off'));
  if (body.users?.add) out.push(t('words.event_line.added', { people: names(body.users.add.map((id) => draft.add.get(id)?.name ?? id)) }));
  if (body.users?.remove) out.push(t('words.event_line.removed', { people: count(body.users.remove.length, 'user') }));
  if (body.from !== undefined) out.push(body.from ? t('pages.edit.starts', { at: instant(body.from) }) : t('pages.edit.starts_now'));
  if (body.until !== undefined) out.push(t('pages.edit.ends', { at: endOf(body.until) }));
  if (body.assigned_by) out.push(body.assigned_by === 'partner' ? t('pages.edit.partner_assigns', { partner: grant.partner.name }) : t('pages.edit.you_assign'));
  if (body.require_sso !== undefined) out.push(body.require_sso ? t('pages.edit.sso_required') : t('pages.edit.sso_not_required'));
  if (body.auto_extend !== undefined) out.push(extensionLine(body.auto_extend));
  if (body.note !== undefined) out.push(t('pages.edit.the_note'));
  if (body.message !== undefined) out.push(t('pages.edit.the_message'));
  return out;
}

const same = (a: string | null, b: string | null): boolean => (a && b ? Date.parse(a) === Date.parse(b) : a === b);

const matches = (u: AnyUser, search: string): boolean =>
  search === '' || u.name.toLowerCase().includes(search.toLowerCase()) || u.email.startsWith(search.toLowerCase());

/** A choice of how far the end moves by itself. */
const extension = (by: string | null) => ({ value: by ?? '', label: by ? t('pages.extend.by_days', { count: daysOf(by) }) : t('pages.no') });

const extensionLine = (by: string | null): string => (by ? t('pages.edit.extended_by', { count: daysOf(by) }) : t('pages.edit.not_extended'));

const endOf = (until: string | null): string => (until ? instant(until) : t('pages.edit.never'));

const changed = (field: 'level' | 'state', was: string, is: string): string => t('words.event_line.change', { field: t(`words.field.${field}`), was, is });

/** What somebody else changed, in words. */
function difference(was: Base, is: Base): string[] {
  const out: string[] = [];
  const a = was.grant;
  const b = is.grant;
  if (a.id !== b.id) out.push(t('pages.edit.granted_again'));
  if (a.level !== b.level) out.push(changed('level', levelName(a.level), levelName(b.level)));
  if (statusWords(a) !== statusWords(b)) out.push(changed('state', statusWords(a), statusWords(b)));
  if (a.from !== b.from) out.push(t('pages.edit.starts_change', { was: instant(a.from), is: instant(b.from) }));
  if (a.until !== b.until) out.push(t('pages.edit.ends_change', { was: endOf(a.until), is: endOf(b.until) }));
  if (a.everyone !== b.everyone) out.push(b.everyone ? t('pages.edit.everyone_on') : t('pages.edit.everyone_off'));
  if (a.assigned_by !== b.assigned_by) out.push(b.assigned_by === 'partner' ? t('pages.edit.partner_assigns_now') : t('pages.edit.you_assign_now'));
  if (a.require_sso !== b.require_sso) out.push(b.require_sso ? t('pages.edit.sso_required_now') : t('pages.edit.sso_no_longer'));
  if (a.auto_extend !== b.auto_extend) out.push(extensionLine(b.auto_extend));
  if (a.note !== b.note) out.push(b.note ? t('words.event_line.note', { note: b.note }) : t('pages.edit.note_removed'));
  if (a.message !== b.message) out.push(b.message ? t('pages.edit.message_now', { message: b.message }) : t('pages.edit.message_removed'));
  const added = [...is.users.values()].filter((u) => !was.users.has(u.id));
  const removed = [...was.users.values()].filter((u) => !is.users.has(u.id));
  if (!b.everyone && !a.everyone) {
    if (added.length > 0) out.push(t('words.event_line.added', { people: names(added.map((u) => u.name)) }));
    if (removed.length > 0) out.push(t('words.event_line.removed', { people: names(removed.map((u) => u.name)) }));
  }
  return out.length > 0 ? out : [t('pages.theirs.hidden')];
}

