import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FormField from '@cloudscape-design/components/form-field';
import Link from '@cloudscape-design/components/link';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';

import { answer, asProblem, etagOf, readAll, useSubmit, type Problem, type Schemas } from '../api';
import { number, rich, t } from '../language';
import { LevelSelect, PersonLevelSelect, type PersonLevel } from '../parts/Level';
import { Name } from '../parts/Name';
import { PanelForm } from '../parts/PanelForm';
import type { PartnerChoice } from '../parts/PartnerSelect';
import { complete, PeriodFields, type Period } from '../parts/Period';
import { ProblemAlert } from '../parts/ProblemAlert';
import { UserChecks, type AnyUser } from '../parts/UserChecks';
import { changeLines, instant, levelName, statusWords, type Level } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { Panel } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { useKept } from '../shell/useKept';
import { useCandidate, useOpenGrant, type Found } from './candidates';
import { PartnerOrPerson } from './PartnerOrPerson';
import { keyOf, useChanged, useCustomer, useManagement, useOffer, usePartnerUsers } from './queries';

type Grant = Schemas['Grant'];
type Way = 'person' | 'organisation';
type Who = 'chosen' | 'everyone' | 'partner';

const fields = ['/email', '/partner', '/users', '/everyone', '/level', '/caps', '/from', '/until', '/note', '/message'];

/** What the form holds. */
interface Entered {
  text: string; // in the one box: a partner's name, or a person's address
  partner: PartnerChoice | undefined;
  who: Who;
  chosen: ReadonlyMap<string, AnyUser>;
  level: Level; // of a new grant
  own: PersonLevel | undefined; // of one person in a grant that is open; undefined: the grant's
  period: Period;
  note: string;
  message: string;
}

const nothing: Entered = { text: '', partner: undefined, who: 'chosen', chosen: new Map(), level: 'view', own: undefined, period: { from: null, until: null }, note: '', message: '' };

/** The most users that one request changes. */
const mostUsers = 80;

/** The panel that grants a partner access: to an organisation and some of its users, or to one person by e-mail. */
export function AddPartner() {
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const { customer } = useCustomer();
  const { managed, words } = useManagement();
  const again = params.get('again') ?? undefined;
  const close = useCallback(() => {
    const search = new URLSearchParams(location.search);
    search.delete('again');
    void navigate(again ? `/customers/${customer}/partners/${again}` : { pathname: `/customers/${customer}/partners`, search: search.toString() });
  }, [navigate, customer, again]);
  const ended = useEnded(again);
  const title = again ? t('pages.grant.again') : t('pages.grant.add');
  if (managed || ended.problem || ended.loading) {
    return (
      <Panel title={title} close={close}>
        {managed ? <Alert type="info">{words}</Alert> : ended.problem ? <ProblemAlert problem={ended.problem} what={t('pages.grant.ended_unread')} /> : <Spinner />}
      </Panel>
    );
  }
  return <AddForm title={title} kept={`grant ${customer} ${again ?? ''}`} begun={ended.entered ?? nothing} close={close} />;
}

/** What an access was that has ended, as the form would have it entered to grant the same again: without an end. */
function useEnded(partner: string | undefined): { entered: Entered | undefined; loading: boolean; problem: Problem | undefined } {
  const api = useApi();
  const { customer } = useCustomer();
  const query = useQuery({
    queryKey: keyOf(customer, 'again', partner),
    enabled: partner !== undefined,
    staleTime: Infinity,
    queryFn: async ({ signal }): Promise<Entered> => {
      const path = { customer, partner: partner ?? '' };
      const { data: g } = await answer(api.GET('/v1/customers/{customer}/grants/{partner}', { params: { path }, signal }));
      const users = g.everyone
        ? []
        : await readAll(async (cursor) => (await answer(api.GET('/v1/customers/{customer}/grants/{partner}/users', { params: { path, query: { limit: 100, cursor } }, signal }))).data);
      return {
        ...nothing,
        text: g.partner.name,
        partner: g.partner,
        who: g.everyone ? 'everyone' : g.assigned_by === 'partner' ? 'partner' : 'chosen',
        chosen: new Map(g.assigned_by === 'customer' ? users.filter((u) => u.status === 'active').map((u) => [u.id, u]) : []),
        level: g.level === 'none' ? 'view' : g.level,
        note: g.note,
        message: g.message,
      };
    },
  });
  return { entered: query.data, loading: partner !== undefined && query.isPending, problem: query.error ? asProblem(query.error) : undefined };
}

function AddForm({ title, kept, begun, close }: { title: string; kept: string; begun: Entered; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const { customer } = useCustomer();
  const [entered, edit, form] = useKept<Entered>(kept, begun);
  const { text, partner, who, chosen, level, own, period, note, message } = entered;
  const [tried, setTried] = useState(false); // what is missing is said when one has tried to send
  const way: Way = text.includes('@') ? 'person' : 'organisation';
  const email = way === 'person' ? text.trim() : '';

  const person = useCandidate(email, tried);
  const its = way === 'organisation' ? partner : person.found?.partner;
  const open = useOpenGrant(its?.id);
  const grant = open.grant;
  const offer = useOffer(open.loading ? undefined : its?.id, grant !== undefined);
  const finish = () => {
    form.done();
    void changed();
    close();
  };
  const add = useSubmit(
    (body: Schemas['GrantCreate'], key) =>
      answer(api.POST('/v1/customers/{customer}/grants', { params: { path: { customer }, header: { 'Idempotency-Key': key } }, body })),
    {
      repeatable: true,
      onDone: ({ data, status }, body) => {
        const { name } = data.grant.partner;
        const one = body.email ? data.changes.people[0] : undefined;
        flash.done(
          one ? t('pages.grant.added', { name: one.name }) : status === 201 ? t('pages.grant.added', { name }) : t('pages.grant.changed', { name }),
          [one && t('pages.grant.person_level', { email: one.email, partner: name, level: levelName(one.effective_level ?? 'none') }), ...changeLines(data).filter((line) => !one || !line.includes(one.name))]
            .filter(Boolean)
            .join(' '),
        );
        finish();
      },
    },
  );
  // Nothing but an edit lifts a limit; the same request adds a person who has no access yet.
  const lift = useSubmit(
    async ({ open: g, one }: { open: Grant; one: Found }) =>
      (
        await answer(
          api.PATCH('/v1/customers/{customer}/grants/{partner}', {
            params: { path: { customer, partner: g.partner.id }, header: { 'If-Match': etagOf(g) } },
            body: { caps: { [one.email]: null }, ...(one.already ? {} : { users: { add: [one.id] } }) },
          }),
        )
      ).data,
    {
      onDone: (change, { one }) => {
        flash.done(
          one.already ? t('pages.grant.limit_removed', { name: one.name }) : t('pages.grant.added_unlimited', { name: one.name }),
          changeLines(change).join(' '),
        );
        finish();
      },
      onProblem: () => void changed(), // the next attempt is made on what is there now
    },
  );
  const problem = own === 'unlimited' ? lift.problem : add.problem;
  const at = (pointer: string): string | undefined => problem?.at(pointer);
  const tooMany = chosen.size > mostUsers ? t('pages.add.too_many', { most: number(mostUsers), selected: number(chosen.size) }) : undefined;
  const missing = {
    box: text.trim() === '' ? t('pages.add.box_missing') : way === 'organisation' && !partner ? t('pages.add.partner_missing') : undefined,
    person: way === 'person' && !person.found ? t('pages.add.person_missing') : undefined,
    users: way === 'organisation' && partner && who === 'chosen' ? (chosen.size === 0 ? t('pages.add.users_missing') : tooMany) : undefined,
    period: grant || complete(period) ? undefined : t('pages.period.incomplete'),
    open: open.loading ? t('pages.add.still_loading') : undefined,
  };
  const submit = () => {
    setTried(true);
    person.look();
    if (Object.values(missing).some(Boolean)) return;
    const terms = {
      level,
      ...(period.from ? { from: period.from } : {}),
      ...(period.until ? { until: period.until } : {}),
      ...(note.trim() ? { note: note.trim() } : {}),
      ...(message.trim() ? { message: message.trim() } : {}),
    };
    const common = grant ? {} : terms; // a second grant adds people: the terms of the open one are edited
    if (way === 'person' && grant && person.found && own === 'unlimited') lift.send({ open: grant, one: person.found });
    else if (way === 'person') add.send({ ...common, ...(grant && own && own !== 'unlimited' ? { level: own } : {}), email });
    else if (who === 'everyone') add.send({ ...common, partner: partner?.id ?? '', everyone: true });
    else if (who === 'partner' && !grant) add.send({ ...common, partner: partner?.id ?? '' });
    else add.send({ ...common, partner: partner?.id ?? '', users: [...chosen.keys()] });
  };
  const said = (words: string | undefined): string | undefined => (tried ? words : undefined);
  const users = who === 'partner' && grant ? 'chosen' : who;
  const unknown = way === 'person' && person.unknown;
  const invite = () => {
    form.done();
    const terms = new URLSearchParams({ email, level, ...(period.until ? { until: period.until } : {}) });
    void navigate(`/customers/${customer}/invitations/new?${terms}`);
  };

  return (
    <PanelForm
      title={title}
      close={close}
      action={t('pages.button.add')}
      submit={submit}
      sending={add.sending || lift.sending || (tried && person.looking)}
      problem={problem ?? (person.problem?.at('/email') === undefined ? person.problem : undefined)}
      shown={fields}
    >
      {form.guard}
      <PartnerOrPerson
        text={text}
        setText={(typed) => {
          edit({ text: typed, partner: undefined, own: undefined, ...(partner ? { chosen: new Map() } : {}) });
          setTried(false);
        }}
        choose={(p) => edit({ text: p.name, partner: p, ...(p.id === partner?.id ? {} : { chosen: new Map() }) })}
        error={said(missing.box) ?? at('/email') ?? at('/partner') ?? (unknown && !tried ? undefined : person.problem?.at('/email'))}
        leave={person.look}
      />
      {way === 'person' && (
        <div aria-live="polite">
          {person.found && !open.loading ? (
            <StatusIndicator type="success">
              <Name>{person.found.name}</Name>, <Name>{person.found.partner.name}</Name>
            </StatusIndicator>
          ) : (
            (person.looking || open.loading) && <StatusIndicator type="loading">{t('pages.add.looking')}</StatusIndicator>
          )}
        </div>
      )}
      {unknown && (
        <Alert
          type="info"
          header={t('pages.add.nobody')}
          action={
            <Button formAction="none" onClick={invite}>{t('pages.add.invite')}</Button>
          }
        >{t('pages.add.check_or_invite', { email })}</Alert>
      )}
      {grant && <Present grant={grant} person={way === 'person' ? person.found : undefined} />}
      {grant ? (
        way === 'person' &&
        person.found && (
          <PersonLevelSelect
            grant={grant}
            level={person.found.level}
            limited={person.found.limited}
            value={own}
            onChange={(next) => edit({ own: next })}
            error={at('/level') ?? at('/caps')}
          />
        )
      ) : (
        <SpaceBetween size="l">
          <LevelSelect value={level} onChange={(next) => edit({ level: next })} offer={offer} error={at('/level')} />
          <PeriodFields
            value={period}
            onChange={(next) => edit({ period: next })}
            problem={{
              from: at('/from') ?? (period.from === undefined ? said(missing.period) : undefined),
              until: at('/until') ?? (period.until === undefined ? said(missing.period) : undefined),
            }}
          />
        </SpaceBetween>
      )}
      {way === 'organisation' && partner && (
        <SpaceBetween size="l">
          <FormField label={t('pages.users.title')} errorText={at('/everyone') ?? at('/users') ?? tooMany ?? said(missing.users)}>
            <RadioGroup
              value={users}
              onChange={(e) => edit({ who: e.detail.value as Who })}
              items={[
                { value: 'chosen', label: t('pages.add.selected') },
                { value: 'everyone', label: t('pages.add.everyone') },
                ...(grant ? [] : [{ value: 'partner', label: t('pages.add.partner_assigns') }]),
              ]}
            />
          </FormField>
          {users === 'chosen' && (
            <Choose
              key={partner.id}
              partner={partner}
              chosen={chosen}
              toggle={(toggled, on) => {
                const next = new Map(chosen);
                for (const u of toggled) {
                  if (on) next.set(u.id, u);
                  else next.delete(u.id);
                }
                edit({ chosen: next });
              }}
            />
          )}
        </SpaceBetween>
      )}
      {!grant && (
        <ExpandableSection headerText={t('pages.add.words')} defaultExpanded={message !== '' || note !== ''}>
          <SpaceBetween size="l">
            <FormField label={t('pages.grant.message')} description={t('pages.grant.message_about')} errorText={at('/message')}>
              <Textarea value={message} onChange={(e) => edit({ message: e.detail.value })} rows={3} />
            </FormField>
            <FormField label={t('words.field.note')} description={t('pages.grant.note_about')} errorText={at('/note')}>
              <Textarea value={note} onChange={(e) => edit({ note: e.detail.value })} rows={3} />
            </FormField>
          </SpaceBetween>
        </ExpandableSection>
      )}
    </PanelForm>
  );
}

/** The grant that is open already: what is added shares its terms. */
function Present({ grant, person }: { grant: Grant; person: Found | undefined }) {
  const follow = useFollow();
  const { customer } = useCustomer();
  const { name, id } = grant.partner;
  return (
    <Alert type="info" header={person?.already ? t('pages.add.has_access', { name: person.name }) : t('pages.add.has_access', { name })}>
      {grant.status !== 'active' && t('pages.add.present_status', { status: statusWords(grant) })}{' '}
      {grant.until
        ? t('pages.add.present_until', { level: levelName(grant.level), until: instant(grant.until) })
        : t('pages.add.present_continuous', { level: levelName(grant.level) })}{' '}
      {rich('pages.add.present_edit', {
        edit: (
          <Link href={`/customers/${customer}/partners/${id}/edit`} onFollow={follow}>
            {t('pages.add.edit_of', { name })}
          </Link>
        ),
      })}
    </Alert>
  );
}

function Choose({ partner, chosen, toggle }: { partner: PartnerChoice; chosen: ReadonlyMap<string, AnyUser>; toggle: (users: AnyUser[], on: boolean) => void }) {
  const [search, setSearch] = useState('');
  const pages = usePartnerUsers(partner.id, search);
  return (
    <UserChecks
      label={t('pages.users.of', { name: partner.name })}
      users={pages.all}
      checked={(id) => chosen.has(id)}
      toggle={toggle}
      search={search}
      onSearch={setSearch}
      pages={pages}
    />
  );
}
