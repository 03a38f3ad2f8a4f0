import Grid from '@cloudscape-design/components/grid';
import Link from '@cloudscape-design/components/link';
import Select from '@cloudscape-design/components/select';
import type { ReactNode } from 'react';

import type { CursorPages, Schemas } from '../api';
import { PanelOutlet } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { DataTable } from './DataTable';
import { Instant } from './Instant';
import { RequestStatus, wish, type Request } from './Request';

/** The status that the list is narrowed to; '': none. */
export type Shown = Schemas['RequestStatus'] | '';

const filters = [
  { value: '', label: 'All requests' },
  ...(['pending', 'approved', 'declined', 'withdrawn', 'expired', 'cancelled'] as const).map((s) => ({ value: s as string, label: s.charAt(0).toUpperCase() + s.slice(1) })),
];

/** Requests of either side; each opens in the panel at `at`, with the other side's name as `other` shows it. */
export function RequestTable({
  pages,
  shown,
  show,
  description,
  actions,
  at,
  otherSide,
  other,
}: {
  pages: CursorPages<Request>;
  shown: Shown;
  show: (status: Shown) => void;
  description: string;
  actions?: ReactNode;
  at: string;
  otherSide: string;
  other: (r: Request) => ReactNode;
}) {
  const follow = useFollow();
  return (
    <>
      <DataTable
        title="Requests"
        description={description}
        actions={actions}
        pages={pages}
        trackBy={(r) => r.id}
        empty={shown ? 'There is no request of this kind.' : 'There are no requests.'}
        filter={
          <Grid gridDefinition={[{ colspan: { default: 12, xs: 4 } }]}>
            <Select
              ariaLabel="What is shown"
              selectedOption={filters.find((f) => f.value === shown) ?? null}
              options={filters}
              onChange={(e) => show((e.detail.selectedOption.value ?? '') as Shown)}
            />
          </Grid>
        }
        columns={[
          {
            id: 'wish',
            header: 'Asked for',
            isRowHeader: true,
            minWidth: 200,
            cell: (r) => (
              <Link href={`${at}/${r.id}`} onFollow={follow}>
                {wish(r)}
              </Link>
            ),
          },
          { id: 'other', header: otherSide, minWidth: 120, cell: other },
          { id: 'status', header: 'Status', minWidth: 130, cell: (r) => <RequestStatus of={r} /> },
          { id: 'by', header: 'By', minWidth: 130, cell: (r) => r.requested_by.email ?? '' },
          { id: 'when', header: 'Asked', minWidth: 120, cell: (r) => <Instant at={r.created_at} /> },
        ]}
      />
      <PanelOutlet />
    </>
  );
}
