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
            <Button onClick={() => void navigate(`${at}/edit`)}>Edit</Button>
            <Button onClick={() => setRemoving(true)}>Remove</Button>
          </SpaceBetween>
        }
      >
        <SpaceBetween size="l">
          <Container header={<Header variant="h2">Customer</Header>}>
            <KeyValuePairs
              columns={3}
              items={[
                { label: 'Id', value: c.id },
                { label: 'Domain', value: c.domain ?? '–' },
                { label: 'Contacts', value: c.contacts.join(', ') || '–' },
                { label: 'Managing partner', value: c.managing_partner ? <PartnerName id={c.managing_partner} /> : 'None' },
                { label: 'Registered', value: <Instant at={c.created_at} /> },
                {
                  label: 'What happened',
                  value: (
                    <SpaceBetween direction="horizontal" size="s">
                      <Link href={`/customers/${c.id}/history`} onFollow={follow}>
                        History
                      </Link>
                      <Link href={`/customers/${c.id}/mail`} onFollow={follow}>
                        Mails
                      </Link>
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
        title="Members"
        heading="h2"
        description="The customer's own people. Its admins grant access to partners."
        actions={<Button onClick={() => void navigate(`${at}/new`)}>Add member</Button>}
        pages={pages}
        trackBy={(m) => m.email}
        empty="The customer has no members: nobody can grant access to partners."
        columns={[
          { id: 'name', header: 'Name', isRowHeader: true, minWidth: 120, cell: (m) => m.name },
          { id: 'email', header: 'E-mail address', minWidth: 150, cell: (m) => m.email },
          { id: 'role', header: 'Role', whole: true, minWidth: 90, cell: (m) => (m.role === 'admin' ? 'Admin' : 'Member') },
          { id: 'since', header: 'Since', whole: true, minWidth: 130, cell: (m) => <Instant at={m.created_at} /> },
          {
            id: 'actions',
            header: 'Actions',
            minWidth: 80,
            cell: (m) => (
              <ButtonDropdown
                variant="inline-icon"
                ariaLabel={`Actions for ${m.name}`}
                expandToViewport
                items={[
                  { id: 'edit', text: 'Edit' },
                  { id: 'remove', text: 'Remove' },
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
        flash.done(`${m.name} is removed from ${c.name}`);
        close();
        void changed();
      },
      onProblem: (p) => setLast(p.code === 'last_admin'),
    },
  );
  return (
    <ConfirmModal header={`Remove ${m.name}?`} action={last ? 'Remove the only admin' : 'Remove'} confirm={() => remove.send(undefined)} close={close} sending={remove.sending} problem={remove.problem}>
      {m.email} no longer sees or changes the partner access of {c.name}. What the person granted stays as it is.
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
        title="Partners"
        heading="h2"
        description="The partners with access, and the relationships that you established. A managed customer has exactly one partner, whose access only you end."
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button onClick={() => void navigate(`${at}/managing-partner`)}>Set managing partner</Button>
            <Button onClick={() => void navigate(`${at}/relationships/new`)}>Establish relationship</Button>
          </SpaceBetween>
        }
        pages={pages}
        trackBy={(g) => g.partner.id}
        empty="No partner has access."
        columns={[
          { id: 'partner', header: 'Partner', isRowHeader: true, minWidth: 130, cell: (g) => <Who name={g.partner.name} about={g.managed ? 'Manages the customer' : undefined} /> },
          { id: 'level', header: 'Level', whole: true, minWidth: 110, cell: (g) => <LevelText level={g.level} effective={g.effective_level} /> },
          { id: 'users', header: 'Users', whole: true, minWidth: 100, cell: (g) => (g.everyone ? `Everyone (${g.user_count})` : count(g.user_count, 'user')) },
          { id: 'until', header: 'Until', whole: true, minWidth: 110, cell: (g) => (g.until ? <Instant at={g.until} /> : 'Continuous') },
          { id: 'status', header: 'Status', whole: true, minWidth: 110, cell: (g) => <Status of={g.status} reason={g.reason} /> },
          {
            id: 'actions',
            header: 'Actions',
            minWidth: 80,
            cell: (g) => (
              <ButtonDropdown
                variant="inline-icon"
                ariaLabel={`Actions for ${g.partner.name}`}
                expandToViewport
                items={[{ id: 'end', text: g.managed ? 'End management' : 'End relationship' }]}
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
          g.managed ? `${g.partner.name} no longer manages ${g.customer.name}` : `The relationship of ${g.partner.name} and ${g.customer.name} has ended`,
          `Access ended for ${count(changes.user_count.before, 'user')}.`,
        );
        close();
        void changed();
      },
    },
  );
  return (
    <ConfirmModal
      header={g.managed ? `End management by ${g.partner.name}?` : `End relationship with ${g.partner.name}?`}
      action={g.managed ? 'End management' : 'End relationship'}
      confirm={() => end.send(undefined)}
      close={close}
      sending={end.sending}
      problem={end.problem}
    >
      <div>
        Access to {g.customer.name} ends immediately for <strong>{g.everyone ? `everyone (${count(g.user_count, 'user')})` : count(g.user_count, 'user')}</strong> of {g.partner.name}.
        Both sides get a mail.
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
        flash.done(`${c.name} is removed`, 'All access of partners to it has ended.');
        close();
        void navigate('/provider/customers');
        void changed();
      },
    },
  );
  return (
    <ConfirmModal header={`Remove ${c.name}?`} action="Remove" confirm={() => remove.send(undefined)} close={close} sending={remove.sending} problem={remove.problem}>
      <div>
        <strong>All access of partners to it ends</strong>, and its members no longer see it.
      </div>
      <div>
        This cannot be undone: the id <strong>{c.id}</strong> is never used again.
      </div>
    </ConfirmModal>
  );
}
