import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router';

import { answer, asProblem, useCursorPages, useSubmit, type Schemas } from '../api';
import { number, rich, t } from '../language';
import { ConfirmModal } from '../parts/ConfirmModal';
import { DataTable } from '../parts/DataTable';
import { Instant } from '../parts/Instant';
import { LevelText } from '../parts/LevelText';
import { Page } from '../parts/Page';
import { ProblemAlert } from '../parts/ProblemAlert';
import { Status } from '../parts/Status';
import { Who } from '../parts/Who';
import { count } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { PanelOutlet } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { PartnerName } from './PartnerName';
import { keyOf, readCustomer, useChanged } from './queries';

type Member = Schemas['Member'];
type Grant = Schemas['Grant'];

/** One customer: its record, its people, and the partners it is related to. */
export function Customer() {
  const api = useApi();
  const navigate = useNavigate();
  const follow = useFollow();
  const { customer = '' } = useParams();
  const [removing, setRemoving] = useState(false);
  const query = useQuery({ queryKey: keyOf('customer', customer), queryFn: ({ signal }) => readCustomer(api, customer, signal) });
  const c = query.data?.data;
  const at = `/provider/customers/${customer}`;
  if (!c) return <Page title={customer}>{query.error ? <ProblemAlert problem={asProblem(query.error)} retry={() => void query.refetch()} /> : <Spinner size="large" />}</Page>;
  return (
    <>
      <Page
        title={c.name}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button onClick={() => void navigate(`${at}/edit`)}>{t('pages.button.edit')}</Button>
            <Button onClick={() => setRemoving(true)}>{t('pages.button.remove')}</Button>
          </SpaceBetween>
        }
      >
        <SpaceBetween size="l">
          <Container header={<Header variant="h2">{t('words.customer')}</Header>}>
            <KeyValuePairs
              columns={3}
              items={[
                { label: t('pages.column.id'), value: c.id },
                { label: t('words.field.domain'), value: c.domain ?? '–' },
                { label: t('words.field.contacts'), value: c.contacts.join(', ') || '–' },
                { label: t('pages.directory.managing_partner'), value: c.managing_partner ? <PartnerName id={c.managing_partner} /> : t('pages.customer.no_level') },
                { label: t('pages.directory.registered'), value: <Instant at={c.created_at} /> },
                {
                  label: t('pages.directory.happened'),
                  value: (
                    <SpaceBetween direction="horizontal" size="s">
                      <Link href={`/customers/${c.id}/history`} onFollow={follow}>{t('pages.history.title')}</Link>
                      <Link href={`/customers/${c.id}/mail`} onFollow={follow}>{t('pages.mail.list')}</Link>
                    </SpaceBetween>
                  ),
                },
              ]}
            />
          </Container>
          <Members customer={c} />
          <Relationships customer={c} />
        </SpaceBetween>
      </Page>
      {removing && <RemoveCustomer customer={c} close={() => setRemoving(false)} />}
      <PanelOutlet />
    </>
  );
}

function Members({ customer: c }: { customer: Schemas['Customer'] }) {
  const api = useApi();
  const navigate = useNavigate();
  const [removing, setRemoving] = useState<Member>();
  const at = `/provider/customers/${c.id}/members`;
  const pages = useCursorPages(
    keyOf('customer', c.id, 'members'),
    async (cursor, signal) =>
      (await answer(api.GET('/v1/customers/{customer}/members', { params: { path: { customer: c.id }, query: { limit: 25, cursor } }, signal }))).data,
  );
  return (
    <>
      <DataTable
        title={t('pages.member.list')}
        heading="h2"
        description={t('pages.member.about')}
        actions={<Button onClick={() => void navigate(`${at}/new`)}>{t('pages.member.add')}</Button>}
        pages={pages}
        trackBy={(m) => m.email}
        empty={t('pages.member.none')}
        columns={[
          { id: 'name', header: t('words.field.name'), isRowHeader: true, minWidth: 120, cell: (m) => m.name },
          { id: 'email', header: t('words.field.email'), minWidth: 150, cell: (m) => m.email },
          { id: 'role', header: t('words.field.role'), whole: true, minWidth: 90, cell: (m) => (m.role === 'admin' ? t('words.role.admin') : t('pages.member.one')) },
          { id: 'since', header: t('pages.column.since'), whole: true, minWidth: 130, cell: (m) => <Instant at={m.created_at} /> },
          {
            id: 'actions',
            header: t('pages.column.actions'),
            minWidth: 80,
            cell: (m) => (
              <ButtonDropdown
                variant="inline-icon"
                ariaLabel={t('pages.actions_for', { name: m.name })}
                expandToViewport
                items={[
                  { id: 'edit', text: t('pages.button.edit') },
                  { id: 'remove', text: t('pages.button.remove') },
                ]}
                onItemClick={({ detail: { id } }) => (id === 'edit' ? void navigate(`${at}/${encodeURIComponent(m.email)}`) : setRemoving(m))}
              />
            ),
          },
        ]}
      />
      {removing && <RemoveMember customer={c} member={removing} close={() => setRemoving(undefined)} />}
    </>
  );
}

function RemoveMember({ customer: c, member: m, close }: { customer: Schemas['Customer']; member: Member; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const [last, setLast] = useState(false); // the service has said that it is the only admin
  const remove = useSubmit(
    async () => {
      const query = last ? ({ confirm: 'last_admin' } as const) : {};
      await answer(api.DELETE('/v1/customers/{customer}/members/{email}', { params: { path: { customer: c.id, email: m.email }, query } }));
    },
    {
      onDone: () => {
        flash.done(t('pages.member.removed', { name: m.name, customer: c.name }));
        close();
        void changed();
      },
      onProblem: (p) => setLast(p.code === 'last_admin'),
    },
  );
  return (
    <ConfirmModal header={t('pages.ask.remove', { name: m.name })} action={last ? t('pages.member.remove_last') : t('pages.button.remove')} confirm={() => remove.send(undefined)} close={close} sending={remove.sending} problem={remove.problem}>
      {t('pages.member.remove_about', { email: m.email, customer: c.name })}
    </ConfirmModal>
  );
}

function Relationships({ customer: c }: { customer: Schemas['Customer'] }) {
  const api = useApi();
  const navigate = useNavigate();
  const [ending, setEnding] = useState<Grant>();
  const at = `/provider/customers/${c.id}`;
  const pages = useCursorPages(
    keyOf('customer', c.id, 'grants'),
    async (cursor, signal) =>
      (await answer(api.GET('/v1/customers/{customer}/grants', { params: { path: { customer: c.id }, query: { limit: 25, cursor } }, signal }))).data,
  );
  return (
    <>
      <DataTable
        title={t('pages.nav.partners')}
        heading="h2"
        description={t('pages.relationship.about')}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button onClick={() => void navigate(`${at}/managing-partner`)}>{t('pages.relationship.set_managing')}</Button>
            <Button onClick={() => void navigate(`${at}/relationships/new`)}>{t('pages.relationship.establish')}</Button>
          </SpaceBetween>
        }
        pages={pages}
        trackBy={(g) => g.partner.id}
        empty={t('pages.partners.none')}
        columns={[
          { id: 'partner', header: t('words.partner'), isRowHeader: true, minWidth: 130, cell: (g) => <Who name={g.partner.name} about={g.managed ? t('pages.relationship.manages') : undefined} /> },
          { id: 'level', header: t('words.field.level'), whole: true, minWidth: 110, cell: (g) => <LevelText level={g.level} effective={g.effective_level} /> },
          { id: 'users', header: t('pages.users.title'), whole: true, minWidth: 100, cell: (g) => (g.everyone ? t('pages.grant.everyone', { count: number(g.user_count) }) : count(g.user_count, 'user')) },
          { id: 'until', header: t('pages.period.until'), whole: true, minWidth: 110, cell: (g) => (g.until ? <Instant at={g.until} /> : t('pages.until.continuous')) },
          { id: 'status', header: t('words.field.state'), whole: true, minWidth: 110, cell: (g) => <Status of={g.status} reason={g.reason} /> },
          {
            id: 'actions',
            header: t('pages.column.actions'),
            minWidth: 80,
            cell: (g) => (
              <ButtonDropdown
                variant="inline-icon"
                ariaLabel={t('pages.actions_for', { name: g.partner.name })}
                expandToViewport
                items={[{ id: 'end', text: g.managed ? t('pages.relationship.end_management') : t('pages.relationship.end') }]}
                onItemClick={() => setEnding(g)}
              />
            ),
          },
        ]}
      />
      {ending && <EndRelationship grant={ending} close={() => setEnding(undefined)} />}
    </>
  );
}

function EndRelationship({ grant: g, close }: { grant: Grant; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const customer = g.customer.id;
  const end = useSubmit(
    async () =>
      g.managed
        ? (await answer(api.DELETE('/v1/customers/{customer}/managing-partner', { params: { path: { customer } } }))).data
        : (await answer(api.DELETE('/v1/customers/{customer}/relationships/{partner}', { params: { path: { customer, partner: g.partner.id } } }))).data,
    {
      onDone: ({ changes }) => {
        flash.done(
          g.managed ? t('pages.relationship.manages_no_more', { partner: g.partner.name, customer: g.customer.name }) : t('pages.relationship.ended', { partner: g.partner.name, customer: g.customer.name }),
          t('pages.relationship.ended_about', { users: count(changes.user_count.before, 'user') }),
        );
        close();
        void changed();
      },
    },
  );
  return (
    <ConfirmModal
      header={g.managed ? t('pages.relationship.ask_end_management', { name: g.partner.name }) : t('pages.relationship.ask_end', { name: g.partner.name })}
      action={g.managed ? t('pages.relationship.end_management') : t('pages.relationship.end')}
      confirm={() => end.send(undefined)}
      close={close}
      sending={end.sending}
      problem={end.problem}
    >
      <div>
        {rich('pages.relationship.end_about', {
          customer: g.customer.name,
          users: <strong>{g.everyone ? t('pages.grant.everyone_users', { users: count(g.user_count, 'user') }) : count(g.user_count, 'user')}</strong>,
          partner: g.partner.name,
        })}
      </div>
    </ConfirmModal>
  );
}

function RemoveCustomer({ customer: c, close }: { customer: Schemas['Customer']; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const remove = useSubmit(
    async () => {
      await answer(api.DELETE('/v1/customers/{customer}', { params: { path: { customer: c.id } } }));
    },
    {
      onDone: () => {
        flash.done(t('pages.directory.removed', { name: c.name }), t('pages.directory.customer_removed_about'));
        close();
        void navigate('/provider/customers');
        void changed();
      },
    },
  );
  return (
    <ConfirmModal header={t('pages.ask.remove', { name: c.name })} action={t('pages.button.remove')} confirm={() => remove.send(undefined)} close={close} sending={remove.sending} problem={remove.problem}>
      <div>{rich('pages.directory.remove_customer_about', { ends: <strong>{t('pages.directory.all_access_ends')}</strong> })}</div>
      <div>{rich('pages.directory.remove_forever', { id: <strong>{c.id}</strong> })}</div>
    </ConfirmModal>
  );
}
