import Spinner from '@cloudscape-design/components/spinner';
import { useCallback } from 'react';
import { useNavigate, useParams } from 'react-router';

import { answer, type Answer, type Schemas } from '../api';
import { t } from '../language';
import { PanelForm } from '../parts/PanelForm';
import { ProblemAlert } from '../parts/ProblemAlert';
import { Theirs } from '../parts/Theirs';
import { differences, useDraft, useEditing } from '../parts/useEditing';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { Panel } from '../shell/Panel';
import { PartnerFields, partnerPointers } from './PartnerFields';
import { partnerLines, useChanged } from './queries';

type Partner = Schemas['Partner'];

/** The panel of one partner: its class, its offer and what else the provider keeps of it. */
export function EditPartner() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const { partner = '' } = useParams();
  const close = useCallback(() => void navigate({ pathname: '/provider/partners', search: location.search }), [navigate]);
  const path = { partner };
  const editing = useEditing<Partner, Schemas['PartnerWrite'], Partner>({
    key: ['partner', partner],
    read: async (signal) => (await answer(api.GET('/v1/partners/{partner}', { params: { path }, signal }))) as Answer<Partner>, // the provider sees the whole of it
    send: async (body, etag) => (await answer(api.PATCH('/v1/partners/{partner}', { params: { path, header: { 'If-Match': etag } }, body }))).data,
    lines: partnerLines,
    onDone: (now, was) => {
      flash.done(t('pages.changed', { name: now.name }), differences(partnerLines, was, now).join('. '));
      form.done();
      void changed();
      close();
    },
  });
  const { now, edit, body, form } = useDraft(`partner ${partner}`, editing.base);
  if (!now) {
    return (
      <Panel title={partner} close={close}>
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
      shown={partnerPointers}
    >
      {form.guard}
      <PartnerFields value={now} edit={edit} at={(pointer) => editing.problem?.at(pointer)} />
    </PanelForm>
  );
}
