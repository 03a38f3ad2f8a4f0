import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useCallback, useState } from 'react';
import { useNavigate } from 'react-router';

import { answer, Problem, useSubmit } from '../api';
import { t } from '../language';
import { PanelForm } from '../parts/PanelForm';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { useKept } from '../shell/useKept';
import { CustomerFields, customerPointers, type CustomerValues } from './CustomerFields';
import { created, idRule, useChanged, validId } from './queries';

/** The panel that registers a customer. */
export function RegisterCustomer() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const close = useCallback(() => void navigate('/provider/customers'), [navigate]);
  const [{ id, ...value }, edit, form] = useKept<CustomerValues & { id: string }>('register customer', { id: '', name: '', domain: null, contacts: [] });
  const [tried, setTried] = useState(false);
  const register = useSubmit(
    async (body: CustomerValues) => {
      const customer = id.trim();
      return created(
        answer(api.PUT('/v1/customers/{customer}', { params: { path: { customer }, header: { 'If-None-Match': '*' } }, body })),
        new Problem({ status: 409, code: 'own', title: t('pages.form.id_taken'), errors: [{ pointer: '/id', detail: t('pages.directory.customer_exists', { id: customer }) }] }),
      );
    },
    {
      onDone: (c) => {
        flash.done(t('pages.directory.customer_done', { name: c.name }), t('pages.directory.customer_done_about'));
        form.done();
        void changed();
        void navigate(`/provider/customers/${c.id}`);
      },
    },
  );
  const missing = {
    id: validId(id.trim()) ? undefined : t('pages.form.id_wrong'),
    name: value.name.trim() ? undefined : t('pages.form.name_missing'),
  };
  return (
    <PanelForm
      title={t('pages.directory.register_customer')}
      close={close}
      action={t('pages.directory.register_action')}
      submit={() => {
        setTried(true);
        if (!missing.id && !missing.name) register.send({ ...value, name: value.name.trim() });
      }}
      sending={register.sending}
      problem={register.problem}
      shown={['/id', ...customerPointers]}
    >
      {form.guard}
      <FormField label={t('pages.column.id')} constraintText={idRule()} errorText={(tried ? missing.id : undefined) ?? register.problem?.at('/id')}>
        <Input value={id} onChange={(e) => edit({ id: e.detail.value })} autoComplete={false} placeholder="acme" />
      </FormField>
      <CustomerFields
        value={value}
        edit={edit}
        at={(pointer) => register.problem?.at(pointer)}
        nameMissing={tried ? missing.name : undefined}
      />
    </PanelForm>
  );
}
