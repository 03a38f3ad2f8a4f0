import FormField from '@cloudscape-design/components/form-field';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { Instant } from './Instant';
import { LocalDateTime } from './LocalDateTime';

/** A period as a form holds it: undefined while a chosen day or time is not complete. Half-open, as the service reads it. */
export interface Period {
  from: string | null | undefined; // null is now
  until: string | null | undefined; // null is continuous
}

export const complete = (p: Period): p is { from: string | null; until: string | null } => p.from !== undefined && p.until !== undefined;

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
              onChange={(e) => onChange({ ...value, from: e.detail.value === 'now' ? null : undefined })}
              items={[
                { value: 'now', label: 'Immediately' },
                { value: 'at', label: 'On a day' },
              ]}
            />
          </FormField>
          {value.from !== null && (
            <LocalDateTime label="From" value={value.from ?? null} onChange={(at) => onChange({ ...value, from: at ?? undefined })} error={problem?.from} />
          )}
        </SpaceBetween>
      )}
      <SpaceBetween size="xs">
        <FormField label="Ends" errorText={value.until === null ? problem?.until : undefined}>
          <RadioGroup
            value={value.until === null ? 'never' : 'at'}
            onChange={(e) => onChange({ ...value, until: e.detail.value === 'never' ? null : undefined })}
            items={[
              { value: 'never', label: 'Never (continuous)' },
              { value: 'at', label: 'On a day', description: 'Access ends exactly then.' },
            ]}
          />
        </FormField>
        {value.until !== null && (
          <LocalDateTime label="Until" value={value.until ?? null} onChange={(at) => onChange({ ...value, until: at ?? undefined })} error={problem?.until} />
        )}
      </SpaceBetween>
    </SpaceBetween>
  );
}
