import { createBrowserRouter } from 'react-router';

import { Waiting } from './shell/Waiting';

// The frame and each side are chunks of their own, loaded when somebody goes there, beside one another. Signing in needs none of them.
export const router = createBrowserRouter([
  { path: '/sign-in', HydrateFallback: Waiting, lazy: async () => ({ Component: (await import('./session/SignIn')).SignIn }) },
  // An invited person has no account yet, and sees the offer before signing in.
  { path: '/invitations', HydrateFallback: Waiting, lazy: async () => ({ Component: (await import('./invitation/Invitation')).Invitation }) },
  {
    path: '/',
    HydrateFallback: Waiting,
    lazy: async () => ({ Component: (await import('./shell/Shell')).Shell }),
    children: [
      { index: true, lazy: async () => ({ Component: (await import('./shell/Home')).Home }) },
      { path: 'customers/:customer/*', lazy: async () => ({ Component: (await import('./customer/routes')).CustomerRoutes }), HydrateFallback: Waiting },
      { path: 'partners/:partner/*', lazy: async () => ({ Component: (await import('./partner/routes')).PartnerRoutes }), HydrateFallback: Waiting },
      { path: 'provider/*', lazy: async () => ({ Component: (await import('./provider/routes')).ProviderRoutes }), HydrateFallback: Waiting },
      { path: '*', lazy: async () => ({ Component: (await import('./shell/NotFound')).NotFound }) },
    ],
  },
]);
