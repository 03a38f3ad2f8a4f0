import Flashbar, { type FlashbarProps } from '@cloudscape-design/components/flashbar';
import { createContext, useContext, useMemo, useState, type ReactNode } from 'react';

interface Flash {
  /** Confirms a change: what was done, and below it what the answer says that it changed. */
  done: (header: string, content?: ReactNode) => void;
  warn: (header: string, content?: ReactNode) => void;
  clear: () => void;
}

const FlashContext = createContext<Flash | null>(null);
const ItemsContext = createContext<FlashbarProps.MessageDefinition[]>([]);

export function FlashProvider({ children }: { children: ReactNode }) {
  const [items, setItems] = useState<FlashbarProps.MessageDefinition[]>([]);
  const flash = useMemo(() => {
    const show = (type: FlashbarProps.Type) => (header: string, content?: ReactNode) => {
      const id = crypto.randomUUID();
      const onDismiss = () => setItems((old) => old.filter((i) => i.id !== id));
      setItems((old) => [{ id, type, header, content, dismissible: true, dismissLabel: 'Dismiss this message', onDismiss, ariaRole: 'status' as const }, ...old].slice(0, 3));
    };
    return { done: show('success'), warn: show('warning'), clear: () => setItems([]) };
  }, []);
  return (
    <FlashContext value={flash}>
      <ItemsContext value={items}>{children}</ItemsContext>
    </FlashContext>
  );
}

export function useFlash(): Flash {
  const flash = useContext(FlashContext);
  if (!flash) throw new Error('useFlash outside of FlashProvider');
  return flash;
}

export function Flashes() {
  return <Flashbar items={useContext(ItemsContext)} />;
}
