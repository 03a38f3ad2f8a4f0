import Spinner from '@cloudscape-design/components/spinner';
import { useQuery } from '@tanstack/react-query';

import { answer, useSubmit, type Schemas } from '../api';
import { ConfirmModal } from '../parts/ConfirmModal';
import { count, names } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { keyOf, readAll, useAllCustomers, useChanged, usePartner } from './queries';

/** Deletes an account, after saying what that cuts (P21, D23). */
export function DeleteEmployee({ user, close }: { user: Schemas['User']; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { partner } = usePartner();
  const remove = useSubmit(
    async () => {
      await answer(api.DELETE('/v1/partners/{partner}/users/{user}', { params: { path: { partner, user: user.id } } }));
    },
    {
      onDone: () => {
        flash.done(`${user.name} is deleted`, `The account gets in nowhere any more, and ${user.email} is free for another one.`);
        close();
        void changed();
      },
    },
  );
  return (
    <ConfirmModal header={`Delete ${user.name}?`} action="Delete" confirm={() => remove.send(undefined)} close={close} sending={remove.sending} problem={remove.problem}>
      <div>The account of {user.email} ends at once: nobody signs in with it any more, here or at a customer.</div>
      <Cuts user={user} />
      <div>What was done with it stays in the history. The address is free for another account.</div>
    </ConfirmModal>
  );
}

const most = 20; // customers that are asked one by one who is in

/** The customers that the user can enter now. Where there are very many, how many there are that it could be. */
function Cuts({ user }: { user: Schemas['User'] }) {
  const api = useApi();
  const { partner } = usePartner();
  const { customers, problem } = useAllCustomers();
  const query = useQuery({
    queryKey: keyOf(partner, 'cuts', user.id),
    enabled: customers !== undefined && customers.length <= most,
    queryFn: async ({ signal }) => {
      const there = await Promise.all(
        (customers ?? []).map(async ({ customer, everyone, user_count: n }) => {
          if (everyone && user.role !== 'external') return [customer.name];
          if (n === 0) return [];
          const users = await readAll(
            async (cursor) =>
              (
                await answer(
                  api.GET('/v1/partners/{partner}/customers/{customer}/users', { params: { path: { partner, customer: customer.id }, query: { limit: 100, cursor } }, signal }),
                )
              ).data,
          );
          return users.some((u) => u.id === user.id) ? [customer.name] : [];
        }),
      );
      return there.flat();
    },
  });
  if (problem || query.error || (customers && customers.length > most)) {
    return <div>It is taken out of every customer that it can enter{customers && `, of the ${count(customers.length, 'customer')} that let you in`}.</div>;
  }
  if (!query.data) return <Spinner />;
  if (query.data.length === 0) return <div>It is in at no customer.</div>;
  return (
    <div>
      It is taken out of <strong>{names(query.data, most)}</strong>.
    </div>
  );
}
