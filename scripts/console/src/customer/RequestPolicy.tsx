import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { useNavigate } from 'react-router';

import { answer, asProblem, etagOf, readAll, useSubmit, type Schemas } from '../api';
import { t } from '../language';
import { PanelForm } from '../parts/PanelForm';
import { PeopleSelect } from '../parts/PeopleSelect';
import { ProblemAlert } from '../parts/ProblemAlert';
import { instantBoth } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { Panel } from '../shell/Panel';
import { useKept } from '../shell/useKept';
import { keyOf, useChanged, useCustomer } from './queries';

type Mode = Schemas['RequestMode'];

const modes: readonly Mode[] = ['code', 'known', 'open', 'off'];

/** The panel that says which partners may ask, and who decides; with the code to hand out. */
export function RequestPolicy() {
  const api = useApi();
  const navigate = useNavigate();
  const { customer } = useCustomer();
  const close = useCallback(() => void navigate(`/customers/${customer}/requests`), [navigate, customer]);
  const query = useQuery({
    queryKey: keyOf(customer, 'request-policy'),
    queryFn: ({ signal }) => answer(api.GET('/v1/customers/{customer}/request-policy', { params: { path: { customer } }, signal })),
  });
  if (query.data) return <PolicyForm key={query.data.etag} policy={query.data.data} etag={query.data.etag} close={close} />;
  return (
    <Panel title={t('pages.requests.who_may')} close={close}>
      {query.error ? <ProblemAlert problem={asProblem(query.error)} retry={() => void query.refetch()} /> : <Spinner />}
    </Panel>
  );
}

interface Entered {
  mode: Mode;
  approvers: readonly string[];
  approvals: string;
  hours: string;
  days: string;
  why: boolean;
}

function PolicyForm({ policy, etag, close }: { policy: Schemas['RequestPolicy']; etag: string; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { customer, admin } = useCustomer();
  const [seen, setSeen] = useState(etag); // a new code is a new version
  const [{ mode, approvers, approvals, hours, days, why }, edit, form] = useKept<Entered>(`policy ${customer}`, {
    mode: policy.mode,
    approvers: policy.approvers,
    approvals: String(policy.approvals),
    hours: String(policy.hours),
    days: policy.max_days === null ? '' : String(policy.max_days),
    why: policy.reason_required,
  });
  const admins = useAdmins();
  const save = useSubmit(
    async (body: Schemas['RequestPolicyWrite']) =>
      (await answer(api.PUT('/v1/customers/{customer}/request-policy', { params: { path: { customer }, header: { 'If-Match': seen } }, body }))).data,
    {
      onDone: () => {
        flash.done(t('pages.policy.saved'), t('pages.policy.saved_about'));
        form.done();
        void changed();
        close();
      },
    },
  );
  return (
    <PanelForm
      title={t('pages.requests.who_may')}
      close={close}
      action={t('pages.button.save')}
      sending={save.sending}
      disabledReason={admin ? undefined : t('pages.policy.only_admins')}
      problem={save.problem}
      shown={['/approvers', '/approvals', '/hours', '/max_days']}
      submit={() =>
        save.send({ mode, approvers: [...approvers], approvals: Number(approvals), hours: Number(hours), max_days: days.trim() ? Number(days) : null, reason_required: why })
      }
    >
      {form.guard}
      <FormField label={t('pages.policy.who_may')}>
        <RadioGroup value={mode} onChange={(e) => edit({ mode: e.detail.value as Mode })} items={modes.map((m) => ({ value: m, label: t(`pages.policy.mode_${m}`), description: t(`pages.policy.mode_${m}_about`) }))} />
      </FormField>
      {mode === 'code' && <Code made={policy.code_made_at} admin={admin} onMade={(p) => setSeen(etagOf(p))} />}
      <PeopleSelect
        label={t('pages.policy.who_decides')}
        description={t('pages.policy.who_decides_about')}
        people={admins}
        value={approvers}
        onChange={(keys) => edit({ approvers: keys })}
        placeholder={t('pages.policy.all_admins')}
        error={save.problem?.at('/approvers')}
      />
      <FormField label={t('pages.policy.approvals')} description={t('pages.policy.approvals_about')} errorText={save.problem?.at('/approvals')}>
        <Select
          selectedOption={{ value: approvals, label: approvals }}
          options={['1', '2', '3'].map((n) => ({ value: n, label: n }))}
          onChange={(e) => edit({ approvals: e.detail.selectedOption.value ?? '1' })}
        />
      </FormField>
      <FormField label={t('pages.policy.hours')} errorText={save.problem?.at('/hours')}>
        <Input value={hours} onChange={(e) => edit({ hours: e.detail.value })} type="number" inputMode="numeric" step={1} />
      </FormField>
      <FormField label={t('pages.policy.days')} description={t('pages.policy.days_about')} errorText={save.problem?.at('/max_days')}>
        <Input value={days} onChange={(e) => edit({ days: e.detail.value })} type="number" inputMode="numeric" step={1} />
      </FormField>
      <Checkbox checked={why} onChange={(e) => edit({ why: e.detail.checked })}>{t('pages.policy.reason')}</Checkbox>
    </PanelForm>
  );
}

/** The customer's admins: who may be named to decide. */
function useAdmins(): { key: string; name: string; about: string }[] {
  const api = useApi();
  const { customer } = useCustomer();
  const query = useQuery({
    queryKey: keyOf(customer, 'members'),
    queryFn: ({ signal }) =>
      readAll(async (cursor) => (await answer(api.GET('/v1/customers/{customer}/members', { params: { path: { customer }, query: { limit: 100, cursor } }, signal }))).data),
  });
  return (query.data ?? []).filter((m) => m.role === 'admin').map((m) => ({ key: m.email, name: m.name, about: m.email }));
}

/** The code to hand out. It is shown once, when it is made. */
function Code({ made, admin, onMade }: { made: string | null; admin: boolean; onMade: (policy: Schemas['RequestPolicy']) => void }) {
  const api = useApi();
  const { customer } = useCustomer();
  const make = useSubmit(async () => (await answer(api.POST('/v1/customers/{customer}/request-policy/code', { params: { path: { customer } } }))).data, {
    onDone: ({ policy }) => onMade(policy),
  });
  return (
    <SpaceBetween size="s">
      {make.output ? (
        <Alert type="success" header={t('pages.policy.code')}>
          <Box variant="code" fontSize="heading-l">
            {make.output.code}
          </Box>
          <div>{t('pages.policy.code_about')}</div>
        </Alert>
      ) : (
        <Box color="text-body-secondary">{made ? t('pages.policy.code_made', { at: instantBoth(made) }) : t('pages.policy.no_code')}</Box>
      )}
      {admin && (
        <Button formAction="none" loading={make.sending} onClick={() => make.send(undefined)}>
          {made || make.output ? t('pages.policy.another_code') : t('pages.policy.make_code')}
        </Button>
      )}
      {make.problem && <ProblemAlert problem={make.problem} />}
    </SpaceBetween>
  );
}
