import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import { useCallback, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';

import { answer, useSubmit, type Schemas } from '../api';
import { t } from '../language';
import { LevelSelect } from '../parts/Level';
import { problemWords } from '../parts/problems';
import { PanelForm } from '../parts/PanelForm';
import { instantBoth, levelName, type Level } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { useKept } from '../shell/useKept';
import { useAllCustomers, useChanged, usePartner } from './queries';

interface Entered {
  email: string;
  customer: string;
  level: Level;
  days: string;
}

/** The panel that invites a person from outside the partner, to one customer whose users the partner assigns (E3). `?customer=` chooses it. */
export function Invite() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const { partner } = usePartner();
  const all = useAllCustomers();
  const [query] = useSearchParams();
  const back = query.get('customer') ?? ''; // the customer's page that led here
  const close = useCallback(() => void navigate(back ? `/partners/${partner}/customers/${back}/people` : `/partners/${partner}/invitations`), [navigate, partner, back]);
  const [{ email, customer, level, days }, edit, form] = useKept<Entered>(`invite of ${partner} ${back}`, { email: '', customer: back, level: 'view', days: '7' });
  const [tried, setTried] = useState(false);
  const invite = useSubmit(
    async (body: Schemas['InvitationCreate'], key) =>
      (await answer(api.POST('/v1/customers/{customer}/invitations', { params: { path: { customer }, header: { 'Idempotency-Key': key } }, body }))).data,
    {
      repeatable: true,
      onDone: ({ invitation: i }) => {
        flash.done(t('pages.invitation.done', { email: i.email }), t('pages.invitation.done_about', { at: instantBoth(i.expires_at) }));
        form.done();
        void changed();
        close();
      },
    },
  );
  const options = (all.customers ?? [])
    .filter((c) => c.assigned_by === 'partner' && c.status !== 'expired')
    .map((c) => ({ value: c.customer.id, label: c.customer.name, description: `${levelName(c.level)}${c.customer.domain ? ` · ${c.customer.domain}` : ''}` }));
  const at = (pointer: string): string | undefined => invite.problem?.at(pointer);
  const missing = {
    email: email.trim() ? undefined : t('pages.form.address_missing'),
    customer: customer ? undefined : t('pages.invite.customer_missing'),
    days: /^([1-9]|[12]\d|30)$/.test(days.trim()) ? undefined : t('pages.invite.days_wrong'),
  };
  const said = (words: string | undefined): string | undefined => (tried ? words : undefined);
  return (
    <PanelForm
      title={t('pages.invitation.invite')}
      close={close}
      action={t('pages.invite.action')}
      submit={() => {
        setTried(true);
        if (!Object.values(missing).some(Boolean)) invite.send({ email: email.trim(), level, days: Number(days) });
      }}
      sending={invite.sending}
      problem={invite.problem}
      shown={['/email', '/level', '/days']}
    >
      {form.guard}
      <FormField label={t('words.field.email')} description={t('pages.invite.outside')} errorText={said(missing.email) ?? at('/email')}>
        <Input value={email} onChange={(e) => edit({ email: e.detail.value })} type="email" inputMode="email" autoComplete={false} />
      </FormField>
      <FormField label={t('words.customer')} description={t('pages.invite.customer_about')} errorText={said(missing.customer)}>
        <Select
          placeholder={t('pages.invite.choose_customer')}
          selectedOption={options.find((o) => o.value === customer) ?? null}
          options={options}
          filteringType="auto"
          filteringAriaLabel={t('pages.invite.find_customer')}
          statusType={all.problem ? 'error' : all.customers ? 'finished' : 'loading'}
          loadingText={t('pages.search.looking')}
          errorText={all.problem && problemWords(all.problem)[0]}
          recoveryText={t('pages.button.try_again')}
          onLoadItems={(e) => e.detail.samePage && all.retry()}
          empty={t('pages.invite.no_customer')}
          onChange={(e) => edit({ customer: e.detail.selectedOption.value ?? '' })}
        />
      </FormField>
      <LevelSelect value={level} onChange={(l) => edit({ level: l })} error={at('/level')} />
      <FormField label={t('pages.invite.days')} constraintText={t('pages.invite.days_about')} errorText={said(missing.days) ?? at('/days')}>
        <Input value={days} onChange={(e) => edit({ days: e.detail.value })} type="number" inputMode="numeric" step={1} />
      </FormField>
    </PanelForm>
  );
}
