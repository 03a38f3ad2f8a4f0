import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { asProblem, type Problem } from '../api';
import { rich, t } from '../language';
import { ProblemAlert } from '../parts/ProblemAlert';
import { useSession } from './session';

/**
 * Replaces a lost password in two steps, a code by mail and a new password (P20). On the local stack alone: in a deployed stage the hosted login does it.
 * `close` is told whether the password was replaced.
 */
export function LostPassword({ email: typed, close }: { email: string; close: (replaced: boolean) => void }) {
  const { local } = useSession();
  const [email, setEmail] = useState(typed);
  const [code, setCode] = useState('');
  const [fresh, setFresh] = useState('');
  const [sent, setSent] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const run = async (step: () => Promise<void> | undefined, done: () => void) => {
    setBusy(true);
    setProblem(undefined);
    try {
      await step();
      done();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  const submit = () => {
    if (!sent) {
      if (email.trim()) void run(() => local?.forgot(email.trim()), () => setSent(true));
    } else if (code.trim() && fresh) {
      void run(() => local?.replacePassword(email.trim(), code.trim(), fresh), () => close(true));
    }
  };
  return (
    <form
      aria-label={t('pages.lost.title')}
      onSubmit={(e) => {
        e.preventDefault();
        submit();
      }}
    >
      <Container
        header={
          <Header
            variant="h2"
            description={
              sent ? (
                <>{rich('pages.lost.sent', { email: email.trim(), mailbox: <Link href={local?.mailbox} external variant="secondary" fontSize="inherit">{t('pages.lost.mailbox')}</Link> })}</>
              ) : (
                t('pages.lost.about')
              )
            }
          >{t('pages.lost.title')}</Header>
        }
      >
        <SpaceBetween size="m">
          {problem && <ProblemAlert problem={problem} />}
          {sent ? (
            <SpaceBetween size="m">
              <FormField label={t('pages.lost.code')} constraintText={t('pages.lost.code_about')}>
                <Input value={code} onChange={(e) => setCode(e.detail.value)} inputMode="numeric" autoComplete="one-time-code" />
              </FormField>
              <FormField label={t('pages.password.new')} constraintText={t('pages.password.rule')}>
                <Input value={fresh} onChange={(e) => setFresh(e.detail.value)} type="password" autoComplete="new-password" />
              </FormField>
            </SpaceBetween>
          ) : (
            <FormField label={t('pages.sign_in.account')}>
              <Input value={email} onChange={(e) => setEmail(e.detail.value)} type="email" autoComplete="username" />
            </FormField>
          )}
          <SpaceBetween direction="horizontal" size="m" alignItems="center">
            <Button loading={busy}>{sent ? t('pages.lost.replace') : t('pages.lost.send')}</Button>
            <Button variant="inline-link" formAction="none" onClick={() => close(false)}>{t('pages.lost.back')}</Button>
          </SpaceBetween>
        </SpaceBetween>
      </Container>
    </form>
  );
}
