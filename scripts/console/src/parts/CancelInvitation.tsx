import { useState } from 'react';
import { answer, useSubmit, type Schemas } from '../api';
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
        flash.done(`The invitation of ${invitation.email} is ${invitation.status}`);
        close();
        void changed();
      },
    },
  );
  return (
    <ConfirmModal
      header={`Cancel the invitation of ${i.email}?`}
      action="Cancel the invitation"
      confirm={() => cancel.send(undefined)}
      close={close}
      sending={cancel.sending}
      problem={cancel.problem}
    >
      The link in the mail no longer works. You can invite the person again.
    </ConfirmModal>
  );
}
