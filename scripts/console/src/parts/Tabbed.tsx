import Tabs from '@cloudscape-design/components/tabs';
import { Suspense, type ReactNode } from 'react';
import { useLocation, useNavigate } from 'react-router';

import { Page } from './Page';

export interface Tab {
  label: string;
  path: string; // below the page's own address; '' is the first
}

/** A page of one thing, with tabs that are addresses of their own: its content is the tab's. */
export function Tabbed({ title, description, actions, at, tabs, children }: { title: string; description?: ReactNode; actions?: ReactNode; at: string; tabs: readonly Tab[]; children: ReactNode }) {
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const rest = pathname.slice(at.length + 1).split('/')[0] ?? '';
  const active = tabs.find((t) => t.path === rest) ?? tabs[0];
  return (
    <Page title={title} tabTitle={active && active.path !== '' ? `${active.label} · ${title}` : title} description={description} actions={actions}>
      <Tabs
        ariaLabel={title}
        activeTabId={active?.path || 'overview'}
        tabs={tabs.map((t) => ({
          id: t.path || 'overview',
          label: t.label,
          href: t.path ? `${at}/${t.path}` : at,
          content: t === active && <Suspense fallback={null}>{children}</Suspense>,
        }))}
        onChange={(e) => void (e.detail.activeTabHref && navigate(e.detail.activeTabHref))}
      />
    </Page>
  );
}
