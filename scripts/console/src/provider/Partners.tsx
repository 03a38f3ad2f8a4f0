import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Link from '@cloudscape-design/components/link';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useCallback, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';

import { answer, etagOf, useSubmit, type Schemas } from '../api';
import { rich, t } from '../language';
import { ConfirmModal } from '../parts/ConfirmModal';
import { DataTable } from '../parts/DataTable';
import { Name } from '../parts/Name';
import { SearchField } from '../parts/SearchField';
import { levelName } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { PanelOutlet } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { PartnerName } from './PartnerName';
import { className, useChanged, usePartners } from './queries';

type Partner = Schemas['Partner'];

/** The partners, the highest level that customers can grant to each, and the kill switch. */
export function Partners() {
  const navigate = useNavigate();
  const follow = useFollow();
  const [query, setQuery] = useSearchParams();
  const [asked, setAsked] = useState<{ what: 'switch' | 'remove'; of: Partner }>();
  const q = query.get('q') ?? '';
  const pages = usePartners(q);
  const panelOf = (p: Partner): string => `/provider/partners/${p.id}${query.size > 0 ? `?${query}` : ''}`; // the search stays
  const search = useCallback((text: string) => setQuery(text ? { q: text } : {}, { replace: true }), [setQuery]);
  return (
    <>
      <DataTable
        title={t('pages.nav.partners')}
        description={t('pages.directory.partners_about')}
        actions={
          <Button variant="primary" onClick={() => void navigate('/provider/partners/new')}>{t('pages.partner.create')}</Button>
        }
        pages={pages}
        trackBy={(p) => p.id}
        empty={q ? t('pages.partners.none_found') : t('pages.directory.no_partners')}
        emptyAction={q ? <Button onClick={() => setQuery({}, { replace: true })}>{t('pages.partners.show_all')}</Button> : undefined}
        filter={<SearchField key={q ? 'filtered' : 'all'} value={q} onChange={search} placeholder={t('pages.directory.partner_word')} label={t('pages.directory.find_partners')} />}
        columns={[
          {
            id: 'name',
            header: t('words.partner'),
            isRowHeader: true,
            minWidth: 150,
            cell: (p) => (
              <>
                <Link href={panelOf(p)} onFollow={follow}>
                  <Name>{p.name}</Name>
                </Link>
                <Box variant="small" display="block" color="text-body-secondary">
                  {p.id}
                  {p.parent && (
                    <>{rich('pages.directory.below', { partner: <PartnerName id={p.parent} /> })}</>
                  )}
                </Box>
              </>
            ),
          },
          { id: 'class', header: t('words.field.class'), whole: true, minWidth: 120, cell: (p) => className(p.class) },
          { id: 'offer', header: t('words.field.offer'), whole: true, minWidth: 90, cell: (p) => levelName(p.offer) },
          { id: 'sso', header: t('words.field.sso'), minWidth: 110, cell: (p) => (p.sso ? t('pages.employees.mfa_on') : t('pages.off')) },
          { id: 'status', header: t('words.field.state'), whole: true, minWidth: 120, cell: (p) => <PartnerStatus of={p.status} /> },
          {
            id: 'actions',
            header: t('pages.column.actions'),
            minWidth: 80,
            cell: (p) => (
              <ButtonDropdown
                variant="inline-icon"
                ariaLabel={t('pages.actions_for', { name: p.name })}
                expandToViewport
                items={[
                  { id: 'edit', text: t('pages.button.edit') },
                  { id: 'employees', text: t('pages.nav.employees') },
                  { id: 'customers', text: t('pages.nav.customers') },
                  { id: 'history', text: t('pages.history.title') },
                  { id: 'switch', text: p.status === 'suspended' ? t('pages.partner.resume') : t('pages.partner.suspend') },
                  { id: 'remove', text: t('pages.button.remove') },
                ]}
                onItemClick={({ detail: { id } }) => {
                  if (id === 'edit') void navigate(panelOf(p));
                  else if (id === 'switch' || id === 'remove') setAsked({ what: id, of: p });
                  else void navigate(`/partners/${p.id}/${id}`);
                }}
              />
            ),
          },
        ]}
      />
      {asked?.what === 'switch' && <KillSwitch partner={asked.of} close={() => setAsked(undefined)} />}
      {asked?.what === 'remove' && <RemovePartner partner={asked.of} close={() => setAsked(undefined)} />}
      <PanelOutlet />
    </>
  );
}

function PartnerStatus({ of }: { of: Schemas['PartnerStatus'] }) {
  return of === 'active' ? <StatusIndicator type="success">{t('words.status.active')}</StatusIndicator> : <StatusIndicator type="stopped">{t('words.decision.suspended.short')}</StatusIndicator>;
}

/** Suspends a partner, or resumes it: at once, at all its customers. */
function KillSwitch({ partner: p, close }: { partner: Partner; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const off = p.status === 'active';
  const flip = useSubmit(
    async () =>
      (
        await answer(
          api.PATCH('/v1/partners/{partner}', { params: { path: { partner: p.id }, header: { 'If-Match': etagOf(p) } }, body: { status: off ? 'suspended' : 'active' } }),
        )
      ).data,
    {
      onDone: () => {
        flash.done(off ? t('pages.partner.suspended', { name: p.name }) : t('pages.partner.resumed', { name: p.name }), off ? t('pages.partner.no_access') : t('pages.partner.access_again'));
        close();
        void changed();
      },
    },
  );
  return (
    <ConfirmModal
      header={off ? t('pages.partner.ask_suspend', { name: p.name }) : t('pages.partner.ask_resume', { name: p.name })}
      action={off ? t('pages.partner.suspend') : t('pages.partner.resume')}
      confirm={() => flip.send(undefined)}
      close={close}
      sending={flip.sending}
      problem={flip.problem}
    >
      {off ? (
        <>
          <div>{rich('pages.partner.suspend_about', { nobody: <strong>{t('pages.partner.nobody')}</strong> })}</div>
          <div>{t('pages.partner.nothing_deleted')}</div>
        </>
      ) : (
        <div>{t('pages.partner.resume_about')}</div>
      )}
    </ConfirmModal>
  );
}

/** Removes a partner for good. */
function RemovePartner({ partner: p, close }: { partner: Partner; close: () => void }) {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const remove = useSubmit(
    async () => {
      await answer(api.DELETE('/v1/partners/{partner}', { params: { path: { partner: p.id } } }));
    },
    {
      onDone: () => {
        flash.done(t('pages.directory.removed', { name: p.name }), t('pages.partner.no_access'));
        close();
        void changed();
      },
    },
  );
  return (
    <ConfirmModal header={t('pages.ask.remove', { name: p.name })} action={t('pages.button.remove')} confirm={() => remove.send(undefined)} close={close} sending={remove.sending} problem={remove.problem}>
      <div>{rich('pages.partner.remove_about', { nobody: <strong>{t('pages.partner.nobody_more')}</strong> })}</div>
      <div>{rich('pages.partner.remove_forever', { id: <strong>{p.id}</strong> })}</div>
    </ConfirmModal>
  );
}
