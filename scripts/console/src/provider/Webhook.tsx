import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router';

import { answer, asProblem, etagOf, useCursorPages, useSubmit, type Schemas } from '../api';
import { t } from '../language';
import { ConfirmModal } from '../parts/ConfirmModal';
import { Instant } from '../parts/Instant';
import { Page } from '../parts/Page';
import { ProblemAlert } from '../parts/ProblemAlert';
import { useAddress } from '../parts/useAddress';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { PanelOutlet } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { Deliveries, stateOf } from './Deliveries';
import { hookName, kindWords, readWebhook, typesText, useRefused, useReread, useWatching, WebhookStatus, type Hook } from './hooks';
import { keyOf, useChanged } from './queries';
import { WebhookSecret } from './WebhookSecret';

/** One webhook: what it gets, whether it works, and what was sent to it. */
export function Webhook() {
  const api = useApi();
  const navigate = useNavigate();
  const follow = useFollow();
  const address = useAddress();
  const { webhook = '' } = useParams();
  const [asked, setAsked] = useState<'rotate' | 'remove'>();
  const [secret, setSecret] = useState<Schemas['WebhookSecret']>();
  const reread = useReread(webhook);
  const [acts, setActs] = useState(0); // of the person, on this page
  const acted = () => {
    setActs((n) => n + 1);
    void reread();
  };
  const query = useQuery({ queryKey: keyOf('webhook', webhook), queryFn: ({ signal }) => readWebhook(api, webhook, signal) });
  const h = query.data?.data;
  const state = stateOf(address.get('state'));
  const deliveries = useCursorPages(
    keyOf('webhook', webhook, 'deliveries', state),
    async (cursor, signal) =>
      (await answer(api.GET('/v1/webhooks/{webhook}/deliveries', { params: { path: { webhook }, query: { limit: 25, cursor, ...(state ? { state } : {}) } }, signal }))).data,
    { at: address.page, enabled: h !== undefined },
  );
  useWatching(h?.status === 'unverified' || (h?.status === 'active' && deliveries.items.some((d) => d.state === 'pending' && d.attempts === 0)), reread, acts);
  if (!h) {
    return (
      <Page title={t('pages.webhook.one')}>{query.error ? <ProblemAlert problem={asProblem(query.error)} retry={() => void query.refetch()} /> : <Spinner size="large" />}</Page>
    );
  }
  const at = `/provider/webhooks/${h.id}`;
  return (
    <>
      <Page title={hookName(h)} actions={<Actions of={h} edit={() => void navigate(address.at(`${at}/edit`))} ask={setAsked} acted={acted} />}>
        <SpaceBetween size="l">
          <Container header={<Header variant="h2">{t('pages.webhook.one')}</Header>}>
            <KeyValuePairs
              columns={3}
              items={[
                { label: t('words.field.state'), value: <WebhookStatus of={h} /> },
                { label: t('pages.webhook.url'), value: <div className="breaks-words">{h.url}</div> },
                { label: t('pages.webhook.events'), value: <div className="breaks-words">{typesText(h.types)}</div> },
                {
                  label: t('words.customer'),
                  value: h.customer ? (
                    <Link href={`/provider/customers/${h.customer}`} onFollow={follow}>
                      {h.customer}
                    </Link>
                  ) : (
                    t('pages.webhook.every_customer')
                  ),
                },
                { label: t('pages.webhook.kind'), value: kindWords[h.secret_kind]() },
                ...(h.previous_secret_until ? [{ label: t('pages.webhook.former_until'), value: <Instant at={h.previous_secret_until} /> }] : []),
                { label: t('pages.webhook.added'), value: <Instant at={h.created_at} /> },
                { label: t('pages.column.id'), value: h.id },
              ]}
            />
          </Container>
          <Deliveries webhook={h} pages={deliveries} state={state} show={(s) => address.set('state', s)} acted={acted} replay={() => void navigate(address.at(`${at}/replay`))} />
        </SpaceBetween>
      </Page>
      {asked === 'rotate' && <Rotate of={h} close={() => setAsked(undefined)} done={setSecret} acted={acted} />}
      {asked === 'remove' && <Remove of={h} close={() => setAsked(undefined)} />}
      {secret && <WebhookSecret of={secret} about={t('pages.webhook.rotated_about')} close={() => setSecret(undefined)} />}
      <PanelOutlet />
    </>
  );
}

/** What can be done with the whole of a webhook. */
function Actions({ of: h, edit, ask, acted }: { of: Hook; edit: () => void; ask: (what: 'rotate' | 'remove') => void; acted: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const refused = useRefused();
  const path = { webhook: h.id };
  const paused = h.status === 'paused';
  const onProblem = (problem: Parameters<typeof refused>[0]) => {
    refused(problem);
    acted(); // it may be another one by now
  };
  const flip = useSubmit(
    async (status: 'active' | 'paused') =>
      (await answer(api.PATCH('/v1/webhooks/{webhook}', { params: { path, header: { 'If-Match': etagOf(h) } }, body: { status } }))).data,
    {
      onDone: (now) => {
        if (now.status === 'paused') flash.done(t('pages.webhook.paused', { name: hookName(h) }), t('pages.webhook.paused_about'));
        else flash.done(t('pages.webhook.resumed', { name: hookName(h) }), t('pages.webhook.resumed_about'));
        acted();
      },
      onProblem,
    },
  );
  const verify = useSubmit(
    async (_: undefined, key) => (await answer(api.POST('/v1/webhooks/{webhook}/verify', { params: { path, header: { 'Idempotency-Key': key } } }))).data,
    {
      repeatable: true,
      onDone: () => {
        flash.done(t('pages.webhook.challenged', { name: hookName(h) }), t('pages.webhook.challenged_about'));
        acted();
      },
      onProblem,
    },
  );
  const test = useSubmit(
    async (_: undefined, key) => (await answer(api.POST('/v1/webhooks/{webhook}/test', { params: { path, header: { 'Idempotency-Key': key } } }))).data,
    {
      repeatable: true,
      onDone: () => {
        flash.done(t('pages.webhook.tested'), t('pages.webhook.tested_about'));
        acted();
      },
      onProblem,
    },
  );
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <Button onClick={edit}>{t('pages.button.edit')}</Button>
      <Button onClick={() => test.send(undefined)} loading={test.sending}>{t('pages.webhook.test')}</Button>
      {(paused || h.status === 'active') && (
        <Button onClick={() => flip.send(paused ? 'active' : 'paused')} loading={flip.sending}>
          {paused ? t('pages.webhook.resume') : t('pages.webhook.pause')}
        </Button>
      )}
      <ButtonDropdown
        ariaLabel={t('pages.actions_for', { name: hookName(h) })}
        loading={verify.sending}
        expandToViewport
        items={[
          { id: 'verify', text: t('pages.webhook.verify') },
          { id: 'rotate', text: t('pages.webhook.rotate') },
          { id: 'remove', text: t('pages.button.remove') },
        ]}
        onItemClick={({ detail: { id } }) => {
          if (id === 'verify') verify.send(undefined);
          else ask(id as 'rotate' | 'remove');
        }}
      >
        {t('pages.column.actions')}
      </ButtonDropdown>
    </SpaceBetween>
  );
}

function Rotate({ of: h, close, done, acted }: { of: Hook; close: () => void; done: (secret: Schemas['WebhookSecret']) => void; acted: () => void }) {
  const api = useApi();
  const rotate = useSubmit(
    async (_: undefined, key) =>
      (await answer(api.POST('/v1/webhooks/{webhook}/rotate', { params: { path: { webhook: h.id }, header: { 'Idempotency-Key': key } } }))).data,
    {
      repeatable: true,
      onDone: (secret) => {
        close();
        done(secret);
        acted();
      },
    },
  );
  return (
    <ConfirmModal header={t('pages.webhook.rotate_ask')} action={t('pages.webhook.rotate')} confirm={() => rotate.send(undefined)} close={close} sending={rotate.sending} problem={rotate.problem}>
      {t('pages.webhook.rotate_about')}
    </ConfirmModal>
  );
}

function Remove({ of: h, close }: { of: Hook; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const remove = useSubmit(
    async () => {
      await answer(api.DELETE('/v1/webhooks/{webhook}', { params: { path: { webhook: h.id } } }));
    },
    {
      onDone: () => {
        flash.done(t('pages.webhook.removed', { name: hookName(h) }));
        close();
        void navigate('/provider/webhooks');
        void changed();
      },
    },
  );
  return (
    <ConfirmModal header={t('pages.ask.remove', { name: hookName(h) })} action={t('pages.button.remove')} confirm={() => remove.send(undefined)} close={close} sending={remove.sending} problem={remove.problem}>
      {t('pages.webhook.remove_about')}
    </ConfirmModal>
  );
}
