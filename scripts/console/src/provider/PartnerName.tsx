import { useQuery } from '@tanstack/react-query';

import { answer } from '../api';
import { useApi } from '../session';
import { keyOf } from './queries';

/** A partner's name, for where the service gives its id alone. */
export function PartnerName({ id }: { id: string }) {
  const api = useApi();
  const query = useQuery({
    queryKey: keyOf('name', id),
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/partners/{partner}', { params: { path: { partner: id } }, signal }))).data.name,
    staleTime: 60_000,
  });
  return <>{query.data ?? id}</>;
}
