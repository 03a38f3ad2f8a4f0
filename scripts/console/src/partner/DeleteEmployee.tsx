import Alert from '@cloudscape-design/components/alert';
import Checkbox from '@cloudscape-design/components/checkbox';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { answer, useSubmit, type Schemas } from '../api';
import { rich, t } from '../language';
import { ConfirmModal } from '../parts/ConfirmModal';
import { count, names } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { keyOf, readPicked, useAllCustomers, useChanged, usePartner } from './queries';

/** Deletes an account, after saying what that cuts (P21, D23). */
export function DeleteEmployee({ user, close }: { user: Schemas['User']; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { partner, may } = usePartner();
  const [erase, setErase] = useState(false);
  const remove = useSubmit(
    async () => {
      await answer(api.DELETE('/v1/partners/{partner}/users/{user}', { params: { path: { partner, user: user.id }, query: erase ? { erase } : {} } }));
    },
    {
      onDone: () => {
        flash.done(
          erase ? t('pages.delete.erased', { name: user.name }) : t('pages.delete.deleted', { name: user.name }),
          erase ? t('pages.delete.erased_about', { email: user.email }) : t('pages.delete.deleted_about', { email: user.email }),
        );
        close();
        void changed();
      },
    },
  );
  return (
    <ConfirmModal header={t('pages.delete.ask', { name: user.name })} action={t('pages.button.delete')} confirm={() => remove.send(undefined)} close={close} sending={remove.sending} problem={remove.problem}>
      <div>{t('pages.delete.about', { email: user.email })}</div>
      <Cuts user={user} />
      <div>{t('pages.delete.stays')}</div>
      {(may.provider || may.role === 'owner' || may.role === 'admin') && (
        <Checkbox
          checked={erase}
          onChange={(e) => setErase(e.detail.checked)}
          description={t('pages.delete.erase_about')}
        >{t('pages.delete.erase')}</Checkbox>
      )}
    </ConfirmModal>
  );
}

const most = 20; // customers whose users are read one by one

interface Cut {
  customer: string; // its name
  last: boolean; // no other user of the partner has access to it
}

/** The customers that the user has access to, and those that no user would have access to afterwards (E9). Where there are very many, only their number. */
function Cuts({ user }: { user: Schemas['User'] }) {
  const api = useApi();
  const { partner } = usePartner();
  const { customers, problem } = useAllCustomers();
  const query = useQuery({
    queryKey: keyOf(partner, 'cuts', user.id),
    enabled: customers !== undefined && customers.length <= most,
    queryFn: async ({ signal }) => {
      const there = await Promise.all(
        (customers ?? []).map(async ({ customer, everyone, user_count: n }): Promise<Cut[]> => {
          if (everyone && user.role !== 'external') return [{ customer: customer.name, last: n === 1 }];
          if (n === 0) return [];
          const users = await readPicked(api, partner, customer.id, signal);
          return users.some((u) => u.id === user.id) ? [{ customer: customer.name, last: users.length === 1 }] : [];
        }),
      );
      return there.flat();
    },
  });
  if (problem || query.error || (customers && customers.length > most)) {
    return <div>{customers ? t('pages.delete.every_of', { customers: count(customers.length, 'customer') }) : t('pages.delete.every')}</div>;
  }
  if (!query.data) return <Spinner />;
  if (query.data.length === 0) return <div>{t('pages.delete.no_customer')}</div>;
  const last = query.data.filter((c) => c.last).map((c) => c.customer);
  return (
    <SpaceBetween size="s">
      <div>{rich('pages.delete.ends_to', { customers: <strong>{names(query.data.map((c) => c.customer), most)}</strong> })}</div>
      {last.length > 0 && (
        <Alert type="warning">{t('pages.delete.last', { name: user.name, customers: names(last, most) })}</Alert>
      )}
    </SpaceBetween>
  );
}
