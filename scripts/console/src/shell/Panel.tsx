import Drawer from '@cloudscape-design/components/drawer';
import { createContext, Suspense, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { Outlet } from 'react-router';

import { t } from '../language';
import { useNarrow } from '../parts/useNarrow';

// The panel at the side: a page below a list (such as Add, or Edit) puts itself there with <Panel>, and the list stays in sight. On a narrow
// screen it covers the page.

interface Open {
  title: string;
  close: () => void;
  foot?: boolean; // whether there is something that stays in sight below
}

interface PanelHost {
  open: Open | undefined;
  host: HTMLElement | null;
  footHost: HTMLElement | null;
  show: (open: Open | undefined) => void;
  setHost: (host: HTMLElement | null) => void;
  setFootHost: (host: HTMLElement | null) => void;
}

const PanelContext = createContext<PanelHost | null>(null);

export function PanelProvider({ children }: { children: ReactNode }) {
  const [open, show] = useState<Open | undefined>(undefined);
  const [host, setHost] = useState<HTMLElement | null>(null);
  const [footHost, setFootHost] = useState<HTMLElement | null>(null);
  const value = useMemo(() => ({ open, host, footHost, show, setHost, setFootHost }), [open, host, footHost]);
  return <PanelContext value={value}>{children}</PanelContext>;
}

function usePanelHost(): PanelHost {
  const context = useContext(PanelContext);
  if (!context) throw new Error('a panel outside of PanelProvider');
  return context;
}

/** Puts its children into the panel at the side for as long as it is rendered. `close` is what the panel's own button does. */
export function Panel({ title, close, foot, children }: { title: string; close: () => void; foot?: ReactNode; children: ReactNode }) {
  const { show, host, footHost } = usePanelHost();
  const hasFoot = foot !== undefined;
  useEffect(() => {
    show({ title, close, foot: hasFoot });
  }, [show, title, close, hasFoot]);
  useEffect(() => () => show(undefined), [show]);
  // Who uses the keyboard goes on in the panel, and afterwards where it was opened from.
  useEffect(() => {
    if (!host) return undefined;
    const before = document.activeElement;
    host.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [host]);
  useEffect(() => {
    const escape = (e: KeyboardEvent) => {
      if (e.key === 'Escape' && !e.defaultPrevented && host?.closest('#panel')?.contains(e.target as Node)) close();
    };
    window.addEventListener('keydown', escape);
    return () => window.removeEventListener('keydown', escape);
  }, [close, host]);
  return (
    <>
      {host && createPortal(children, host)}
      {footHost && hasFoot && createPortal(foot, footHost)}
    </>
  );
}

/** The place of a page's panels in its own content: the page stays in sight while a panel's code is loaded. */
export function PanelOutlet() {
  return (
    <Suspense fallback={null}>
      <Outlet />
    </Suspense>
  );
}

/** What AppLayout needs to know of the panel. */
export function usePanelDrawer() {
  const { open, setHost, setFootHost } = usePanelHost();
  const Title = useNarrow() ? 'h1' : 'h2'; // on a narrow screen it covers the page, and its heading
  return {
    activeDrawerId: open ? 'side' : null,
    onClose: () => open?.close(),
    drawers: open
      ? [
          {
            id: 'side',
            ariaLabels: { drawerName: open.title, closeButton: t('pages.panel.close') },
            defaultSize: 480,
            content: (
              <div id="panel">
                <Drawer
                  header={<Title className="breaks-words panel-title">{open.title}</Title>}
                  footer={open.foot && <div ref={setFootHost} className="panel-foot" />}
                >
                  <div ref={setHost} className="panel-content" tabIndex={-1} />
                </Drawer>
              </div>
            ),
          },
        ]
      : [],
  };
}
