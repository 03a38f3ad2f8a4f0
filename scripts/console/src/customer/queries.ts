import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useParams } from 'react-router';

import { answer, asProblem, useCursorPages, type Answer, type CursorPages, type Problem, type Schemas } from '../api';
import { useApi, useMe } from '../session';

/** The customer of the page, and whether one may change things there: members who are no admins may look. */
export function useCustomer(): { customer: string; name: string; admin: boolean } {
  const { customer = '' } = useParams();
  const { me } = useMe();
  const mine = me?.customers.find((c) => c.customer.id === customer);
  return { customer, name: mine?.customer.name ?? customer, admin: mine?.role === 'admin' };
}

// Every key begins with the customer, so that a change can have all of it read again.
export const keyOf = (customer: string, ...more: readonly unknown[]): readonly unknown[] => ['customer', customer, ...more];

/** Has everything about the customer read again: after a change. */
export function useChanged(): () => Promise<void> {
  const queries = useQueryClient();
  const { customer } = useCustomer();
  return useCallback(() => queries.invalidateQueries({ queryKey: keyOf(customer) }), [queries, customer]);
}

/** One grant, with the ETag that an edit of it has to name. */
export function useGrant(partner: string): { grant: Answer<Schemas['Grant']> | undefined; problem: Problem | undefined; retry: () => void } {
  const api = useApi();
  const { customer } = useCustomer();
  const query = useQuery({
    queryKey: keyOf(customer, 'grant', partner),
    queryFn: ({ signal }) => answer(api.GET('/v1/customers/{customer}/grants/{partner}', { params: { path: { customer, partner } }, signal })),
  });
  return { grant: query.data, problem: query.error ? asProblem(query.error) : undefined, retry: () => void query.refetch() };
}

/** The users in a grant. */
export function useGrantUsers(partner: string, enabled = true): CursorPages<Schemas['GrantUser']> {
  const api = useApi();
  const { customer } = useCustomer();
  return useCursorPages(
    keyOf(customer, 'grant', partner, 'users'),
    async (cursor, signal) =>
      (await answer(api.GET('/v1/customers/{customer}/grants/{partner}/users', { params: { path: { customer, partner }, query: { limit: 100, cursor } }, signal }))).data,
    { enabled },
  );
}

/** A partner's users, as far as the customer may see them: the active ones. */
export function usePartnerUsers(partner: string, q: string, enabled = true): CursorPages<Schemas['UserOrSummary']> {
  const api = useApi();
  return useCursorPages(
    ['partner-users', partner, q],
    async (cursor, signal) =>
      (await answer(api.GET('/v1/partners/{partner}/users', { params: { path: { partner }, query: { limit: 50, cursor, ...(q ? { q } : {}) } }, signal }))).data,
    { enabled: enabled && partner !== '' },
  );
}
