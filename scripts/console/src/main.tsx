import '@cloudscape-design/global-styles/index.css';
import './console.css';

import Alert from '@cloudscape-design/components/alert';
import { I18nProvider } from '@cloudscape-design/components/i18n';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router/dom';

import { createQueries } from './api';
import { startLanguage, startPseudo, useLanguage } from './language';
import { startProblemWords } from './parts/problems';
import { router } from './router';
import { SessionProvider, type Around } from './session';
import { embedded, loadSettings, type Settings } from './settings';
import { startTheme } from './shell/theme';

if (!embedded) startTheme();
startProblemWords();

const queries = createQueries();

const root = createRoot(document.getElementById('root') as HTMLElement);

/** What Cloudscape says, in the reader's language. What the pages say follows by `InLanguage` in router.tsx. */
function InLanguage({ children }: { children: ReactNode }) {
  const { tag, catalogue } = useLanguage();
  return (
    <I18nProvider locale={tag} messages={[catalogue.components]}>
      {children}
    </I18nProvider>
  );
}

/** The settings, once the words are there. On the local stack ?lang=pseudo makes up a language, to look at what it does to the pages. */
async function start(): Promise<{ settings: Settings; around?: Around }> {
  let around: Around | undefined;
  const [settings] = await Promise.all([loadSettings(), embedded || startLanguage()]);
  if (embedded) around = await (await import('./embedded/begin')).begin(settings.embed);
  if (settings.local && new URLSearchParams(location.search).get('lang') === 'pseudo') await startPseudo();
  return { settings, around };
}

start().then(
  ({ settings, around }) =>
    root.render(
      <StrictMode>
        <QueryClientProvider client={queries}>
          <SessionProvider settings={settings} around={around}>
            <InLanguage>
              <RouterProvider router={router} />
            </InLanguage>
          </SessionProvider>
        </QueryClientProvider>
      </StrictMode>,
    ),
  (error: unknown) =>
    root.render(
      <main className="narrow-page">
        <Alert type="error" header="The console cannot start" /* perhaps for want of its words */>
          {String(error)}
        </Alert>
      </main>,
    ),
);
