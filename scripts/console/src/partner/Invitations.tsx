import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Grid from '@cloudscape-design/components/grid';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';
import { useNavigate } from 'react-router';

import { answer, useCursorPages, useSubmit, type Schemas } from '../api';
import { ConfirmModal } from '../parts/ConfirmModal';
import { DataTable } from '../parts/DataTable';
import { Instant } from '../parts/Instant';
import { InvitationStatus } from '../parts/Status';
import { Who } from '../parts/Who';
import { byWhom, levelName } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { PanelOutlet } from '../shell/Panel';
import { keyOf, useAllCustomers, useChanged, usePartner } from './queries';

type Invitation = Schemas['Invitation'];

const filters = [
  { value: '', label: 'All invitations' },
  ...(['pending', 'accepted', 'declined', 'cancelled', 'expired'] as const).map((s) => ({ value: s as string, label: s.charAt(0).toUpperCase() + s.slice(1) })),
];

/** Who was invited to come in under the partner, by itself or by a customer, and what became of it (E3, E5). */
export function Invitations() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const { partner, may } = usePartner();
  const { customers } = useAllCustomers();
  const [status, setStatus] = useState<Schemas['InvitationStatus'] | ''>('');
  const [cancelling, setCancelling] = useState<Invitation>();
  const pages = useCursorPages(
    keyOf(partner, 'invitations', status),
    async (cursor, signal) =>
      (await answer(api.GET('/v1/partners/{partner}/invitations', { params: { path: { partner }, query: { limit: 25, cursor, ...(status ? { status } : {}) } }, signal }))).data,
  );
  const path = (i: Invitation) => ({ customer: i.customer, invitation: i.id });
  const resend = useSubmit(
    async (i: Invitation, key) =>
      (await answer(api.POST('/v1/customers/{customer}/invitations/{invitation}/resend', { params: { path: path(i), header: { 'Idempotency-Key': key } } }))).data,
    {
      repeatable: true,
      onDone: ({ invitation: i }) => {
        flash.done(`Another mail is on its way to ${i.email}`, 'The link in the mail before opens nothing any more.');
        void changed();
      },
      onProblem: (problem) => {
        flash.warn(problem.title, problem.detail);
        void changed();
      },
    },
  );
  const cancel = useSubmit(
    async (i: Invitation) => (await answer(api.DELETE('/v1/customers/{customer}/invitations/{invitation}', { params: { path: path(i) } }))).data,
    {
      repeatable: true,
      onDone: ({ invitation: i }) => {
        flash.done(`The invitation of ${i.email} is ${i.status}`);
        setCancelling(undefined);
        void changed();
      },
    },
  );
  return (
    <>
      <DataTable
        title="Invitations"
        description="People without an account who were invited by e-mail, to come in at one customer."
        actions={
          may.lead && (
            <Button variant="primary" onClick={() => void navigate(`/partners/${partner}/invitations/new`)}>
              Invite a person
            </Button>
          )
        }
        pages={pages}
        trackBy={(i) => i.id}
        empty={status ? 'There is no invitation of this kind.' : 'Nobody has been invited.'}
        filter={
          <Grid gridDefinition={[{ colspan: { default: 12, xs: 4 } }]}>
            <Select
              ariaLabel="What is shown"
              selectedOption={filters.find((f) => f.value === status) ?? null}
              options={filters}
              onChange={(e) => setStatus((e.detail.selectedOption.value ?? '') as typeof status)}
            />
          </Grid>
        }
        columns={[
          { id: 'email', header: 'E-mail address', isRowHeader: true, minWidth: 170, cell: (i) => <Who name={i.email} about={`Invited by ${byWhom(i.invited_by)}`} /> },
          { id: 'customer', header: 'Customer', minWidth: 120, cell: (i) => customers?.find((c) => c.customer.id === i.customer)?.customer.name ?? i.customer },
          { id: 'level', header: 'Level', minWidth: 90, cell: (i) => levelName[i.level] },
          { id: 'status', header: 'Status', minWidth: 130, cell: (i) => <InvitationStatus of={i.status} /> },
          { id: 'expires', header: 'Can be accepted until', minWidth: 140, cell: (i) => <Instant at={i.expires_at} /> },
          ...(may.lead
            ? [
                {
                  id: 'actions',
                  header: 'Actions',
                  minWidth: 80,
                  cell: (i: Invitation) =>
                    i.status === 'pending' ? (
                      <ButtonDropdown
                        variant="inline-icon"
                        ariaLabel={`Actions for ${i.email}`}
                        expandToViewport
                        loading={resend.sending && resend.input?.id === i.id}
                        items={[
                          { id: 'resend', text: 'Send again' },
                          { id: 'cancel', text: 'Cancel the invitation' },
                        ]}
                        onItemClick={({ detail: { id } }) => (id === 'resend' ? resend.send(i) : setCancelling(i))}
                      />
                    ) : null,
                },
              ]
            : []),
        ]}
      />
      {cancelling && (
        <ConfirmModal
          header={`Cancel the invitation of ${cancelling.email}?`}
          action="Cancel the invitation"
          confirm={() => cancel.send(cancelling)}
          close={() => setCancelling(undefined)}
          sending={cancel.sending}
          problem={cancel.problem}
        >
          The link in the mail opens nothing any more. You can invite the person again.
        </ConfirmModal>
      )}
      <PanelOutlet />
    </>
  );
}
