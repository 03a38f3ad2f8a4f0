import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Spinner from '@cloudscape-design/components/spinner';
import { useCallback } from 'react';
import { useNavigate, useParams } from 'react-router';

import { answer, type Schemas } from '../api';
import { t } from '../language';
import { PanelForm } from '../parts/PanelForm';
import { ProblemAlert } from '../parts/ProblemAlert';
import { RoleSelect } from '../parts/RoleSelect';
import { Theirs } from '../parts/Theirs';
import { differences, useDraft, useEditing } from '../parts/useEditing';
import { roleName } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { Panel } from '../shell/Panel';
import { needsPhone, phoneless, userLines } from './lines';
import { mayHandle } from './rights';
import { useChanged, usePartner } from './queries';

type User = Schemas['User'];


/** The panel of one user: address, name, role, telephone (P19). */
export function EditEmployee() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const { partner, me, may } = usePartner();
  const { user = '' } = useParams();
  const close = useCallback(() => void navigate({ pathname: `/partners/${partner}/employees`, search: location.search }), [navigate, partner]);
  const path = { partner, user };
  const editing = useEditing<User, Schemas['UserEdit'], User>({
    key: ['user', user],
    read: (signal) => answer(api.GET('/v1/partners/{partner}/users/{user}', { params: { path }, signal })),
    send: async (body, etag) => (await answer(api.PATCH('/v1/partners/{partner}/users/{user}', { params: { path, header: { 'If-Match': etag } }, body }))).data,
    lines: userLines,
    onDone: (now, was) => {
      flash.done(t('pages.changed', { name: now.name }), differences(userLines, was, now).join('. '));
      form.done();
      void changed();
      close();
    },
  });
  const { now, edit, body, form } = useDraft(`user ${user}`, editing.base);
  if (!now) {
    return (
      <Panel title={t('pages.employees.one')} close={close}>
        {editing.readProblem ? <ProblemAlert problem={editing.readProblem} retry={editing.retry} /> : <Spinner />}
      </Panel>
    );
  }
  const at = (pointer: string): string | undefined => editing.problem?.at(pointer);
  return (
    <PanelForm
      title={t('pages.edit.of', { name: editing.base?.name ?? '' })}
      close={close}
      action={editing.theirs ? t('pages.button.apply_mine') : t('pages.button.save')}
      submit={() => body && editing.send(body as Schemas['UserEdit'])} // the draft holds nothing but what the fields below give
      sending={editing.sending}
      disabledReason={phoneless(now) ?? (body ? undefined : t('pages.form.unchanged'))}
      problem={editing.problem}
      notice={<Theirs lines={editing.theirs} />}
      shown={['/name', '/email', '/role', '/phone', '/mfa']}
    >
      {form.guard}
      <FormField label={t('words.field.name')} errorText={at('/name')}>
        <Input value={now.name} onChange={(e) => edit({ name: e.detail.value })} autoComplete={false} />
      </FormField>
      <FormField label={t('words.field.email')} description={t('pages.employees.email_about')} errorText={at('/email')}>
        <Input value={now.email} onChange={(e) => edit({ email: e.detail.value })} type="email" inputMode="email" autoComplete={false} />
      </FormField>
      {user === me ? (
        <FormField label={t('words.field.role')} description={t('pages.employees.own_role')}>
          {roleName(now.role)}
        </FormField>
      ) : now.role === 'external' ? (
        <FormField label={t('words.field.role')} description={t('pages.employees.external')}>{t('words.role.external')}</FormField>
      ) : (
        <RoleSelect value={now.role} onChange={(role) => edit({ role })} may={(role) => mayHandle(may, role)} error={at('/role')} />
      )}
      <FormField label={t('pages.employees.phone')} constraintText={t('pages.employees.phone_about')} errorText={at('/phone') ?? phoneless(now)}>
        <Input value={now.phone ?? ''} onChange={(e) => edit({ phone: e.detail.value.trim() || null })} type="text" inputMode="tel" autoComplete={false} />
      </FormField>
      <FormField label={t('pages.employees.signing_in')} errorText={at('/mfa')}>
        <Checkbox checked={now.mfa} onChange={(e) => edit({ mfa: e.detail.checked })} description={needsPhone()}>
          {t('pages.employees.with_mfa')}
        </Checkbox>
      </FormField>
    </PanelForm>
  );
}
