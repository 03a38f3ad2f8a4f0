import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import List from '@cloudscape-design/components/list';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';

import { asProblem, type Problem } from '../api';
import { rich, t } from '../language';
import { ProblemAlert } from '../parts/ProblemAlert';
import { LostPassword } from './LostPassword';
import { directoryScope } from './hosted';
import { useSession, type LocalIdentity } from './session';

/** On the local stack one chooses who to be: one of the demo people, somebody else, or an account with a password. */
export function LocalSignIn({ next }: { next: string }) {
  const { local, enterAs, ended } = useSession();
  const navigate = useNavigate();
  const [problem, setProblem] = useState<Problem>();
  const people = useQuery({ queryKey: ['local', 'people'], queryFn: () => local?.people() ?? [] });
  const enter = (who: LocalIdentity) => {
    enterAs(who).then(
      () => void navigate(next, { replace: true }),
      (error: unknown) => setProblem(asProblem(error)),
    );
  };
  return (
    <SpaceBetween size="l">
      {ended && <Alert type="info">{t('pages.sign_in.ended_again')}</Alert>}
      {problem && <ProblemAlert problem={problem} />}
      <Container
        header={
          <Header variant="h2" description={t('pages.sign_in.demo_about')}>{t('pages.sign_in.demo')}</Header>
        }
      >
        {people.isPending ? (
          <Spinner />
        ) : people.error ? (
          <ProblemAlert problem={asProblem(people.error)} retry={() => void people.refetch()} />
        ) : (
          <List
            ariaLabel={t('pages.sign_in.people')}
            items={[
              ...people.data.map((p) => ({ key: p.email, title: p.name, about: t('pages.top.role_of', { role: p.role, of: p.of }), who: { email: p.email } as LocalIdentity })),
              { key: 'provider', title: t('words.actor.provider'), about: t('pages.sign_in.directory'), who: { scope: directoryScope } as LocalIdentity },
            ]}
            renderItem={(item) => ({
              id: item.key,
              content: (
                <Button variant="inline-link" onClick={() => enter(item.who)}>
                  {item.title}
                </Button>
              ),
              secondaryContent: <Box variant="small">{item.about}</Box>,
            })}
          />
        )}
      </Container>
      <SomebodyElse enter={enter} />
      <WithPassword next={next} />
    </SpaceBetween>
  );
}

function SomebodyElse({ enter }: { enter: (who: LocalIdentity) => void }) {
  const [email, setEmail] = useState('');
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        if (email.trim()) enter({ email: email.trim() });
      }}
    >
      <Container header={<Header variant="h2">{t('pages.sign_in.other')}</Header>}>
        <SpaceBetween size="m">
          <FormField label={t('words.field.email')} description={t('pages.sign_in.other_about')}>
            <Input value={email} onChange={(e) => setEmail(e.detail.value)} type="email" name="email" autoComplete={false} />
          </FormField>
          <Button disabled={!email.trim()}>{t('pages.button.continue')}</Button>
        </SpaceBetween>
      </Container>
    </form>
  );
}

function WithPassword({ next }: { next: string }) {
  const { local, enter } = useSession();
  const navigate = useNavigate();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [fresh, setFresh] = useState('');
  const [temporary, setTemporary] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const [lost, setLost] = useState<'asked' | 'replaced'>();
  const submit = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      const token = await local?.login(email.trim(), password, temporary ? fresh : undefined);
      if (token) {
        enter({ bearer: token, expiresIn: 3600 });
        void navigate(next, { replace: true });
      } else {
        setTemporary(true);
      }
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  if (lost === 'asked') return <LostPassword email={email} close={(replaced) => setLost(replaced ? 'replaced' : undefined)} />;
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        if (email && password) void submit();
      }}
    >
      <Container
        header={
          <Header
            variant="h2"
            description={
              <>{rich('pages.sign_in.password_about', { mailbox: <Link href={local?.mailbox} external variant="secondary" fontSize="inherit">{t('pages.lost.mailbox')}</Link> })}</>
            }
          >{t('pages.sign_in.password_title')}</Header>
        }
      >
        <SpaceBetween size="m">
          {problem && <ProblemAlert problem={problem} />}
          {lost === 'replaced' && !problem && <Alert type="success">{t('pages.sign_in.replaced')}</Alert>}
          <FormField label={t('pages.sign_in.account')}>
            <Input value={email} onChange={(e) => setEmail(e.detail.value)} type="email" autoComplete="username" />
          </FormField>
          <FormField label={t('pages.password.label')}>
            <Input value={password} onChange={(e) => setPassword(e.detail.value)} type="password" autoComplete="current-password" />
          </FormField>
          {temporary && (
            <FormField label={t('pages.password.new')} description={t('pages.password.temporary')} constraintText={t('pages.password.rule')}>
              <Input value={fresh} onChange={(e) => setFresh(e.detail.value)} type="password" autoComplete="new-password" />
            </FormField>
          )}
          <SpaceBetween direction="horizontal" size="m" alignItems="center">
            <Button loading={busy}>{t('pages.sign_in.log_in')}</Button>
            <Button variant="inline-link" formAction="none" onClick={() => setLost('asked')}>{t('pages.sign_in.forgot')}</Button>
          </SpaceBetween>
        </SpaceBetween>
      </Container>
    </form>
  );
}
