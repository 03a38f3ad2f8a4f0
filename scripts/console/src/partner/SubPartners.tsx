import Box from '@cloudscape-design/components/box';

import { answer, useCursorPages } from '../api';
import { t } from '../language';
import { DataTable } from '../parts/DataTable';
import { useApi } from '../session';
import { keyOf, usePartner } from './queries';

/** The partners below the partner, by name: access never flows along the tree, and nothing is said of their customers (W3, W12). Nothing where there are none. */
export function SubPartners() {
  const api = useApi();
  const { partner, name } = usePartner();
  const pages = useCursorPages(
    keyOf(partner, 'partners below'),
    async (cursor, signal) => (await answer(api.GET('/v1/partners/{partner}/partners', { params: { path: { partner }, query: { limit: 25, cursor } }, signal }))).data,
  );
  if (pages.all.length === 0) return null;
  return (
    <Box margin={{ top: 'l' }}>
      <DataTable
        title={t('pages.below.title')}
        heading="h2"
        description={t('pages.below.about', { name })}
        pages={pages}
        trackBy={(p) => p.id}
        empty=""
        columns={[
          { id: 'name', header: t('words.partner'), isRowHeader: true, minWidth: 150, cell: (p) => p.name },
        ]}
      />
    </Box>
  );
}
