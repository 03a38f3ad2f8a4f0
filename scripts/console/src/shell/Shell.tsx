import AppLayoutToolbar from '@cloudscape-design/components/app-layout-toolbar';
import Button from '@cloudscape-design/components/button';
import ErrorBoundary from '@cloudscape-design/components/error-boundary';
import SideNavigation from '@cloudscape-design/components/side-navigation';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { Navigate, Outlet, useLocation } from 'react-router';

import { t } from '../language';
import { ProblemAlert } from '../parts/ProblemAlert';
import { useMe, useSession } from '../session';
import { Flashes, FlashProvider } from './flash';
import { navigationOf } from './navigation';
import { PanelProvider, usePanelDrawer } from './Panel';
import { Top } from './Top';
import { useFollow } from './useFollow';
import { Waiting } from './Waiting';

const BreadcrumbGroup = lazy(() => import('@cloudscape-design/components/breadcrumb-group'));

/** For embedded/Shell.tsx: with it in the same file the first page needs fewer bytes. */
export const Layout = AppLayoutToolbar;

const narrow = () => matchMedia('(max-width: 688px)').matches;
const roomForBoth = () => matchMedia('(min-width: 1560px)').matches;

/** Whether the list of pages is open: it makes room for a panel in a window that has none for both, and comes back afterwards. */
function useNavigationOpen(panel: boolean): [boolean, (open: boolean) => void] {
  const [open, setOpen] = useState(() => !narrow());
  const [overruled, setOverruled] = useState(false); // opened beside the panel
  return [open && (!panel || roomForBoth() || overruled), (next) => (panel && next ? (setOverruled(true), setOpen(true)) : (setOverruled(false), setOpen(next)))];
}

/** The frame around every page of somebody who has signed in. */
export function Shell() {
  return (
    <FlashProvider>
      <PanelProvider>
        <Frame />
      </PanelProvider>
    </FlashProvider>
  );
}

function Frame() {
  const { state, signOut } = useSession();
  const { me, problem, retry } = useMe();
  const { pathname, search } = useLocation();
  const follow = useFollow();
  const panel = usePanelDrawer();
  const [navigationOpen, setNavigationOpen] = useNavigationOpen(panel.activeDrawerId !== null);

  if (state === 'out') {
    const next = pathname + search;
    return <Navigate to={next === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`} replace />;
  }
  const items = me ? navigationOf(me) : [];
  return (
    <>
      <Top />
      <AppLayoutToolbar
        headerSelector="#top"
        toolsHide
        navigationHide={items.length === 0}
        navigationOpen={navigationOpen}
        onNavigationChange={(e) => setNavigationOpen(e.detail.open)}
        breadcrumbs={<Trail items={items} pathname={pathname} />}
        navigation={
          <SideNavigation
            activeHref={activeOf(items, pathname)}
            items={items}
            onFollow={(e) => {
              follow(e);
              if (narrow()) setNavigationOpen(false);
            }}
          />
        }
        drawers={panel.drawers}
        activeDrawerId={panel.activeDrawerId}
        onDrawerChange={(e) => {
          if (!e.detail.activeDrawerId) panel.onClose();
        }}
        notifications={<Flashes />}
        stickyNotifications
        ariaLabels={{ navigation: t('pages.shell.pages'), navigationClose: t('pages.shell.close_pages'), navigationToggle: t('pages.shell.open_pages'), notifications: t('pages.shell.messages'), drawers: t('pages.shell.panel') }}
        content={
          problem ? (
            <SpaceBetween size="m">
              <ProblemAlert problem={problem} retry={retry} />
              <Button onClick={signOut}>{t('pages.button.sign_out')}</Button>
            </SpaceBetween>
          ) : me ? (
            <Guarded pathname={pathname}>
              <Outlet />
            </Guarded>
          ) : (
            <Waiting />
          )
        }
      />
    </>
  );
}

/** What a page throws while it is drawn ends that page alone: another one is drawn anew. */
function Guarded({ pathname, children }: { pathname: string; children: ReactNode }) {
  const [failed, setFailed] = useState<string>();
  return (
    <ErrorBoundary
      key={failed === undefined || failed === pathname ? 'page' : `after ${failed}`}
      onError={({ error }) => {
        console.error(error);
        setFailed(pathname);
      }}
    >
      <Suspense fallback={<Waiting />}>{children}</Suspense>
    </ErrorBoundary>
  );
}

/** Where one is: the side, and its page. */
function Trail({ items, pathname }: { items: ReturnType<typeof navigationOf>; pathname: string }) {
  const follow = useFollow();
  const href = activeOf(items, pathname);
  for (const section of items) {
    if (section.type !== 'section') continue;
    const link = section.items.find((i) => i.type === 'link' && i.href === href);
    const first = section.items[0];
    if (link?.type !== 'link' || first?.type !== 'link') continue;
    return (
      <Suspense fallback={null}>
        <BreadcrumbGroup
          ariaLabel={t('pages.shell.trail')}
          items={[
            { text: section.text, href: first.href },
            { text: link.text, href: link.href },
          ]}
          onFollow={follow}
        />
      </Suspense>
    );
  }
  return null;
}

/** The link of the navigation that is the page, or the nearest one above it. */
function activeOf(items: ReturnType<typeof navigationOf>, pathname: string): string {
  const hrefs = items.flatMap((i) => (i.type === 'section' ? i.items : [i])).flatMap((i) => (i.type === 'link' ? [i.href] : []));
  return hrefs.filter((h) => pathname === h || pathname.startsWith(`${h}/`)).sort((a, b) => b.length - a.length)[0] ?? pathname;
}
