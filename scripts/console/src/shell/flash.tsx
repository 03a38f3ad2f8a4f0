import Button from '@cloudscape-design/components/button';
import type { FlashbarProps } from '@cloudscape-design/components/flashbar';
import { createContext, lazy, Suspense, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { useLocation } from 'react-router';

import { asProblem } from '../api';
import { t } from '../language';
import { problemWords } from '../parts/problems';

const Flashbar = lazy(() => import('@cloudscape-design/components/flashbar')); // nobody waits for it before there is a message

/** Takes a change back, and says what is so again. */
export type Undo = () => Promise<string>;

interface Flash {
  /** Confirms a change: what was done, below it what the answer says that it changed, and where there is one, the way back. */
  done: (header: string, content?: ReactNode, undo?: Undo) => void;
  warn: (header: string, content?: ReactNode) => void;
  clear: () => void;
  /** Somebody has gone to another page: what was said before is gone. */
  left: () => void;
}

interface Message {
  id: string;
  at: number; // ms, by performance.now()
  item: FlashbarProps.MessageDefinition;
}

const FlashContext = createContext<Flash | null>(null);
const ItemsContext = createContext<FlashbarProps.MessageDefinition[]>([]);

/** A change confirms itself and closes its form in the same moment: that is no page left. */
const sameMoment = 4000; // ms: a slow machine takes its time to show the list again

/** Says one thing at a time: what was done last. */
export function FlashProvider({ children }: { children: ReactNode }) {
  const [message, setMessage] = useState<Message>();
  const flash = useMemo(() => {
    const show = (type: FlashbarProps.Type) => (header: string, content?: ReactNode, undo?: Undo) => {
      const id = crypto.randomUUID();
      const onDismiss = () => setMessage((old) => (old?.id === id ? undefined : old));
      const item: FlashbarProps.MessageDefinition = { id, type, header, content, dismissible: true, dismissLabel: t('pages.flash.dismiss'), onDismiss, ariaRole: 'status' };
      if (undo) item.action = <UndoButton undo={undo} />;
      setMessage({ id, at: performance.now(), item });
    };
    return {
      done: show('success'),
      warn: show('warning'),
      clear: () => setMessage(undefined),
      left: () => setMessage((old) => (old && performance.now() - old.at > sameMoment ? undefined : old)),
    };
  }, []);
  const items = useMemo(() => (message ? [message.item] : []), [message]);
  return (
    <FlashContext value={flash}>
      <ItemsContext value={items}>{children}</ItemsContext>
    </FlashContext>
  );
}

function UndoButton({ undo }: { undo: Undo }) {
  const flash = useFlash();
  const [busy, setBusy] = useState(false);
  return (
    <Button
      loading={busy}
      onClick={() => {
        setBusy(true);
        undo().then(
          (header) => flash.done(header),
          (error: unknown) => {
            const problem = asProblem(error);
            if (problem.code === 'version_mismatch') flash.warn(t('pages.flash.not_undone_changed'), t('pages.flash.check'));
            else {
              const [title, remedy] = problemWords(problem);
              flash.warn(t('pages.flash.not_undone', { problem: title }), remedy);
            }
          },
        );
      }}
    >{t('pages.flash.undo')}</Button>
  );
}

export function useFlash(): Flash {
  const flash = useContext(FlashContext);
  if (!flash) throw new Error('useFlash outside of FlashProvider');
  return flash;
}

/** The message, which goes away when somebody goes to another page. */
export function Flashes() {
  const { left } = useFlash();
  const { pathname } = useLocation();
  useEffect(() => left(), [left, pathname]);
  const items = useContext(ItemsContext);
  const [wanted, setWanted] = useState(false); // once there was a message: the bar then also shows how one goes
  if (items.length > 0 && !wanted) setWanted(true);
  return wanted ? (
    <Suspense fallback={null}>
      <Flashbar items={items} />
    </Suspense>
  ) : null;
}
