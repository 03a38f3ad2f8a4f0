import Box from '@cloudscape-design/components/box';
import Spinner from '@cloudscape-design/components/spinner';

import { answer, useSubmit, type Schemas } from '../api';
import { rich, t } from '../language';
import { ConfirmModal } from '../parts/ConfirmModal';
import { Name } from '../parts/Name';
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
        flash.done(t('pages.relinquish.done', { name: customer.name }), t('pages.relinquish.done_about', { users: count(changes.user_count.before, 'user'), name }));
        close();
        done?.();
        void changed();
      },
    },
  );
  const shown = users.all.slice(0, 10);
  const others = of.user_count - shown.length;
  return (
    <ConfirmModal header={t('pages.relinquish.ask', { name: customer.name })} action={t('pages.relinquish.action')} confirm={() => leave.send(undefined)} close={close} sending={leave.sending} problem={leave.problem}>
      <div>
        {rich(of.user_count > 0 ? 'pages.relinquish.ends_for_list' : 'pages.relinquish.ends_for', {
          users: <strong>{of.everyone ? t('pages.grant.everyone_users', { users: count(of.user_count, 'user') }) : count(of.user_count, 'user')}</strong>,
        })}
      </div>
      {users.loading ? (
        <Spinner />
      ) : (
        <ul>
          {shown.map((u) => (
            <li key={u.id}>
              <Name>{u.name}</Name> <Box variant="small">{u.email}</Box>
            </li>
          ))}
          {others > 0 && <li>{t('pages.remove.others', { count: others })}</li>}
        </ul>
      )}
      <div>{t('pages.relinquish.about', { name: customer.name })}</div>
    </ConfirmModal>
  );
}
