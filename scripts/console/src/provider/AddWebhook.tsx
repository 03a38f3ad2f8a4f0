import FormField from '@cloudscape-design/components/form-field';
import RadioGroup from '@cloudscape-design/components/radio-group';
import { useCallback, useState } from 'react';
import { useNavigate } from 'react-router';

import { answer, useSubmit, type Schemas } from '../api';
import { t } from '../language';
import { PanelForm } from '../parts/PanelForm';
import { useApi } from '../session';
import { useKept } from '../shell/useKept';
import { kindWords } from './hooks';
import { useChanged } from './queries';
import { hookPointers, missingOf, noHook, typesOf, WebhookFields, type HookValues } from './WebhookFields';
import { WebhookSecret } from './WebhookSecret';

type Kind = 'v1' | 'v1a';

/** The panel that adds a webhook, and shows its secret. */
export function AddWebhook() {
  const api = useApi();
  const changed = useChanged();
  const navigate = useNavigate();
  const close = useCallback(() => void navigate('/provider/webhooks'), [navigate]);
  const [entered, edit, form] = useKept<HookValues & { kind: Kind }>('add webhook', { ...noHook, kind: 'v1' });
  const [tried, setTried] = useState(false);
  const [made, setMade] = useState<Schemas['WebhookSecret']>();
  const add = useSubmit(
    async (body: Schemas['WebhookWrite'], key) => (await answer(api.POST('/v1/webhooks', { params: { header: { 'Idempotency-Key': key } }, body }))).data,
    {
      repeatable: true,
      onDone: (its) => {
        form.done();
        setMade(its);
        void changed();
      },
    },
  );
  const missing = missingOf(entered);
  return (
    <PanelForm
      title={t('pages.webhook.add')}
      close={close}
      action={t('pages.button.add')}
      submit={() => {
        setTried(true);
        if (missing.url || missing.types) return;
        add.send({
          url: entered.url.trim(),
          description: entered.description.trim() || null,
          types: typesOf(entered),
          customer: entered.customer?.id ?? null,
          secret_kind: entered.kind,
        });
      }}
      sending={add.sending}
      problem={add.problem}
      shown={hookPointers}
    >
      {form.guard}
      <WebhookFields value={entered} edit={edit} at={(pointer) => add.problem?.at(pointer)} missing={tried ? missing : undefined} urlAbout={t('pages.webhook.url_about')} />
      <FormField label={t('pages.webhook.kind')}>
        <RadioGroup
          value={entered.kind}
          onChange={(e) => edit({ kind: e.detail.value as Kind })}
          items={[
            { value: 'v1', label: kindWords.v1(), description: t('pages.webhook.kind_about.v1') },
            { value: 'v1a', label: kindWords.v1a(), description: t('pages.webhook.kind_about.v1a') },
          ]}
        />
      </FormField>
      {made && <WebhookSecret of={made} about={t('pages.webhook.added_about')} close={() => void navigate(`/provider/webhooks/${made.webhook.id}`)} />}
    </PanelForm>
  );
}
