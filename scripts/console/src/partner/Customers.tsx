import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Link from '@cloudscape-design/components/link';
import { useState } from 'react';
import { useNavigate } from 'react-router';

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
import { Entry } from './Entry';
import { canLeave, Leave } from './Leave';
import { keyOf, usePartner } from './queries';
import { Relinquish } from './Relinquish';
import { SubPartners } from './SubPartners';

type Customer = Schemas['PartnerCustomer'];

/** The partner's customers, each with its present setting and the sign-in link or the reason why there is none. */
export function Customers() {
  const api = useApi();
  const { partner, name, me, may } = usePartner();
  const navigate = useNavigate();
  const follow = useFollow();
  const search = useGrantSearch();
  const [leaving, setLeaving] = useState<Customer>();
  const [going, setGoing] = useState<Customer>();
  const at = `/partners/${partner}/customers`;
  const panelOf = (c: Customer): string => search.at(`${at}/${c.customer.id}/users`);

  const pages = useCursorPages(keyOf(partner, 'customers', search.filter), async (cursor, signal) => {
    const filter = { limit: 25, cursor, ...search.filter };
    return (await answer(api.GET('/v1/partners/{partner}/customers', { params: { path: { partner }, query: filter }, signal }))).data;
  }, { at: search.page });
  const seesUsers = may.employee || may.provider;
  return (
    <>
      <DataTable
        title={t('pages.nav.customers')}
        description={t('pages.customers.about', { name })}
        actions={
          <ExportButton
            name="Customers"
            read={(query, signal) =>
              api.GET('/v1/partners/{partner}/customers', { params: { path: { partner }, query: { ...query, ...search.filter } }, parseAs: 'text', signal })
            }
          />
        }
        pages={pages}
        trackBy={(c) => c.customer.id}
        empty={search.filtered ? t('pages.customers.none_found') : t('pages.customers.none')}
        emptyAction={search.filtered ? <Button onClick={search.clear}>{t('pages.customers.show_all')}</Button> : undefined}
        filter={<GrantSearch of={t('words.noun.customers')} search={search} />}
        order={search.order}
        orderBy={search.orderBy}
        columns={[
          {
            id: 'customer',
            header: t('words.customer'),
            isRowHeader: true,
            sortingField: 'name',
            minWidth: 150,
            cell: (c) => (
              <>
                <Link href={`${at}/${c.customer.id}`} onFollow={follow}>
                  <Name>{c.customer.name}</Name>
                </Link>
                {[c.customer.domain, t('pages.customer.id_of', { id: c.customer.id }), c.managed && (me ? t('pages.customers.managed_by_you') : t('pages.customers.managed'))].filter(Boolean).map((line) => (
                  <Box key={String(line)} variant="small" display="block" color="text-body-secondary">
                    {line}
                  </Box>
                ))}
              </>
            ),
          },
          { id: 'status', header: t('words.field.state'), whole: true, minWidth: 120, cell: (c) => <Status of={c.status} reason={c.reason} /> },
          { id: 'level', header: t('words.field.level'), whole: true, minWidth: 100, cell: (c) => <LevelText level={c.level} effective={c.effective_level} /> },
          { id: 'until', header: t('pages.period.until'), whole: true, minWidth: 120, sortingField: 'until', cell: (c) => <PeriodText of={c} /> },
          ...(seesUsers ? [{ id: 'users', header: t('pages.users.title'), whole: true, sortingField: 'users', minWidth: 90, cell: (c: Customer) => (c.everyone ? t('pages.grant.everyone', { count: number(c.user_count) }) : count(c.user_count, 'user')) }] : []),
          ...(me
            ? [
                {
                  id: 'access',
                  header: t('pages.customers.your_access'),
                  minWidth: 120,
                  cell: (c: Customer) => <Entry of={c} brief />,
                },
              ]
            : []),
          ...(me && !may.lead
            ? [
                {
                  id: 'leave',
                  header: t('pages.column.actions'),
                  minWidth: 80,
                  cell: (c: Customer) =>
                    canLeave(c, may.employee) && (
                      <Button variant="inline-link" ariaLabel={t('pages.customers.leave', { name: c.customer.name })} onClick={() => setGoing(c)}>
                        {t('pages.leave.action')}
                      </Button>
                    ),
                },
              ]
            : []),
          ...(may.lead
            ? [
                {
                  id: 'actions',
                  header: t('pages.column.actions'),
                  minWidth: 80,
                  cell: (c: Customer) => (
                    <ButtonDropdown
                      variant="inline-icon"
                      ariaLabel={t('pages.actions_for', { name: c.customer.name })}
                      expandToViewport
                      items={[
                        { id: 'users', text: t('pages.assigned.title') },
                        ...(c.managed ? [] : [{ id: 'ask', text: t('pages.ask.title') }]),
                        ...(c.managed || c.status === 'ended' || c.status === 'expired' ? [] : [{ id: 'leave', text: t('pages.relinquish.title') }]),
                      ]}
                      onItemClick={({ detail: { id } }) => {
                        if (id === 'leave') setLeaving(c);
                        else if (id === 'ask') void navigate(`/partners/${partner}/requests/new?customer=${c.customer.id}`);
                        else void navigate(panelOf(c));
                      }}
                    />
                  ),
                },
              ]
            : []),
        ]}
      />
      {seesUsers && <SubPartners />}
      {going && <Leave customer={going} close={() => setGoing(undefined)} />}
      {leaving && <Relinquish customer={leaving} close={() => setLeaving(undefined)} />}
      <PanelOutlet />
    </>
  );
}
