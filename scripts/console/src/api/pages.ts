import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { asProblem, type Problem } from './problem';

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

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
  turn: (page: number) => Promise<void>; // shows another page, and reads it first where that is needed
}

/**
 * A list of the service, page by page. The key has to name the list and everything that filters it, since a cursor belongs to both:
 * another key begins at the first page. A page may be empty though more follow: such pages are passed over.
 */
export function useCursorPages<T>(
  key: readonly unknown[],
  read: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>,
  options: { enabled?: boolean } = {},
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
  const [at, setAt] = useState({ name, page: 1 });
  const pages = query.data?.pages ?? [];
  const page = Math.min(at.name === name ? at.page : 1, Math.max(pages.length, 1));
  return {
    items: pages[page - 1]?.items ?? [],
    all: pages.flatMap((p) => p.items),
    more: query.hasNextPage,
    loading: query.isPending && (options.enabled ?? true),
    fetching: query.isFetching,
    problem: query.error ? asProblem(query.error) : undefined,
    retry: () => void query.refetch(),
    loadMore: () => void query.fetchNextPage(),
    page,
    pages: pages.length,
    turn: async (to) => {
      let read = pages.length;
      while (read < to && query.hasNextPage) {
        const result = await query.fetchNextPage();
        if (result.isError) return;
        const now = result.data?.pages.length ?? read;
        if (now === read) break;
        read = now;
      }
      setAt({ name, page: Math.min(to, Math.max(read, 1)) });
    },
  };
}
