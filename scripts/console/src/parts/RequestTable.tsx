import Grid from '@cloudscape-design/components/grid';
import Link from '@cloudscape-design/components/link';
import Select from '@cloudscape-design/components/select';
import type { ReactNode } from 'react';

import type { CursorPages, Schemas } from '../api';
import { t } from '../language';
import { PanelOutlet } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { DataTable } from './DataTable';
import { Instant } from './Instant';
import { RequestStatus, wish, type Request } from './Request';

/** The status that the list is narrowed to; '': none. */
export type Shown = Schemas['RequestStatus'] | '';

const filters = () => [
  { value: '', label: t('pages.request.all') },
  ...(['pending', 'approved', 'declined', 'withdrawn', 'expired', 'cancelled'] as const).map((s) => ({ value: s as string, label: t(`words.request_status.${s}`) })),
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
  const options = filters();
  return (
    <>
      <DataTable
        title={t('pages.request.list')}
        description={description}
        actions={actions}
        pages={pages}
        trackBy={(r) => r.id}
        empty={shown ? t('pages.request.none_of_kind') : t('pages.request.none')}
        filter={
          <Grid gridDefinition={[{ colspan: { default: 12, xs: 4 } }]}>
            <Select
              ariaLabel={t('pages.list.shown')}
              selectedOption={options.find((f) => f.value === shown) ?? null}
              options={options}
              onChange={(e) => show((e.detail.selectedOption.value ?? '') as Shown)}
            />
          </Grid>
        }
        columns={[
          {
            id: 'wish',
            header: t('pages.request.asked_for'),
            isRowHeader: true,
            minWidth: 200,
            cell: (r) => (
              <Link href={`${at}/${r.id}`} onFollow={follow}>
                {wish(r)}
              </Link>
            ),
          },
          { id: 'other', header: otherSide, minWidth: 120, cell: other },
          { id: 'status', header: t('words.field.state'), minWidth: 130, cell: (r) => <RequestStatus of={r} /> },
          { id: 'by', header: t('pages.column.by'), minWidth: 130, cell: (r) => r.requested_by.email ?? '' },
          { id: 'when', header: t('pages.request.asked'), minWidth: 120, cell: (r) => <Instant at={r.created_at} /> },
        ]}
      />
      <PanelOutlet />
    </>
  );
}
