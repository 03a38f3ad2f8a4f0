import FormField from '@cloudscape-design/components/form-field';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { useNow } from '../session';
import { Instant } from './Instant';
import { LocalDateTime } from './LocalDateTime';
import { instantBoth } from './words';

/** A period as a form holds it: undefined while a chosen day or time is not complete. Half-open, as the service reads it. */
export interface Period {
  from: string | null | undefined; // null is now
  until: string | null | undefined; // null is continuous
  days?: number; // that `until` comes to, counted from the start: a choice that follows the start
}

export const complete = (p: Period): p is { from: string | null; until: string | null } => p.from !== undefined && p.until !== undefined;

const lengths = [
  { value: '1', label: '1 day' },
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: '1 year' },
];
const ends = [{ value: 'never', label: 'Never (continuous)' }, ...lengths, { value: 'at', label: 'On a day' }];

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
  const setFrom = (from: string | null | undefined) =>
    onChange({ ...value, from, ...(value.days ? { until: after(from, now, value.days) } : {}) });
  const chosen = value.days ? String(value.days) : value.until === null ? 'never' : 'at';
  return (
    <SpaceBetween size="m">
      {since ? (
        <FormField label="Starts" errorText={problem?.from}>
          <Instant at={since} both />
        </FormField>
      ) : (
        <SpaceBetween size="xs">
          <FormField label="Starts" errorText={value.from === null ? problem?.from : undefined}>
            <RadioGroup
              value={value.from === null ? 'now' : 'at'}
              onChange={(e) => setFrom(e.detail.value === 'now' ? null : undefined)}
              items={[
                { value: 'now', label: 'Immediately' },
                { value: 'at', label: 'On a day' },
              ]}
            />
          </FormField>
          {value.from !== null && <LocalDateTime label="From" value={value.from ?? null} onChange={(at) => setFrom(at ?? undefined)} error={problem?.from} />}
        </SpaceBetween>
      )}
      <SpaceBetween size="xs">
        <FormField
          label="Ends"
          constraintText={value.days && value.until ? `Access ends exactly then: ${instantBoth(value.until)}.` : undefined}
          errorText={chosen === 'at' ? undefined : problem?.until}
        >
          <Select
            selectedOption={ends.find((e) => e.value === chosen) ?? null}
            options={ends.map((e) => (Number(e.value) ? { ...e, description: value.from === null || since ? 'From now on' : 'From the start on' } : e))}
            onChange={({ detail: { selectedOption: o } }) => {
              const days = Number(o.value);
              onChange({ from: value.from, ...(days ? { until: after(value.from, now, days), days } : { until: o.value === 'never' ? null : undefined }) });
            }}
          />
        </FormField>
        {chosen === 'at' && (
          <LocalDateTime label="Until" value={value.until ?? null} onChange={(at) => onChange({ from: value.from, until: at ?? undefined })} error={problem?.until} />
        )}
      </SpaceBetween>
    </SpaceBetween>
  );
}
