import { useState } from 'react';
import { answer, useSubmit, type Schemas } from '../api';
import { t } from '../language';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { ConfirmModal } from './ConfirmModal';

/** Asks before an invitation is cancelled: `cancel` opens the dialog for one. `changed` has read again what showed it. */
export function useCancelInvitation(changed: () => Promise<void>) {
  const [cancelling, cancel] = useState<Schemas['Invitation']>();
  return { cancel, dialog: cancelling && <CancelInvitation invitation={cancelling} close={() => cancel(undefined)} changed={changed} /> };
}

/** Cancels a pending invitation, after asking once more. */
function CancelInvitation({ invitation: i, close, changed }: { invitation: Schemas['Invitation']; close: () => void; changed: () => Promise<void> }) {
  const api = useApi();
  const flash = useFlash();
  const cancel = useSubmit(
    async () =>
      (await answer(api.DELETE('/v1/customers/{customer}/invitations/{invitation}', { params: { path: { customer: i.customer, invitation: i.id } } }))).data,
    {
      repeatable: true,
      onDone: ({ invitation }) => {
        flash.done(t('pages.invitation.now', { email: invitation.email, status: invitation.status }));
        close();
        void changed();
      },
    },
  );
  return (
    <ConfirmModal
      header={t('pages.invitation.cancel.ask', { email: i.email })}
      action={t('pages.invitation.cancel.action')}
      confirm={() => cancel.send(undefined)}
      close={close}
      sending={cancel.sending}
      problem={cancel.problem}
    >{t('pages.invitation.cancel.about')}</ConfirmModal>
  );
}
