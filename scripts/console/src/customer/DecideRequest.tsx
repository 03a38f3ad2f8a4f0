import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useNavigate, useParams } from 'react-router';

import { answer, asProblem, dryRun, useSubmit, type Schemas } from '../api';
import { t } from '../language';
import { LevelSelect } from '../parts/Level';
import { LocalDateTime } from '../parts/LocalDateTime';
import { Name } from '../parts/Name';
import { PeopleSelect } from '../parts/PeopleSelect';
import { ProblemAlert } from '../parts/ProblemAlert';
import { RequestDetails, wish, type Request } from '../parts/Request';
import { levelName, type Level } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { Panel } from '../shell/Panel';
import { useKept } from '../shell/useKept';
import { keyOf, useChanged, useCustomer, usePartnerUsers } from './queries';

type Approval = Schemas['RequestApprove'];

/** The panel with one request: what it asks for, what approving it would grant, and the decision. */
export function DecideRequest() {
  const api = useApi();
  const navigate = useNavigate();
  const { customer, admin } = useCustomer();
  const { request = '' } = useParams();
  const close = useCallback(() => void navigate(`/customers/${customer}/requests`), [navigate, customer]);
  const query = useQuery({
    queryKey: keyOf(customer, 'request', request),
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/customers/{customer}/requests/{request}', { params: { path: { customer, request } }, signal }))).data,
  });
  const r = query.data;
  return (
    <Panel title={t('pages.request.one')} close={close}>
      {r ? (
        <SpaceBetween size="l">
          <RequestDetails of={r} />
          {r.status === 'pending' && admin && <Decision of={r} close={close} />}
        </SpaceBetween>
      ) : query.error ? (
        <ProblemAlert problem={asProblem(query.error)} retry={() => void query.refetch()} />
      ) : (
        <Spinner />
      )}
    </Panel>
  );
}

interface Entered {
  level: Level | undefined;
  until: string | null | undefined; // null: without an end; undefined: not complete yet
  users: string[] | undefined; // undefined: as asked
  words: string;
}

function Decision({ of: r, close }: { of: Request; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { customer } = useCustomer();
  const [{ level, until, users, words }, edit, form] = useKept<Entered>(`request ${r.id}`, { level: r.level ?? undefined, until: r.until, users: undefined, words: '' });
  const path = { customer, request: r.id };
  const approval: Approval = {
    ...(level && level !== r.level ? { level } : {}),
    ...(until !== undefined && until !== r.until ? { until } : {}),
    ...(users ? { users } : {}),
    ...(words ? { note: words } : {}),
  };
  const done = (header: string, content: string) => {
    form.done();
    flash.done(header, content);
    void changed();
    close();
  };
  const approve = useSubmit(
    async (body: Approval, key) =>
      (await answer(api.POST('/v1/customers/{customer}/requests/{request}/approve', { params: { path, header: { 'Idempotency-Key': key } }, body }))).data,
    {
      repeatable: true,
      onDone: (data) => {
        if ('grant' in data && data.grant) done(t('pages.decide.approved'), t('pages.decide.approved_about', { level: levelName(data.grant.level) }));
        else done(t('pages.decide.seconded'), t('pages.decide.seconded_about'));
      },
      onProblem: () => void changed(),
    },
  );
  const decline = useSubmit(
    async (note: string, key) =>
      (await answer(api.POST('/v1/customers/{customer}/requests/{request}/decline', { params: { path, header: { 'Idempotency-Key': key } }, body: { note } }))).data,
    { repeatable: true, onDone: () => done(t('pages.decide.declined'), t('pages.decide.declined_about')), onProblem: () => void changed() },
  );
  const ask = useSubmit(
    async (question: string, key) =>
      (await answer(api.POST('/v1/customers/{customer}/requests/{request}/ask', { params: { path, header: { 'Idempotency-Key': key } }, body: { question } }))).data,
    { repeatable: true, onDone: () => done(t('pages.decide.asked'), t('pages.decide.asked_about', { who: r.requested_by.email ?? t('pages.decide.who_asked') })) },
  );
  const problem = approve.problem ?? decline.problem ?? ask.problem;
  const sending = approve.sending || decline.sending || ask.sending;
  return (
    <form aria-label={t('pages.decide.label')} noValidate onSubmit={(e) => e.preventDefault()}>
      {form.guard}
      <SpaceBetween size="l">
        <Preview of={r} approval={approval} />
        {r.kind === 'access' && !r.personal && <Whom of={r} users={users} onChange={(keys) => edit({ users: keys })} error={approve.problem?.at('/users')} />}
        {r.level && <LevelSelect value={level ?? r.level} onChange={(l) => edit({ level: l })} error={approve.problem?.at('/level')} />}
        {r.until && r.kind !== 'raise' && <LocalDateTime label={t('pages.period.until')} value={until ?? null} onChange={(end) => edit({ until: end ?? undefined })} error={approve.problem?.at('/until')} />}
        <FormField label={t('words.field.note')} description={t('pages.decide.note_about')}>
          <Textarea value={words} onChange={(e) => edit({ words: e.detail.value })} rows={3} />
        </FormField>
        {problem && <ProblemAlert problem={problem} shown={['/level', '/until', '/users']} />}
        <SpaceBetween direction="horizontal" size="xs">
          <Button variant="primary" loading={approve.sending} disabled={sending && !approve.sending} onClick={() => approve.send(approval)}>
            {t('pages.decide.approve')}
          </Button>
          <Button loading={decline.sending} disabled={sending && !decline.sending} onClick={() => decline.send(words)}>
            {t('pages.button.decline')}
          </Button>
          {!r.question && (
            <Button loading={ask.sending} disabled={sending || !words} onClick={() => ask.send(words)}>{t('pages.decide.ask')}</Button>
          )}
        </SpaceBetween>
      </SpaceBetween>
    </form>
  );
}

/** Who of those that were asked for gets access; of everyone, everyone or the ones that are chosen. */
function Whom({ of: r, users, onChange, error }: { of: Request; users: string[] | undefined; onChange: (users: string[] | undefined) => void; error?: string }) {
  const all = usePartnerUsers(r.partner, '', r.everyone && users !== undefined).all;
  const people = (r.everyone ? all : r.users).map((u) => ({ key: u.id, name: u.name ?? u.id, about: u.email ?? undefined }));
  const asked = r.users.map((u) => u.id);
  return (
    <SpaceBetween size="s">
      {r.everyone && (
        <Checkbox checked={users === undefined} onChange={(e) => onChange(e.detail.checked ? undefined : [])}>{t('pages.decide.everyone')}</Checkbox>
      )}
      {(!r.everyone || users) && (
        <PeopleSelect
          label={t('pages.users.title')}
          description={r.everyone ? t('pages.decide.instead') : t('pages.decide.of_those')}
          people={people}
          value={users ?? asked}
          onChange={(keys) => onChange(!r.everyone && keys.length === asked.length ? undefined : keys)}
          placeholder={t('pages.ask.choose')}
          error={error}
        />
      )}
    </SpaceBetween>
  );
}

/** What approving would grant, as the service's dry run says. */
function Preview({ of: r, approval }: { of: Request; approval: Approval }) {
  const api = useApi();
  const { customer } = useCustomer();
  const nobody = approval.users?.length === 0; // none is chosen yet
  const query = useQuery({
    enabled: !nobody,
    queryKey: keyOf(customer, 'request', r.id, 'would', r.version, approval.level, approval.until, approval.users),
    queryFn: async ({ signal }) =>
      (
        await dryRun(
          api.POST('/v1/customers/{customer}/requests/{request}/approve', {
            params: { path: { customer, request: r.id }, query: { dry_run: true } },
            body: { level: approval.level, until: approval.until, users: approval.users },
            signal,
          }),
        )
      ).plan,
  });
  const would = query.data;
  if (nobody) return null;
  if (!would) return query.error ? <ProblemAlert problem={asProblem(query.error)} /> : <Spinner />;
  return (
    <Alert type="info" header={t('pages.decide.would')}>
      {would.gains.length === 0 ? (
        wish(r)
      ) : (
        <ul>
          {would.gains.map((g) => (
            <li key={g.user.id}>
              <Name>{g.user.name}</Name>: {levelName(g.to_level)}
            </li>
          ))}
        </ul>
      )}
    </Alert>
  );
}
