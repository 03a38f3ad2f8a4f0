import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import { Suspense, useEffect, useRef } from 'react';
import { Outlet } from 'react-router';

import { chooseLanguage, languageFor, t } from '../language';
import { ProblemAlert } from '../parts/ProblemAlert';
import { useMe, useSession, type Me } from '../session';
import { Flashes, FlashProvider } from '../shell/flash';
import { PanelProvider, usePanelDrawer } from '../shell/Panel';
import { Layout } from '../shell/Shell';
import { Waiting } from '../shell/Waiting';
import { theHost } from './begin';

/** The frame's content: the pages without their bar and their list of pages, which the application has in its own way. */
export function Shell() {
  return (
    <FlashProvider>
      <PanelProvider>
        <Content />
      </PanelProvider>
    </FlashProvider>
  );
}

function Content() {
  const { state, enter } = useSession();
  const { me, problem, retry } = useMe();
  const panel = usePanelDrawer();
  const content = useHeight(panel.activeDrawerId !== null);
  useOwnLanguage(me);
  useEffect(() => {
    if (me) theHost().tell('ready', {});
  }, [me]);
  useEffect(() => {
    if (state === 'out') theHost().tell('error', { reason: 'signed_out' });
  }, [state]);
  useEffect(() => {
    if (problem) theHost().tell('error', { reason: problem.code });
  }, [problem]);
  return (
    <Layout
      toolsHide
      navigationHide
      drawers={panel.drawers}
      activeDrawerId={panel.activeDrawerId}
      onDrawerChange={(e) => {
        if (!e.detail.activeDrawerId) panel.onClose();
      }}
      notifications={<Flashes />}
      ariaLabels={{ notifications: t('pages.shell.messages'), drawers: t('pages.shell.panel') }}
      content={
        <div ref={content}>
          {state === 'out' ? (
            <Alert type="warning" header={t('pages.embedded.ended')} action={<Button onClick={() => enter({ bearer: '', expiresIn: 0 })}>{t('pages.button.try_again')}</Button>}>
              {t('pages.embedded.ended_about')}
            </Alert>
          ) : problem ? (
            <ProblemAlert problem={problem} retry={retry} />
          ) : me ? (
            <>
              <Suspense fallback={<Waiting />}>
                <Outlet />
              </Suspense>
              <Box variant="small" color="text-body-secondary" padding={{ top: 's' }}>
                {t('pages.embedded.as', { who: whoIs(me) })}
              </Box>
            </>
          ) : (
            <Waiting />
          )}
        </div>
      }
    />
  );
}

/** Whose token the application has given: what is done here is done in that name. */
const whoIs = (me: Me): string => me.email || t('words.actor.provider');

/** The language that somebody has chosen once, unless the application says another. */
function useOwnLanguage(me: Me | undefined): void {
  const chosen = me?.preferences.language;
  useEffect(() => {
    const language = chosen && !theHost().look.language && languageFor(chosen);
    if (language) void chooseLanguage(language);
  }, [chosen]);
}

const room = { pages: 400, dialog: 640 }; // px, at least: for the menus of a short list; for a dialog, or a panel, above one

/** Has the frame be as high as its content, which does not depend on the frame's height: a change of height asks for no other. */
function useHeight(panel: boolean) {
  const content = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let told = 0;
    const measure = () => {
      const end = content.current?.getBoundingClientRect().bottom ?? 0;
      const open = panel || [...document.querySelectorAll('body > :not(#root) [role="dialog"]')].some((dialog) => dialog.checkVisibility());
      const height = Math.max(Math.ceil(end + window.scrollY) + 24, open ? room.dialog : room.pages);
      if (Math.abs(height - told) > 1) theHost().height((told = height));
    };
    const resized = new ResizeObserver(measure);
    const opened = new MutationObserver(measure); // dialogs are put below body
    if (content.current) resized.observe(content.current);
    opened.observe(document.body, { childList: true });
    measure();
    return () => {
      resized.disconnect();
      opened.disconnect();
    };
  }, [panel]);
  return content;
}
