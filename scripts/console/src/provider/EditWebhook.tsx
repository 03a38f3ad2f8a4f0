import Spinner from '@cloudscape-design/components/spinner';
import { useCallback } from 'react';
import { useNavigate, useParams } from 'react-router';

import { answer, type Schemas } from '../api';
import { t } from '../language';
import { PanelForm } from '../parts/PanelForm';
import { ProblemAlert } from '../parts/ProblemAlert';
import { Theirs } from '../parts/Theirs';
import { differences, useEditing } from '../parts/useEditing';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { Panel } from '../shell/Panel';
import { useKept } from '../shell/useKept';
import { hookLines, hookName, readWebhook, type Hook } from './hooks';
import { useChanged } from './queries';
import { hookPointers, hookValues, missingOf, typesOf, WebhookFields, type HookValues } from './WebhookFields';

/** The panel of a webhook's address and of what it gets. */
export function EditWebhook() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const { webhook = '' } = useParams();
  const close = useCallback(() => void navigate({ pathname: `/provider/webhooks/${webhook}`, search: location.search }), [navigate, webhook]);
  const editing = useEditing<Hook, Schemas['WebhookEdit'], Hook>({
    key: ['webhook', webhook],
    read: (signal) => readWebhook(api, webhook, signal),
    send: async (body, etag) => (await answer(api.PATCH('/v1/webhooks/{webhook}', { params: { path: { webhook }, header: { 'If-Match': etag } }, body }))).data,
    lines: hookLines,
    onDone: (now, was) => {
      flash.done(t('pages.changed', { name: hookName(now) }), differences(hookLines, was, now).join('. '));
      form.done();
      void changed();
      close();
    },
  });
  const { base } = editing;
  const [draft, edit, form] = useKept<Partial<HookValues>>(`webhook ${webhook}`, {}, {}, (d) => (base ? bodyOf(base, d) !== undefined : Object.keys(d).length > 0));
  if (!base) {
    return (
      <Panel title={t('pages.webhook.one')} close={close}>
        {editing.readProblem ? <ProblemAlert problem={editing.readProblem} retry={editing.retry} /> : <Spinner />}
      </Panel>
    );
  }
  const now = { ...hookValues(base), ...draft };
  const body = bodyOf(base, draft);
  const missing = missingOf(now);
  return (
    <PanelForm
      title={t('pages.edit.of', { name: hookName(base) })}
      close={close}
      action={editing.theirs ? t('pages.button.apply_mine') : t('pages.button.save')}
      submit={() => body && !missing.url && !missing.types && editing.send(body)}
      sending={editing.sending}
      disabledReason={body ? undefined : t('pages.form.unchanged')}
      problem={editing.problem}
      notice={<Theirs lines={editing.theirs} />}
      shown={hookPointers}
    >
      {form.guard}
      <WebhookFields value={now} edit={edit} at={(pointer) => editing.problem?.at(pointer)} missing={missing} urlAbout={t('pages.webhook.another_url')} />
    </PanelForm>
  );
}

/** What is to be sent: only what was changed, and differs from what is there. undefined when nothing does. */
function bodyOf(base: Hook, draft: Partial<HookValues>): Schemas['WebhookEdit'] | undefined {
  const now = { ...hookValues(base), ...draft };
  const body: Schemas['WebhookEdit'] = {};
  if ('url' in draft && now.url.trim() !== base.url) body.url = now.url.trim();
  if ('description' in draft && now.description.trim() !== (base.description ?? '')) body.description = now.description.trim() || null;
  if (('some' in draft || 'families' in draft || 'patterns' in draft) && sorted(typesOf(now)) !== sorted(base.types)) body.types = typesOf(now);
  if ('customer' in draft && (now.customer?.id ?? null) !== base.customer) body.customer = now.customer?.id ?? null;
  // Events that were chosen and of which none is left are no change that can be sent, but one that is told.
  return Object.keys(body).length > 0 || missingOf(now).types ? body : undefined;
}

const sorted = (types: readonly string[]): string => JSON.stringify([...types].sort());
