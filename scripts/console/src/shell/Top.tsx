import type { ButtonDropdownProps } from '@cloudscape-design/components/button-dropdown';
import TopNavigation, { type TopNavigationProps } from '@cloudscape-design/components/top-navigation';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { useNavigate } from 'react-router';

import { asProblem } from '../api';
import { customerLinks } from '../customer/navigation';
import { directoryScope, useMe, useSession, type Me } from '../session';
import { utc } from '../parts/time';
import { useFlash } from './flash';
import { useDark } from './theme';

const ClockSet = lazy(() => import('./ClockSet'));

/** The bar at the top: who one is, dark or light, and on the local stack the people, the mailbox and the clock. */
export function Top() {
  const { local, signOut, enterAs } = useSession();
  const { me } = useMe();
  const [dark, toggle] = useDark();
  const navigate = useNavigate();
  const flash = useFlash();
  const people = useQuery({ queryKey: ['local', 'people'], enabled: local !== undefined, queryFn: () => local?.people() ?? [] });
  const [setting, clock] = useClock();

  const name = me?.partner?.user.name ?? people.data?.find((p) => p.email === me?.email)?.name ?? (me?.email || (me?.provider ? 'The provider' : ''));
  const utilities: TopNavigationProps.Utility[] = [
    ...clock,
    ...(local ? [{ type: 'button' as const, text: 'Mailbox', iconName: 'envelope' as const, href: local.mailbox, external: true, externalIconAriaLabel: '(opens in a new tab)' }] : []),
    {
      type: 'button',
      iconName: 'settings',
      text: dark ? 'Light mode' : 'Dark mode',
      onClick: toggle,
    },
    {
      type: 'menu-dropdown',
      iconName: 'user-profile',
      text: name || '…',
      description: me?.email,
      ariaLabel: `Signed in as ${name}`,
      expandableGroups: false,
      items: [
        ...settingsOf(me),
        ...(local && people.data
          ? [
              {
                id: 'people',
                text: 'Switch user (local)',
                items: [
                  ...people.data.map((p) => ({ id: `person:${p.email}`, text: p.name, description: `${p.role} of ${p.of}`, secondaryText: p.email })),
                  { id: 'provider', text: 'The provider' },
                ],
              },
            ]
          : []),
        { id: 'sign-out', text: 'Sign out' },
      ],
      onItemFollow: (e) => {
        e.preventDefault();
        if (e.detail.href) void navigate(e.detail.href);
      },
      onItemClick: ({ detail: { id, href } }) => {
        if (href) return; // followed
        const who = id === 'provider' ? { scope: directoryScope } : id.startsWith('person:') ? { email: id.slice('person:'.length) } : undefined;
        flash.clear();
        if (!who) {
          signOut();
          return;
        }
        enterAs(who).then(
          () => void navigate('/'),
          (error: unknown) => flash.warn(asProblem(error).title),
        );
      },
    },
  ];
  return (
    <div id="top">
      <TopNavigation
        identity={{ href: '/', title: 'Partner Access', onFollow: (e) => (e.preventDefault(), void navigate('/')) }}
        utilities={utilities}
        i18nStrings={{ overflowMenuTriggerText: 'More', overflowMenuTitleText: 'All', overflowMenuBackIconAriaLabel: 'Back', overflowMenuDismissIconAriaLabel: 'Close the menu' }}
      />
      {setting}
    </div>
  );
}

/** The settings of each customer whose member one is, with its partners first (D11, D12). */
function settingsOf(me: Me | undefined): ButtonDropdownProps.ItemOrGroup[] {
  return (me?.customers ?? []).map(({ customer }, _, all) => ({
    id: `settings:${customer.id}`,
    text: all.length > 1 ? `Settings of ${customer.name}` : 'Settings',
    items: customerLinks(customer.id).map(({ text, href }) => ({ id: href, text, href })),
  }));
}

const steps: Record<string, string> = { '1h': 'One hour later', '24h': 'One day later', '168h': 'A week later', '720h': '30 days later' };

/** The clock that the local stack's functions see: to be seen, and moved. Nothing in a deployed stage. */
function useClock(): [React.ReactNode, TopNavigationProps.Utility[]] {
  const { local } = useSession();
  const queries = useQueryClient();
  const flash = useFlash();
  const [open, setOpen] = useState(false);
  const now = useQuery({ queryKey: ['local', 'clock'], enabled: local !== undefined, queryFn: () => local?.now() ?? new Date(), refetchInterval: 30_000 });
  if (!local) return [null, []];
  const move = (to: { advance: string } | { now: string }) => {
    local.moveClock(to).then(
      (t) => {
        flash.done(`The clock is set to ${utc(t)}`, 'Everything that was due has run.');
        void queries.invalidateQueries();
      },
      (error: unknown) => flash.warn(asProblem(error).title),
    );
  };
  const dialog = open ? (
    <Suspense fallback={null}>
      <ClockSet
        now={now.data ?? new Date()}
        close={() => setOpen(false)}
        set={(t) => {
          setOpen(false);
          move({ now: t.toISOString() });
        }}
      />
    </Suspense>
  ) : null;
  return [
    dialog,
    [
      {
        type: 'menu-dropdown',
        iconName: 'calendar',
        text: now.data ? utc(now.data) : 'Clock',
        ariaLabel: `The local stack's clock${now.data ? `: ${utc(now.data)}` : ''}`,
        items: [...Object.entries(steps).map(([id, text]) => ({ id, text })), { id: 'set', text: 'Set the clock…' }],
        onItemClick: ({ detail: { id } }) => (id === 'set' ? setOpen(true) : move({ advance: id })),
      },
    ],
  ];
}
