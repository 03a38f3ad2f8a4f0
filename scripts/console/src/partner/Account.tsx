import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import Toggle from '@cloudscape-design/components/toggle';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer, type Schemas } from '../api';
import { t } from '../language';
import { ContactsField } from '../parts/Contacts';
import { Page } from '../parts/Page';
import { ProblemAlert } from '../parts/ProblemAlert';
import { Theirs } from '../parts/Theirs';
import { differences, useDraft, useEditing } from '../parts/useEditing';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { accountLines } from './lines';
import { usePartner } from './queries';

/** The account settings, which are the owner's alone (P8). */
export function Account() {
  const [round, setRound] = useState(0); // another form after each saving
  return (
    <Page
      title={t('pages.nav.account')}
      description={t('pages.account.about')}
    >
      <AccountForm key={round} done={() => setRound((r) => r + 1)} />
    </Page>
  );
}

function AccountForm({ done }: { done: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const queries = useQueryClient();
  const { partner } = usePartner();
  const editing = useEditing<Schemas['Account'], Schemas['AccountEdit'], Schemas['Account']>({
    key: ['account', partner],
    read: (signal) => answer(api.GET('/v1/partners/{partner}/account', { params: { path: { partner } }, signal })),
    send: async (body, etag) => (await answer(api.PATCH('/v1/partners/{partner}/account', { params: { path: { partner }, header: { 'If-Match': etag } }, body }))).data,
    lines: accountLines,
    onDone: (now, was) => {
      flash.done(t('pages.account.changed'), differences(accountLines, was, now).join('. '));
      form.done();
      void queries.invalidateQueries();
      done();
    },
  });
  const { now, edit, body, form } = useDraft(`account ${partner}`, editing.base);
  if (!now) return editing.readProblem ? <ProblemAlert problem={editing.readProblem} retry={editing.retry} /> : <Spinner size="large" />;
  const at = (pointer: string): string | undefined => editing.problem?.at(pointer);
  return (
    <form
      noValidate // the service says what is wrong, in the same words everywhere
      aria-label={t('pages.nav.account')}
      onSubmit={(e) => {
        e.preventDefault();
        if (body) editing.send(body as Schemas['AccountEdit']); // the draft holds nothing but what the fields below give
      }}
    >
      {form.guard}
      <Form
        actions={
          <Button variant="primary" loading={editing.sending} disabled={!body} disabledReason={t('pages.form.unchanged')}>
            {editing.theirs ? t('pages.button.apply_mine') : t('pages.button.save')}
          </Button>
        }
      >
        <SpaceBetween size="l">
          <Theirs lines={editing.theirs} />
          <Container>
            <SpaceBetween size="l">
              <FormField label={t('words.field.name')} description={t('pages.account.name_about')}>
                <Input value={now.name} readOnly />
              </FormField>
              <ContactsField value={now.contacts} onChange={(contacts) => edit({ contacts })} description={t('pages.account.contacts_about')} error={at('/contacts')} />
              {now.owner_sets_sso ? (
                <FormField label={t('words.field.sso')} description={t('pages.account.sso_about')} errorText={at('/sso')}>
                  <Toggle
                    checked={now.sso}
                    onChange={(e) => edit({ sso: e.detail.checked })}
                    description={t('pages.account.sso_caution')}
                  >{t('pages.account.has_sso')}</Toggle>
                </FormField>
              ) : (
                <FormField label={t('words.field.sso')} description={t('pages.account.sso_about_provider')}>
                  {now.sso ? t('pages.account.sso_yes') : t('pages.account.sso_no')}
                </FormField>
              )}
              {editing.problem && <ProblemAlert problem={editing.problem} shown={['/contacts', ...(now.owner_sets_sso ? ['/sso'] : [])]} />}
            </SpaceBetween>
          </Container>
        </SpaceBetween>
      </Form>
    </form>
  );
}
