import Button from '@cloudscape-design/components/button';
import { useState } from 'react';
import { useNavigate } from 'react-router';

import { answer, etagOf, useSubmit, type Schemas } from '../api';
import { useCancelInvitation } from '../parts/CancelInvitation';
import { ConfirmModal } from '../parts/ConfirmModal';
import { PeopleTable } from '../parts/PeopleTable';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { over } from './grants';
import { useGrant } from './Partner';
import { useChanged, useCustomer, useGrantUsers, usePending } from './queries';

type User = Schemas['GrantUser'];

/** The people in a partner's access, and who is invited to it. */
export function PartnerPeople() {
  const g = useGrant();
  const navigate = useNavigate();
  const { customer, admin } = useCustomer();
  const changed = useChanged();
  const users = useGrantUsers(g.partner.id);
  const invitations = usePending(g.partner.id).all;
  const { cancel, dialog } = useCancelInvitation(changed);
  const [removing, setRemoving] = useState<User>();
  const changes = admin && !g.managed && !over(g);
  const edit = () => void navigate(`/customers/${customer}/partners/${g.partner.id}/edit`, { state: { back: location.pathname } });
  return (
    <>
      <PeopleTable
        users={users}
        invitations={invitations}
        description={
          g.everyone ? `Everyone of ${g.partner.name}, now and later.` : g.assigned_by === 'partner' ? `${g.partner.name} assigns them; you can remove them.` : 'The users that you assigned.'
        }
        actions={changes && <Button onClick={edit}>Edit users</Button>}
        empty={over(g) ? 'Nobody has access: it has ended.' : 'Nobody has access.'}
        menu={
          changes
            ? (r) =>
                r.user
                  ? { items: g.everyone ? [] : [{ id: 'remove', text: 'Remove' }], chosen: () => setRemoving(r.user) }
                  : { items: [{ id: 'cancel', text: 'Cancel the invitation' }], chosen: () => cancel(r.invitation) }
            : undefined
        }
      />
      {removing && <RemoveUser grant={g} user={removing} close={() => setRemoving(undefined)} />}
      {dialog}
    </>
  );
}

/** Removes one user from the access: the others stay, and so does the account. */
function RemoveUser({ grant: g, user, close }: { grant: Schemas['Grant']; user: User; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { customer } = useCustomer();
  const path = { customer, partner: g.partner.id };
  const remove = useSubmit(
    async () => (await answer(api.DELETE('/v1/customers/{customer}/grants/{partner}/users/{user}', { params: { path: { ...path, user: user.id } } }))).data,
    {
      repeatable: true,
      onDone: ({ grant }) => {
        flash.done(`${user.name} no longer has access`, 'The account is not affected.', async () => {
          await answer(api.PATCH('/v1/customers/{customer}/grants/{partner}', { params: { path, header: { 'If-Match': etagOf(grant) } }, body: { users: { add: [user.id] } } }));
          void changed();
          return `${user.name} has access again`;
        });
        close();
        void changed();
      },
    },
  );
  return (
    <ConfirmModal header={`Remove ${user.name}?`} action="Remove" confirm={() => remove.send(undefined)} close={close} sending={remove.sending} problem={remove.problem}>
      {user.name} loses the access through {g.partner.name} immediately. Other users keep theirs.
    </ConfirmModal>
  );
}
