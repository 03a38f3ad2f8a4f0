import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useParams } from 'react-router';

import { answer, dryRun, useCursorPages, type CursorPages, type Schemas } from '../api';
import { managedWords } from '../parts/words';
import { useApi, useMe, useProduct } from '../session';

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

/** Whether a partner manages the customer (A12), and who does so in words; undefined until it is known. Of a managed customer nothing can be changed. */
export function useManagement(): { managed: boolean | undefined; words: string | undefined } {
  const api = useApi();
  const product = useProduct();
  const { customer, name } = useCustomer();
  const query = useQuery({
    queryKey: keyOf(customer, 'management'),
    queryFn: async ({ signal }) => {
      const { data } = await answer(api.GET('/v1/customers/{customer}', { params: { path: { customer } }, signal }));
      if (data.managing_partner === null) return null;
      return (await answer(api.GET('/v1/customers/{customer}/grants/{partner}', { params: { path: { customer, partner: data.managing_partner } }, signal }))).data.partner.name;
    },
  });
  return { managed: query.data === undefined ? undefined : query.data !== null, words: query.data ? managedWords(query.data, name, product) : undefined };
}

/** The pending invitations to be an external user of a partner. */
export function usePending(partner: string): CursorPages<Schemas['Invitation']> {
  const api = useApi();
  const { customer } = useCustomer();
  return useCursorPages(
    keyOf(customer, 'invitations', 'pending', partner),
    async (cursor, signal) =>
      (
        await answer(
          api.GET('/v1/customers/{customer}/invitations', { params: { path: { customer }, query: { limit: 100, cursor, status: 'pending' as const, partner } }, signal }),
        )
      ).data,
  );
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

/** The most that the provider offers a partner: the level that a grant of everything would come to, by a dry run. Undefined until it is known. */
export function useOffer(partner: string | undefined, open: boolean): Schemas['Level'] | undefined {
  const api = useApi();
  const { customer } = useCustomer();
  const query = useQuery({
    queryKey: keyOf(customer, 'offer', partner, open),
    enabled: partner !== undefined,
    retry: false,
    queryFn: async ({ signal }) => {
      const level = 'manage' as const;
      const dry = { dry_run: true };
      const id = partner ?? '';
      const run = open
        ? dryRun(api.PATCH('/v1/customers/{customer}/grants/{partner}', { params: { path: { customer, partner: id }, query: dry, header: { 'If-Match': '*' } }, body: { level }, signal }))
        : dryRun(api.POST('/v1/customers/{customer}/grants', { params: { path: { customer }, query: dry }, body: { partner: id, level }, signal }));
      return (await run).answer.grant.effective_level;
    },
  });
  return query.data;
}
