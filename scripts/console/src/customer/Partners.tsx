import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { Navigate, useNavigate, useSearchParams } from 'react-router';

import { answer, etagOf, useCursorPages, useSubmit, type Schemas } from '../api';
import { DataTable } from '../parts/DataTable';
import { ExportButton } from '../parts/ExportButton';
import { GrantSearch, useGrantSearch } from '../parts/GrantSearch';
import { Instant } from '../parts/Instant';
import { LevelText } from '../parts/Level';
import { Status } from '../parts/Status';
import { count, statusWords } from '../parts/words';
import { useApi } from '../session';
import { useFlash } from '../shell/flash';
import { PanelOutlet } from '../shell/Panel';
import { useFollow } from '../shell/useFollow';
import { keyOf, useChanged, useCustomer, useManagement } from './queries';
import { RemovePartner } from './RemovePartner';

type Grant = Schemas['Grant'];

/** Settings > Partners: the partners that have access. Adding and editing happen in the panel beside it, at addresses of their own. */
export function Partners() {
  const api = useApi();
  const { customer, admin } = useCustomer();
  const { managed, words } = useManagement();
  const navigate = useNavigate();
  const follow = useFollow();
  const search = useGrantSearch();
  const [removing, setRemoving] = useState<Grant>();
  const [params] = useSearchParams();
  const at = `/customers/${customer}/partners`;
  const panelOf = (g: Grant): string => search.at(`${at}/${g.partner.id}`);

  const pages = useCursorPages(keyOf(customer, 'grants', search.q, search.status), async (cursor, signal) => {
    const filter = { limit: 25, cursor, ...search.filter };
    return (await answer(api.GET('/v1/customers/{customer}/grants', { params: { path: { customer }, query: filter }, signal }))).data;
  });
  const pause = usePause();

  const add = admin && managed === false && (
    <Button variant="primary" onClick={() => void navigate(`${at}/add`)}>
      Add partner
    </Button>
  );
  const asked = params.get('request'); // of the link in a mail
  if (asked) return <Navigate replace to={`/customers/${customer}/requests/${encodeURIComponent(asked)}`} />;
  const named = params.get('partner');
  if (named) {
    const rest = new URLSearchParams(params);
    rest.delete('partner');
    return <Navigate replace to={{ pathname: `${at}/${encodeURIComponent(named)}`, search: rest.toString() }} />;
  }
  return (
    <>
      <DataTable
        title="Partners"
        description={words ?? 'Outside organisations with access to your data, at which level, and for how long.'}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <ExportButton
              name="Partners"
              read={(query, signal) =>
                api.GET('/v1/customers/{customer}/grants', { params: { path: { customer }, query: { ...query, ...search.filter } }, parseAs: 'text', signal })
              }
            />
            {add}
          </SpaceBetween>
        }
        pages={pages}
        trackBy={(g) => g.partner.id}
        empty={search.filtered ? 'No partner matches this search.' : 'No partner has access.'}
        emptyAction={search.filtered ? <Button onClick={search.clear}>Show all partners</Button> : undefined}
        filter={<GrantSearch of="partners" search={search} />}
        columns={[
          {
            id: 'partner',
            header: 'Partner',
            isRowHeader: true,
            minWidth: 140,
            cell: (g) => (
              <Link href={panelOf(g)} onFollow={follow}>
                {g.partner.name}
              </Link>
            ),
          },
          { id: 'users', header: 'Users', minWidth: 100, cell: (g) => (g.everyone ? `Everyone (${g.user_count})` : count(g.user_count, 'user')) },
          { id: 'level', header: 'Level', minWidth: 110, cell: (g) => <LevelText level={g.level} effective={g.effective_level} /> },
          { id: 'period', header: 'Period', minWidth: 150, cell: (g) => <PeriodText grant={g} /> },
          { id: 'status', header: 'Status', minWidth: 130, cell: (g) => <Status of={g.status} reason={g.reason} /> },
          ...(admin
            ? [
                {
                  id: 'actions',
                  header: 'Actions',
                  minWidth: 80,
                  cell: (g: Grant) =>
                    g.managed || g.end ? null : (
                      <ButtonDropdown
                        variant="inline-icon"
                        ariaLabel={`Actions for ${g.partner.name}`}
                        expandToViewport
                        loading={pause.sending && pause.input?.partner.id === g.partner.id}
                        items={[
                          { id: 'edit', text: 'Edit' },
                          g.state === 'suspended' ? { id: 'resume', text: 'Resume access' } : { id: 'suspend', text: 'Suspend access' },
                          { id: 'remove', text: 'Remove partner access' },
                        ]}
                        onItemClick={({ detail: { id } }) => {
                          if (id === 'edit') void navigate(panelOf(g));
                          else if (id === 'remove') setRemoving(g);
                          else pause.send(g);
                        }}
                      />
                    ),
                },
              ]
            : []),
        ]}
      />
      {removing && <RemovePartner grant={removing} close={() => setRemoving(undefined)} />}
      <PanelOutlet />
    </>
  );
}

function PeriodText({ grant }: { grant: Grant }) {
  return (
    <>
      {grant.status === 'scheduled' && (
        <div>
          From <Instant at={grant.from} />
        </div>
      )}
      {grant.until ? (
        <div>
          Until <Instant at={grant.until} />
        </div>
      ) : (
        <div>Continuous</div>
      )}
    </>
  );
}

/** Suspends a partner's access, or resumes it. */
export function usePause() {
  const api = useApi();
  const flash = useFlash();
  const changed = useChanged();
  const { customer } = useCustomer();
  return useSubmit(
    async (grant: Grant) =>
      (
        await answer(
          api.PATCH('/v1/customers/{customer}/grants/{partner}', {
            params: { path: { customer, partner: grant.partner.id }, header: { 'If-Match': etagOf(grant) } },
            body: { state: grant.state === 'suspended' ? 'open' : 'suspended' },
          }),
        )
      ).data,
    {
      onDone: (change) => {
        const { grant } = change;
        const off = grant.state === 'suspended';
        const users = count(grant.user_count, 'user');
        flash.done(
          `The access of ${grant.partner.name} is ${off ? 'suspended' : 'resumed'}`,
          off ? `${users} without access until you resume it.` : grant.status === 'active' ? `${users} with access again.` : statusWords(grant),
        );
        void changed();
      },
      onProblem: (problem, grant) => {
        if (problem.code === 'version_mismatch') flash.warn(`Someone else changed ${grant.partner.name} meanwhile`, 'The list shows the current state. Check it, then try again.');
        else flash.warn(problem.title, problem.detail);
        void changed();
      },
    },
  );
}
