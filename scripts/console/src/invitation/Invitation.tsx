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
import { ConfirmModal } from '../parts/ConfirmModal';
import { Instant } from '../parts/Instant';
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
      <title>Invitation · Partner Access</title>
      <SpaceBetween size="l">
        <Header variant="h1">{query.data ? `Invitation to ${query.data.customer.name}` : 'Invitation'}</Header>
        {token === '' || asProblem(query.error).code === 'not_found' ? (
          <Alert type="warning" header="This link is no longer valid">
            It is incomplete, or a later mail has replaced it. Open the link in the newest mail, or ask the person who invited you to send it again.
          </Alert>
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
            <>
              <strong>{p.customer.name}</strong> invites you to its data, as an external user of <strong>{p.partner.name}</strong>.
            </>
          ) : (
            <>
              <strong>{p.partner.name}</strong> invites you to the data of <strong>{p.customer.name}</strong>, as one of its external users.
            </>
          )}
        </Box>
      )}
      <Ended status={status} partner={p.partner} customer={p.customer} mine={answered !== undefined} />
      <Container header={<Header variant="h2">{status === 'pending' ? 'What you get if you accept' : 'What was offered'}</Header>}>
        <KeyValuePairs
          columns={2}
          items={[
            { label: 'Customer', value: <Who name={p.customer.name} about={p.customer.domain} /> },
            { label: 'As external user of', value: p.partner.name },
            { label: 'Level', value: <Who name={levelName(p.level)} about={levelAbout(p.level)} /> },
            { label: 'Access ends', value: p.until ? <Instant at={p.until} both /> : 'With the partner’s' },
            { label: 'Invited address', value: p.email },
            ...(status === 'pending' ? [{ label: 'Can be accepted until', value: <Instant at={p.expires_at} both /> }] : []),
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
          header={mine ? `You now have access to ${customer.name}` : 'This invitation has already been accepted'}
          action={<Button onClick={() => void navigate(`/partners/${partner.id}/customers`)}>{mine ? 'Go to your customers' : 'Sign in'}</Button>}
        >
          {mine ? 'The sign-in link is in your list of customers.' : 'It cannot be used again. If you accepted it, sign in with the invited address.'}
        </Alert>
      );
    case 'declined':
      return (
        <Alert type="info" header={mine ? 'You have declined the invitation' : 'This invitation was declined'}>
          {mine ? 'The person who invited you is notified. You have not been granted access.' : 'It can no longer be used.'} If you change your mind, ask to be invited again.
        </Alert>
      );
    case 'cancelled':
      return (
        <Alert type="warning" header="This invitation was cancelled">
          The person who invited you can send you a new one.
        </Alert>
      );
    case 'expired':
      return (
        <Alert type="warning" header="This invitation has expired">
          It was not accepted in time. Ask the person who invited you for a new one.
        </Alert>
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
        <Container header={p.can_register && <Header variant="h2">I have an account</Header>}>
          <SpaceBetween size="m">
            <div>
              Sign in with the invited address to answer: <strong>{p.email}</strong>.
              {!p.can_register && ' If you have no account yet, create one where you sign in.'}
            </div>
            <Button variant={p.can_register ? 'normal' : 'primary'} onClick={() => signIn(false)}>
              Sign in
            </Button>
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
      <Alert type="warning" header="This invitation is for somebody else" action={<Button onClick={() => signIn(true)}>Sign in as somebody else</Button>}>
        You are signed in as <strong>{me.email || 'one of the provider’s systems'}</strong>. The invitation was sent to <strong>{p.email}</strong>, and only that person can
        answer it.
      </Alert>
    );
  }
  const problem = accept.problem ?? decline.problem;
  return (
    <form
      noValidate // the service says what is wrong, in the same words everywhere
      aria-label="Answer the invitation"
      onSubmit={(e) => {
        e.preventDefault();
        accept.send(name.trim());
      }}
    >
      <Container header={<Header variant="h2" description={`You are signed in as ${me.email}.`}>{'Your answer'}</Header>}>
        <SpaceBetween size="m">
          {!me.partner && (
            <FormField label="Your name" description={`Shown at ${p.partner.name}. By default the part of your address before the @.`} errorText={accept.problem?.at('/name')}>
              <Input value={name} onChange={(e) => setName(e.detail.value)} autoComplete="name" />
            </FormField>
          )}
          {problem && <ProblemAlert problem={problem} shown={['/name']} />}
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="primary" loading={accept.sending}>
              Accept
            </Button>
            <Button formAction="none" onClick={() => setDeclining(true)}>
              Decline
            </Button>
            <Button formAction="none" variant="link" onClick={() => signIn(true)}>
              This is not me
            </Button>
          </SpaceBetween>
        </SpaceBetween>
      </Container>
      {declining && (
        <ConfirmModal header="Decline the invitation?" action="Decline" confirm={() => decline.send(undefined)} close={() => setDeclining(false)} sending={decline.sending}>
          You get no access, and the link is no longer valid. The person who invited you is notified.
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
      aria-label="Create an account"
      onSubmit={(e) => {
        e.preventDefault();
        register.send(name.trim());
      }}
    >
      <Container
        header={
          <Header variant="h2" description={`You accept the invitation, and a temporary password is sent to ${p.email}.`}>
            I have no account yet
          </Header>
        }
      >
        <SpaceBetween size="m">
          <FormField label="Your name" description={`Shown at ${p.partner.name}. By default the part of your address before the @.`} errorText={register.problem?.at('/name')}>
            <Input value={name} onChange={(e) => setName(e.detail.value)} autoComplete="name" />
          </FormField>
          {register.problem && <ProblemAlert problem={register.problem} shown={['/name']} />}
          <Button variant="primary" loading={register.sending}>
            Accept and create an account
          </Button>
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
      header="You have accepted the invitation"
      action={<Button onClick={() => void navigate(`/partners/${p.partner.id}/customers`)}>Sign in</Button>}
    >
      A mail with a temporary password is on its way to <strong>{p.email}</strong>; it can take some minutes. Sign in with it, and choose a password of your own.
    </Alert>
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
