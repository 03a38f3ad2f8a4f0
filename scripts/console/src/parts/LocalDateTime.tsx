import Box from '@cloudscape-design/components/box';
import DatePicker from '@cloudscape-design/components/date-picker';
import FormField from '@cloudscape-design/components/form-field';
import Grid from '@cloudscape-design/components/grid';
import TimeInput from '@cloudscape-design/components/time-input';
import { useState } from 'react';

import { fieldsOf, instantOf, local, utc, zone } from './time';

/** An instant, entered in the person's own local time; below it stands what it is, in both zones. null while it is not complete. */
export function LocalDateTime({ label, value, onChange, error }: { label: string; value: string | null; onChange: (value: string | null) => void; error?: string }) {
  const [fields, setFields] = useState(() => (value ? fieldsOf(value) : { date: '', time: '00:00' }));
  const change = (next: { date: string; time: string }) => {
    setFields(next);
    onChange(instantOf(next.date, next.time));
  };
  const at = value ? new Date(value) : undefined;
  return (
    <div>
      <Grid gridDefinition={[{ colspan: 7 }, { colspan: 5 }]}>
        <FormField label={`${label}: day`} errorText={error}>
          <DatePicker
            value={fields.date}
            onChange={(e) => change({ ...fields, date: e.detail.value })}
            placeholder="YYYY/MM/DD"
            openCalendarAriaLabel={(day) => (day ? `${label}: choose another day than ${day}` : `${label}: choose a day`)}
          />
        </FormField>
        <FormField label={`${label}: time`}>
          <TimeInput value={fields.time} onChange={(e) => change({ ...fields, time: e.detail.value })} format="hh:mm" placeholder="hh:mm" />
        </FormField>
      </Grid>
      <Box variant="small" display="block" color="text-body-secondary" padding={{ top: 'xxs' }}>
        Your local time ({zone()}){at && `: ${local(at)} = ${utc(at)}`}
      </Box>
    </div>
  );
}
