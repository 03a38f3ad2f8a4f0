import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { useNavigate, useOutletContext } from 'react-router';

import { answer, etagOf, useSubmit, type Schemas } from '../api';
import { useCancelInvitation } from '../parts/CancelInvitation';
import { ConfirmModal } from '../parts/ConfirmModal';
import { PeopleTable } from '../parts/PeopleTable';
import { problemWords } from '../parts/problems';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { PanelOutlet } from '../shell/Panel';
import { readPicked, useChanged, usePartner, usePendingInvitations, usePicked } from './queries';

type Customer = Schemas['PartnerCustomer'];
type User = Schemas['GrantUser'];
type Invitation = Schemas['Invitation'];

/** The users with access to a customer and the invitations that wait for an answer, in one list: each is ended there (E5 to E8). */
export function AssignedUsers() {
  const c = useOutletContext<Customer>();
  const navigate = useNavigate();
  const { partner, name, may } = usePartner();
  const users = usePicked(c.customer.id);
  const invitations = usePendingInvitations(c.customer.id);
  const [removing, setRemoving] = useState<User>();
  const resend = useResend();
  const changed = useChanged();
  const { cancel, dialog } = useCancelInvitation(changed);
  const at = `/partners/${partner}/customers/${c.customer.id}/people`;
  const picks = may.lead && c.assigned_by === 'partner' && c.status !== 'ended' && c.status !== 'expired';
  return (
    <>
      <PeopleTable
        users={users}
        invitations={invitations}
        description={describe(c, name, may.lead || may.provider)}
        actions={
          picks && (
            <SpaceBetween direction="horizontal" size="xs">
              <Button onClick={() => void navigate(`/partners/${partner}/invitations/new?customer=${encodeURIComponent(c.customer.id)}`)}>Invite a person</Button>
              <Button onClick={() => void navigate(`${at}/edit`)}>Edit users</Button>
            </SpaceBetween>
          )
        }
        empty={picks ? 'No user is assigned: nobody has access until you assign the first one.' : 'No user is assigned.'}
        emptyAction={picks && <Button onClick={() => void navigate(`${at}/edit`)}>Assign users</Button>}
        menu={
          may.lead
            ? (r) =>
                r.user
                  ? { items: picks && !c.everyone ? [{ id: 'remove', text: 'Remove' }] : [], chosen: () => setRemoving(r.user) }
                  : {
                      items: [
                        { id: 'resend', text: 'Send again' },
                        { id: 'cancel', text: 'Cancel the invitation' },
                      ],
                      busy: resend.sending && resend.input?.id === r.invitation.id,
                      chosen: (id) => (id === 'resend' ? resend.send(r.invitation) : cancel(r.invitation)),
                    }
            : undefined
        }
      />
      {removing && <RemoveUser of={c} user={removing} close={() => setRemoving(undefined)} />}
      {dialog}
      <PanelOutlet />
    </>
  );
}

function describe(c: Customer, partner: string, invitations: boolean): string {
  if (c.everyone) return `Everyone of ${partner}, now and later. Switch everyone off to remove single users.`;
  if (c.assigned_by === 'customer') return `${c.customer.name} assigns the users.`;
  return `The users of ${partner} with access to ${c.customer.name}${invitations ? ', and the people who are invited' : ''}.`;
}

/** Removes one user from the customer: the others stay, and the account stays (E6, E7). */
function RemoveUser({ of: c, user, close }: { of: Customer; user: User; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { partner } = usePartner();
  const path = { partner, customer: c.customer.id };
  const remove = useSubmit(
    async () => {
      const users = (await readPicked(api, partner, c.customer.id)).filter((u) => u.id !== user.id).map((u) => u.id);
      return (await answer(api.PUT('/v1/partners/{partner}/customers/{customer}/users', { params: { path, header: { 'If-Match': etagOf(c) } }, body: { users } }))).data;
    },
    {
      onDone: () => {
        flash.done(`${user.name} no longer has access to ${c.customer.name}`, 'The account is not affected.');
        close();
        void changed();
      },
      onProblem: (problem) => {
        if (problem.code === 'version_mismatch') void changed(); // the next attempt is made on what is there now
      },
    },
  );
  return (
    <ConfirmModal
      header={`Remove ${user.name} from ${c.customer.name}?`}
      action="Remove"
      confirm={() => remove.send(undefined)}
      close={close}
      sending={remove.sending}
      problem={remove.problem}
    >
      {user.name} loses access to {c.customer.name} immediately. The account and its access to other customers are not affected.
    </ConfirmModal>
  );
}

const pathOf = (i: Invitation) => ({ customer: i.customer, invitation: i.id });

/** Sends an invitation again. */
function useResend() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  return useSubmit(
    async (i: Invitation, key) =>
      (await answer(api.POST('/v1/customers/{customer}/invitations/{invitation}/resend', { params: { path: pathOf(i), header: { 'Idempotency-Key': key } } }))).data,
    {
      repeatable: true,
      onDone: ({ invitation: i }) => {
        flash.done(`Another mail is on its way to ${i.email}`, 'The link in the earlier mail no longer works.');
        void changed();
      },
      onProblem: (problem) => {
        flash.warn(...problemWords(problem));
        void changed();
      },
    },
  );
}
