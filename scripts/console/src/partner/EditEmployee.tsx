import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Spinner from '@cloudscape-design/components/spinner';
import { useCallback } from 'react';
import { useNavigate, useParams } from 'react-router';

import { answer, type Schemas } from '../api';
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
      flash.done(`${now.name} is changed`, differences(userLines, was, now).join('. '));
      void changed();
      close();
    },
  });
  const { now, edit, body } = useDraft(editing.base);
  if (!now) {
    return (
      <Panel title="Employee" close={close}>
        {editing.readProblem ? <ProblemAlert problem={editing.readProblem} retry={editing.retry} /> : <Spinner />}
      </Panel>
    );
  }
  const at = (pointer: string): string | undefined => editing.problem?.at(pointer);
  return (
    <PanelForm
      title={`Edit ${editing.base?.name}`}
      close={close}
      action={editing.theirs ? 'Apply my changes' : 'Save'}
      submit={() => body && editing.send(body as Schemas['UserEdit'])} // the draft holds nothing but what the fields below give
      sending={editing.sending}
      disabledReason={phoneless(now) ?? (body ? undefined : 'There is nothing to save yet.')}
      problem={editing.problem}
      notice={<Theirs lines={editing.theirs} />}
      shown={['/name', '/email', '/role', '/phone', '/mfa']}
    >
      <FormField label="Name" errorText={at('/name')}>
        <Input value={now.name} onChange={(e) => edit({ name: e.detail.value })} autoComplete={false} />
      </FormField>
      <FormField label="E-mail address" description="The person signs in with it." errorText={at('/email')}>
        <Input value={now.email} onChange={(e) => edit({ email: e.detail.value })} type="email" inputMode="email" autoComplete={false} />
      </FormField>
      {user === me ? (
        <FormField label="Role" description="Nobody changes the role of their own account.">
          {roleName(now.role)}
        </FormField>
      ) : now.role === 'external' ? (
        <FormField label="Role" description="Accepted an invitation, and stays external.">
          External
        </FormField>
      ) : (
        <RoleSelect value={now.role} onChange={(role) => edit({ role })} may={(role) => mayHandle(may, role)} error={at('/role')} />
      )}
      <FormField label="Telephone" constraintText="In international form, such as +4930123456." errorText={at('/phone') ?? phoneless(now)}>
        <Input value={now.phone ?? ''} onChange={(e) => edit({ phone: e.detail.value.trim() || null })} type="text" inputMode="tel" autoComplete={false} />
      </FormField>
      <FormField label="Signing in" errorText={at('/mfa')}>
        <Checkbox checked={now.mfa} onChange={(e) => edit({ mfa: e.detail.checked })} description={needsPhone}>
          With two factors
        </Checkbox>
      </FormField>
    </PanelForm>
  );
}
