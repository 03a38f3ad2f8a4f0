import Badge from '@cloudscape-design/components/badge';
import { useQuery } from '@tanstack/react-query';

import { answer } from '../api';
import { number, t } from '../language';
import { useApi } from '../session';
import { keyOf } from './queries';

/** The requests that wait for a decision, the first hundred of them. */
export function useWaiting(customer: string) {
  const api = useApi();
  return useQuery({
    queryKey: keyOf(customer, 'requests', 'waiting'),
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/v1/customers/{customer}/requests', { params: { path: { customer }, query: { limit: 100, status: 'pending' as const } }, signal }))).data,
    refetchInterval: 60_000,
    retry: false,
  });
}

/** How many requests wait for a decision; nothing when none does. */
export function RequestBadge({ customer }: { customer: string }) {
  const query = useWaiting(customer);
  const n = query.data?.items.length ?? 0;
  if (n === 0) return null;
  return <Badge color="blue">{t('pages.request.waiting', { count: query.data?.next_cursor ? `${number(n)}+` : number(n) })}</Badge>;
}
