import { useCallback } from 'react';
import { useSearchParams } from 'react-router';

/** The order of a list: by what, and whether it is turned round. */
export interface Order {
  by: string;
  down: boolean;
}

/**
 * What a list is narrowed to, its order and its page, kept in the address: it survives a reload, the way into a page of one row and back, and can be sent to
 * somebody. Another filter or order begins at the first page.
 */
export function useAddress() {
  const [query, setQuery] = useSearchParams();
  const change = useCallback(
    (edit: (next: URLSearchParams) => void) =>
      setQuery(
        (old) => {
          const next = new URLSearchParams(old);
          edit(next);
          return next;
        },
        { replace: true },
      ),
    [setQuery],
  );
  const set = useCallback(
    (name: string, value: string | undefined) =>
      change((next) => {
        if (value) next.set(name, value);
        else next.delete(name);
        next.delete('page');
      }),
    [change],
  );
  const turn = useCallback(
    (page: number) =>
      change((next) => {
        if (page > 1) next.set('page', String(page));
        else next.delete('page');
      }),
    [change],
  );
  const page: [number, (page: number) => void] = [Math.max(1, Number(query.get('page')) || 1), turn];
  const sort = query.get('sort') ?? '';
  return {
    get: (name: string): string => query.get(name) ?? '',
    set,
    page,
    order: { by: sort.replace(/^-/, ''), down: sort.startsWith('-') },
    orderBy: useCallback(({ by, down }: Order) => set('sort', `${down ? '-' : ''}${by}`), [set]),
    filtered: [...query.keys()].some((name) => name !== 'page' && name !== 'sort'),
    clear: () => setQuery({}, { replace: true }),
    /** The address of another page, with what this one is narrowed to. */
    at: (path: string): string => `${path}${query.size > 0 ? `?${query}` : ''}`,
  };
}

/** The order as the service takes it, where it is one of those that the list has. */
export function sortOf<T extends string>({ by, down }: Order, allowed: readonly T[]): T | `-${T}` | undefined {
  const known = allowed.find((a) => a === by);
  return known && (down ? `-${known}` : known);
}
