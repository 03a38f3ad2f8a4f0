import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useParams } from 'react-router';

import { answer, asProblem, readAll, useCursorPages, type Api, type CursorPages, type Problem, type Schemas } from '../api';
import { useApi, useMe } from '../session';
import { rightsOf, type Rights } from './rights';

/** The partner of the page, and what one may do there. */
export function usePartner(): { partner: string; name: string; me: string | undefined; may: Rights } {
  const api = useApi();
  const { partner = '' } = useParams();
  const { me } = useMe();
  const mine = me?.partner?.id === partner ? me.partner : undefined;
  const theirs = useQuery({
    queryKey: keyOf(partner, 'name'),
    enabled: me !== undefined && !mine,
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/partners/{partner}', { params: { path: { partner } }, signal }))).data.name,
  });
  return { partner, name: mine?.name ?? theirs.data ?? partner, me: mine?.user.id, may: rightsOf(me, partner) };
}

/** The partner's record, as far as its people see it: whether it has single sign-on. Undefined while it is being read, and for external users. */
export function usePartnerRecord(): Schemas['PartnerOrSummary'] | undefined {
  const api = useApi();
  const { partner, may } = usePartner();
  const query = useQuery({
    queryKey: keyOf(partner, 'record'),
    enabled: may.employee || may.provider,
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/partners/{partner}', { params: { path: { partner } }, signal }))).data,
  });
  return query.data;
}

// Every key begins with the partner, so that a change can have all of it read again.
export const keyOf = (partner: string, ...more: readonly unknown[]): readonly unknown[] => ['partner-side', partner, ...more];

/** Has everything about the partner read again: after a change. */
export function useChanged(): () => Promise<void> {
  const queries = useQueryClient();
  const { partner = '' } = useParams();
  return useCallback(() => queries.invalidateQueries({ queryKey: keyOf(partner) }), [queries, partner]);
}

/** The partner's users, found by name. */
export function useUsers(q: string, limit = 25): CursorPages<Schemas['User']> {
  const api = useApi();
  const { partner = '' } = useParams();
  return useCursorPages(keyOf(partner, 'users', q, limit), async (cursor, signal) => {
    const { data } = await answer(api.GET('/v1/partners/{partner}/users', { params: { path: { partner }, query: { limit, cursor, ...(q ? { q } : {}) } }, signal }));
    return { items: data.items.filter(whole), next_cursor: data.next_cursor };
  });
}

/** Members of customers are answered summaries; they have no page here. */
const whole = (u: Schemas['UserOrSummary']): u is Schemas['User'] => 'version' in u;

export const readPicked = (api: Api, partner: string, customer: string, signal?: AbortSignal): Promise<Schemas['GrantUser'][]> =>
  readAll(
    async (cursor) =>
      (await answer(api.GET('/v1/partners/{partner}/customers/{customer}/users', { params: { path: { partner, customer }, query: { limit: 100, cursor } }, signal }))).data,
  );

/** The invitations to a customer that wait for an answer. */
export function usePendingInvitations(customer: string): Schemas['Invitation'][] {
  const api = useApi();
  const { partner, may } = usePartner();
  const query = useQuery({
    queryKey: keyOf(partner, 'pending', customer),
    enabled: may.lead || may.provider,
    queryFn: ({ signal }) =>
      readAll(
        async (cursor) =>
          (await answer(api.GET('/v1/partners/{partner}/invitations', { params: { path: { partner }, query: { limit: 100, cursor, status: 'pending' } }, signal }))).data,
      ),
  });
  return (query.data ?? []).filter((i) => i.customer === customer);
}

/** The users of the partner with access to a customer. */
export function usePicked(customer: string, enabled = true): CursorPages<Schemas['GrantUser']> {
  const api = useApi();
  const { partner = '' } = useParams();
  return useCursorPages(
    keyOf(partner, 'picked', customer),
    async (cursor, signal) =>
      (await answer(api.GET('/v1/partners/{partner}/customers/{customer}/users', { params: { path: { partner, customer }, query: { limit: 100, cursor } }, signal }))).data,
    { enabled },
  );
}

const readCustomers = (api: Api, partner: string, signal: AbortSignal) =>
  readAll(
    async (cursor) => (await answer(api.GET('/v1/partners/{partner}/customers', { params: { path: { partner }, query: { limit: 100, cursor } }, signal }))).data,
  );

/** All customers that have not ended, for choosing among them and for their names. */
export function useAllCustomers(): { customers: Schemas['PartnerCustomer'][] | undefined; problem: Problem | undefined; retry: () => void } {
  const api = useApi();
  const { partner = '' } = useParams();
  const query = useQuery({ queryKey: keyOf(partner, 'all customers'), queryFn: ({ signal }) => readCustomers(api, partner, signal) });
  return { customers: query.data, problem: query.error ? asProblem(query.error) : undefined, retry: () => void query.refetch() };
}

