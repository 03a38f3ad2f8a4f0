import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useCallback, useState } from 'react';
import { useNavigate } from 'react-router';

import { answer, Problem, useSubmit } from '../api';
import { PanelForm } from '../parts/PanelForm';
import { levelName } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { PartnerFields, partnerPointers, type PartnerValues } from './PartnerFields';
import { created, idRule, useChanged, validId } from './queries';

/** The panel that creates a partner. */
export function CreatePartner() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const close = useCallback(() => void navigate({ pathname: '/provider/partners', search: location.search }), [navigate]);
  const [id, setId] = useState('');
  const [value, setValue] = useState<PartnerValues>({
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
        new Problem({ status: 409, code: 'page', title: 'This id is taken', errors: [{ pointer: '/id', detail: `A partner with the id ${path.partner} exists already.` }] }),
      );
    },
    {
      onDone: (p) => {
        flash.done(`${p.name} is created`, `Offer: ${levelName(p.offer)}. Create its owner next, under Employees.`);
        void changed();
        close();
      },
    },
  );
  const missing = {
    id: validId(id.trim()) ? undefined : 'Enter an id: letters, digits, dots, hyphens and underscores.',
    name: value.name.trim() ? undefined : 'Enter a name.',
  };
  return (
    <PanelForm
      title="Create partner"
      close={close}
      action="Create"
      submit={() => {
        setTried(true);
        if (!missing.id && !missing.name) create.send({ ...value, name: value.name.trim() });
      }}
      sending={create.sending}
      problem={create.problem}
      shown={['/id', ...partnerPointers]}
    >
      <FormField label="Id" constraintText={idRule} errorText={(tried ? missing.id : undefined) ?? create.problem?.at('/id')}>
        <Input value={id} onChange={(e) => setId(e.detail.value)} autoComplete={false} placeholder="contoso" />
      </FormField>
      <PartnerFields
        value={value}
        edit={(more) => setValue((old) => ({ ...old, ...more }))}
        at={(pointer) => create.problem?.at(pointer)}
        nameMissing={tried ? missing.name : undefined}
      />
    </PanelForm>
  );
}
