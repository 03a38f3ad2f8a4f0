import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Textarea from '@cloudscape-design/components/textarea';
import { useCallback } from 'react';
import { useNavigate, useSearchParams } from 'react-router';

import { answer, useSubmit, type Schemas } from '../api';
import { t } from '../language';
import { LevelSelect } from '../parts/Level';
import { LocalDateTime } from '../parts/LocalDateTime';
import { PanelForm } from '../parts/PanelForm';
import { PeopleSelect } from '../parts/PeopleSelect';
import type { Level } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { useKept } from '../shell/useKept';
import { useAllCustomers, useChanged, usePartner, useUsers } from './queries';

type Kind = Schemas['RequestKind'];

const kinds: readonly Kind[] = ['access', 'raise', 'extend'];

interface Entered {
  customer: string;
  code: string;
  kind: Kind;
  level: Level;
  everyone: boolean;
  users: string[];
  until: string | null;
  reason: string;
  ticket: string;
}

const fields = ['/customer', '/code', '/kind', '/level', '/users', '/until', '/reason', '/ticket'];

/** The panel that asks a customer: of a customer's row, of a denial's link, or with nothing but the code that the customer has handed out. */
export function Ask() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const { partner, may } = usePartner();
  const { customers } = useAllCustomers();
  const [query] = useSearchParams();
  const asked = query.get('ask') as Kind | null;
  const [entered, edit, form] = useKept<Entered>(`ask ${query.toString()}`, {
    customer: query.get('customer') ?? '',
    code: '',
    kind: asked && kinds.includes(asked) ? asked : 'access',
    level: 'view',
    everyone: false,
    users: [],
    until: null,
    reason: '',
    ticket: '',
  });
  const { customer, code, kind, level, everyone, users, until, reason, ticket } = entered;
  const colleagues = useUsers('', 100);
  const close = useCallback(() => void navigate(`/partners/${partner}/requests`), [navigate, partner]);
  const known = customers?.find((c) => c.customer.id === customer.trim());
  const open = known !== undefined && known.status !== 'ended' && known.status !== 'expired';
  const fresh = kind === 'access' && !open; // a new grant, with terms of its own
  const ask = useSubmit(
    async (body: Schemas['RequestCreate'], key) =>
      (await answer(api.POST('/v1/partners/{partner}/requests', { params: { path: { partner }, header: { 'Idempotency-Key': key } }, body }))).data,
    {
      repeatable: true,
      onDone: ({ request: r }) => {
        flash.done(t('pages.ask.done', { customer: known?.customer.name ?? r.customer }), t('pages.ask.done_about'));
        form.done();
        void changed();
        close();
      },
    },
  );
  const at = (pointer: string): string | undefined => ask.problem?.at(pointer);
  return (
    <PanelForm
      title={t('pages.ask.title')}
      close={close}
      action={t('pages.ask.action')}
      sending={ask.sending}
      problem={ask.problem}
      shown={fields}
      submit={() =>
        ask.send({
          customer: customer.trim(),
          kind,
          ...(code.trim() ? { code: code.trim() } : {}),
          ...(fresh || kind === 'raise' ? { level } : {}),
          ...(kind === 'access' && may.lead ? (everyone ? { everyone } : { users }) : {}),
          ...(kind === 'extend' || (fresh && until) ? { until } : {}),
          ...(reason.trim() ? { reason: reason.trim() } : {}),
          ...(ticket.trim() ? { ticket: ticket.trim() } : {}),
        })
      }
    >
      {form.guard}
      <FormField label={t('pages.ask.customer')} errorText={at('/customer')}>
        <Input value={customer} onChange={(e) => edit({ customer: e.detail.value })} autoComplete={false} />
      </FormField>
      {!open && (
        <FormField label={t('pages.ask.code')} description={t('pages.ask.code_about')} errorText={at('/code')}>
          <Input value={code} onChange={(e) => edit({ code: e.detail.value })} autoComplete={false} />
        </FormField>
      )}
      <FormField label={t('pages.ask.what')} errorText={at('/kind')}>
        <RadioGroup value={kind} onChange={(e) => edit({ kind: e.detail.value as Kind })} items={kinds.filter((k) => may.lead || k !== 'extend').map((k) => ({ value: k, label: t(`words.request_kind.${k}`) }))} />
      </FormField>
      {(fresh || kind === 'raise') && <LevelSelect value={level} onChange={(level) => edit({ level })} error={at('/level')} />}
      {kind === 'access' && may.lead && (
        <RadioGroup
          ariaLabel={t('pages.ask.who_gets')}
          value={everyone ? 'everyone' : 'some'}
          onChange={(e) => edit({ everyone: e.detail.value === 'everyone' })}
          items={[
            { value: 'some', label: t('pages.ask.chosen') },
            { value: 'everyone', label: t('pages.assigned.everyone'), description: t('pages.ask.everyone_about') },
          ]}
        />
      )}
      {kind === 'access' && may.lead && !everyone && (
        <PeopleSelect
          label={t('pages.users.title')}
          description={t('pages.ask.who')}
          people={colleagues.all.filter((u) => u.status === 'active').map((u) => ({ key: u.id, name: u.name, about: u.email }))}
          value={users}
          onChange={(users) => edit({ users })}
          placeholder={t('pages.ask.choose')}
          error={at('/users')}
        />
      )}
      {(kind === 'extend' || fresh) && <LocalDateTime label={t('pages.period.until')} value={until} onChange={(until) => edit({ until })} error={at('/until')} />}
      <FormField label={t('pages.request.reason')} errorText={at('/reason')}>
        <Textarea value={reason} onChange={(e) => edit({ reason: e.detail.value })} rows={3} />
      </FormField>
      <FormField label={t('pages.request.ticket')} errorText={at('/ticket')}>
        <Input value={ticket} onChange={(e) => edit({ ticket: e.detail.value })} autoComplete={false} />
      </FormField>
    </PanelForm>
  );
}
