import { answer, useSubmit, type Schemas } from '../api';
import { ConfirmModal } from '../parts/ConfirmModal';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { useChanged, usePartner } from './queries';

/** Whether the reader can leave the customer by itself: whoever has access there, except an employee who has access through everyone. */
export const canLeave = (c: Schemas['PartnerCustomer'], employee: boolean): boolean => c.you_have_access && !(employee && c.everyone);

/** Ends the reader's own access to one customer. */
export function Leave({ customer: { customer }, close }: { customer: Schemas['PartnerCustomer']; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { partner, me } = usePartner();
  const leave = useSubmit(
    async () => {
      await answer(api.DELETE('/v1/partners/{partner}/customers/{customer}/users/{user}', { params: { path: { partner, customer: customer.id, user: me ?? '' } } }));
    },
    {
      onDone: () => {
        flash.done(`You have left ${customer.name}`);
        close();
        void changed();
      },
    },
  );
  return (
    <ConfirmModal header={`Leave ${customer.name}?`} action="Leave" confirm={() => leave.send(undefined)} close={close} sending={leave.sending} problem={leave.problem}>
      Your access to {customer.name} ends immediately, and the customer is notified. Others keep their access, and you keep your account.
    </ConfirmModal>
  );
}
