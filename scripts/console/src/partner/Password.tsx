import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { answer, useSubmit } from '../api';
import { t } from '../language';
import { Page } from '../parts/Page';
import { ProblemAlert } from '../parts/ProblemAlert';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { NotFound } from '../shell/NotFound';
import { LeaveGuard } from '../shell/useKept';
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
        flash.done(t('pages.password.changed'), t('pages.password.changed_about'));
        setCurrent('');
        setFresh('');
        setAgain('');
        setTried(false);
      },
    },
  );
  const missing = {
    current: current ? undefined : t('pages.password.current_missing'),
    fresh: fresh ? undefined : t('pages.password.new_missing'),
    again: again === fresh ? undefined : t('pages.password.differs'),
  };
  const said = (words: string | undefined): string | undefined => (tried ? words : undefined);
  if (!me) return <NotFound />; // nobody else's password is changed here
  const elsewhere = change.problem?.code === 'not_found';
  return (
    <Page title={t('pages.nav.password')} description={t('pages.password.about')}>
      {elsewhere ? (
        <Alert type="info" header={t('pages.password.elsewhere')}>{t('pages.password.elsewhere_about')}</Alert>
      ) : (
        <form
          noValidate // the service says what is wrong, in the same words everywhere
          aria-label={t('pages.nav.password')}
          onSubmit={(e) => {
            e.preventDefault();
            setTried(true);
            if (!Object.values(missing).some(Boolean)) change.send(undefined);
          }}
        >
          <LeaveGuard changed={current + fresh + again !== ''} />
          <Form
            actions={
              <Button variant="primary" loading={change.sending}>{t('pages.password.action')}</Button>
            }
          >
            <Container>
              <SpaceBetween size="l">
                <FormField label={t('pages.password.current')} errorText={said(missing.current) ?? change.problem?.at('/current')}>
                  <Input value={current} onChange={(e) => setCurrent(e.detail.value)} type="password" autoComplete="current-password" />
                </FormField>
                <FormField
                  label={t('pages.password.new')}
                  constraintText={t('pages.password.full_rule')}
                  errorText={said(missing.fresh) ?? change.problem?.at('/new')}
                >
                  <Input value={fresh} onChange={(e) => setFresh(e.detail.value)} type="password" autoComplete="new-password" />
                </FormField>
                <FormField label={t('pages.password.once_more')} errorText={said(missing.again)}>
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
