import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Link from '@cloudscape-design/components/link';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useCallback, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';

import { answer, etagOf, useSubmit, type Schemas } from '../api';
import { ConfirmModal } from '../parts/ConfirmModal';
import { DataTable } from '../parts/DataTable';
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
        title="Partners"
        description="The partners that customers can grant access to, each up to its offer."
        actions={
          <Button variant="primary" onClick={() => void navigate('/provider/partners/new')}>
            Create partner
          </Button>
        }
        pages={pages}
        trackBy={(p) => p.id}
        empty={q ? 'No partner matches this search.' : 'There are no partners yet.'}
        emptyAction={q ? <Button onClick={() => setQuery({}, { replace: true })}>Show all partners</Button> : undefined}
        filter={<SearchField key={q ? 'filtered' : 'all'} value={q} onChange={search} placeholder="Find by a word of the name, or the id" label="Find partners" />}
        columns={[
          {
            id: 'name',
            header: 'Partner',
            isRowHeader: true,
            minWidth: 150,
            cell: (p) => (
              <>
                <Link href={panelOf(p)} onFollow={follow}>
                  {p.name}
                </Link>
                <Box variant="small" display="block" color="text-body-secondary">
                  {p.id}
                  {p.parent && (
                    <>
                      , below <PartnerName id={p.parent} />
                    </>
                  )}
                </Box>
              </>
            ),
          },
          { id: 'class', header: 'Class', minWidth: 120, cell: (p) => className(p.class) },
          { id: 'offer', header: 'Offer', minWidth: 90, cell: (p) => levelName(p.offer) },
          { id: 'sso', header: 'Single sign-on', minWidth: 110, cell: (p) => (p.sso ? 'On' : 'Off') },
          { id: 'status', header: 'Status', whole: true, minWidth: 120, cell: (p) => <PartnerStatus of={p.status} /> },
          {
            id: 'actions',
            header: 'Actions',
            minWidth: 80,
            cell: (p) => (
              <ButtonDropdown
                variant="inline-icon"
                ariaLabel={`Actions for ${p.name}`}
                expandToViewport
                items={[
                  { id: 'edit', text: 'Edit' },
                  { id: 'employees', text: 'Employees' },
                  { id: 'customers', text: 'Customers' },
                  { id: 'history', text: 'History' },
                  { id: 'switch', text: p.status === 'suspended' ? 'Resume' : 'Suspend' },
                  { id: 'remove', text: 'Remove' },
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
  return of === 'active' ? <StatusIndicator type="success">Active</StatusIndicator> : <StatusIndicator type="stopped">Suspended</StatusIndicator>;
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
        flash.done(`${p.name} is ${off ? 'suspended' : 'resumed'}`, off ? 'None of its users has access to any customer.' : 'Its users have access again wherever customers have granted it.');
        close();
        void changed();
      },
    },
  );
  return (
    <ConfirmModal
      header={off ? `Suspend ${p.name}?` : `Resume ${p.name}?`}
      action={off ? 'Suspend' : 'Resume'}
      confirm={() => flip.send(undefined)}
      close={close}
      sending={flip.sending}
      problem={flip.problem}
    >
      {off ? (
        <>
          <div>
            <strong>None of its users has access to any customer</strong>, and no customer can grant it access, until you resume it. Its customers get a mail.
          </div>
          <div>Nothing is deleted: when you resume it, the access that customers granted is in effect again.</div>
        </>
      ) : (
        <div>Its users have access again wherever customers have granted it, except where a period has ended meanwhile.</div>
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
        flash.done(`${p.name} is removed`, 'None of its users has access to any customer.');
        close();
        void changed();
      },
    },
  );
  return (
    <ConfirmModal header={`Remove ${p.name}?`} action="Remove" confirm={() => remove.send(undefined)} close={close} sending={remove.sending} problem={remove.problem}>
      <div>
        <strong>None of its users has access to any customer</strong> any longer. Every customer that granted it access gets a mail.
      </div>
      <div>
        This cannot be undone: the id <strong>{p.id}</strong> is never used again. To stop the partner for a while, suspend it.
      </div>
    </ConfirmModal>
  );
}
