import { createBrowserRouter } from 'react-router';

import { Home } from './shell/Home';
import { NotFound } from './shell/NotFound';
import { Shell, Waiting } from './shell/Shell';

// Each side is a chunk of its own, loaded when somebody goes there: its routes.tsx exports `routes`.
export const router = createBrowserRouter([
  { path: '/sign-in', HydrateFallback: Waiting, lazy: async () => ({ Component: (await import('./session/SignIn')).SignIn }) },
  // An invited person has no account yet, and sees the offer before signing in.
  { path: '/invitations', HydrateFallback: Waiting, lazy: async () => ({ Component: (await import('./invitation/Invitation')).Invitation }) },
  {
    path: '/',
    element: <Shell />,
    children: [
      { index: true, element: <Home /> },
      { path: 'customers/:customer/*', lazy: async () => ({ Component: (await import('./customer/routes')).CustomerRoutes }), HydrateFallback: Waiting },
      { path: 'partners/:partner/*', lazy: async () => ({ Component: (await import('./partner/routes')).PartnerRoutes }), HydrateFallback: Waiting },
      { path: 'provider/*', lazy: async () => ({ Component: (await import('./provider/routes')).ProviderRoutes }), HydrateFallback: Waiting },
      { path: '*', element: <NotFound /> },
    ],
  },
]);
