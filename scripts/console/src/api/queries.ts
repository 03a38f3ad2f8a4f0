import { QueryClient } from '@tanstack/react-query';

import { asProblem } from './problem';

/** What is read, and how often it is tried. */
export function createQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // A read does no harm when it comes twice; what was refused is refused again.
        retry: (failures, error) => failures < 2 && asProblem(error).passing,
        retryDelay: (failures, error) => Math.max(asProblem(error).retryAfter * 1000, 400 * 2 ** failures),
      },
    },
  });
}
