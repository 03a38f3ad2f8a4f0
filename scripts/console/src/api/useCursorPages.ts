import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import type { Page } from './pages';
import { asProblem, type Problem } from './problem';

export interface CursorPages<T> {
  items: T[]; // of the page that is shown
  all: T[]; // of all pages that were read so far
  more: boolean; // further pages follow those that were read
  loading: boolean; // nothing can be shown yet
  fetching: boolean;
  problem: Problem | undefined;
  retry: () => void;
  loadMore: () => void; // reads another page, for lists that grow rather than being paged through
  page: number; // from 1
  pages: number; // that were read
  total: number | undefined; // rows of the whole list, as far as it is known
  turn: (page: number) => Promise<void>; // shows another page, and reads it first where that is needed
}

/**
 * A list of the service, page by page. The key has to name the list and everything that filters it, since a cursor belongs to both:
 * another key begins at the first page. A page may be empty though more follow: such pages are passed over.
 */
export function useCursorPages<T>(
  key: readonly unknown[],
  read: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>,
  options: { enabled?: boolean; at?: [page: number, turn: (page: number) => void] } = {}, // at: where the number of the page is kept
): CursorPages<T> {
  const query = useInfiniteQuery({
    queryKey: key,
    enabled: options.enabled ?? true,
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) => {
      let page = await read(pageParam, signal);
      while (page.items.length === 0 && page.next_cursor) page = await read(page.next_cursor, signal);
      return page;
    },
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
  const name = JSON.stringify(key);
  const [own, setOwn] = useState({ name, page: 1 });
  const pages = query.data?.pages ?? [];
  const wanted = options.at?.[0] ?? (own.name === name ? own.page : 1);
  const page = Math.min(wanted, Math.max(pages.length, 1));
  const { hasNextPage, isFetching, isError, fetchNextPage } = query;
  // A page that is named in the address is reached through those before it.
  const behind = wanted > pages.length && hasNextPage && !isError;
  useEffect(() => {
    if (behind && !isFetching) void fetchNextPage();
  }, [behind, isFetching, fetchNextPage]);
  const first = pages[0];
  return {
    items: behind ? [] : (pages[page - 1]?.items ?? []),
    all: pages.flatMap((p) => p.items),
    more: query.hasNextPage,
    loading: (query.isPending || behind) && (options.enabled ?? true),
    fetching: query.isFetching,
    problem: query.error ? asProblem(query.error) : undefined,
    retry: () => void query.refetch(),
    loadMore: () => void query.fetchNextPage(),
    page,
    pages: pages.length,
    total: first?.total ?? (first && !query.hasNextPage ? pages.reduce((n, p) => n + p.items.length, 0) : undefined),
    turn: async (to) => {
      let read = pages.length;
      while (read < to && query.hasNextPage) {
        const result = await query.fetchNextPage();
        if (result.isError) return;
        const now = result.data?.pages.length ?? read;
        if (now === read) break;
        read = now;
      }
      const reached = Math.min(to, Math.max(read, 1));
      if (options.at) options.at[1](reached);
      else setOwn({ name, page: reached });
    },
  };
}
