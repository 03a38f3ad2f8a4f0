// What differs between stages stands in /settings.json beside the page, so that one build serves them all.

/** Where people sign in: authorization code with PKCE (RFC 7636), as Cognito's hosted login and others do it. */
export interface HostedLogin {
  authorize: string; // the authorization endpoint
  token: string; // the token endpoint; the page's Content-Security-Policy has to name its origin in connect-src
  logout?: string; // where signing out leads; {origin} becomes the page's own origin
  client_id: string;
  scopes: string[]; // openid and email, and whatever else the stage wants
}

export interface Settings {
  api: string; // where the API is, without a slash at the end; empty: where the page is
  product?: string; // what the provider's product is called, as in mails
  local?: boolean; // the local stack: /_local/ at the API signs in, has a mailbox, and a clock
  login?: HostedLogin; // needed unless local
  embed?: string[]; // the origins whose pages may show these in a frame (embedded/); frame-ancestors says so, too
}

/** Whether these pages are shown in a frame, by an application that frame-ancestors has let do so. */
export const embedded = window.parent !== window;

export async function loadSettings(): Promise<Settings> {
  const response = await fetch('/settings.json', { cache: 'no-store' });
  if (!response.ok) throw new Error(`/settings.json answers ${response.status}`);
  const settings = (await response.json()) as Settings;
  if (typeof settings.api !== 'string' || (!settings.local && !settings.login)) {
    throw new Error('/settings.json needs "api", and "login" or "local": see scripts/console/src/settings.ts');
  }
  return { ...settings, api: settings.api.replace(/\/+$/, '') };
}
