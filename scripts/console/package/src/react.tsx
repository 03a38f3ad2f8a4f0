// What a "Partners" tab needs, as hooks over the client. Queries, their cache and their repeats are inside; nothing is shown by itself.
import { QueryClientProvider, useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, useCallback, useContext, useMemo, type ReactNode } from 'react';

import { answer, etagOf, type Api, type Schemas } from '../../src/api/client';
import { asProblem, type Problem } from '../../src/api/problem';
import { createQueries } from '../../src/api/queries';
import type { operations } from '../../src/api/schema';
import { useSubmit, type Submit } from '../../src/api/submit';
import { useCursorPages, type CursorPages } from '../../src/api/useCursorPages';

export { useSubmit, type Submit } from '../../src/api/submit';
export { useCursorPages, type CursorPages } from '../../src/api/useCursorPages';

const Access = createContext<Api | undefined>(undefined);

/** Gives the client to the hooks below it. Another client (another person has signed in) begins with nothing kept. */
export function PartnerAccess({ api, children }: { api: Api; children: ReactNode }): ReactNode {
  const queries = useMemo(() => (api ? createQueries() : undefined), [api]);
  if (!queries) throw new Error('<PartnerAccess> needs an api: createApi({ baseUrl, token })');
  return (
    <Access.Provider value={api}>
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </Access.Provider>
  );
}

/** The client that <PartnerAccess> was given. */
export function useApi(): Api {
  const api = useContext(Access);
  if (!api) throw new Error('there is no <PartnerAccess api={…}> around this component');
  return api;
}

/** One thing that is read. */
export interface Read<T> {
  data: T | undefined; // undefined until it is there
  loading: boolean;
  problem: Problem | undefined;
  retry: () => void;
}

/** Who has signed in: of which customers a member, of which partner a user. */
export function useMe(): Read<Schemas['Me']> {
  const api = useApi();
  return useRead(['me'], async (signal) => (await answer(api.GET('/v1/me', { signal }))).data);
}

function useRead<T>(key: readonly unknown[], read: (signal: AbortSignal) => Promise<T>): Read<T> {
  const query = useQuery({ queryKey: key, queryFn: ({ signal }) => read(signal) });
  return {
    data: query.data,
    loading: query.isPending,
    problem: query.error ? asProblem(query.error) : undefined,
    retry: () => void query.refetch(),
  };
}

// Every key begins with the customer, so that a change can have all of it read again.
const keyOf = (customer: string, ...more: readonly unknown[]): readonly unknown[] => ['customer', customer, ...more];

type Filter<Operation extends 'listGrants' | 'listPeople'> = Omit<NonNullable<operations[Operation]['parameters']['query']>, 'cursor' | 'format' | 'tz' | 'at'>;

/** A customer's grants, page by page; 25 a page unless `limit` says otherwise. Those that have ended come when `status` asks for them. */
export function useGrants(customer: string, filter: Filter<'listGrants'> = {}): CursorPages<Schemas['Grant']> {
  const api = useApi();
  return useCursorPages(
    keyOf(customer, 'grants', filter),
    async (cursor, signal) =>
      (await answer(api.GET('/v1/customers/{customer}/grants', { params: { path: { customer }, query: { limit: 25, ...filter, cursor } }, signal }))).data,
  );
}

/** The people who can come in to a customer now, page by page; 25 a page unless `limit` says otherwise. */
export function usePeople(customer: string, filter: Filter<'listPeople'> = {}): CursorPages<Schemas['Person']> {
  const api = useApi();
  return useCursorPages(
    keyOf(customer, 'people', filter),
    async (cursor, signal) =>
      (await answer(api.GET('/v1/customers/{customer}/people', { params: { path: { customer }, query: { limit: 25, ...filter, cursor } }, signal }))).data,
  );
}

/** One grant of a customer's, by its partner, as it is now. */
export function useGrant(customer: string, partner: string): Read<Schemas['Grant']> {
  const api = useApi();
  return useRead(
    keyOf(customer, 'grant', partner),
    async (signal) => (await answer(api.GET('/v1/customers/{customer}/grants/{partner}', { params: { path: { customer, partner } }, signal }))).data,
  );
}

/** The changes that a customer's admin makes. After each that was made, what the hooks here show of the customer is read again. */
export interface GrantChanges {
  grant: Submit<Schemas['GrantCreate'], Schemas['GrantChange']>;
  /** Changes the grant as it was read: when somebody has changed it meanwhile, the problem's code is version_mismatch. */
  edit: Submit<{ grant: Schemas['Grant']; change: Schemas['GrantEdit'] }, Schemas['GrantChange']>;
  revoke: Submit<Schemas['Grant'], Schemas['GrantChange']>;
}

export function useGrantChanges(customer: string): GrantChanges {
  const api = useApi();
  const queries = useQueryClient();
  const onDone = useCallback(() => void queries.invalidateQueries({ queryKey: keyOf(customer) }), [queries, customer]);
  const pathOf = (grant: Schemas['Grant']) => ({ customer, partner: grant.partner.id });
  return {
    grant: useSubmit(
      async (body: Schemas['GrantCreate'], key) =>
        (await answer(api.POST('/v1/customers/{customer}/grants', { params: { path: { customer }, header: { 'Idempotency-Key': key } }, body }))).data,
      { repeatable: true, onDone },
    ),
    edit: useSubmit(
      async ({ grant, change }: { grant: Schemas['Grant']; change: Schemas['GrantEdit'] }) =>
        (
          await answer(
            api.PATCH('/v1/customers/{customer}/grants/{partner}', { params: { path: pathOf(grant), header: { 'If-Match': etagOf(grant) } }, body: change }),
          )
        ).data,
      { onDone },
    ),
    revoke: useSubmit(
      async (grant: Schemas['Grant']) => (await answer(api.DELETE('/v1/customers/{customer}/grants/{partner}', { params: { path: pathOf(grant) } }))).data,
      { repeatable: true, onDone },
    ),
  };
}
