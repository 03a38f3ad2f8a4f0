import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { lazy, Suspense, type ReactNode } from 'react';

import type { CursorPages } from '../api';
import { number, t } from '../language';
import { ProblemAlert } from './ProblemAlert';
import type { Order } from './useAddress';
import { useNarrow } from './useNarrow';

const Cards = lazy(() => import('@cloudscape-design/components/cards'));

/** `whole`: its words are the pages' own, and stay whole however narrow the column is. */
export type Column<T> = TableProps.ColumnDefinition<T> & { whole?: boolean }; // isRowHeader marks what names the row; the one with the id actions is its menu; sortingField: the service's order

/** A list of the service as a table, or as cards on a narrow screen: loading, empty, refused, and page by page. */
export function DataTable<T>({
  pages,
  columns,
  trackBy,
  title,
  heading = 'h1',
  description,
  actions,
  filter,
  empty,
  emptyAction,
  order,
  orderBy,
}: {
  pages: CursorPages<T>;
  columns: readonly Column<T>[];
  trackBy: (item: T) => string;
  title: string;
  heading?: 'h1' | 'h2' | 'h3';
  description?: ReactNode;
  actions?: ReactNode;
  filter?: ReactNode;
  empty: string; // what is said when there is nothing
  emptyAction?: ReactNode;
  order?: Order; // of a list that can be sorted
  orderBy?: (order: Order) => void;
}) {
  const narrow = useNarrow();
  const header = (
    <Header variant={heading} description={description} actions={actions} counter={counterOf(pages)}>
      {title}
    </Header>
  );
  const pagination = (pages.pages > 1 || pages.more) && (
    <Pagination
      currentPageIndex={pages.page}
      pagesCount={pages.pages}
      openEnd={pages.more}
      onChange={(e) => void pages.turn(e.detail.currentPageIndex)}
      ariaLabels={{ nextPageLabel: t('pages.list.next_page'), previousPageLabel: t('pages.list.previous_page'), pageLabel: (n) => t('pages.list.page', { page: number(n) }) }}
    />
  );
  const nothing = pages.problem ? (
    <ProblemAlert problem={pages.problem} what={t('pages.list.unread', { title })} retry={pages.retry} />
  ) : (
    <Box textAlign="center" padding={{ vertical: 's' }} color="inherit">
      <SpaceBetween size="s">
        <span>{empty}</span>
        {emptyAction}
      </SpaceBetween>
    </Box>
  );
  const common = { items: pages.problem ? [] : pages.items, loading: pages.loading, loadingText: t('pages.list.loading'), header, filter, pagination, empty: nothing };
  const names = columns.filter((c) => c.isRowHeader);
  const menu = columns.find((c) => c.id === 'actions');
  return (
    <>
      {heading === 'h1' && <title>{t('pages.title', { title })}</title>}
      {narrow ? (
        <Suspense fallback={null}>
          <Cards
            {...common}
            trackBy={(item: unknown) => trackBy(item as T)}
            ariaLabels={{ itemSelectionLabel: () => '', selectionGroupLabel: title, cardsLabel: title }}
            cardDefinition={{
              header: (item: unknown) => (
                <div className="card-head">
                  <div>
                    {names.map((c) => (
                      <div key={c.id}>{c.cell(item as T)}</div>
                    ))}
                  </div>
                  {menu?.cell(item as T)}
                </div>
              ),
              sections: [
                {
                  id: 'all',
                  content: (item: unknown) => (
                    <div className="card-line">
                      {columns
                        .filter((c) => !c.isRowHeader && c !== menu)
                        .map((c) => (
                          <div key={c.id}>{c.cell(item as T)}</div>
                        ))}
                    </div>
                  ),
                },
              ],
            }}
          />
        </Suspense>
      ) : (
        <Table
          {...common}
          columnDefinitions={columns.map(breaking)}
          trackBy={trackBy}
          wrapLines
          variant="container"
          ariaLabels={{ tableLabel: title }}
          sortingDisabled={orderBy === undefined}
          {...(order?.by ? { sortingColumn: { sortingField: order.by }, sortingDescending: order.down } : {})}
          onSortingChange={({ detail: { sortingColumn, isDescending } }) => orderBy?.({ by: sortingColumn.sortingField ?? '', down: isDescending ?? false })}
        />
      )}
    </>
  );
}

/** How many rows there are, as far as it is known. */
function counterOf({ total, all, loading, problem }: CursorPages<unknown>): string | undefined {
  if (loading || problem) return undefined;
  return total === undefined ? `(${number(all.length)}+)` : `(${number(total)})`;
}

/** The column with cells in which a long word, such as an address, is broken: otherwise it would push the columns after it out of sight. */
function breaking<T>({ whole, ...column }: Column<T>): TableProps.ColumnDefinition<T> {
  return whole ? column : { ...column, cell: (item) => <div className="breaks-words">{column.cell(item)}</div> };
}
