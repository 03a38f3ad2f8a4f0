import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useCallback, useState } from 'react';
import { useNavigate } from 'react-router';

import { answer, useSubmit, type Schemas } from '../api';
import { LevelSelect } from '../parts/Level';
import { LocalDateTime } from '../parts/LocalDateTime';
import { PartnerSelect, type PartnerChoice } from '../parts/PartnerSelect';
import { ProblemAlert } from '../parts/ProblemAlert';
import { instantBoth, type Level } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { Panel } from '../shell/Panel';
import { useChanged, useCustomer, useManagement } from './queries';

const fields = ['/email', '/partner', '/level', '/until', '/days'];

/** The panel that invites a person by e-mail. */
export function Invite() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const navigate = useNavigate();
  const { customer } = useCustomer();
  const close = useCallback(() => void navigate(`/customers/${customer}/invitations`), [navigate, customer]);
  const [email, setEmail] = useState('');
  const [partner, setPartner] = useState<PartnerChoice>();
  const [level, setLevel] = useState<Level>('view');
  const [until, setUntil] = useState<string | null | undefined>(null); // null: no end of its own; undefined: not complete yet
  const [days, setDays] = useState('7');
  const [tried, setTried] = useState(false);
  const invite = useSubmit(
    async (body: Schemas['InvitationCreate'], key) =>
      (await answer(api.POST('/v1/customers/{customer}/invitations', { params: { path: { customer }, header: { 'Idempotency-Key': key } }, body }))).data,
    {
      repeatable: true,
      onDone: ({ invitation: i }) => {
        flash.done(`${i.email} is invited`, `A mail with a link is on its way. It can be accepted until ${instantBoth(i.expires_at)}.`);
        void changed();
        close();
      },
    },
  );
  const at = (pointer: string): string | undefined => invite.problem?.at(pointer);
  const missing = {
    email: email.trim() ? undefined : 'Enter an address.',
    partner: partner ? undefined : 'Choose an organisation.',
    until: until === undefined ? 'Choose a day and a time.' : undefined,
    days: /^([1-9]|[12]\d|30)$/.test(days.trim()) ? undefined : 'Enter a number from 1 to 30.',
  };
  const said = (words: string | undefined): string | undefined => (tried ? words : undefined);
  const { words } = useManagement();
  if (words) {
    return (
      <Panel title="Invite a person" close={close}>
        <Alert type="info">{words}</Alert>
      </Panel>
    );
  }
  return (
    <Panel title="Invite a person" close={close}>
      <form
        aria-label="Invite a person"
        onSubmit={(e) => {
          e.preventDefault();
          setTried(true);
          if (Object.values(missing).some(Boolean)) return;
          invite.send({ email: email.trim(), partner: partner?.id, level, ...(until ? { until } : {}), days: Number(days) });
        }}
      >
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button formAction="none" variant="link" onClick={close}>
                Cancel
              </Button>
              <Button variant="primary" loading={invite.sending}>
                Invite
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            <FormField label="E-mail address" description="Of a person who has no account yet." errorText={said(missing.email) ?? at('/email')}>
              <Input value={email} onChange={(e) => setEmail(e.detail.value)} type="email" inputMode="email" autoComplete={false} />
            </FormField>
            <PartnerSelect value={partner} onChange={setPartner} error={said(missing.partner) ?? at('/partner')} description="The person becomes its external user, with access to your data alone. Type the beginning of any word of its name." />
            <LevelSelect value={level} onChange={setLevel} error={at('/level')} />
            <FormField label="Access ends" errorText={until === null ? at('/until') : undefined}>
              <RadioGroup
                value={until === null ? 'never' : 'at'}
                onChange={(e) => setUntil(e.detail.value === 'never' ? null : undefined)}
                items={[
                  { value: 'never', label: 'With the partner’s access' },
                  { value: 'at', label: 'On a day' },
                ]}
              />
            </FormField>
            {until !== null && <LocalDateTime label="Until" value={until ?? null} onChange={(t) => setUntil(t ?? undefined)} error={said(missing.until) ?? at('/until')} />}
            <FormField label="Days to accept" constraintText="From 1 to 30." errorText={said(missing.days) ?? at('/days')}>
              <Input value={days} onChange={(e) => setDays(e.detail.value)} type="number" inputMode="numeric" step={1} />
            </FormField>
            {invite.problem && <ProblemAlert problem={invite.problem} shown={fields} />}
          </SpaceBetween>
        </Form>
      </form>
    </Panel>
  );
}
