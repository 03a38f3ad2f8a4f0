import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { useNavigate } from 'react-router';

import { answer, asProblem, dryRun, etagOf, useSubmit, type Problem, type Schemas } from '../api';
import { LevelSelect, PersonLevelSelect, type PersonLevel } from '../parts/Level';
import { PartnerSelect, type PartnerChoice } from '../parts/PartnerSelect';
import { complete, PeriodFields, type Period } from '../parts/Period';
import { ProblemAlert } from '../parts/ProblemAlert';
import { UserChecks, type AnyUser } from '../parts/UserChecks';
import { changeLines, instant, levelName, statusWords, type Level } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { Panel } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { keyOf, useChanged, useCustomer, useManagement, usePartnerUsers } from './queries';

type Grant = Schemas['Grant'];
type Way = 'person' | 'organisation';
type Who = 'chosen' | 'everyone' | 'partner';

const fields = ['/email', '/partner', '/users', '/everyone', '/level', '/caps', '/from', '/until', '/note', '/message'];

/** The panel that grants a partner access: to an organisation and some of its users, or to one person by e-mail. */
export function AddPartner() {
  const navigate = useNavigate();
  const { customer } = useCustomer();
  const { managed, words } = useManagement();
  const close = useCallback(() => void navigate({ pathname: `/customers/${customer}/partners`, search: location.search }), [navigate, customer]);
  return (
    <Panel title="Add partner" close={close}>
      {managed ? <Alert type="info">{words}</Alert> : <AddForm close={close} />}
    </Panel>
  );
}

function AddForm({ close }: { close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { customer } = useCustomer();

  const [way, setWay] = useState<Way>('organisation');
  const [email, setEmail] = useState('');
  const [partner, setPartner] = useState<PartnerChoice>();
  const [who, setWho] = useState<Who>('chosen');
  const [chosen, setChosen] = useState<ReadonlyMap<string, AnyUser>>(new Map());
  const [level, setLevel] = useState<Level>('view'); // of a new grant
  const [own, setOwn] = useState<PersonLevel>(); // of one person in a grant that is open; undefined: the grant's
  const [period, setPeriod] = useState<Period>({ from: null, until: null });
  const [note, setNote] = useState('');
  const [message, setMessage] = useState('');
  const [tried, setTried] = useState(false); // what is missing is said when one has tried to send

  const person = useCandidate(way === 'person' ? email.trim() : '', tried);
  const open = useOpenGrant(way === 'organisation' ? partner?.id : person.found?.partner.id);
  const grant = open.grant;
  const add = useSubmit(
    (body: Schemas['GrantCreate'], key) =>
      answer(api.POST('/v1/customers/{customer}/grants', { params: { path: { customer }, header: { 'Idempotency-Key': key } }, body })),
    {
      repeatable: true,
      onDone: ({ data, status }, body) => {
        const { name } = data.grant.partner;
        const one = body.email ? data.changes.people[0] : undefined;
        flash.done(
          one ? `${one.name} is added` : status === 201 ? `${name} is added` : `The access of ${name} is changed`,
          [one && `${one.email}, ${name}, has the level ${levelName[one.effective_level ?? 'none']}.`, ...changeLines(data).filter((line) => !one || !line.includes(one.name))]
            .filter(Boolean)
            .join(' '),
        );
        void changed();
        close();
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
          one.already ? `The limit of ${one.name} is removed` : `${one.name} is added, without a limit`,
          changeLines(change).join(' '),
        );
        void changed();
        close();
      },
      onProblem: () => void changed(), // the next attempt is made on what is there now
    },
  );
  const problem = own === 'unlimited' ? lift.problem : add.problem;
  const at = (pointer: string): string | undefined => problem?.at(pointer);
  const missing = {
    email: way === 'person' && email.trim() === '' ? 'Enter an address.' : undefined,
    person: way === 'person' && !person.found ? 'No person is found yet.' : undefined,
    partner: way === 'organisation' && !partner ? 'Choose an organisation.' : undefined,
    users: way === 'organisation' && partner && who === 'chosen' && chosen.size === 0 ? 'Check at least one user, or choose everyone.' : undefined,
    period: grant || complete(period) ? undefined : 'Choose a day and a time.',
    open: open.loading ? 'The current access is still loading.' : undefined,
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
    else if (way === 'person') add.send({ ...common, ...(grant && own && own !== 'unlimited' ? { level: own } : {}), email: email.trim() });
    else if (who === 'everyone') add.send({ ...common, partner: partner?.id ?? '', everyone: true });
    else if (who === 'partner' && !grant) add.send({ ...common, partner: partner?.id ?? '' });
    else add.send({ ...common, partner: partner?.id ?? '', users: [...chosen.keys()] });
  };
  const said = (words: string | undefined): string | undefined => (tried ? words : undefined);
  const users = who === 'partner' && grant ? 'chosen' : who;

  return (
    <form
      aria-label="Add partner"
      onSubmit={(e) => {
        e.preventDefault();
        submit();
      }}
    >
      <Form
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button formAction="none" variant="link" onClick={close}>
              Cancel
            </Button>
            <Button variant="primary" loading={add.sending || lift.sending || (tried && person.looking)}>
              Add
            </Button>
          </SpaceBetween>
        }
      >
        <SpaceBetween size="l">
          <FormField label="Add">
            <RadioGroup
              value={way}
              onChange={(e) => {
                setWay(e.detail.value as Way);
                setTried(false);
              }}
              items={[
                { value: 'organisation', label: 'An organisation', description: 'With all or some of its users' },
                { value: 'person', label: 'One person', description: 'A user of a partner, by e-mail address' },
              ]}
            />
          </FormField>
          {way === 'person' ? (
            <SpaceBetween size="l">
              <FormField label="E-mail address" description="Of the person's account at the partner." errorText={said(missing.email) ?? at('/email') ?? person.problem?.detail}>
                <Input
                  value={email}
                  onChange={(e) => {
                    setEmail(e.detail.value);
                    setOwn(undefined);
                    setTried(false);
                  }}
                  type="email"
                  inputMode="email"
                  placeholder="kim@contoso.example"
                  autoComplete={false}
                  onBlur={person.look}
                />
              </FormField>
              <div aria-live="polite">
                {person.found && !open.loading ? (
                  <StatusIndicator type="success">
                    {person.found.name}, {person.found.partner.name}
                  </StatusIndicator>
                ) : (
                  (person.looking || open.loading) && <StatusIndicator type="loading">Looking for the person</StatusIndicator>
                )}
              </div>
            </SpaceBetween>
          ) : (
            <PartnerSelect
              value={partner}
              onChange={(p) => {
                if (p.id !== partner?.id) setChosen(new Map());
                setPartner(p);
              }}
              error={said(missing.partner) ?? at('/partner')}
            />
          )}
          {grant && <Present grant={grant} person={way === 'person' ? person.found : undefined} />}
          {way === 'organisation' && partner && (
            <SpaceBetween size="l">
              <FormField label="Users" errorText={at('/everyone') ?? at('/users') ?? said(missing.users)}>
                <RadioGroup
                  value={users}
                  onChange={(e) => setWho(e.detail.value as Who)}
                  items={[
                    { value: 'chosen', label: 'Selected users' },
                    { value: 'everyone', label: 'Everyone, now and later' },
                    ...(grant ? [] : [{ value: 'partner', label: 'The partner assigns them' }]),
                  ]}
                />
              </FormField>
              {users === 'chosen' && (
                <Choose
                  key={partner.id}
                  partner={partner}
                  chosen={chosen}
                  toggle={(toggled, on) =>
                    setChosen((old) => {
                      const next = new Map(old);
                      for (const u of toggled) {
                        if (on) next.set(u.id, u);
                        else next.delete(u.id);
                      }
                      return next;
                    })
                  }
                />
              )}
            </SpaceBetween>
          )}
          {grant ? (
            way === 'person' &&
            person.found && (
              <PersonLevelSelect
                grant={grant}
                level={person.found.level}
                limited={person.found.limited}
                value={own}
                onChange={setOwn}
                error={at('/level') ?? at('/caps')}
              />
            )
          ) : (
            <Terms
              level={level}
              setLevel={setLevel}
              period={period}
              setPeriod={setPeriod}
              message={message}
              setMessage={setMessage}
              note={note}
              setNote={setNote}
              at={at}
              missing={said(missing.period)}
            />
          )}
          {problem && <ProblemAlert problem={problem} shown={fields} />}
          {person.problem && person.problem.at('/email') === undefined && <ProblemAlert problem={person.problem} />}
        </SpaceBetween>
      </Form>
    </form>
  );
}

/** The grant that is open already: what is added shares its terms. */
function Present({ grant, person }: { grant: Grant; person: Found | undefined }) {
  const follow = useFollow();
  const { customer } = useCustomer();
  const { name, id } = grant.partner;
  return (
    <Alert type="info" header={person?.already ? `${person.name} has access already` : `${name} has access already`}>
      {grant.status !== 'active' && `${statusWords(grant)}. `}
      Level: {levelName[grant.level]}, {grant.until ? `until ${instant(grant.until)}` : 'continuous'}. Users that you add have access for the same period. To change level or period,{' '}
      <Link href={`/customers/${customer}/partners/${id}`} onFollow={follow}>
        edit the access of {name}
      </Link>
      .
    </Alert>
  );
}

/** The terms of a new grant. */
function Terms({
  level,
  setLevel,
  period,
  setPeriod,
  message,
  setMessage,
  note,
  setNote,
  at,
  missing,
}: {
  level: Level;
  setLevel: (level: Level) => void;
  period: Period;
  setPeriod: (period: Period) => void;
  message: string;
  setMessage: (message: string) => void;
  note: string;
  setNote: (note: string) => void;
  at: (pointer: string) => string | undefined;
  missing: string | undefined;
}) {
  return (
    <SpaceBetween size="l">
      <LevelSelect value={level} onChange={setLevel} error={at('/level')} />
      <PeriodFields
        value={period}
        onChange={setPeriod}
        problem={{
          from: at('/from') ?? (period.from === undefined ? missing : undefined),
          until: at('/until') ?? (period.until === undefined ? missing : undefined),
        }}
      />
      <ExpandableSection headerText="Message and note">
        <SpaceBetween size="l">
          <FormField label="Message to the partner" description="Shown to its people in the mails and in their list." errorText={at('/message')}>
            <Textarea value={message} onChange={(e) => setMessage(e.detail.value)} rows={3} />
          </FormField>
          <FormField label="Note" description="What the access is for. Not visible to the partner." errorText={at('/note')}>
            <Textarea value={note} onChange={(e) => setNote(e.detail.value)} rows={3} />
          </FormField>
        </SpaceBetween>
      </ExpandableSection>
    </SpaceBetween>
  );
}

function Choose({ partner, chosen, toggle }: { partner: PartnerChoice; chosen: ReadonlyMap<string, AnyUser>; toggle: (users: AnyUser[], on: boolean) => void }) {
  const [search, setSearch] = useState('');
  const pages = usePartnerUsers(partner.id, search);
  return (
    <UserChecks
      label={`Users of ${partner.name}`}
      users={pages.all}
      checked={(id) => chosen.has(id)}
      toggle={toggle}
      search={search}
      onSearch={setSearch}
      pages={pages}
    />
  );
}

interface Found {
  id: string;
  name: string;
  partner: { id: string; name: string };
  email: string;
  level: Level; // what the person has, or would have unless one is chosen
  limited: boolean; // the customer allows this person a level at most
  already: boolean; // has access
}

/**
 * Finds the partner's user who has an address, by a dry run of the grant: it says no more than the grant would. It asks when nobody has typed for a
 * moment and the address looks whole; `look` asks at once. A refusal is told when one has left the field or tried to send.
 */
function useCandidate(email: string, tried: boolean): { found: Found | undefined; looking: boolean; problem: Problem | undefined; look: () => void } {
  const api = useApi();
  const { customer } = useCustomer();
  const [asked, setAsked] = useState('');
  const [left, setLeft] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => {
      if (/^\S+@\S+\.\S+$/.test(email)) setAsked(email);
    }, 500);
    return () => clearTimeout(timer);
  }, [email]);
  const query = useQuery({
    queryKey: keyOf(customer, 'candidate', asked),
    enabled: asked !== '' && asked === email,
    retry: false,
    queryFn: async ({ signal }): Promise<Found | undefined> => {
      const path = { customer };
      const [{ answer: would }, { data: its }] = await Promise.all([
        dryRun(api.POST('/v1/customers/{customer}/grants', { params: { path, query: { dry_run: true } }, body: { email: asked }, signal })),
        answer(api.GET('/v1/customers/{customer}', { params: { path }, signal })),
      ]);
      const [one] = would.changes.people;
      if (!one) return undefined;
      return {
        id: one.id,
        name: one.name,
        partner: would.grant.partner,
        email: one.email,
        level: one.effective_level ?? 'none',
        limited: its.caps.some((cap) => cap.email === one.email),
        already: !would.changes.added.includes(one.id),
      };
    },
  });
  const mine = asked === email && email !== '';
  return {
    found: mine ? query.data : undefined,
    looking: mine && query.isFetching,
    problem: mine && query.error && (tried || left === email) ? asProblem(query.error) : undefined,
    look: () => {
      setAsked(email);
      setLeft(email);
    },
  };
}

/** The grant of a partner that has access already; undefined where there is none that is open. */
function useOpenGrant(partner: string | undefined): { grant: Grant | undefined; loading: boolean } {
  const api = useApi();
  const { customer } = useCustomer();
  const query = useQuery({
    queryKey: keyOf(customer, 'open', partner),
    enabled: partner !== undefined,
    queryFn: async ({ signal }) => {
      try {
        return (await answer(api.GET('/v1/customers/{customer}/grants/{partner}', { params: { path: { customer, partner: partner ?? '' } }, signal }))).data;
      } catch (error) {
        if (asProblem(error).code === 'not_found') return null;
        throw error;
      }
    },
  });
  return {
    grant: query.data && !query.data.end && query.data.status !== 'expired' ? query.data : undefined,
    loading: partner !== undefined && query.isPending,
  };
}
