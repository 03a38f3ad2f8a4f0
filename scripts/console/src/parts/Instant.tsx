import Box from '@cloudscape-design/components/box';

import { local, utc } from './time';

/** An instant in the person's own time, with the zone written; in UTC below it where there is room. */
export function Instant({ at, both = false }: { at: string; both?: boolean }) {
  const t = new Date(at);
  return (
    <time dateTime={at} title={utc(t)}>
      {local(t)}
      {both && (
        <Box variant="small" display="block" color="text-body-secondary">
          {utc(t)}
        </Box>
      )}
    </time>
  );
}
