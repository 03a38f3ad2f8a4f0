import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';

import type { Schemas } from '../api';
import { t } from '../language';
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
  const status = t(`words.request_status.${r.status}`);
  return <StatusIndicator type={statusType[r.status]}>{r.cancelled_because ? t('words.status_because', { status, reason: requestReason(r.cancelled_because) }) : status}</StatusIndicator>;
}

/** What is asked for, in a line. */
export function wish(r: Request): string {
  const who = r.everyone ? t('words.wish.everyone') : names(r.users.map((u) => u.name ?? u.id));
  const until = r.until ? instantBoth(r.until) : '';
  const level = r.level ? levelName(r.level) : '';
  if (r.kind === 'extend') return until ? t('words.wish.extend_until', { until }) : t('words.wish.extend');
  if (r.kind === 'raise') return r.personal ? t('words.wish.raise_for', { level, who }) : t('words.wish.raise', { level });
  if (level && until) return t('words.wish.access_until', { level, who, until });
  return level ? t('words.wish.access_level', { level, who }) : t('words.wish.access', { who });
}

/** All that there is to know about a request. */
export function RequestDetails({ of: r }: { of: Request }) {
  const item = (label: string, value: string | null | undefined) => (value ? [{ label, value }] : []);
  return (
    <KeyValuePairs
      columns={2}
      items={[
        { label: t('pages.request.asked_for'), value: wish(r) },
        { label: t('words.field.state'), value: <RequestStatus of={r} /> },
        ...item(t('pages.request.asked_by'), r.requested_by.email),
        { label: r.status === 'pending' ? t('pages.request.decide_before') : t('pages.request.changed'), value: <Instant at={r.status === 'pending' ? r.expires_at : r.updated_at} both /> },
        ...item(t('pages.request.reason'), r.reason),
        ...item(t('pages.request.ticket'), r.ticket),
        ...item(t('pages.request.question'), r.question),
        ...item(t('pages.request.decided_by'), r.decided_by?.email),
        ...item(t('words.field.note'), r.note),
        ...item(t('pages.request.approved_so_far'), names((r.approvals ?? []).map((a) => a.email))),
        ...(r.granted?.level && r.granted.level !== r.level ? [{ label: t('pages.request.approved_level'), value: levelName(r.granted.level) }] : []),
        ...(r.granted && r.granted.until !== r.until ? [{ label: t('pages.request.approved_until'), value: r.granted.until ? instantBoth(r.granted.until) : t('pages.request.no_end') }] : []),
      ]}
    />
  );
}
