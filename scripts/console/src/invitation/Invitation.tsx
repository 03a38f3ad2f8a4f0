import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation, useNavigate } from 'react-router';

import { answer, asProblem, useSubmit, type Schemas } from '../api';
import { rich, t } from '../language';
import { ConfirmModal } from '../parts/ConfirmModal';
import { Instant } from '../parts/Instant';
import { LanguageMenu } from '../parts/LanguageMenu';
import { ProblemAlert } from '../parts/ProblemAlert';
import { Who } from '../parts/Who';
import { levelAbout, levelName } from '../parts/words';
import { useApi, useMe, useSession } from '../session';

type Preview = Schemas['InvitationPreview'];

/** /invitations#token: what accepting would give, before and after signing in (E3, E4). The token stands in the fragment, which no server sees. */
export function Invitation() {
  const api = useApi();
  const { hash } = useLocation();
  const token = decoded(hash.slice(1));
  const query = useQuery({
    queryKey: ['invitation', token],
    enabled: token !== '',
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/invitations/{token}', { params: { path: { token } }, signal }))).data,
  });
  return (
    <main className="narrow-page">
      <title>{t('pages.title', { title: t('pages.invited.title') })}</title>
      <SpaceBetween size="l">
        <Header variant="h1" actions={<LanguageMenu />}>
          {query.data ? t('pages.invited.to', { customer: query.data.customer.name }) : t('pages.invited.title')}
        </Header>
        {token === '' || asProblem(query.error).code === 'not_found' ? (
          <Alert type="warning" header={t('pages.invited.invalid')}>{t('pages.invited.invalid_about')}</Alert>
        ) : query.error && !query.data ? (
          <ProblemAlert problem={query.error} retry={() => void query.refetch()} />
        ) : query.data ? (
          <Offer token={token} preview={query.data} reread={() => void query.refetch()} />
        ) : (
          <Box textAlign="center" padding="xxl">
            <Spinner size="large" />
          </Box>
        )}
      </SpaceBetween>
    </main>
  );
}

function Offer({ token, preview: p, reread }: { token: string; preview: Preview; reread: () => void }) {
  const [answered, setAnswered] = useState<Schemas['Invitation']>();
  const [registered, setRegistered] = useState(false);
  const status = answered?.status ?? p.status;
  if (registered) return <Registered preview={p} />;
  return (
    <SpaceBetween size="l">
      {status === 'pending' && (
        <Box>
          {p.invited_by === 'customer' ? (
            <>{rich('pages.invited.by_customer', { customer: <strong>{p.customer.name}</strong>, partner: <strong>{p.partner.name}</strong> })}</>
          ) : (
            <>{rich('pages.invited.by_partner', { partner: <strong>{p.partner.name}</strong>, customer: <strong>{p.customer.name}</strong> })}</>
          )}
        </Box>
      )}
      <Ended status={status} partner={p.partner} customer={p.customer} mine={answered !== undefined} />
      <Container header={<Header variant="h2">{status === 'pending' ? t('pages.invited.offer') : t('pages.invited.was_offered')}</Header>}>
        <KeyValuePairs
          columns={2}
          items={[
            { label: t('words.customer'), value: <Who name={p.customer.name} about={p.customer.domain} /> },
            { label: t('pages.invited.external_of'), value: p.partner.name },
            { label: t('words.field.level'), value: <Who name={levelName(p.level)} about={levelAbout(p.level)} /> },
            { label: t('pages.invite.ends'), value: p.until ? <Instant at={p.until} both /> : t('pages.invited.with_partner') },
            { label: t('pages.invited.address'), value: p.email },
            ...(status === 'pending' ? [{ label: t('pages.invitation.acceptable_until'), value: <Instant at={p.expires_at} both /> }] : []),
          ]}
        />
      </Container>
      {status === 'pending' && <Answer token={token} preview={p} reread={reread} done={setAnswered} registered={() => setRegistered(true)} />}
    </SpaceBetween>
  );
}

/** An invitation that can be answered no more, and what to do then. */
function Ended({ status, partner, customer, mine }: { status: Preview['status']; partner: Preview['partner']; customer: Preview['customer']; mine: boolean }) {
  const navigate = useNavigate();
  switch (status) {
    case 'pending':
      return null;
    case 'accepted':
      return (
        <Alert
          type="success"
          header={mine ? t('pages.invited.accepted', { customer: customer.name }) : t('pages.invited.was_accepted')}
          action={<Button onClick={() => void navigate(`/partners/${partner.id}/customers`)}>{mine ? t('pages.customer.to_customers') : t('pages.sign_in.action')}</Button>}
        >
          {mine ? t('pages.invited.accepted_about') : t('pages.invited.was_accepted_about')}
        </Alert>
      );
    case 'declined':
      return (
        <Alert type="info" header={mine ? t('pages.invited.declined') : t('pages.invited.was_declined')}>
          {mine ? t('pages.invited.declined_about') : t('pages.invited.was_declined_about')}
        </Alert>
      );
    case 'cancelled':
      return (
        <Alert type="warning" header={t('pages.invited.cancelled')}>{t('pages.invited.cancelled_about')}</Alert>
      );
    case 'expired':
      return (
        <Alert type="warning" header={t('pages.invited.expired')}>{t('pages.invited.expired_about')}</Alert>
      );
  }
}

/** Accepting and declining: for whom has signed in under the invited address. */
function Answer({
  token,
  preview: p,
  reread,
  done,
  registered,
}: {
  token: string;
  preview: Preview;
  reread: () => void;
  done: (i: Schemas['Invitation']) => void;
  registered: () => void;
}) {
  const api = useApi();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { state, local, toLogin, signOut } = useSession();
  const { me, problem: meProblem, retry } = useMe();
  const [name, setName] = useState('');
  const [declining, setDeclining] = useState(false);
  const here = `/invitations#${encodeURIComponent(token)}`;

  const options = {
    repeatable: true,
    onDone: ({ invitation }: Schemas['InvitationAnswer']) => {
      done(invitation);
      void queries.invalidateQueries({ queryKey: ['me'] }); // who accepts is a user of the partner from now on
      void queries.invalidateQueries({ queryKey: ['invitation', token] });
    },
    onProblem: (problem: { code: string }) => {
      if (problem.code === 'invitation_ended' || problem.code === 'not_found') reread();
    },
  };
  const accept = useSubmit(
    async (called: string, key) =>
      (
        await answer(
          api.POST('/v1/invitations/{token}/accept', { params: { path: { token }, header: { 'Idempotency-Key': key } }, body: called ? { name: called } : {} }),
        )
      ).data,
    options,
  );
  const decline = useSubmit(
    async (_: undefined, key) => (await answer(api.POST('/v1/invitations/{token}/decline', { params: { path: { token }, header: { 'Idempotency-Key': key } } }))).data,
    { ...options, onProblem: (problem) => (setDeclining(false), options.onProblem(problem)) },
  );
  const signIn = (anew: boolean) => {
    if (!local) {
      toLogin(here, anew);
      return;
    }
    if (anew) signOut();
    void navigate(`/sign-in?next=${encodeURIComponent(here)}`);
  };

  if (state === 'out') {
    return (
      <SpaceBetween size="l">
        {p.can_register && <Register token={token} preview={p} reread={reread} done={registered} />}
        <Container header={p.can_register && <Header variant="h2">{t('pages.invited.has_account')}</Header>}>
          <SpaceBetween size="m">
            <div>
              {rich(p.can_register ? 'pages.invited.sign_in' : 'pages.invited.sign_in_or_create', { email: <strong>{p.email}</strong> })}
            </div>
            <Button variant={p.can_register ? 'normal' : 'primary'} onClick={() => signIn(false)}>{t('pages.sign_in.action')}</Button>
          </SpaceBetween>
        </Container>
      </SpaceBetween>
    );
  }
  if (meProblem) return <ProblemAlert problem={meProblem} retry={retry} />;
  if (!me) return <Spinner />;
  const wrongPerson = [accept, decline].some((s) => s.problem?.code === 'wrong_person') || !couldBe(p.email, me.email);
  if (wrongPerson) {
    return (
      <Alert type="warning" header={t('pages.invited.wrong_person')} action={<Button onClick={() => signIn(true)}>{t('pages.sign_in.other')}</Button>}>{rich('pages.invited.wrong_person_about', { me: <strong>{me.email || t('pages.invited.a_system')}</strong>, email: <strong>{p.email}</strong> })}</Alert>
    );
  }
  const problem = accept.problem ?? decline.problem;
  return (
    <form
      noValidate // the service says what is wrong, in the same words everywhere
      aria-label={t('pages.invited.answer')}
      onSubmit={(e) => {
        e.preventDefault();
        accept.send(name.trim());
      }}
    >
      <Container header={<Header variant="h2" description={t('pages.invited.signed_in', { email: me.email })}>{t('pages.invited.your_answer')}</Header>}>
        <SpaceBetween size="m">
          {!me.partner && (
            <FormField label={t('pages.invited.name')} description={t('pages.invited.name_about', { partner: p.partner.name })} errorText={accept.problem?.at('/name')}>
              <Input value={name} onChange={(e) => setName(e.detail.value)} autoComplete="name" />
            </FormField>
          )}
          {problem && <ProblemAlert problem={problem} shown={['/name']} />}
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="primary" loading={accept.sending}>{t('pages.invited.accept')}</Button>
            <Button formAction="none" onClick={() => setDeclining(true)}>{t('pages.button.decline')}</Button>
            <Button formAction="none" variant="link" onClick={() => signIn(true)}>{t('pages.invited.not_me')}</Button>
          </SpaceBetween>
        </SpaceBetween>
      </Container>
      {declining && (
        <ConfirmModal header={t('pages.invited.decline_ask')} action={t('pages.button.decline')} confirm={() => decline.send(undefined)} close={() => setDeclining(false)} sending={decline.sending}>
          {t('pages.invited.decline_about')}
        </ConfirmModal>
      )}
    </form>
  );
}

/** Accepting without an account: the invitation's token proves the address, and the password goes there alone (E4). */
function Register({ token, preview: p, reread, done }: { token: string; preview: Preview; reread: () => void; done: () => void }) {
  const api = useApi();
  const [name, setName] = useState('');
  const register = useSubmit(
    async (called: string, key) =>
      (
        await answer(
          api.POST('/v1/invitations/{token}/register', { params: { path: { token }, header: { 'Idempotency-Key': key } }, body: called ? { name: called } : {} }),
        )
      ).data,
    {
      repeatable: true,
      onDone: done,
      onProblem: (problem: { code: string }) => {
        if (problem.code === 'invitation_ended' || problem.code === 'not_found') reread();
      },
    },
  );
  return (
    <form
      noValidate
      aria-label={t('pages.invited.create')}
      onSubmit={(e) => {
        e.preventDefault();
        register.send(name.trim());
      }}
    >
      <Container
        header={
          <Header variant="h2" description={t('pages.invited.no_account_about', { email: p.email })}>{t('pages.invited.no_account')}</Header>
        }
      >
        <SpaceBetween size="m">
          <FormField label={t('pages.invited.name')} description={t('pages.invited.name_about', { partner: p.partner.name })} errorText={register.problem?.at('/name')}>
            <Input value={name} onChange={(e) => setName(e.detail.value)} autoComplete="name" />
          </FormField>
          {register.problem && <ProblemAlert problem={register.problem} shown={['/name']} />}
          <Button variant="primary" loading={register.sending}>{t('pages.invited.accept_and_create')}</Button>
        </SpaceBetween>
      </Container>
    </form>
  );
}

function Registered({ preview: p }: { preview: Preview }) {
  const navigate = useNavigate();
  return (
    <Alert
      type="success"
      header={t('pages.invited.registered')}
      action={<Button onClick={() => void navigate(`/partners/${p.partner.id}/customers`)}>{t('pages.sign_in.action')}</Button>}
    >{rich('pages.invited.registered_about', { email: <strong>{p.email}</strong> })}</Alert>
  );
}

/** Whether a masked address, e***@elsewhere.example, could be this one. */
function couldBe(masked: string, email: string): boolean {
  const [first = '', domain = ''] = masked.split('***');
  return email.startsWith(first) && email.endsWith(domain) && email !== '';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
