import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { answer, useSubmit } from '../api';
import { Page } from '../parts/Page';
import { ProblemAlert } from '../parts/ProblemAlert';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { NotFound } from '../shell/NotFound';
import { usePartner } from './queries';

/** Changes one's own password (P20). What is typed is kept nowhere: the form forgets it with the answer. */
export function Password() {
  const api = useApi();
  const flash = useFlash();
  const { partner, me } = usePartner();
  const [current, setCurrent] = useState('');
  const [fresh, setFresh] = useState('');
  const [again, setAgain] = useState('');
  const [tried, setTried] = useState(false);
  const change = useSubmit(
    async () => {
      await answer(api.POST('/v1/partners/{partner}/users/{user}/password', { params: { path: { partner, user: me ?? '' } }, body: { current, new: fresh } }));
    },
    {
      onDone: () => {
        flash.done('Your password is changed', 'Sign in with the new one from now on.');
        setCurrent('');
        setFresh('');
        setAgain('');
        setTried(false);
      },
    },
  );
  const missing = {
    current: current ? undefined : 'Enter the current password.',
    fresh: fresh ? undefined : 'Enter the new password.',
    again: again === fresh ? undefined : 'This differs from the new password.',
  };
  const said = (words: string | undefined): string | undefined => (tried ? words : undefined);
  if (!me) return <NotFound />; // nobody else's password is changed here
  const elsewhere = change.problem?.code === 'not_found';
  return (
    <Page title="My password" description="You sign in everywhere here with one account and one password. If you have forgotten the current password, sign out and replace it where you sign in.">
      {elsewhere ? (
        <Alert type="info" header="Your password is kept elsewhere">
          The provider signs people in with an identity provider of its own. Change your password there.
        </Alert>
      ) : (
        <form
          noValidate // the service says what is wrong, in the same words everywhere
          aria-label="My password"
          onSubmit={(e) => {
            e.preventDefault();
            setTried(true);
            if (!Object.values(missing).some(Boolean)) change.send(undefined);
          }}
        >
          <Form
            actions={
              <Button variant="primary" loading={change.sending}>
                Change password
              </Button>
            }
          >
            <Container>
              <SpaceBetween size="l">
                <FormField label="Current password" errorText={said(missing.current) ?? change.problem?.at('/current')}>
                  <Input value={current} onChange={(e) => setCurrent(e.detail.value)} type="password" autoComplete="current-password" />
                </FormField>
                <FormField
                  label="New password"
                  constraintText="12 to 256 characters, at least 5 of them different, no spaces at the ends."
                  errorText={said(missing.fresh) ?? change.problem?.at('/new')}
                >
                  <Input value={fresh} onChange={(e) => setFresh(e.detail.value)} type="password" autoComplete="new-password" />
                </FormField>
                <FormField label="New password, once more" errorText={said(missing.again)}>
                  <Input value={again} onChange={(e) => setAgain(e.detail.value)} type="password" autoComplete="new-password" />
                </FormField>
                {change.problem && <ProblemAlert problem={change.problem} shown={['/current', '/new']} />}
              </SpaceBetween>
            </Container>
          </Form>
        </form>
      )}
    </Page>
  );
}
