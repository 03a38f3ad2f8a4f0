import Box from '@cloudscape-design/components/box';
import Spinner from '@cloudscape-design/components/spinner';

import { answer, useSubmit, type Schemas } from '../api';
import { ConfirmModal } from '../parts/ConfirmModal';
import { count } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { useChanged, usePartner, usePicked } from './queries';

/** Relinquishes the access to a customer, after saying who loses it. */
export function Relinquish({ customer: of, close, done }: { customer: Schemas['PartnerCustomer']; close: () => void; done?: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { partner, name } = usePartner();
  const { customer } = of;
  const users = usePicked(customer.id);
  const leave = useSubmit(
    async () => (await answer(api.DELETE('/v1/partners/{partner}/customers/{customer}', { params: { path: { partner, customer: customer.id } } }))).data,
    {
      repeatable: true, // what has ended is answered as it ended
      onDone: ({ changes }) => {
        flash.done(`The access to ${customer.name} is relinquished`, `Access ended for ${count(changes.user_count.before, 'user')} of ${name}.`);
        close();
        done?.();
        void changed();
      },
    },
  );
  const shown = users.all.slice(0, 10);
  const others = of.user_count - shown.length;
  return (
    <ConfirmModal header={`Relinquish the access to ${customer.name}?`} action="Relinquish" confirm={() => leave.send(undefined)} close={close} sending={leave.sending} problem={leave.problem}>
      <div>
        Access ends immediately for <strong>{of.everyone ? `everyone (${count(of.user_count, 'user')})` : count(of.user_count, 'user')}</strong>
        {of.user_count > 0 && ':'}
      </div>
      {users.loading ? (
        <Spinner />
      ) : (
        <ul>
          {shown.map((u) => (
            <li key={u.id}>
              {u.name} <Box variant="small">{u.email}</Box>
            </li>
          ))}
          {others > 0 && <li>and {count(others, 'other')}</li>}
        </ul>
      )}
      <div>
        {customer.name} gets a mail, and is no longer listed. Only {customer.name} can grant access again. All users keep their accounts.
      </div>
    </ConfirmModal>
  );
}
