import '@cloudscape-design/global-styles/index.css';
import './console.css';

import Alert from '@cloudscape-design/components/alert';
import { I18nProvider } from '@cloudscape-design/components/i18n';
import messages from '@cloudscape-design/components/i18n/messages/all.en';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router/dom';

import { asProblem } from './api';
import { router } from './router';
import { SessionProvider } from './session';
import { loadSettings } from './settings';
import { FlashProvider } from './shell/flash';
import { PanelProvider } from './shell/Panel';
import { startTheme } from './shell/theme';

startTheme();

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A read does no harm when it comes twice; what was refused is refused again.
      retry: (failures, error) => failures < 2 && asProblem(error).passing,
      retryDelay: (failures, error) => Math.max(asProblem(error).retryAfter * 1000, 400 * 2 ** failures),
    },
  },
});

const root = createRoot(document.getElementById('root') as HTMLElement);

loadSettings().then(
  (settings) =>
    root.render(
      <StrictMode>
        <I18nProvider locale="en" messages={[messages]}>
          <QueryClientProvider client={queries}>
            <SessionProvider settings={settings}>
              <FlashProvider>
                <PanelProvider>
                  <RouterProvider router={router} />
                </PanelProvider>
              </FlashProvider>
            </SessionProvider>
          </QueryClientProvider>
        </I18nProvider>
      </StrictMode>,
    ),
  (error: unknown) =>
    root.render(
      <main className="narrow-page">
        <Alert type="error" header="The console cannot start">
          {String(error)}
        </Alert>
      </main>,
    ),
);
