import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useCallback, useState } from 'react';
import { useNavigate } from 'react-router';

import { answer, Problem, useSubmit } from '../api';
import { t } from '../language';
import { PanelForm } from '../parts/PanelForm';
import { levelName } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { useKept } from '../shell/useKept';
import { PartnerFields, partnerPointers, type PartnerValues } from './PartnerFields';
import { created, idRule, useChanged, validId } from './queries';

/** The panel that creates a partner. */
export function CreatePartner() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const close = useCallback(() => void navigate({ pathname: '/provider/partners', search: location.search }), [navigate]);
  const [{ id, ...value }, edit, form] = useKept<PartnerValues & { id: string }>('create partner', {
    id: '',
    name: '',
    class: 'channel',
    offer: 'support',
    sso: false,
    owner_sets_sso: false,
    parent: null,
    contacts: [],
    domains: [],
  });
  const [tried, setTried] = useState(false);
  const create = useSubmit(
    async (body: PartnerValues) => {
      const path = { partner: id.trim() };
      return created(
        answer(api.PUT('/v1/partners/{partner}', { params: { path, header: { 'If-None-Match': '*' } }, body })),
        new Problem({ status: 409, code: 'own', title: t('pages.form.id_taken'), errors: [{ pointer: '/id', detail: t('pages.partner.exists', { id: path.partner }) }] }),
      );
    },
    {
      onDone: (p) => {
        flash.done(t('pages.partner.created', { name: p.name }), t('pages.partner.created_about', { level: levelName(p.offer) }));
        form.done();
        void changed();
        close();
      },
    },
  );
  const missing = {
    id: validId(id.trim()) ? undefined : t('pages.form.id_wrong'),
    name: value.name.trim() ? undefined : t('pages.form.name_missing'),
  };
  return (
    <PanelForm
      title={t('pages.partner.create')}
      close={close}
      action={t('pages.button.create')}
      submit={() => {
        setTried(true);
        if (!missing.id && !missing.name) create.send({ ...value, name: value.name.trim() });
      }}
      sending={create.sending}
      problem={create.problem}
      shown={['/id', ...partnerPointers]}
    >
      {form.guard}
      <FormField label={t('pages.column.id')} constraintText={idRule()} errorText={(tried ? missing.id : undefined) ?? create.problem?.at('/id')}>
        <Input value={id} onChange={(e) => edit({ id: e.detail.value })} autoComplete={false} placeholder="contoso" />
      </FormField>
      <PartnerFields
        value={value}
        edit={edit}
        at={(pointer) => create.problem?.at(pointer)}
        nameMissing={tried ? missing.name : undefined}
      />
    </PanelForm>
  );
}
