import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useBlocker } from 'react-router';

import { t } from '../language';
import { useMe } from '../session';
import { formsPrefix } from '../session/forms';

// What somebody has entered and not sent yet. It is kept in this tab, so that a session that ends, or a page that is loaded again, loses nothing of it.

type Kept<S> = [state: S, edit: (more: Partial<S>) => void, form: { changed: boolean; done: () => void; guard: React.ReactNode }];

/**
 * The state of a form, kept under a name until it is sent (`done`) or left. Who leaves a changed form is asked first: `guard` has to be rendered for that.
 * `begun` is what it begins with where that is a change already; `differs` says what counts as changed where that is not any difference. Maps and sets
 * are kept, too.
 */
export function useKept<S extends object>(name: string, initial: S, begun: S = initial, differs?: (state: S) => boolean): Kept<S> {
  const { me } = useMe();
  const key = `${formsPrefix}${me?.email ?? ''} ${name}`;
  const [first] = useState(initial);
  const [state, setState] = useState<S>(() => ({ ...begun, ...read<S>(key) }));
  const finished = useRef(false);
  const written = useMemo(() => text(state), [state]); // once, though the form is drawn often: it may hold 2,000 users
  const before = useMemo(() => text(first), [first]);
  const changed = differs ? differs(state) : written !== before;
  useEffect(() => {
    if (finished.current) return;
    if (changed) sessionStorage.setItem(key, written);
    else sessionStorage.removeItem(key);
  }, [changed, key, written]);
  const done = useCallback(() => {
    finished.current = true;
    sessionStorage.removeItem(key);
  }, [key]);
  const edit = useCallback((more: Partial<S>) => setState((old) => ({ ...old, ...more })), []);
  return [state, edit, { changed, done, guard: <LeaveGuard changed={changed} finished={finished} leave={done} /> }];
}

/** Asks before a changed form is left; where the session has ended nothing is lost, and nothing asked. */
export function LeaveGuard({ changed, finished, leave }: { changed: boolean; finished?: React.RefObject<boolean>; leave?: () => void }) {
  const blocker = useBlocker(
    useCallback(
      ({ currentLocation, nextLocation }: { currentLocation: { pathname: string }; nextLocation: { pathname: string } }) =>
        changed && !finished?.current && nextLocation.pathname !== currentLocation.pathname && nextLocation.pathname !== '/sign-in',
      [changed, finished],
    ),
  );
  useEffect(() => {
    if (!changed) return undefined;
    const ask = (e: BeforeUnloadEvent) => {
      if (!finished?.current) e.preventDefault();
    };
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [changed, finished]);
  if (blocker.state !== 'blocked') return null;
  const stay = () => blocker.reset();
  return (
    <Modal
      visible
      header={t('pages.leave.ask')}
      onDismiss={stay}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" formAction="none" onClick={stay}>{t('pages.leave.stay')}</Button>
            <Button
              variant="primary"
              formAction="none"
              onClick={() => {
                leave?.();
                blocker.proceed();
              }}
            >{t('pages.leave.action')}</Button>
          </SpaceBetween>
        </Box>
      }
    >{t('pages.leave.about')}</Modal>
  );
}

function read<S>(key: string): Partial<S> {
  const kept = sessionStorage.getItem(key);
  if (!kept) return {};
  return JSON.parse(kept, (_, value: unknown) => {
    const v = value as { $map?: [unknown, unknown][]; $set?: unknown[] } | null;
    return v?.$map ? new Map(v.$map) : v?.$set ? new Set(v.$set) : value;
  }) as Partial<S>;
}

const text = (state: unknown): string =>
  JSON.stringify(state, (_, value: unknown) => (value instanceof Map ? { $map: [...value] } : value instanceof Set ? { $set: [...value] } : value));
