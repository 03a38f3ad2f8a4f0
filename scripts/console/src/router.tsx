import { createElement, type ComponentType } from 'react';
import { createBrowserRouter, type RouteObject } from 'react-router';

import { useLanguage, withWords } from './language';
import { embedded } from './settings';
import { Waiting } from './shell/Waiting';

/** A page that is drawn again, with what was entered in it, when another language is chosen: nothing below it keeps words of the language before. */
function inLanguage(Page: ComponentType): { Component: ComponentType } {
  return {
    Component: () => {
      useLanguage();
      return createElement(Page);
    },
  };
}

// The frame and each side are chunks of their own, loaded when somebody goes there, beside one another. Signing in needs none of them.
// withWords: the words that one of them alone needs are loaded with it (language/catalogue.mjs).
const outside: RouteObject[] = [
  { path: '/sign-in', HydrateFallback: Waiting, lazy: async () => inLanguage((await withWords('signIn', import('./session/SignIn'))).SignIn) },
  // An invited person has no account yet, and sees the offer before signing in.
  { path: '/invitations', HydrateFallback: Waiting, lazy: async () => inLanguage((await withWords('invitation', import('./invitation/Invitation'))).Invitation) },
];
const provider: RouteObject[] = [
  { path: 'provider/*', lazy: async () => inLanguage((await withWords('provider', import('./provider/routes'))).ProviderRoutes), HydrateFallback: Waiting },
];
// In a frame nobody signs in, and it is one side's: the application brings who is there (embedded/).
export const router = createBrowserRouter([
  ...(embedded ? [] : outside),
  {
    path: '/',
    HydrateFallback: Waiting,
    lazy: async () => inLanguage((await (embedded ? withWords('embedded', import('./embedded/Shell')) : import('./shell/Shell'))).Shell),
    children: [
      { index: true, lazy: async () => inLanguage((await import('./shell/Home')).Home) },
      { path: 'customers/:customer/*', lazy: async () => inLanguage((await withWords('customer', import('./customer/routes'))).CustomerRoutes), HydrateFallback: Waiting },
      { path: 'partners/:partner/*', lazy: async () => inLanguage((await withWords('partner', import('./partner/routes'))).PartnerRoutes), HydrateFallback: Waiting },
      ...(embedded ? [] : provider),
      { path: '*', lazy: async () => inLanguage((await import('./shell/NotFound')).NotFound) },
    ],
  },
]);
