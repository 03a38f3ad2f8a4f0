import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

import type { Schemas } from '../api';
import { t } from '../language';
import { invitationReason, statusWords, type GrantStatus } from './words';

const grantType: Record<GrantStatus, StatusIndicatorProps.Type> = {
  scheduled: 'pending',
  active: 'success',
  suspended: 'stopped',
  expired: 'stopped',
  ended: 'stopped',
};

/** The status of a grant, and why it is suspended where that is not the customer's own decision. */
export function Status({ of, reason }: { of: GrantStatus; reason: Schemas['GrantReason'] }) {
  const words = statusWords({ status: of, reason });
  const indicator = <StatusIndicator type={grantType[of]}>{words}</StatusIndicator>;
  return words.includes(' ') ? indicator : <span className="whole">{indicator}</span>;
}

const invitationType: Record<Schemas['InvitationStatus'], StatusIndicatorProps.Type> = {
  pending: 'pending',
  accepted: 'success',
  declined: 'stopped',
  cancelled: 'stopped',
  expired: 'stopped',
};

/** The status of an invitation, and why it was cancelled where nobody did that. */
export function InvitationStatus({ of, reason }: { of: Schemas['InvitationStatus']; reason?: Schemas['InvitationReason'] | undefined }) {
  const status = t(`words.invitation_status.${of}`);
  return <StatusIndicator type={invitationType[of]}>{reason ? t('words.status_because', { status, reason: invitationReason(reason) }) : status}</StatusIndicator>;
}

const userType: Record<Schemas['UserStatus'], StatusIndicatorProps.Type> = { invited: 'pending', active: 'success', disabled: 'stopped' };

/** The status of a partner's user. */
export function UserStatus({ of }: { of: Schemas['UserStatus'] }) {
  return <StatusIndicator type={userType[of]}>{t(`words.user_status.${of}`)}</StatusIndicator>;
}
