import FormField from '@cloudscape-design/components/form-field';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { t } from '../language';
import { useNow } from '../session';
import { Instant } from './Instant';
import { LocalDateTime } from './LocalDateTime';
import { count, instantBoth } from './words';

/** A period as a form holds it: undefined while a chosen day or time is not complete. Half-open, as the service reads it. */
export interface Period {
  from: string | null | undefined; // null is now
  until: string | null | undefined; // null is continuous
  days?: number; // that `until` comes to, counted from the start: a choice that follows the start
}

export const complete = (p: Period): p is { from: string | null; until: string | null } => p.from !== undefined && p.until !== undefined;

const lengths = [1, 7, 30, 90, 365];

/** When access can end, as a choice. */
const choices = () => [
  { value: 'never', label: t('pages.period.never') },
  ...lengths.map((days) => ({ value: String(days), label: days === 365 ? t('pages.period.year') : count(days, 'day') })),
  { value: 'at', label: t('pages.period.on_a_day') },
];

/** So many days after the start, or after now for what has begun. */
function after(start: string | null | undefined, now: Date, days: number): string {
  const from = Math.max(start ? Date.parse(start) : 0, now.getTime());
  return new Date(Math.floor(from / 60_000) * 60_000 + days * 86_400_000).toISOString();
}

/** From when and until when. `since` is for what has begun already: its beginning is then shown and stays. */
export function PeriodFields({
  value,
  onChange,
  since,
  problem,
}: {
  value: Period;
  onChange: (value: Period) => void;
  since?: string;
  problem?: { from?: string; until?: string };
}) {
  const now = useNow();
  const ends = choices();
  const setFrom = (from: string | null | undefined) =>
    onChange({ ...value, from, ...(value.days ? { until: after(from, now, value.days) } : {}) });
  const chosen = value.days ? String(value.days) : value.until === null ? 'never' : 'at';
  return (
    <SpaceBetween size="m">
      {since ? (
        <FormField label={t('pages.period.starts')} errorText={problem?.from}>
          <Instant at={since} both />
        </FormField>
      ) : (
        <SpaceBetween size="xs">
          <FormField label={t('pages.period.starts')} errorText={value.from === null ? problem?.from : undefined}>
            <RadioGroup
              value={value.from === null ? 'now' : 'at'}
              onChange={(e) => setFrom(e.detail.value === 'now' ? null : undefined)}
              items={[
                { value: 'now', label: t('pages.period.now') },
                { value: 'at', label: t('pages.period.on_a_day') },
              ]}
            />
          </FormField>
          {value.from !== null && <LocalDateTime label={t('pages.period.from')} value={value.from ?? null} onChange={(at) => setFrom(at ?? undefined)} error={problem?.from} />}
        </SpaceBetween>
      )}
      <SpaceBetween size="xs">
        <FormField
          label={t('pages.period.ends')}
          constraintText={value.days && value.until ? t('pages.period.exactly', { at: instantBoth(value.until) }) : undefined}
          errorText={chosen === 'at' ? undefined : problem?.until}
        >
          <Select
            selectedOption={ends.find((e) => e.value === chosen) ?? null}
            options={ends.map((e) => (Number(e.value) ? { ...e, description: value.from === null || since ? t('pages.period.from_now') : t('pages.period.from_start') } : e))}
            onChange={({ detail: { selectedOption: o } }) => {
              const days = Number(o.value);
              onChange({ from: value.from, ...(days ? { until: after(value.from, now, days), days } : { until: o.value === 'never' ? null : undefined }) });
            }}
          />
        </FormField>
        {chosen === 'at' && (
          <LocalDateTime label={t('pages.period.until')} value={value.until ?? null} onChange={(at) => onChange({ from: value.from, until: at ?? undefined })} error={problem?.until} />
        )}
      </SpaceBetween>
    </SpaceBetween>
  );
}
