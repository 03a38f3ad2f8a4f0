import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Grid from '@cloudscape-design/components/grid';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

import { answer, useSubmit, type CursorPages } from '../api';
import { number, rich, t } from '../language';
import { DataTable } from '../parts/DataTable';
import { Instant } from '../parts/Instant';
import { Name } from '../parts/Name';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { stateWords, useRefused, type Delivery, type Hook } from './hooks';

const states = ['pending', 'delivered', 'failed'] as const;
const stateType: Record<Delivery['state'], StatusIndicatorProps.Type> = { pending: 'pending', delivered: 'success', failed: 'error' };

/** The state that the log is narrowed to; undefined: none. */
export const stateOf = (text: string): Delivery['state'] | undefined => states.find((s) => s === text);

type Code = NonNullable<Delivery['last_code']>;

const codeWords: Record<Code, () => string> = {
  address_not_public: () => t('pages.webhook.code.address_not_public'),
  dns: () => t('pages.webhook.code.dns'),
  connection: () => t('pages.webhook.code.connection'),
  tls: () => t('pages.webhook.code.tls'),
  timeout: () => t('pages.webhook.code.timeout'),
  no_answer: () => t('pages.webhook.code.no_answer'),
  redirect: () => t('pages.webhook.code.redirect'),
  status: () => '', // it stands above, and the answer's own words below
  bad_challenge: () => t('pages.webhook.code.bad_challenge'),
  replaced: () => t('pages.webhook.code.replaced'),
};

/** Why the last attempt failed, without the status, which stands above it; '' where there is no more to say. What came before there were codes, or has one
 * that these pages do not know, is in the service's own words. */
function reasonOf(d: Delivery): string {
  if (d.state === 'delivered') return '';
  const words = d.last_code ? (codeWords as Partial<typeof codeWords>)[d.last_code]?.() : undefined;
  return words || (d.last_error ?? '').replace(/^the address answered \d{3}(: )?/, '');
}

/** What was sent to a webhook, or waits to be, and what came of it. */
export function Deliveries({
  webhook: h,
  pages,
  state,
  show,
  acted,
  replay,
}: {
  webhook: Hook;
  pages: CursorPages<Delivery>;
  state: Delivery['state'] | undefined;
  show: (state: Delivery['state'] | undefined) => void;
  acted: () => void;
  replay: () => void;
}) {
  const api = useApi();
  const flash = useFlash();
  const refused = useRefused();
  const retry = useSubmit(
    async (d: Delivery, key) =>
      (await answer(api.POST('/v1/webhooks/{webhook}/deliveries/{event}/retry', { params: { path: { webhook: h.id, event: d.event }, header: { 'Idempotency-Key': key } } }))).data,
    {
      repeatable: true,
      onDone: (d) => {
        flash.done(t('pages.webhook.retried', { type: d.type }));
        acted();
      },
      onProblem: (problem) => {
        refused(problem);
        acted();
      },
    },
  );
  const options = [{ value: '', label: t('pages.webhook.all_deliveries') }, ...states.map((s) => ({ value: s as string, label: stateWords[s]() }))];
  return (
    <DataTable
      title={t('pages.webhook.deliveries')}
      heading="h2"
      description={t('pages.webhook.deliveries_about')}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button iconName="refresh" ariaLabel={t('pages.webhook.refresh')} onClick={acted} />
          <Button onClick={replay}>{t('pages.webhook.replay')}</Button>
        </SpaceBetween>
      }
      pages={pages}
      trackBy={(d) => d.event}
      empty={state ? t('pages.webhook.no_such_delivery') : t('pages.webhook.no_delivery')}
      filter={
        <Grid gridDefinition={[{ colspan: { default: 12, xs: 4 } }]}>
          <Select
            ariaLabel={t('pages.list.shown')}
            selectedOption={options.find((o) => o.value === (state ?? '')) ?? null}
            options={options}
            onChange={(e) => show(stateOf(e.detail.selectedOption.value ?? ''))}
          />
        </Grid>
      }
      columns={[
        {
          id: 'type',
          header: t('pages.webhook.event'),
          isRowHeader: true,
          minWidth: 160,
          cell: (d) => (
            <>
              {d.type}
              <Box variant="small" display="block" color="text-body-secondary">
                {d.event}
              </Box>
            </>
          ),
        },
        {
          id: 'state',
          header: t('words.field.state'),
          whole: true,
          minWidth: 150,
          cell: (d) => (
            <>
              <span className="whole">
                <StatusIndicator type={stateType[d.state]}>{stateWords[d.state]()}</StatusIndicator>
              </span>
              <Box variant="small" display="block" color="text-body-secondary">
                {t('pages.webhook.attempts', { count: d.attempts })}
              </Box>
              {d.next_attempt_at && (
                <Box variant="small" display="block" color="text-body-secondary">
                  {rich('pages.webhook.next', { at: <Instant at={d.next_attempt_at} /> })}
                </Box>
              )}
            </>
          ),
        },
        {
          id: 'answer',
          header: t('pages.webhook.answer'),
          minWidth: 170,
          cell: (d) => (
            <>
              {d.last_attempt_at === null
                ? '–'
                : d.last_status === null
                  ? t('pages.webhook.no_answer')
                  : t('pages.webhook.answered', { status: String(d.last_status), ms: number(d.last_ms ?? 0) })}
              {reasonOf(d) && (
                <Box variant="small" display="block" color="text-body-secondary">
                  <Name>{reasonOf(d)}</Name>
                </Box>
              )}
            </>
          ),
        },
        { id: 'when', header: t('pages.column.when'), whole: true, minWidth: 130, cell: (d) => <Instant at={d.created_at} /> },
        {
          id: 'actions',
          header: t('pages.column.actions'),
          minWidth: 90,
          cell: (d) =>
            d.type !== 'webhook.verify' && (
              <Button
                variant="inline-link"
                onClick={() => retry.send(d)}
                loading={retry.sending && retry.input?.event === d.event}
                ariaLabel={t('pages.webhook.retry_of', { type: d.type, event: d.event })}
              >
                {t('pages.webhook.retry')}
              </Button>
            ),
        },
      ]}
    />
  );
}
