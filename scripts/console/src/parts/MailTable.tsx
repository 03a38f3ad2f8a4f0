import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import type { ReactNode } from 'react';

import type { CursorPages, Schemas } from '../api';
import { DataTable } from './DataTable';
import { Instant } from './Instant';
import { eventTitle } from './words';

type Mail = Schemas['Mail'];

const states: Record<Mail['state'], { type: StatusIndicatorProps.Type; text: string }> = {
  claimed: { type: 'in-progress', text: 'Being sent' },
  sent: { type: 'success', text: 'Sent' },
  delivered: { type: 'success', text: 'Delivered' },
  bounced: { type: 'error', text: 'Bounced' },
  complained: { type: 'warning', text: 'Marked as unwanted' },
  failed: { type: 'error', text: 'Failed' },
  suppressed: { type: 'stopped', text: 'Not sent' },
  bundled: { type: 'info', text: 'In the summary of the day' },
  dropped: { type: 'stopped', text: 'Not sent' },
};

/** The mails that were sent, and what became of them. */
export function MailTable({
  pages,
  resend,
  sending,
  download,
}: {
  pages: CursorPages<Mail>;
  resend?: (mail: Mail) => void;
  sending: string | undefined;
  download: ReactNode;
}) {
  return (
    <DataTable
      title="Mails"
      actions={download}
      description="The mails that were sent, newest first, and whether they were delivered."
      pages={pages}
      trackBy={(m) => m.id}
      empty="No mail has been sent yet."
      columns={[
        { id: 'to', header: 'To', cell: (m) => m.to, isRowHeader: true, minWidth: 150 },
        { id: 'about', header: 'About', cell: (m) => eventTitle(m.type as Schemas['Event']['type']), minWidth: 130 },
        {
          id: 'state',
          header: 'State',
          minWidth: 120,
          cell: (m) => (
            <>
              <StatusIndicator type={states[m.state].type}>{states[m.state].text}</StatusIndicator>
              {m.reason && !['sent', 'delivered'].includes(m.state) && (
                <Box variant="small" display="block" color="text-body-secondary">
                  {m.reason}
                </Box>
              )}
            </>
          ),
        },
        { id: 'when', header: 'When', cell: (m) => <Instant at={m.sent_at ?? m.updated_at} both />, minWidth: 130 },
        ...(resend
          ? [
              {
                id: 'resend',
                header: 'Actions',
                minWidth: 120,
                cell: (m: Mail) => (
                  <Button variant="inline-link" loading={sending === m.id} onClick={() => resend(m)} ariaLabel={`Send the mail to ${m.to} again`}>
                    Send again
                  </Button>
                ),
              },
            ]
          : []),
      ]}
    />
  );
}
