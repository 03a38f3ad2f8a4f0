import Spinner from '@cloudscape-design/components/spinner';
import { useCallback } from 'react';
import { useNavigate, useParams } from 'react-router';

import { answer, type Schemas } from '../api';
import { t } from '../language';
import { PanelForm } from '../parts/PanelForm';
import { ProblemAlert } from '../parts/ProblemAlert';
import { Theirs } from '../parts/Theirs';
import { differences, useDraft, useEditing } from '../parts/useEditing';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { Panel } from '../shell/Panel';
import { CustomerFields, customerPointers } from './CustomerFields';
import { customerLines, readCustomer, useChanged } from './queries';

/** The panel of a customer's record. */
export function EditCustomer() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const { customer = '' } = useParams();
  const close = useCallback(() => void navigate(`/provider/customers/${customer}`), [navigate, customer]);
  const editing = useEditing<Schemas['Customer'], Schemas['CustomerWrite'], Schemas['Customer']>({
    key: ['customer', customer],
    read: (signal) => readCustomer(api, customer, signal),
    send: async (body, etag) => (await answer(api.PUT('/v1/customers/{customer}', { params: { path: { customer }, header: { 'If-Match': etag } }, body }))).data,
    lines: customerLines,
    onDone: (now, was) => {
      flash.done(t('pages.changed', { name: now.name }), differences(customerLines, was, now).join('. '));
      form.done();
      void changed();
      close();
    },
  });
  const { now, edit, body, form } = useDraft(`customer ${customer}`, editing.base);
  if (!now) {
    return (
      <Panel title={customer} close={close}>
        {editing.readProblem ? <ProblemAlert problem={editing.readProblem} retry={editing.retry} /> : <Spinner />}
      </Panel>
    );
  }
  return (
    <PanelForm
      title={t('pages.edit.of', { name: editing.base?.name ?? '' })}
      close={close}
      action={editing.theirs ? t('pages.button.apply_mine') : t('pages.button.save')}
      submit={() => body && editing.send(body)}
      sending={editing.sending}
      disabledReason={body ? undefined : t('pages.form.unchanged')}
      problem={editing.problem}
      notice={<Theirs lines={editing.theirs} />}
      shown={customerPointers}
    >
      {form.guard}
      <CustomerFields value={now} edit={edit} at={(pointer) => editing.problem?.at(pointer)} />
    </PanelForm>
  );
}
