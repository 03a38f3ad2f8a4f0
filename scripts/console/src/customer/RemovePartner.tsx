import Box from '@cloudscape-design/components/box';
import Spinner from '@cloudscape-design/components/spinner';

import { answer, useSubmit, type Schemas } from '../api';
import { t } from '../language';
import { ConfirmModal } from '../parts/ConfirmModal';
import { Name } from '../parts/Name';
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
        flash.done(t('pages.remove.done', { name: grant.partner.name }), gone ? t('pages.remove.done_for', { people: gone }) : t('pages.remove.done_nobody'));
        close();
        void changed();
      },
    },
  );
  const shown = users.all.slice(0, 10);
  const others = grant.user_count - shown.length;
  return (
    <ConfirmModal
      header={t('pages.remove.ask')}
      action={t('pages.remove.action')}
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
              <Name>{u.name}</Name> <Box variant="small">{u.email}</Box>
            </li>
          ))}
          {others > 0 && <li>{t('pages.remove.others', { count: others })}</li>}
        </ul>
      ) : null}
      <div>{t('pages.remove.about')}</div>
    </ConfirmModal>
  );
}

/** Who loses access, before they are named. */
function losing({ partner, everyone, user_count: n }: Schemas['Grant']): string {
  if (n === 0) return t('pages.remove.nobody', { name: partner.name });
  if (everyone) return t('pages.remove.everyone', { name: partner.name, users: count(n, 'user') });
  return t('pages.remove.users', { name: partner.name, count: n });
}
