import Alert from '@cloudscape-design/components/alert';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import { useCallback, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';

import { answer, useSubmit, type Schemas } from '../api';
import { t } from '../language';
import { LevelSelect } from '../parts/Level';
import { LocalDateTime } from '../parts/LocalDateTime';
import { PanelForm } from '../parts/PanelForm';
import { PartnerSelect, type PartnerChoice } from '../parts/PartnerSelect';
import { instantBoth, type Level } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { Panel } from '../shell/Panel';
import { useKept } from '../shell/useKept';
import { useChanged, useCustomer, useManagement, useOffer } from './queries';

const fields = ['/email', '/partner', '/level', '/until', '/days'];

interface Entered {
  email: string;
  partner: PartnerChoice | undefined;
  level: Level;
  until: string | null | undefined; // null: no end of its own; undefined: not complete yet
  days: string;
}

const nothing: Entered = { email: '', partner: undefined, level: 'view', until: null, days: '7' };

/** What the address asks for: whom somebody wanted to add who has no account, and with what. */
const begun = (params: URLSearchParams): Entered => ({
  ...nothing,
  email: params.get('email') ?? '',
  level: (['support', 'manage'] as const).find((l) => l === params.get('level')) ?? 'view',
  until: params.get('until'),
});

/** The panel that invites a person by e-mail. */
export function Invite() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const { customer } = useCustomer();
  const close = useCallback(() => void navigate(`/customers/${customer}/invitations`), [navigate, customer]);
  const [params] = useSearchParams();
  const [entered, edit, form] = useKept<Entered>(`invite ${customer}`, nothing, begun(params));
  const { email, partner, level, until, days } = entered;
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
  const at = (pointer: string): string | undefined => invite.problem?.at(pointer);
  const missing = {
    email: email.trim() ? undefined : t('pages.form.address_missing'),
    partner: partner ? undefined : t('pages.invite.partner_missing'),
    until: until === undefined ? t('pages.period.incomplete') : undefined,
    days: /^([1-9]|[12]\d|30)$/.test(days.trim()) ? undefined : t('pages.invite.days_wrong'),
  };
  const said = (words: string | undefined): string | undefined => (tried ? words : undefined);
  const { words } = useManagement();
  const offer = useOffer(partner?.id, false);
  if (words) {
    return (
      <Panel title={t('pages.invitation.invite')} close={close}>
        <Alert type="info">{words}</Alert>
      </Panel>
    );
  }
  return (
    <PanelForm
      title={t('pages.invitation.invite')}
      close={close}
      action={t('pages.invite.action')}
      submit={() => {
        setTried(true);
        if (Object.values(missing).some(Boolean)) return;
        invite.send({ email: email.trim(), partner: partner?.id, level, ...(until ? { until } : {}), days: Number(days) });
      }}
      sending={invite.sending}
      problem={invite.problem}
      shown={fields}
    >
      {form.guard}
      <FormField label={t('words.field.email')} description={t('pages.invite.email_about')} errorText={said(missing.email) ?? at('/email')}>
        <Input value={email} onChange={(e) => edit({ email: e.detail.value })} type="email" inputMode="email" autoComplete={false} />
      </FormField>
      <PartnerSelect value={partner} onChange={(p) => edit({ partner: p })} error={said(missing.partner) ?? at('/partner')} description={t('pages.invite.partner_about')} />
      <LevelSelect value={level} onChange={(l) => edit({ level: l })} offer={offer} error={at('/level')} />
      <FormField label={t('pages.invite.ends')} errorText={until === null ? at('/until') : undefined}>
        <RadioGroup
          value={until === null ? 'never' : 'at'}
          onChange={(e) => edit({ until: e.detail.value === 'never' ? null : undefined })}
          items={[
            { value: 'never', label: t('pages.invite.with_partner') },
            { value: 'at', label: t('pages.period.on_a_day') },
          ]}
        />
      </FormField>
      {until !== null && <LocalDateTime label={t('pages.period.until')} value={until ?? null} onChange={(at) => edit({ until: at ?? undefined })} error={said(missing.until) ?? at('/until')} />}
      <FormField label={t('pages.invite.days')} constraintText={t('pages.invite.days_about')} errorText={said(missing.days) ?? at('/days')}>
        <Input value={days} onChange={(e) => edit({ days: e.detail.value })} type="number" inputMode="numeric" step={1} />
      </FormField>
    </PanelForm>
  );
}
