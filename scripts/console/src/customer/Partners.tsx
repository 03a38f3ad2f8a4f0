import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { Navigate, useNavigate, useSearchParams } from 'react-router';

import { answer, useCursorPages, type Schemas } from '../api';
import { DataTable } from '../parts/DataTable';
import { PeriodText } from '../parts/Ending';
import { ExportButton } from '../parts/ExportButton';
import { GrantSearch, useGrantSearch } from '../parts/GrantSearch';
import { LevelText } from '../parts/LevelText';
import { Name } from '../parts/Name';
import { Status } from '../parts/Status';
import { count } from '../parts/words';
import { useApi } from '../session';
import { PanelOutlet } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { GrantMenu } from './GrantMenu';
import { keyOf, useCustomer, useManagement } from './queries';

type Grant = Schemas['Grant'];

/** Settings > Partners: the partners that have access. Adding and editing happen in the panel beside it, at addresses of their own. */
export function Partners() {
  const api = useApi();
  const { customer, admin } = useCustomer();
  const { managed, words } = useManagement();
  const navigate = useNavigate();
  const follow = useFollow();
  const search = useGrantSearch();
  const [params] = useSearchParams();
  const at = `/customers/${customer}/partners`;

  const pages = useCursorPages(keyOf(customer, 'grants', search.filter), async (cursor, signal) => {
    const filter = { limit: 25, cursor, ...search.filter };
    return (await answer(api.GET('/v1/customers/{customer}/grants', { params: { path: { customer }, query: filter }, signal }))).data;
  }, { at: search.page });
  const add = admin && managed === false && (
    <Button variant="primary" onClick={() => void navigate(search.at(`${at}/add`))}>
      Add partner
    </Button>
  );
  const asked = params.get('request'); // of the link in a mail
  if (asked) return <Navigate replace to={`/customers/${customer}/requests/${encodeURIComponent(asked)}`} />;
  const named = params.get('partner');
  if (named) {
    const rest = new URLSearchParams(params);
    rest.delete('partner');
    return <Navigate replace to={{ pathname: `${at}/${encodeURIComponent(named)}${rest.has('extend') ? '/edit' : ''}`, search: rest.toString() }} />;
  }
  return (
    <>
      <DataTable
        title="Partners"
        description={words ?? 'Outside organisations with access to your data, at which level, and for how long.'}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <ExportButton
              name="Partners"
              read={(query, signal) =>
                api.GET('/v1/customers/{customer}/grants', { params: { path: { customer }, query: { ...query, ...search.filter } }, parseAs: 'text', signal })
              }
            />
            {add}
          </SpaceBetween>
        }
        pages={pages}
        trackBy={(g) => g.partner.id}
        empty={search.filtered ? 'No partner matches this search.' : 'No partner has access.'}
        emptyAction={search.filtered ? <Button onClick={search.clear}>Show all partners</Button> : undefined}
        filter={<GrantSearch of="partners" search={search} />}
        order={search.order}
        orderBy={search.orderBy}
        columns={[
          {
            id: 'partner',
            header: 'Partner',
            isRowHeader: true,
            sortingField: 'name',
            minWidth: 140,
            cell: (g) => (
              <Link href={`${at}/${g.partner.id}`} onFollow={follow}>
                <Name>{g.partner.name}</Name>
              </Link>
            ),
          },
          { id: 'users', header: 'Users', whole: true, sortingField: 'users', minWidth: 90, cell: (g) => (g.everyone ? `Everyone (${g.user_count})` : count(g.user_count, 'user')) },
          { id: 'level', header: 'Level', whole: true, minWidth: 90, cell: (g) => <LevelText level={g.level} effective={g.effective_level} /> },
          { id: 'period', header: 'Period', whole: true, sortingField: 'until', minWidth: 140, cell: (g) => <PeriodText of={g} /> },
          { id: 'status', header: 'Status', whole: true, minWidth: 110, cell: (g) => <Status of={g.status} reason={g.reason} /> },
          ...(admin
            ? [
                {
                  id: 'actions',
                  header: 'Actions',
                  minWidth: 80,
                  cell: (g: Grant) => <GrantMenu grant={g} back={search.at(at)} />,
                },
              ]
            : []),
        ]}
      />
      <PanelOutlet />
    </>
  );
}
