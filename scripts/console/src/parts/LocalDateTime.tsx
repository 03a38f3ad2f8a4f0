import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Grid from '@cloudscape-design/components/grid';
import TimeInput from '@cloudscape-design/components/time-input';
import { useState } from 'react';

import { t } from '../language';
import { DayInput } from './DayInput';
import { fieldsOf, instantOf, local, utc, zone } from './time';

/** An instant, entered in the person's own local time; below it stands what it is, in both zones. null while it is not complete. */
export function LocalDateTime({ label, value, onChange, error }: { label: string; value: string | null; onChange: (value: string | null) => void; error?: string }) {
  const [fields, setFields] = useState<{ date: string | undefined; time: string }>(() => (value ? fieldsOf(value) : { date: undefined, time: '00:00' }));
  const change = (next: { date: string | undefined; time: string }) => {
    setFields(next);
    onChange(next.date ? instantOf(next.date, next.time) : null);
  };
  const at = value ? new Date(value) : undefined;
  return (
    <div>
      <Grid gridDefinition={[{ colspan: 8 }, { colspan: 4 }]}>
        <DayInput label={t('pages.time.day', { label })} value={fields.date} onChange={(date) => change({ ...fields, date })} error={error} />
        <FormField label={t('pages.time.time', { label })}>
          <TimeInput value={fields.time} onChange={(e) => change({ ...fields, time: e.detail.value })} format="hh:mm" placeholder="hh:mm" />
        </FormField>
      </Grid>
      <Box variant="small" display="block" color="text-body-secondary" padding={{ top: 'xxs' }}>
        {at ? t('pages.time.both', { zone: zone(), local: local(at), utc: utc(at) }) : t('pages.time.local', { zone: zone() })}
      </Box>
    </div>
  );
}
