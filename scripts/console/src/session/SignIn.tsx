import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { Navigate, useNavigate, useSearchParams } from 'react-router';

import { asProblem, type Problem } from '../api';
import { rich, t } from '../language';
import { LanguageMenu } from '../parts/LanguageMenu';
import { ProblemAlert } from '../parts/ProblemAlert';
import { returnFromLogin } from './hosted';
import { useSession } from './session';

const LocalSignIn = lazy(async () => ({ default: (await import('./LocalSignIn')).LocalSignIn })); // no deployed stage has it

/** /sign-in: where the hosted login leads back to; on the local stack, where one chooses who to be. */
export function SignIn() {
  const { local, state } = useSession();
  const [query] = useSearchParams();
  const next = inside(query.get('next'));
  if (state === 'in' && !query.has('code')) return <Navigate to={next} replace />;
  return (
    <main className="narrow-page">
      <title>{t('pages.title', { title: t('pages.sign_in.action') })}</title>
      <SpaceBetween size="l">
        <Header variant="h1" actions={<LanguageMenu />}>
          Partner Access
        </Header>
        {local ? (
          <Suspense fallback={<Spinner />}>
            <LocalSignIn next={next} />
          </Suspense>
        ) : (
          <HostedSignIn next={next} />
        )}
      </SpaceBetween>
    </main>
  );
}

function HostedSignIn({ next }: { next: string }) {
  const { settings, enter, toLogin, ended } = useSession();
  const [query] = useSearchParams();
  const navigate = useNavigate();
  const [problem, setProblem] = useState<Problem>();
  const begun = useRef(false); // a code can be used once
  const back = query.has('code') || query.has('error');
  useEffect(() => {
    if (begun.current || !settings.login) return;
    if (back) {
      begun.current = true;
      returnFromLogin(settings.login, query).then(
        ({ tokens, next: wanted }) => {
          enter(tokens);
          void navigate(inside(wanted), { replace: true });
        },
        (error: unknown) => setProblem(asProblem(error)),
      );
    } else if (!ended) {
      begun.current = true;
      toLogin(next);
    }
  }, [back, ended, enter, navigate, next, query, settings.login, toLogin]);
  if (!problem && !ended) {
    return (
      <Box textAlign="center" padding="xxl">{rich('pages.sign_in.waiting', { spinner: <Spinner size="large" /> })}</Box>
    );
  }
  return (
    <SpaceBetween size="m">
      {problem ? <ProblemAlert problem={problem} /> : <Alert type="info">{t('pages.sign_in.ended')}</Alert>}
      <Button variant="primary" onClick={() => toLogin(next)}>{t('pages.sign_in.action')}</Button>
    </SpaceBetween>
  );
}

/** A path of this page alone: never another site. */
function inside(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-in') ? next : '/';
}
