import Box from '@cloudscape-design/components/box';
import Spinner from '@cloudscape-design/components/spinner';

import { answer, useSubmit, type Schemas } from '../api';
import { ConfirmModal } from '../parts/ConfirmModal';
import { count, lost } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { useChanged, useCustomer, useGrantUsers } from './queries';

/** Revokes a whole partner's access, after saying who loses it. */
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
        const gone = lost(change);
        flash.done(`The access of ${grant.partner.name} is removed`, gone ? `Access removed for: ${gone}.` : 'No user of the partner had access.');
        close();
        void changed();
      },
    },
  );
  const shown = users.all.slice(0, 10);
  const others = grant.user_count - shown.length;
  return (
    <ConfirmModal
      header="Remove partner access?"
      action="Yes, remove access"
      confirm={() => remove.send(undefined)}
      close={close}
      sending={remove.sending}
      problem={remove.problem}
    >
      <div>{losing(grant)}</div>
      {users.loading ? (
        <Spinner />
      ) : shown.length > 0 || others > 0 ? (
        <ul>
          {shown.map((u) => (
            <li key={u.id}>
              {u.name} <Box variant="small">{u.email}</Box>
            </li>
          ))}
          {others > 0 && <li>and {count(others, 'other')}</li>}
        </ul>
      ) : null}
      <div>Users keep their own accounts. You can add the partner again later.</div>
    </ConfirmModal>
  );
}

/** Who loses access, before they are named. */
function losing({ partner, everyone, user_count: n }: Schemas['Grant']): string {
  if (n === 0) return `The access of ${partner.name} ends immediately. None of its users has access now.`;
  if (everyone) return `Everyone of ${partner.name} loses access immediately (${count(n, 'user')}):`;
  return `${count(n, 'user')} of ${partner.name} ${n === 1 ? 'loses' : 'lose'} access immediately:`;
}
