import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';

import type { Schemas } from '../api';
import { Instant } from './Instant';
import { instantBoth, levelName, names, requestReason } from './words';

export type Request = Schemas['Request'];

const statusType: Record<Schemas['RequestStatus'], StatusIndicatorProps.Type> = {
  pending: 'pending',
  approved: 'success',
  declined: 'stopped',
  withdrawn: 'stopped',
  expired: 'stopped',
  cancelled: 'stopped',
};

/** The status of a request, and why it was cancelled. */
export function RequestStatus({ of: r }: { of: Request }) {
  const status = r.status.charAt(0).toUpperCase() + r.status.slice(1);
  return <StatusIndicator type={statusType[r.status]}>{r.cancelled_because ? `${status}: ${requestReason[r.cancelled_because]}` : status}</StatusIndicator>;
}

const kindName: Record<Schemas['RequestKind'], string> = { access: 'Access', extend: 'More time', raise: 'A higher level' };

/** What is asked for, in a line. */
export function wish(r: Request): string {
  const who = r.everyone ? 'everyone' : names(r.users.map((u) => u.name ?? u.id));
  if (r.kind === 'extend') return `More time: ${r.until ? `until ${instantBoth(r.until)}` : 'without an end'}`;
  if (r.kind === 'raise') return `${kindName.raise}: ${r.level ? levelName[r.level] : ''}${r.personal ? ` for ${who}` : ''}`;
  return `Access${r.level ? ` at ${levelName[r.level]}` : ''} for ${who}${r.level && r.until ? ` until ${instantBoth(r.until)}` : ''}`;
}

/** All that there is to know about a request. */
export function RequestDetails({ of: r }: { of: Request }) {
  const item = (label: string, value: string | null | undefined) => (value ? [{ label, value }] : []);
  return (
    <KeyValuePairs
      columns={2}
      items={[
        { label: 'Asked for', value: wish(r) },
        { label: 'Status', value: <RequestStatus of={r} /> },
        ...item('Asked by', r.requested_by.email),
        { label: r.status === 'pending' ? 'To be decided before' : 'Last changed', value: <Instant at={r.status === 'pending' ? r.expires_at : r.updated_at} both /> },
        ...item('Reason', r.reason),
        ...item('Ticket', r.ticket),
        ...item('Question', r.question),
        ...item('Decided by', r.decided_by?.email),
        ...item('Note', r.note),
        ...item('Approved so far by', names((r.approvals ?? []).map((a) => a.email))),
        ...(r.granted?.level && r.granted.level !== r.level ? [{ label: 'Approved level', value: levelName[r.granted.level] }] : []),
        ...(r.granted && r.granted.until !== r.until ? [{ label: 'Approved until', value: r.granted.until ? instantBoth(r.granted.until) : 'Without an end' }] : []),
      ]}
    />
  );
}
