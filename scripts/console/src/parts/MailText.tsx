import './mail.css';

import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';

import type { Schemas } from '../api';
import { rich, t } from '../language';
import { eventTitle, mailReason } from './words';
import { Instant } from './Instant';
import type { MailSide } from './MailPage';
import { Name } from './Name';
import { ProblemAlert } from './ProblemAlert';
import { Waiting } from '../shell/Waiting';

/** The states whose reason is what a mail server or the mail service said; the reasons of others are this service's own. */
const fromServer = new Set<Schemas['MailState']>(['bounced', 'complained']);

/** A mail as it was sent: its plain text, since these pages allow no styles of others, and the HTML says the same. */
export function MailText({ mail, side, close }: { mail: Schemas['Mail']; side: MailSide; close: () => void }) {
  const read = useQuery({ queryKey: [...side.cacheKey, 'text', mail.id], queryFn: ({ signal }) => side.open(mail.id, signal) });
  const { subject, text, language, as_sent } = read.data ?? {};
  return (
    <Modal visible size="large" onDismiss={close} header={subject ?? eventTitle(mail.type as Schemas['Event']['type'])}>
      <SpaceBetween size="m">
        <Box color="text-body-secondary">{rich('pages.mail.sent_on', { to: <Name>{mail.to}</Name>, at: <Instant at={mail.sent_at ?? mail.updated_at} both /> })}</Box>
        {mail.reason && mailReason(mail.state) && (
          <Alert type="warning" header={mailReason(mail.state)}>
            {/* What came back is in the words of the recipient's server, which tell an administrator what to mend there. */}
            {fromServer.has(mail.state) && rich('pages.mail.server_said', { text: <bdi>{mail.reason}</bdi> })}
          </Alert>
        )}
        {read.error ? (
          <ProblemAlert problem={read.error} retry={() => void read.refetch()} />
        ) : read.isPending ? (
          <Waiting />
        ) : text == null ? (
          <Alert type="info">{t('pages.mail.gone')}</Alert>
        ) : (
          <>
            {as_sent === false && <Alert type="warning">{t('pages.mail.not_as_sent')}</Alert>}
            {as_sent === null && <Alert type="info">{t('pages.mail.unsure')}</Alert>}
            <div className="mail-text" lang={language ?? undefined} dir="auto">
              {text}
            </div>
            {text.includes('...') && <Box variant="small">{t('pages.mail.hidden')}</Box>}
          </>
        )}
      </SpaceBetween>
    </Modal>
  );
}
