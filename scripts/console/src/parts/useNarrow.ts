import { useSyncExternalStore } from 'react';

const query = matchMedia('(max-width: 688px)'); // where Cloudscape changes to its small layout

/** Whether the window is as narrow as a telephone's. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (changed) => {
      query.addEventListener('change', changed);
      return () => query.removeEventListener('change', changed);
    },
    () => query.matches,
  );
}
