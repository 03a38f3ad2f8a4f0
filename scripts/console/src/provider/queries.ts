import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';

import { answer, asProblem, Problem, useCursorPages, type Answer, type Api, type CursorPages, type Schemas } from '../api';
import { t } from '../language';
import { levelName } from '../parts/words';
import { useApi } from '../session';

// Every key begins alike, so that a change can have all of it read again.
export const keyOf = (...more: readonly unknown[]): readonly unknown[] => ['directory', ...more];

/** Has all of the directory read again: after a change. */
export function useChanged(): () => Promise<void> {
  const queries = useQueryClient();
  return useCallback(() => queries.invalidateQueries({ queryKey: keyOf() }), [queries]);
}

/** The partners of the directory, found by name. */
export function usePartners(q: string): CursorPages<Schemas['Partner']> {
  const api = useApi();
  return useCursorPages(keyOf('partners', q), async (cursor, signal) => {
    const { data } = await answer(api.GET('/v1/partners', { params: { query: { limit: 25, cursor, ...(q ? { q } : {}) } }, signal }));
    return { items: data.items.filter((p): p is Schemas['Partner'] => 'version' in p), next_cursor: data.next_cursor };
  });
}

export const readCustomer = (api: Api, customer: string, signal?: AbortSignal) =>
  answer(api.GET('/v1/customers/{customer}', { params: { path: { customer } }, signal }));

/** What a request has created; taken is thrown when there is one already, as If-None-Match says. */
export async function created<T>(request: Promise<Answer<T>>, taken: Problem): Promise<T> {
  try {
    return (await request).data;
  } catch (error) {
    throw error instanceof Problem && error.status === 412 ? taken : error;
  }
}

/** Whether something is there. */
export async function isThere(read: Promise<unknown>): Promise<boolean> {
  try {
    await read;
    return true;
  } catch (error) {
    if (asProblem(error).code === 'not_found') return false;
    throw error;
  }
}

/** As openapi.yaml has it: the provider's own id of a customer or a partner. */
export const validId = (id: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(id);
export const idRule = (): string => t('pages.form.id_rule');

export const className = (of: Schemas['PartnerClass']): string => t(`words.class.${of}`);

/** A partner's fields in words. */
export const partnerLines = (p: Schemas['Partner']): Record<string, string> => ({
  [t('words.field.name')]: p.name,
  [t('words.field.class')]: className(p.class),
  [t('words.field.offer')]: levelName(p.offer),
  [t('words.field.sso')]: p.sso ? t('words.on') : t('words.off'),
  [t('pages.account.sso_set_by')]: p.owner_sets_sso ? t('pages.partner.you_and_owner') : t('pages.account.you'),
  [t('words.field.state')]: t(`words.status.${p.status}`),
  [t('words.field.parent')]: p.parent ?? '',
  [t('words.field.contacts')]: p.contacts.join(', '),
  [t('words.field.domains')]: p.domains.join(', '),
});

/** A customer's fields in words. */
export const customerLines = (c: Schemas['Customer']): Record<string, string> => ({
  [t('words.field.name')]: c.name,
  [t('words.field.domain')]: c.domain ?? '',
  [t('words.field.contacts')]: c.contacts.join(', '),
});
