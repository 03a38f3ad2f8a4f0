import { answer, useSubmit, type Schemas } from '../api';
import { t } from '../language';
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
        flash.done(t('pages.leave_customer.done', { name: customer.name }));
        close();
        void changed();
      },
    },
  );
  return (
    <ConfirmModal header={t('pages.leave_customer.ask', { name: customer.name })} action={t('pages.leave.action')} confirm={() => leave.send(undefined)} close={close} sending={leave.sending} problem={leave.problem}>
      {t('pages.leave_customer.about', { name: customer.name })}
    </ConfirmModal>
  );
}
