import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Toggle from '@cloudscape-design/components/toggle';
import { useCallback, useState } from 'react';
import { useNavigate, useParams } from 'react-router';

import { answer, useSubmit, type Answer, type Schemas } from '../api';
import { t } from '../language';
import { PanelForm } from '../parts/PanelForm';
import { PartnerSelect, type PartnerChoice } from '../parts/PartnerSelect';
import { levelName } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { useKept } from '../shell/useKept';
import { useChanged } from './queries';

function useBack(): { customer: string; close: () => void } {
  const navigate = useNavigate();
  const { customer = '' } = useParams();
  return { customer, close: useCallback(() => void navigate(`/provider/customers/${customer}`), [navigate, customer]) };
}

/** What the request did: the level that is open, and whether the relationship is new. */
function outcome({ status, data: { grant, changes } }: Answer<Schemas['GrantChange']>): string {
  if (status !== 201 && changes.fields.length === 0) return t('pages.relationship.nothing');
  const level =
    grant.effective_level === grant.level
      ? t('words.change.level', { level: levelName(grant.level) })
      : t('pages.relationship.level_lower', { level: levelName(grant.level), effective: levelName(grant.effective_level) });
  return status === 201 ? t('pages.relationship.new', { level }) : level;
}

/** The panel that establishes a relationship of a partner and a customer (W7). */
export function EstablishRelationship() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { customer, close } = useBack();
  const [{ partner, everyone }, edit, form] = useKept<{ partner: PartnerChoice | undefined; everyone: boolean }>(`relationship ${customer}`, { partner: undefined, everyone: false });
  const [tried, setTried] = useState(false);
  const put = useSubmit(
    (of: PartnerChoice) =>
      answer(api.PUT('/v1/customers/{customer}/relationships/{partner}', { params: { path: { customer, partner: of.id } }, body: everyone ? { everyone } : {} })),
    {
      repeatable: true,
      onDone: (change) => {
        const { partner: p, customer: c } = change.data.grant;
        flash.done(t('pages.relationship.done', { partner: p.name, customer: c.name }), outcome(change));
        form.done();
        void changed();
        close();
      },
    },
  );
  return (
    <PanelForm
      title={t('pages.relationship.establish')}
      close={close}
      action={t('pages.relationship.action')}
      submit={() => {
        setTried(true);
        if (partner) put.send(partner);
      }}
      sending={put.sending}
      problem={put.problem}
      shown={['/partner', '/everyone']}
    >
      {form.guard}
      <Box>{t('pages.relationship.establish_about')}</Box>
      <PartnerSelect value={partner} onChange={(p) => edit({ partner: p })} label={t('words.partner')} error={(tried && !partner ? t('pages.relationship.partner_missing') : undefined) ?? put.problem?.at('/partner')} />
      <Toggle checked={everyone} onChange={(e) => edit({ everyone: e.detail.checked })} description={t('pages.relationship.everyone_about')}>
        {t('pages.relationship.everyone')}
      </Toggle>
      {!everyone && <NoUserYet of={partner} />}
    </PanelForm>
  );
}

/** Warns that a new relationship has no user: the partner assigns the first one (E9). */
function NoUserYet({ of }: { of: PartnerChoice | undefined }) {
  const name = of?.name ?? t('words.by.partner');
  return <Alert type="warning">{t('pages.relationship.no_user_yet', { name })}</Alert>;
}

/** The panel that sets the partner that manages a customer (A2, A15). */
export function ManagingPartner() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { customer, close } = useBack();
  const [{ partner }, edit, form] = useKept<{ partner: PartnerChoice | undefined }>(`managing partner ${customer}`, { partner: undefined });
  const [tried, setTried] = useState(false);
  const put = useSubmit(
    (of: PartnerChoice) => answer(api.PUT('/v1/customers/{customer}/managing-partner', { params: { path: { customer } }, body: { partner: of.id } })),
    {
      repeatable: true,
      onDone: (change) => {
        const { partner: p, customer: c } = change.data.grant;
        flash.done(t('pages.relationship.manages_now', { partner: p.name, customer: c.name }), outcome(change));
        form.done();
        void changed();
        close();
      },
    },
  );
  return (
    <PanelForm
      title={t('pages.relationship.set_managing')}
      close={close}
      action={t('pages.clock.apply')}
      submit={() => {
        setTried(true);
        if (partner) put.send(partner);
      }}
      sending={put.sending}
      problem={put.problem}
      shown={['/partner']}
    >
      {form.guard}
      <Box>{t('pages.relationship.managing_about')}</Box>
      <NoUserYet of={partner} />
      <PartnerSelect value={partner} onChange={(p) => edit({ partner: p })} label={t('words.partner')} error={(tried && !partner ? t('pages.relationship.partner_missing') : undefined) ?? put.problem?.at('/partner')} />
    </PanelForm>
  );
}
