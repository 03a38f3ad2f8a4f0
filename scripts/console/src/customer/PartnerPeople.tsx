import Button from '@cloudscape-design/components/button';
import { useState } from 'react';
import { useNavigate } from 'react-router';

import { answer, etagOf, useSubmit, type Schemas } from '../api';
import { t } from '../language';
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
          g.everyone ? t('pages.people.everyone_of', { name: g.partner.name }) : g.assigned_by === 'partner' ? t('pages.people.assigned_by', { name: g.partner.name }) : t('pages.people.yours')
        }
        actions={changes && <Button onClick={edit}>{t('pages.people.edit')}</Button>}
        empty={over(g) ? t('pages.people.ended') : t('pages.people.none')}
        menu={
          changes
            ? (r) =>
                r.user
                  ? { items: g.everyone ? [] : [{ id: 'remove', text: t('pages.button.remove') }], chosen: () => setRemoving(r.user) }
                  : { items: [{ id: 'cancel', text: t('pages.invitation.cancel.action') }], chosen: () => cancel(r.invitation) }
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
        flash.done(t('pages.people.removed', { name: user.name }), t('pages.people.account_stays'), async () => {
          await answer(api.PATCH('/v1/customers/{customer}/grants/{partner}', { params: { path, header: { 'If-Match': etagOf(grant) } }, body: { users: { add: [user.id] } } }));
          void changed();
          return t('pages.people.again', { name: user.name });
        });
        close();
        void changed();
      },
    },
  );
  return (
    <ConfirmModal header={t('pages.ask.remove', { name: user.name })} action={t('pages.button.remove')} confirm={() => remove.send(undefined)} close={close} sending={remove.sending} problem={remove.problem}>
      {t('pages.people.loses', { name: user.name, partner: g.partner.name })}
    </ConfirmModal>
  );
}
