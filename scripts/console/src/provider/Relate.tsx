import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Toggle from '@cloudscape-design/components/toggle';
import { useCallback, useState } from 'react';
import { useNavigate, useParams } from 'react-router';

import { answer, useSubmit, type Answer, type Schemas } from '../api';
import { PanelForm } from '../parts/PanelForm';
import { PartnerSelect, type PartnerChoice } from '../parts/PartnerSelect';
import { levelName } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { useChanged } from './queries';

function useBack(): { customer: string; close: () => void } {
  const navigate = useNavigate();
  const { customer = '' } = useParams();
  return { customer, close: useCallback(() => void navigate(`/provider/customers/${customer}`), [navigate, customer]) };
}

/** What the request did: the level that is open, and whether the relationship is new. */
function outcome({ status, data: { grant, changes } }: Answer<Schemas['GrantChange']>): string {
  if (status !== 201 && changes.fields.length === 0) return 'The relationship already existed. Nothing has changed.';
  const level = `Level: ${levelName(grant.level)}${grant.effective_level === grant.level ? '' : ` (${levelName(grant.effective_level)} in effect)`}.`;
  return status === 201 ? `The relationship is new. ${level}` : level;
}

/** The panel that establishes a relationship of a partner and a customer (W7). */
export function EstablishRelationship() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { customer, close } = useBack();
  const [partner, setPartner] = useState<PartnerChoice>();
  const [everyone, setEveryone] = useState(false);
  const [tried, setTried] = useState(false);
  const put = useSubmit(
    (of: PartnerChoice) =>
      answer(api.PUT('/v1/customers/{customer}/relationships/{partner}', { params: { path: { customer, partner: of.id } }, body: everyone ? { everyone } : {} })),
    {
      repeatable: true,
      onDone: (change) => {
        const { partner: p, customer: c } = change.data.grant;
        flash.done(`${p.name} has a relationship with ${c.name}`, outcome(change));
        void changed();
        close();
      },
    },
  );
  return (
    <PanelForm
      title="Establish relationship"
      close={close}
      action="Establish"
      submit={() => {
        setTried(true);
        if (partner) put.send(partner);
      }}
      sending={put.sending}
      problem={put.problem}
      shown={['/partner', '/everyone']}
    >
      <Box>
        Grants the level Support if the partner&apos;s offer allows it, otherwise no access. The partner assigns its users; the customer can edit or
        revoke it at any time.
      </Box>
      <PartnerSelect value={partner} onChange={setPartner} label="Partner" error={(tried && !partner ? 'Choose a partner.' : undefined) ?? put.problem?.at('/partner')} />
      <Toggle checked={everyone} onChange={(e) => setEveryone(e.detail.checked)} description="All present and future users of the partner, except external ones.">
        Everyone of the partner
      </Toggle>
      {!everyone && <NoUserYet of={partner} />}
    </PanelForm>
  );
}

/** Warns that a new relationship has no user: the partner assigns the first one (E9). */
function NoUserYet({ of }: { of: PartnerChoice | undefined }) {
  const name = of?.name ?? 'the partner';
  return <Alert type="warning">Nobody has access until {name} assigns its first user. It gets a mail that says so.</Alert>;
}

/** The panel that sets the partner that manages a customer (A2, A15). */
export function ManagingPartner() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { customer, close } = useBack();
  const [partner, setPartner] = useState<PartnerChoice>();
  const [tried, setTried] = useState(false);
  const put = useSubmit(
    (of: PartnerChoice) => answer(api.PUT('/v1/customers/{customer}/managing-partner', { params: { path: { customer } }, body: { partner: of.id } })),
    {
      repeatable: true,
      onDone: (change) => {
        const { partner: p, customer: c } = change.data.grant;
        flash.done(`${p.name} manages ${c.name}`, outcome(change));
        void changed();
        close();
      },
    },
  );
  return (
    <PanelForm
      title="Set managing partner"
      close={close}
      action="Set"
      submit={() => {
        setTried(true);
        if (partner) put.send(partner);
      }}
      sending={put.sending}
      problem={put.problem}
      shown={['/partner']}
    >
      <Box>
        The partner always has access, with the level Manage: the customer can neither edit nor revoke it, only you can end it. A managed customer has exactly one partner.
      </Box>
      <NoUserYet of={partner} />
      <PartnerSelect value={partner} onChange={setPartner} label="Partner" error={(tried && !partner ? 'Choose a partner.' : undefined) ?? put.problem?.at('/partner')} />
    </PanelForm>
  );
}
