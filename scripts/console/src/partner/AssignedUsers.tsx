import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { useNavigate, useOutletContext } from 'react-router';

import { answer, etagOf, useSubmit, type Schemas } from '../api';
import { t } from '../language';
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
              <Button onClick={() => void navigate(`/partners/${partner}/invitations/new?customer=${encodeURIComponent(c.customer.id)}`)}>
                {t('pages.invitation.invite')}
              </Button>
              <Button onClick={() => void navigate(`${at}/edit`)}>{t('pages.people.edit')}</Button>
            </SpaceBetween>
          )
        }
        empty={picks ? t('pages.assigned.none_yet') : t('pages.assigned.none')}
        emptyAction={picks && <Button onClick={() => void navigate(`${at}/edit`)}>{t('pages.assigned.assign')}</Button>}
        menu={
          may.lead
            ? (r) =>
                r.user
                  ? { items: picks && !c.everyone ? [{ id: 'remove', text: t('pages.button.remove') }] : [], chosen: () => setRemoving(r.user) }
                  : {
                      items: [
                        { id: 'resend', text: t('pages.button.send_again') },
                        { id: 'cancel', text: t('pages.invitation.cancel.action') },
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
  if (c.everyone) return t('pages.assigned.everyone_of', { partner });
  if (c.assigned_by === 'customer') return t('pages.assigned.customer_assigns', { customer: c.customer.name });
  return invitations ? t('pages.assigned.about_invited', { partner, customer: c.customer.name }) : t('pages.assigned.about', { partner, customer: c.customer.name });
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
        flash.done(t('pages.assigned.removed', { name: user.name, customer: c.customer.name }), t('pages.people.account_stays'));
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
      header={t('pages.assigned.ask_remove', { name: user.name, customer: c.customer.name })}
      action={t('pages.button.remove')}
      confirm={() => remove.send(undefined)}
      close={close}
      sending={remove.sending}
      problem={remove.problem}
    >{t('pages.assigned.loses', { name: user.name, customer: c.customer.name })}</ConfirmModal>
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
        flash.done(t('pages.invitation.resent', { email: i.email }), t('pages.invitation.resent_about'));
        void changed();
      },
      onProblem: (problem) => {
        flash.warn(...problemWords(problem));
        void changed();
      },
    },
  );
}
