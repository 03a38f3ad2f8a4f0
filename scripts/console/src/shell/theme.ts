import { applyMode, Mode } from '@cloudscape-design/global-styles';
import { useSyncExternalStore } from 'react';

// Dark or light: as the system says, until somebody chooses.
const key = 'partner-access.mode';
const system = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

const dark = (): boolean => {
  const chosen = localStorage.getItem(key);
  return chosen ? chosen === 'dark' : system.matches;
};

const apply = (): void => {
  applyMode(dark() ? Mode.Dark : Mode.Light);
  for (const listener of listeners) listener();
};

/** Sets the mode before the first paint, and follows the system from then on. */
export function startTheme(): void {
  apply();
  system.addEventListener('change', apply);
}

export function useDark(): [boolean, () => void] {
  const now = useSyncExternalStore((changed) => (listeners.add(changed), () => listeners.delete(changed)), dark);
  return [
    now,
    () => {
      // The system's own mode is no choice, so that it is followed again.
      const next = !dark();
      if (next === system.matches) localStorage.removeItem(key);
      else localStorage.setItem(key, next ? 'dark' : 'light');
      apply();
    },
  ];
}
