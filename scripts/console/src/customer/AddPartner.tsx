import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { Link as RouterLink, useNavigate } from 'react-router';

import { answer, asProblem, useSubmit, type Schemas } from '../api';
import { LevelSelect } from '../parts/Level';
import { PartnerSelect, type PartnerChoice } from '../parts/PartnerSelect';
import { complete, PeriodFields, type Period } from '../parts/Period';
import { ProblemAlert } from '../parts/ProblemAlert';
import { UserChecks, type AnyUser } from '../parts/UserChecks';
import { changeLines, levelName, type Level } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { Panel } from '../shell/Panel';
import { keyOf, useChanged, useCustomer, usePartnerUsers } from './queries';

type Way = 'person' | 'organisation';
type Whom = 'chosen' | 'everyone' | 'partner';

const fields = ['/email', '/partner', '/users', '/everyone', '/level', '/from', '/until', '/note', '/message'];

/** The panel that lets a partner in: one person by e-mail, or an organisation. */
export function AddPartner() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const { customer } = useCustomer();
  const close = useCallback(() => void navigate({ pathname: `/customers/${customer}/partners`, search: location.search }), [navigate, customer]);

  const [way, setWay] = useState<Way>('organisation');
  const [email, setEmail] = useState('');
  const [partner, setPartner] = useState<PartnerChoice>();
  const [whom, setWhom] = useState<Whom>('chosen');
  const [chosen, setChosen] = useState<ReadonlyMap<string, AnyUser>>(new Map());
  const [level, setLevel] = useState<Level>(); // undefined: nobody has chosen; View for a new partner, or what the partner has already
  const [period, setPeriod] = useState<Period>({ from: null, until: null });
  const [note, setNote] = useState('');
  const [message, setMessage] = useState('');
  const [tried, setTried] = useState(false); // what is missing is said when one has tried to send

  const there = useGrantThere(way === 'organisation' ? partner?.id : undefined);
  const add = useSubmit(
    (body: Schemas['GrantCreate'], key) =>
      answer(api.POST('/v1/customers/{customer}/grants', { params: { path: { customer }, header: { 'Idempotency-Key': key } }, body })),
    {
      repeatable: true,
      onDone: ({ data, status }) => {
        const { name } = data.grant.partner;
        flash.done(status === 201 ? `${name} is added` : `${name} was there already, and is changed`, changeLines(data, (id) => chosen.get(id)?.name ?? (email || id)).join(' '));
        void changed();
        close();
      },
    },
  );
  const at = (pointer: string): string | undefined => add.problem?.at(pointer);
  const missing = {
    email: way === 'person' && email.trim() === '' ? 'Enter an address.' : undefined,
    partner: way === 'organisation' && !partner ? 'Choose an organisation.' : undefined,
    users: way === 'organisation' && partner && whom === 'chosen' && chosen.size === 0 ? 'Check at least one user, or let everyone in.' : undefined,
    period: there || complete(period) ? undefined : 'Choose a day and a time.',
  };
  const submit = () => {
    setTried(true);
    if (Object.values(missing).some(Boolean)) return;
    const terms = {
      ...(level ? { level } : {}),
      ...(period.from ? { from: period.from } : {}),
      ...(period.until ? { until: period.until } : {}),
      ...(note.trim() ? { note: note.trim() } : {}),
      ...(message.trim() ? { message: message.trim() } : {}),
    };
    const common = there ? {} : terms; // an open grant keeps its own
    if (way === 'person') add.send({ ...common, email: email.trim() });
    else if (whom === 'everyone') add.send({ ...common, partner: partner?.id ?? '', everyone: true });
    else if (whom === 'partner') add.send({ ...common, partner: partner?.id ?? '' });
    else add.send({ ...common, partner: partner?.id ?? '', users: [...chosen.keys()] });
  };
  const said = (words: string | undefined): string | undefined => (tried ? words : undefined);

  return (
    <Panel title="Add partner" close={close}>
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
              <Button variant="primary" loading={add.sending}>
                Add
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            <FormField label="Whom">
              <RadioGroup
                value={way}
                onChange={(e) => setWay(e.detail.value as Way)}
                items={[
                  { value: 'organisation', label: 'An organisation', description: 'And of its users some, or all' },
                  { value: 'person', label: 'One person', description: 'Of a partner, by e-mail address' },
                ]}
              />
            </FormField>
            {way === 'person' ? (
              <FormField label="E-mail address" description="Of the person's account at the partner." errorText={said(missing.email) ?? at('/email')}>
                <Input value={email} onChange={(e) => setEmail(e.detail.value)} type="email" inputMode="email" placeholder="kim@contoso.example" autoComplete={false} />
              </FormField>
            ) : (
              <SpaceBetween size="l">
                <PartnerSelect
                  value={partner}
                  onChange={(p) => {
                    if (p.id !== partner?.id) setChosen(new Map());
                    setPartner(p);
                  }}
                  error={said(missing.partner) ?? at('/partner')}
                />
                {there && (
                  <Alert type="info" header={`${there.partner.name} is there already`}>
                    It has the level {levelName[there.level]}. The users whom you add get the terms of that grant.{' '}
                    <RouterLink to={{ pathname: `/customers/${customer}/partners/${there.partner.id}`, search: location.search }}>Edit the grant</RouterLink> to change its
                    level, period or note.
                  </Alert>
                )}
                {partner && (
                  <FormField label="Users" errorText={at('/everyone') ?? at('/users') ?? said(missing.users)}>
                    <RadioGroup
                      value={whom}
                      onChange={(e) => setWhom(e.detail.value as Whom)}
                      items={[
                        { value: 'chosen', label: 'Those that I check' },
                        { value: 'everyone', label: 'Everyone, now and later' },
                        { value: 'partner', label: 'The partner assigns them' },
                      ]}
                    />
                  </FormField>
                )}
                {partner && whom === 'chosen' && (
                  <Choose
                    key={partner.id}
                    partner={partner}
                    chosen={chosen}
                    toggle={(users, on) =>
                      setChosen((old) => {
                        const next = new Map(old);
                        for (const u of users) {
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
            {!there && (
              <SpaceBetween size="l">
                <LevelSelect value={level ?? 'view'} onChange={setLevel} error={at('/level')} />
                <PeriodFields
                  value={period}
                  onChange={setPeriod}
                  problem={{
                    from: at('/from') ?? (period.from === undefined ? said(missing.period) : undefined),
                    until: at('/until') ?? (period.until === undefined ? said(missing.period) : undefined),
                  }}
                />
                <ExpandableSection headerText="Message and note">
                  <SpaceBetween size="l">
                    <FormField label="Message to the partner" description="In the mails to its people, and in its list." errorText={at('/message')}>
                      <Textarea value={message} onChange={(e) => setMessage(e.detail.value)} rows={3} />
                    </FormField>
                    <FormField label="Note" description="For your own people alone: what the access is for." errorText={at('/note')}>
                      <Textarea value={note} onChange={(e) => setNote(e.detail.value)} rows={3} />
                    </FormField>
                  </SpaceBetween>
                </ExpandableSection>
              </SpaceBetween>
            )}
            {add.problem && <ProblemAlert problem={add.problem} shown={fields} />}
          </SpaceBetween>
        </Form>
      </form>
    </Panel>
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
      loading={pages.loading}
      problem={pages.problem}
      retry={pages.retry}
      more={pages.more}
      loadMore={pages.loadMore}
    />
  );
}

/** The grant of a partner that is let in already; undefined where there is none, or none that is still open. */
function useGrantThere(partner: string | undefined): Schemas['Grant'] | undefined {
  const api = useApi();
  const { customer } = useCustomer();
  const query = useQuery({
    queryKey: keyOf(customer, 'there', partner),
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
  return query.data && !query.data.end && query.data.status !== 'expired' ? query.data : undefined;
}
