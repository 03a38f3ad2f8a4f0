import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Spinner from '@cloudscape-design/components/spinner';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { useNavigate, useParams } from 'react-router';

import { answer, asProblem, Problem, useSubmit, type Schemas } from '../api';
import { t } from '../language';
import { PanelForm } from '../parts/PanelForm';
import { ProblemAlert } from '../parts/ProblemAlert';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { Panel } from '../shell/Panel';
import { useKept } from '../shell/useKept';
import { created, useChanged } from './queries';

type Member = Schemas['Member'];

/** The panel of a new member, or of one that is there: its name and its role. */
export function MemberPanel() {
  const api = useApi();
  const navigate = useNavigate();
  const { customer = '', email } = useParams();
  const close = useCallback(() => void navigate(`/provider/customers/${customer}`), [navigate, customer]);
  const query = useQuery({
    queryKey: ['edit', 'member', customer, email],
    enabled: email !== undefined,
    gcTime: 0,
    staleTime: Infinity,
    queryFn: async ({ signal }) => {
      for (let cursor: string | undefined; ; ) {
        const { data } = await answer(api.GET('/v1/customers/{customer}/members', { params: { path: { customer }, query: { limit: 100, cursor } }, signal }));
        const found = data.items.find((m) => m.email === email);
        if (found) return found;
        if (!data.next_cursor) throw new Problem({ status: 404, code: 'not_found', title: '', detail: '' });
        cursor = data.next_cursor;
      }
    },
  });
  if (email !== undefined && !query.data) {
    return (
      <Panel title={email} close={close}>
        {query.error ? <ProblemAlert problem={asProblem(query.error)} retry={() => void query.refetch()} /> : <Spinner />}
      </Panel>
    );
  }
  return <MemberForm customer={customer} member={query.data} close={close} />;
}

function MemberForm({ customer, member, close }: { customer: string; member: Member | undefined; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const [{ email, name, role }, edit, form] = useKept<Pick<Member, 'email' | 'name' | 'role'>>(`member ${customer} ${member?.email ?? ''}`, {
    email: '',
    name: member?.name ?? '',
    role: member?.role ?? 'admin',
  });
  const [tried, setTried] = useState(false);
  const [last, setLast] = useState(false); // the service has said that it is the only admin
  const put = useSubmit(
    async (body: Schemas['MemberWrite']) =>
      created(
        answer(
          api.PUT('/v1/customers/{customer}/members/{email}', {
            params: { path: { customer, email: member?.email ?? email.trim() }, query: last ? { confirm: 'last_admin' } : {}, header: member ? {} : { 'If-None-Match': '*' } },
            body,
          }),
        ),
        new Problem({ status: 409, code: 'own', title: t('pages.member.already'), errors: [{ pointer: '/email', detail: t('pages.member.already_about', { email: email.trim() }) }] }),
      ),
    {
      repeatable: member !== undefined,
      onProblem: (p) => setLast(p.code === 'last_admin'),
      onDone: (m) => {
        flash.done(member ? t('pages.changed', { name: m.name }) : t('pages.member.done', { name: m.name }), m.role === 'admin' ? t('pages.member.is_admin', { email: m.email }) : t('pages.member.is_member', { email: m.email }));
        form.done();
        void changed();
        close();
      },
    },
  );
  const missing = {
    email: member || /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email.trim()) ? undefined : t('pages.member.address_missing'), // it stands in the request's path
    name: name.trim() ? undefined : t('pages.form.name_missing'),
  };
  const same = member !== undefined && member.name === name.trim() && member.role === role;
  return (
    <PanelForm
      title={member ? t('pages.edit.of', { name: member.name }) : t('pages.member.add')}
      close={close}
      action={last ? t('pages.member.save_anyway') : member ? t('pages.button.save') : t('pages.button.add')}
      submit={() => {
        setTried(true);
        if (!missing.email && !missing.name) put.send({ name: name.trim(), role });
      }}
      sending={put.sending}
      disabledReason={same ? t('pages.form.unchanged') : undefined}
      problem={put.problem}
      shown={['/name', '/role', ...(put.problem?.at('/email') ? ['/email'] : [])]}
    >
      {form.guard}
      <FormField
        label={t('words.field.email')}
        description={member ? undefined : t('pages.member.email_about')}
        errorText={(tried ? missing.email : undefined) ?? put.problem?.at('/email')}
      >
        {member ? member.email : <Input value={email} onChange={(e) => edit({ email: e.detail.value })} type="email" inputMode="email" autoComplete={false} />}
      </FormField>
      <FormField label={t('words.field.name')} errorText={(tried ? missing.name : undefined) ?? put.problem?.at('/name')}>
        <Input value={name} onChange={(e) => edit({ name: e.detail.value })} autoComplete={false} />
      </FormField>
      <FormField label={t('words.field.role')} errorText={put.problem?.at('/role')}>
        <RadioGroup
          value={role}
          onChange={(e) => edit({ role: e.detail.value as Member['role'] })}
          items={[
            { value: 'admin', label: t('words.role.admin'), description: t('pages.member.admin_about') },
            { value: 'member', label: t('pages.member.one'), description: t('pages.member.member_about') },
          ]}
        />
      </FormField>
    </PanelForm>
  );
}
