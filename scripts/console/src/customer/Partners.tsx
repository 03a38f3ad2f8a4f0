import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { Navigate, useNavigate, useSearchParams } from 'react-router';

import { answer, useCursorPages, type Schemas } from '../api';
import { number, t } from '../language';
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
    <Button variant="primary" onClick={() => void navigate(search.at(`${at}/add`))}>{t('pages.grant.add')}</Button>
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
        title={t('pages.nav.partners')}
        description={words ?? t('pages.partners.about')}
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
        empty={search.filtered ? t('pages.partners.none_found') : t('pages.partners.none')}
        emptyAction={search.filtered ? <Button onClick={search.clear}>{t('pages.partners.show_all')}</Button> : undefined}
        filter={<GrantSearch of={t('words.noun.partners')} search={search} />}
        order={search.order}
        orderBy={search.orderBy}
        columns={[
          {
            id: 'partner',
            header: t('words.partner'),
            isRowHeader: true,
            sortingField: 'name',
            minWidth: 140,
            cell: (g) => (
              <Link href={`${at}/${g.partner.id}`} onFollow={follow}>
                <Name>{g.partner.name}</Name>
              </Link>
            ),
          },
          { id: 'users', header: t('pages.users.title'), whole: true, sortingField: 'users', minWidth: 90, cell: (g) => (g.everyone ? t('pages.grant.everyone', { count: number(g.user_count) }) : count(g.user_count, 'user')) },
          { id: 'level', header: t('words.field.level'), whole: true, minWidth: 90, cell: (g) => <LevelText level={g.level} effective={g.effective_level} /> },
          { id: 'period', header: t('pages.column.period'), whole: true, sortingField: 'until', minWidth: 140, cell: (g) => <PeriodText of={g} /> },
          { id: 'status', header: t('words.field.state'), whole: true, minWidth: 110, cell: (g) => <Status of={g.status} reason={g.reason} /> },
          ...(admin
            ? [
                {
                  id: 'actions',
                  header: t('pages.column.actions'),
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
