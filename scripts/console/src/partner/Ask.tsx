import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Textarea from '@cloudscape-design/components/textarea';
import { useCallback, useState } from 'react';
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
import { useAllCustomers, useChanged, usePartner, useUsers } from './queries';

type Kind = Schemas['RequestKind'];

const kinds: readonly Kind[] = ['access', 'raise', 'extend'];

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
  const [customer, setCustomer] = useState(query.get('customer') ?? '');
  const [code, setCode] = useState('');
  const [kind, setKind] = useState<Kind>(asked && kinds.includes(asked) ? asked : 'access');
  const [level, setLevel] = useState<Level>('view');
  const [everyone, setEveryone] = useState(false);
  const [users, setUsers] = useState<string[]>([]);
  const [until, setUntil] = useState<string | null>(null);
  const [reason, setReason] = useState('');
  const [ticket, setTicket] = useState('');
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
      <FormField label={t('pages.ask.customer')} errorText={at('/customer')}>
        <Input value={customer} onChange={(e) => setCustomer(e.detail.value)} autoComplete={false} />
      </FormField>
      {!open && (
        <FormField label={t('pages.ask.code')} description={t('pages.ask.code_about')} errorText={at('/code')}>
          <Input value={code} onChange={(e) => setCode(e.detail.value)} autoComplete={false} />
        </FormField>
      )}
      <FormField label={t('pages.ask.what')} errorText={at('/kind')}>
        <RadioGroup value={kind} onChange={(e) => setKind(e.detail.value as Kind)} items={kinds.filter((k) => may.lead || k !== 'extend').map((k) => ({ value: k, label: t(`words.request_kind.${k}`) }))} />
      </FormField>
      {(fresh || kind === 'raise') && <LevelSelect value={level} onChange={setLevel} error={at('/level')} />}
      {kind === 'access' && may.lead && (
        <RadioGroup
          ariaLabel={t('pages.ask.who_gets')}
          value={everyone ? 'everyone' : 'some'}
          onChange={(e) => setEveryone(e.detail.value === 'everyone')}
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
          onChange={setUsers}
          placeholder={t('pages.ask.choose')}
          error={at('/users')}
        />
      )}
      {(kind === 'extend' || fresh) && <LocalDateTime label={t('pages.period.until')} value={until} onChange={setUntil} error={at('/until')} />}
      <FormField label={t('pages.request.reason')} errorText={at('/reason')}>
        <Textarea value={reason} onChange={(e) => setReason(e.detail.value)} rows={3} />
      </FormField>
      <FormField label={t('pages.request.ticket')} errorText={at('/ticket')}>
        <Input value={ticket} onChange={(e) => setTicket(e.detail.value)} autoComplete={false} />
      </FormField>
    </PanelForm>
  );
}
