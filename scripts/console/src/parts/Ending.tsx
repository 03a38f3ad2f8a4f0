import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { rich, t } from '../language';
import { useNow } from '../session';
import { Instant } from './Instant';
import { utcDay } from './time';

export const soonDays = 30;
const day = 86_400_000;

/** Until when access lasts; in amber what ends within 30 days, with the days that are left. */
export function Until({ until, open = true }: { until: string | null; open?: boolean }) {
  const now = useNow();
  if (!until) return <>{t('pages.until.continuous')}</>;
  const left = Date.parse(until) - now.getTime();
  return (
    <>
      {rich('pages.until.at', { at: <Instant at={until} /> })}
      {open && left > 0 && left < soonDays * day && (
        <div className="whole">
          <StatusIndicator type="warning">{left < day ? t('pages.until.within_a_day') : t('pages.until.in_days', { count: Math.floor(left / day) })}</StatusIndicator>
        </div>
      )}
    </>
  );
}

/** An access' period: from when, where that has not come yet, and until when. */
export function PeriodText({ of }: { of: { status: string; from: string; until: string | null } }) {
  return (
    <>
      {of.status === 'scheduled' && (
        <div>
          {rich('pages.until.from', { at: <Instant at={of.from} /> })}
        </div>
      )}
      <div>
        <Until until={of.until} open={of.status !== 'expired' && of.status !== 'ended'} />
      </div>
    </>
  );
}

/** The last day on which somebody used the access, as the service recorded it: days of UTC. */
export function LastUse({ on }: { on: string | null }) {
  if (!on) return <>{t('pages.last_use.never')}</>;
  return <>{utcDay(new Date(on))}</>;
}
