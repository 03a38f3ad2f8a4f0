import Box from '@cloudscape-design/components/box';
import Spinner from '@cloudscape-design/components/spinner';

import { answer, useSubmit, type Schemas } from '../api';
import { ConfirmModal } from '../parts/ConfirmModal';
import { changeLines, count } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { useChanged, useCustomer, useGrantUsers } from './queries';

/** Takes a whole partner's access away, after saying who will lose it. */
export function RemovePartner({ grant, close }: { grant: Schemas['Grant']; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { customer } = useCustomer();
  const users = useGrantUsers(grant.partner.id);
  const remove = useSubmit(
    async () => (await answer(api.DELETE('/v1/customers/{customer}/grants/{partner}', { params: { path: { customer, partner: grant.partner.id } } }))).data,
    {
      repeatable: true, // what has ended is answered as it ended
      onDone: (change) => {
        flash.done(`${grant.partner.name} is removed`, changeLines(change, (id) => users.all.find((u) => u.id === id)?.name ?? id).join(' '));
        close();
        void changed();
      },
    },
  );
  const shown = users.all.slice(0, 10);
  const others = grant.user_count - shown.length;
  return (
    <ConfirmModal header={`Remove ${grant.partner.name}?`} action="Remove" confirm={() => remove.send(undefined)} close={close} sending={remove.sending} problem={remove.problem}>
      <div>
        Access ends at once for{' '}
        <strong>{grant.everyone ? `everyone of ${grant.partner.name} (${count(grant.user_count, 'user')})` : count(grant.user_count, 'user')}</strong>
        {grant.user_count > 0 && ':'}
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
      <div>They keep their own accounts. You can add the partner again later.</div>
    </ConfirmModal>
  );
}
