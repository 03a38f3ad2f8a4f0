import Box from '@cloudscape-design/components/box';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect } from 'react';

import { answer, type Api, type Problem, type Schemas } from '../api';
import { list, t } from '../language';
import { problemWords } from '../parts/problems';
import { useFlash } from '../shell/flash';
import { keyOf } from './queries';

export type Hook = Schemas['Webhook'];
export type Delivery = Schemas['WebhookDelivery'];

export const readWebhook = (api: Api, webhook: string, signal?: AbortSignal) =>
  answer(api.GET('/v1/webhooks/{webhook}', { params: { path: { webhook } }, signal }));

/** What a webhook is called on the pages: as it is described, or the beginning of its address. */
export const hookName = (h: Hook): string => h.description ?? (h.url.length > 60 ? `${h.url.slice(0, 59)}…` : h.url);

/** Which events a webhook gets. */
export const typesText = (types: readonly string[]): string => (types.length > 0 ? list([...types]) : t('pages.webhook.all_events'));

// Each key stands here as it is: so only the provider's pages load it.
const statusWords: Record<Hook['status'], () => string> = {
  unverified: () => t('pages.webhook.status.unverified'),
  active: () => t('words.status.active'),
  paused: () => t('pages.webhook.status.paused'),
  disabled: () => t('pages.webhook.status.disabled'),
};

export const stateWords: Record<Delivery['state'], () => string> = {
  pending: () => t('pages.webhook.state.pending'),
  delivered: () => t('pages.webhook.state.delivered'),
  failed: () => t('pages.webhook.state.failed'),
};

/** How what is sent is signed. */
export const kindWords: Record<Hook['secret_kind'], () => string> = {
  v1: () => t('pages.webhook.kind.v1'),
  v1a: () => t('pages.webhook.kind.v1a'),
};

/** A webhook's fields in words. */
export const hookLines = (h: Hook): Record<string, string> => ({
  [t('pages.webhook.url')]: h.url,
  [t('pages.webhook.description')]: h.description ?? '',
  [t('pages.webhook.events')]: typesText(h.types),
  [t('words.customer')]: h.customer ?? t('pages.webhook.every_customer'),
  [t('words.field.state')]: statusWords[h.status](),
});

const statusType: Record<Hook['status'], StatusIndicatorProps.Type> = { unverified: 'warning', active: 'success', paused: 'stopped', disabled: 'error' };

/** The status of a webhook, and why it is disabled. */
export function WebhookStatus({ of: { status, reason } }: { of: Hook }) {
  return (
    <>
      <span className="whole">
        <StatusIndicator type={statusType[status]}>{statusWords[status]()}</StatusIndicator>
      </span>
      {reason && (
        <Box variant="small" display="block" color="text-body-secondary">
          {reason === 'gone' ? t('pages.webhook.gone') : t('pages.webhook.failing')}
        </Box>
      )}
    </>
  );
}

/** Has a webhook and its log read again. */
export function useReread(webhook: string): () => Promise<void> {
  const queries = useQueryClient();
  return useCallback(() => queries.invalidateQueries({ queryKey: keyOf('webhook', webhook) }), [queries, webhook]);
}

const often = 2000; // ms

/**
 * Reads again for half a minute while something is about to happen, and some times after each act of the person: what comes of it is told in steps. `acts`
 * counts those on this page.
 */
export function useWatching(waiting: boolean, reread: () => Promise<void>, acts: number): void {
  useEffect(() => {
    if (!waiting && acts === 0) return undefined;
    let left = waiting ? 15 : 5;
    const timer = setInterval(() => {
      if (left-- <= 0) clearInterval(timer);
      else if (!document.hidden) void reread();
    }, often);
    return () => clearInterval(timer);
  }, [waiting, reread, acts]);
}

/** Says why something was not done that was asked for outside of a form. */
export function useRefused(): (problem: Problem) => void {
  const flash = useFlash();
  return (problem) => flash.warn(...problemWords(problem));
}
