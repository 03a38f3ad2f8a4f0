import type { ButtonDropdownProps } from '@cloudscape-design/components/button-dropdown';
import TopNavigation, { type TopNavigationProps } from '@cloudscape-design/components/top-navigation';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { useNavigate } from 'react-router';

import { asProblem } from '../api';
import { customerLinks } from '../customer/navigation';
import { byName, languages, nameOf, t, useLanguage } from '../language';
import { directoryScope, useMe, useSession, type Me } from '../session';
import { problemWords } from '../parts/problems';
import { utc } from '../parts/time';
import { useFlash } from './flash';
import { useDark } from './theme';
import { ownZone, usePreferences } from './usePreferences';

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
  const { tag } = useLanguage();
  const { kept, choose } = usePreferences();

  const name = me?.partner?.user.name ?? people.data?.find((p) => p.email === me?.email)?.name ?? (me?.email || (me?.provider ? t('words.actor.provider') : ''));
  const utilities: TopNavigationProps.Utility[] = [
    ...clock,
    ...(local ? [{ type: 'button' as const, text: t('pages.top.mailbox'), iconName: 'envelope' as const, href: local.mailbox, external: true, externalIconAriaLabel: t('pages.top.new_tab') }] : []),
    {
      type: 'button',
      iconName: 'settings',
      text: dark ? t('pages.top.light') : t('pages.top.dark'),
      onClick: toggle,
    },
    {
      type: 'menu-dropdown',
      iconName: 'user-profile',
      text: name || '…',
      description: me?.email,
      ariaLabel: t('pages.top.signed_in', { name }),
      expandableGroups: false,
      items: [
        ...settingsOf(me),
        ...(local && people.data
          ? [
              {
                id: 'people',
                text: t('pages.top.switch'),
                items: [
                  ...people.data.map((p) => ({ id: `person:${p.email}`, text: p.name, description: t('pages.top.role_of', { role: p.role, of: p.of }), secondaryText: p.email })),
                  { id: 'provider', text: t('words.actor.provider') },
                ],
              },
            ]
          : []),
        {
          id: 'languages',
          text: kept ? t('pages.top.language_kept', { zone: ownZone() }) : t('pages.top.language'),
          items: [...languages].sort((a, b) => byName(nameOf(a), nameOf(b))).map((l) => ({ id: `language:${l}`, text: nameOf(l), itemType: 'checkbox' as const, checked: l === tag })),
        },
        { id: 'sign-out', text: t('pages.button.sign_out') },
      ],
      onItemFollow: (e) => {
        e.preventDefault();
        if (e.detail.href) void navigate(e.detail.href);
      },
      onItemClick: ({ detail: { id, href } }) => {
        if (href) return; // followed
        if (id.startsWith('language:')) {
          choose(id.slice('language:'.length)).then(flash.clear, (error: unknown) => flash.warn(...problemWords(asProblem(error)))); // it was said in the other one
          return;
        }
        const who = id === 'provider' ? { scope: directoryScope } : id.startsWith('person:') ? { email: id.slice('person:'.length) } : undefined;
        flash.clear();
        if (!who) {
          signOut();
          return;
        }
        enterAs(who).then(
          () => void navigate('/'),
          (error: unknown) => flash.warn(...problemWords(asProblem(error))),
        );
      },
    },
  ];
  return (
    <div id="top">
      <TopNavigation
        identity={{ href: '/', title: 'Partner Access', onFollow: (e) => (e.preventDefault(), void navigate('/')) }}
        utilities={utilities}
        i18nStrings={{ overflowMenuTriggerText: t('pages.top.more'), overflowMenuTitleText: t('pages.top.all'), overflowMenuBackIconAriaLabel: t('pages.top.back'), overflowMenuDismissIconAriaLabel: t('pages.top.close_menu') }}
      />
      {setting}
    </div>
  );
}

/** The settings of each customer whose member one is, with its partners first (D11, D12). */
function settingsOf(me: Me | undefined): ButtonDropdownProps.ItemOrGroup[] {
  return (me?.customers ?? []).map(({ customer }, _, all) => ({
    id: `settings:${customer.id}`,
    text: all.length > 1 ? t('pages.settings_of', { name: customer.name }) : t('pages.top.settings'),
    items: customerLinks(customer.id).map(({ text, href }) => ({ id: href, text, href })),
  }));
}

const steps = ['1h', '24h', '168h', '720h'] as const;

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
      (now) => {
        flash.done(t('pages.clock.done', { at: utc(now) }), t('pages.clock.done_about'));
        void queries.invalidateQueries();
      },
      (error: unknown) => flash.warn(...problemWords(asProblem(error))),
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
        text: now.data ? utc(now.data) : t('pages.clock.title'),
        ariaLabel: now.data ? t('pages.clock.label_now', { at: utc(now.data) }) : t('pages.clock.label'),
        items: [...steps.map((step) => ({ id: step, text: t(`pages.clock.${step}`) })), { id: 'set', text: t('pages.clock.choose') }],
        onItemClick: ({ detail: { id } }) => (id === 'set' ? setOpen(true) : move({ advance: id })),
      },
    ],
  ];
}
