import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { asProblem, type Problem } from '../api';
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
      aria-label="Forgot password"
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
                <>
                  If the account has a password, a code is on its way to {email.trim()}: see the{' '}
                  <Link href={local?.mailbox} external variant="secondary" fontSize="inherit">
                    mailbox
                  </Link>
                  . If you have never signed in, use the temporary password from the first mail.
                </>
              ) : (
                'A code is sent to the e-mail address of the account.'
              )
            }
          >
            Forgot password
          </Header>
        }
      >
        <SpaceBetween size="m">
          {problem && <ProblemAlert problem={problem} />}
          {sent ? (
            <SpaceBetween size="m">
              <FormField label="Code from the mail" constraintText="Six digits, valid for one hour.">
                <Input value={code} onChange={(e) => setCode(e.detail.value)} inputMode="numeric" autoComplete="one-time-code" />
              </FormField>
              <FormField label="New password" constraintText="At least 12 characters, 5 of them different.">
                <Input value={fresh} onChange={(e) => setFresh(e.detail.value)} type="password" autoComplete="new-password" />
              </FormField>
            </SpaceBetween>
          ) : (
            <FormField label="E-mail address of the account">
              <Input value={email} onChange={(e) => setEmail(e.detail.value)} type="email" autoComplete="username" />
            </FormField>
          )}
          <SpaceBetween direction="horizontal" size="m" alignItems="center">
            <Button loading={busy}>{sent ? 'Replace password' : 'Send code'}</Button>
            <Button variant="inline-link" formAction="none" onClick={() => close(false)}>
              Back to log in
            </Button>
          </SpaceBetween>
        </SpaceBetween>
      </Container>
    </form>
  );
}
