import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import { lazy, Suspense, useState } from 'react';

import { useCursorPages, useSubmit, type ExportPage, type ExportQuery, type Page, type Schemas } from '../api';
import { rich, t } from '../language';
import { useFlash } from '../shell/flash';
import { ConfirmModal } from './ConfirmModal';
import { DataTable } from './DataTable';
import { ExportButton } from './ExportButton';
import { Instant } from './Instant';
import { Name } from './Name';
import { useAddress } from './useAddress';
import { eventTitle, mailReason } from './words';

const MailText = lazy(async () => ({ default: (await import('./MailText')).MailText }));

type Mail = Schemas['Mail'];

const stateType: Record<Mail['state'], StatusIndicatorProps.Type> = {
  claimed: 'in-progress',
  sent: 'success',
  delivered: 'success',
  bounced: 'error',
  complained: 'warning',
  failed: 'error',
  suppressed: 'stopped',
  bundled: 'info',
  dropped: 'stopped',
};

/** A side's mails: where they are read and sent again. */
export interface MailSide {
  cacheKey: readonly unknown[];
  read: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Mail>>;
  open: (mail: string, signal: AbortSignal) => Promise<Schemas['MailText']>;
  resend: (mail: Mail, key: string) => Promise<Mail>;
  exported: (query: ExportQuery, signal: AbortSignal) => Promise<ExportPage>;
  changed: () => Promise<void>;
  /** The history between the side and the one other that the page is about, newest first; without it the page is about all of them. */
  events?: (bounds: { from: string; until: string }, cursor: string | undefined, signal: AbortSignal) => Promise<Page<Schemas['Event']>>;
}

/** The mails that were sent, newest first, and what became of them. */
export function MailPage({ side }: { side: MailSide }) {
  const flash = useFlash();
  const address = useAddress();
  const [again, setAgain] = useState<Mail>();
  const [read, setRead] = useState<Mail>();
  const { events } = side;
  const pages = useCursorPages(
    side.cacheKey,
    async (cursor, signal) => {
      const page = await side.read(cursor, signal);
      return events ? { next_cursor: page.next_cursor, items: await concerning(page.items, events, signal) } : page;
    },
    { at: address.page },
  );
  const resend = useSubmit(side.resend, {
    repeatable: true,
    onDone: (mail) => {
      if (mail.state === 'suppressed' || mail.state === 'dropped') flash.warn(t('pages.mail.not_sent', { to: mail.to }), mailReason(mail.state));
      else flash.done(t('pages.mail.sent_again', { to: mail.to }));
      setAgain(undefined);
      void side.changed();
    },
  });
  return (
    <>
      <DataTable
        title={t('pages.mail.list')}
        heading={events ? 'h2' : 'h1'}
        actions={events ? undefined : <ExportButton name="Mails" read={side.exported} />}
        description={t('pages.mail.about')}
        pages={pages}
        trackBy={(m) => m.id}
        empty={t('pages.mail.none')}
        columns={[
          { id: 'to', header: t('pages.mail.to'), cell: (m) => <Name>{m.to}</Name>, isRowHeader: true, minWidth: 150 },
          { id: 'about', header: t('pages.mail.of'), cell: (m) => <Title mail={m} read={() => setRead(m)} />, minWidth: 130 },
          {
            id: 'state',
            header: t('pages.mail.state'),
            minWidth: 120,
            cell: (m) => (
              <>
                <StatusIndicator type={stateType[m.state]}>{t(`words.mail_state.${m.state}`)}</StatusIndicator>
                {m.reason && mailReason(m.state) && (
                  <Box variant="small" display="block" color="text-body-secondary">
                    {mailReason(m.state)}
                  </Box>
                )}
              </>
            ),
          },
          { id: 'when', header: t('pages.column.when'), cell: (m) => <Instant at={m.sent_at ?? m.updated_at} both />, minWidth: 130 },
          {
            id: 'resend',
            header: t('pages.column.actions'),
            minWidth: 120,
            cell: (m: Mail) => (
              <Button variant="inline-link" onClick={() => setAgain(m)} ariaLabel={t('pages.mail.send_again_to', { to: m.to })}>
                {t('pages.button.send_again')}
              </Button>
            ),
          },
        ]}
      />
      {read && (
        <Suspense fallback={null}>
          <MailText mail={read} side={side} close={() => setRead(undefined)} />
        </Suspense>
      )}
      {again && (
        <ConfirmModal
          header={t('pages.mail.again_ask')}
          action={t('pages.button.send_again')}
          confirm={() => resend.send(again)}
          close={() => (resend.reset(), setAgain(undefined))}
          sending={resend.sending}
          problem={resend.problem}
        >{rich('pages.mail.again_about', { to: again.to, event: eventTitle(again.type as Schemas['Event']['type']), at: <Instant at={again.created_at} /> })}</ConfirmModal>
      )}
    </>
  );
}

/** What a mail is about, which opens it. */
function Title({ mail, read }: { mail: Mail; read: () => void }) {
  const event = eventTitle(mail.type as Schemas['Event']['type']);
  return (
    <Button variant="inline-link" onClick={read} ariaLabel={t('pages.mail.read', { to: mail.to, event })}>
      {event}
    </Button>
  );
}

/** Those of a page of mails whose events are among the history that `events` reads: a mail names its event, and nothing else that it concerns. */
async function concerning(mails: Mail[], events: NonNullable<MailSide['events']>, signal: AbortSignal): Promise<Mail[]> {
  const times = mails.map((m) => timeOf(m.event)).filter((t) => t !== undefined);
  if (times.length === 0) return [];
  const bounds = { from: new Date(Math.min(...times) - 1000).toISOString(), until: new Date(Math.max(...times) + 1000).toISOString() };
  const ids = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await events(bounds, cursor, signal);
    for (const e of page.items) ids.add(e.id);
    cursor = page.next_cursor ?? undefined;
  } while (cursor);
  return mails.filter((m) => ids.has(m.event));
}

const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** When an event happened, in milliseconds since 1970: its id is a ULID, which begins with the time. Undefined for another id. */
function timeOf(ulid: string): number | undefined {
  if (!/^[0-9A-HJKMNP-TV-Z]{26}$/.test(ulid)) return undefined;
  return [...ulid.slice(0, 10)].reduce((t, c) => t * 32 + digits.indexOf(c), 0);
}
