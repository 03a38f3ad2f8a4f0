import Box from '@cloudscape-design/components/box';
import Grid from '@cloudscape-design/components/grid';
import Select from '@cloudscape-design/components/select';
import type { ReactNode } from 'react';

import type { CursorPages, Schemas } from '../api';
import { DataTable } from './DataTable';
import { Instant } from './Instant';
import { Who } from './Who';
import { byWhom, eventLines, eventTitle } from './words';

type Event = Schemas['Event'];
export type EventType = Event['type'];

/** What happened, newest first. `other` is the other side's name of an event, for the column that says whom it was about. */
export function HistoryTable({
  pages,
  other,
  otherHeader,
  types,
  type,
  onType,
  download,
}: {
  pages: CursorPages<Event>;
  other: (event: Event) => string;
  otherHeader: string;
  types: readonly EventType[]; // those to filter by
  type: EventType | undefined;
  onType: (type: EventType | undefined) => void;
  download: ReactNode;
}) {
  const options = [{ value: '', label: 'Everything' }, ...types.map((t) => ({ value: t as string, label: eventTitle(t) }))];
  return (
    <DataTable
      title="History"
      actions={download}
      pages={pages}
      trackBy={(e) => e.id}
      empty={type ? 'Nothing of this kind has happened.' : 'Nothing has happened yet.'}
      filter={
        <Grid gridDefinition={[{ colspan: { default: 12, xs: 4 } }]}>
          <Select
            ariaLabel="What is shown"
            selectedOption={options.find((o) => o.value === (type ?? '')) ?? null}
            options={options}
            onChange={(e) => onType((e.detail.selectedOption.value || undefined) as EventType | undefined)}
          />
        </Grid>
      }
      columns={[
        { id: 'time', header: 'When', cell: (e) => <Instant at={e.time} both />, minWidth: 130 },
        {
          id: 'what',
          header: 'What',
          isRowHeader: true,
          minWidth: 160,
          cell: (e) => (
            <>
              {eventTitle(e.type)}
              {eventLines(e).map((line) => (
                <Box key={line} variant="small" display="block" color="text-body-secondary">
                  {line}
                </Box>
              ))}
            </>
          ),
        },
        { id: 'other', header: otherHeader, cell: other, minWidth: 110 },
        { id: 'by', header: 'By', cell: (e) => (e.actor.name ? <Who name={e.actor.name} about={e.actor.email} /> : byWhom(e.actor)), minWidth: 170 },
      ]}
    />
  );
}
