// Signing in at a hosted login: authorization code with PKCE (RFC 6749 section 4.1, RFC 7636). Tokens are kept in memory alone.
import { Problem } from '../api';
import type { HostedLogin } from '../settings';

/** What has to outlive the way to the login and back, in this tab alone. No token is among it. */
interface Pending {
  state: string;
  verifier: string;
  next: string;
}

const pendingKey = 'partner-access.login';
const redirectUri = (): string => `${location.origin}/sign-in`;

export interface Tokens {
  bearer: string;
  refresh?: string;
  expiresIn: number; // seconds
}

/** The scope that makes a token one of the provider's. */
export const directoryScope = 'partner-access/directory';

/** Leaves the page for the hosted login, which leads back to /sign-in. `anew` has it ask who one is, also of whom it knows still. */
export async function leaveForLogin(login: HostedLogin, next: string, anew = false): Promise<void> {
  const pending: Pending = { state: random(), verifier: random(), next };
  sessionStorage.setItem(pendingKey, JSON.stringify(pending));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(pending.verifier));
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: login.client_id,
    redirect_uri: redirectUri(),
    scope: login.scopes.join(' '),
    state: pending.state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
    ...(anew ? { prompt: 'login' } : {}), // OpenID Connect Core 3.1.2.1
  });
  location.assign(`${login.authorize}?${query}`);
}

/** Where the login leads back to: takes the code for tokens, and says where the person wanted to go. */
export async function returnFromLogin(login: HostedLogin, query: URLSearchParams): Promise<{ tokens: Tokens; next: string }> {
  const stored = sessionStorage.getItem(pendingKey);
  sessionStorage.removeItem(pendingKey);
  const refused = query.get('error');
  if (refused) throw signInProblem(query.get('error_description') ?? refused);
  const pending = stored ? (JSON.parse(stored) as Pending) : undefined;
  const code = query.get('code');
  if (!pending || !code || query.get('state') !== pending.state) {
    throw signInProblem('This sign-in was not started in this tab, or has already been used.');
  }
  const tokens = await request(login, { grant_type: 'authorization_code', code, redirect_uri: redirectUri(), code_verifier: pending.verifier });
  return { tokens, next: pending.next };
}

/** New tokens for a refresh token. */
export async function refresh(login: HostedLogin, refreshToken: string): Promise<Tokens> {
  return { refresh: refreshToken, ...(await request(login, { grant_type: 'refresh_token', refresh_token: refreshToken })) };
}

export function leaveForLogout(login: HostedLogin): void {
  if (login.logout) location.assign(login.logout.replace('{origin}', encodeURIComponent(location.origin)));
}

async function request(login: HostedLogin, parameters: Record<string, string>): Promise<Tokens> {
  const response = await fetch(login.token, {
    method: 'POST',
    body: new URLSearchParams({ client_id: login.client_id, ...parameters }),
    cache: 'no-store',
  });
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const id = answer.id_token;
  const access = answer.access_token;
  if (!response.ok || (typeof id !== 'string' && typeof access !== 'string')) {
    throw signInProblem(String(answer.error_description ?? answer.error ?? `the login answered ${response.status}`));
  }
  return {
    bearer: bearerOf(typeof id === 'string' ? id : undefined, typeof access === 'string' ? access : undefined),
    refresh: typeof answer.refresh_token === 'string' ? answer.refresh_token : undefined,
    expiresIn: Number(answer.expires_in) || 3600,
  };
}

/** The ID token says who somebody is (Cognito's access tokens carry no address); only an access token carries the provider's scope. */
function bearerOf(id: string | undefined, access: string | undefined): string {
  if (access !== undefined && (id === undefined || scopesOf(access).includes(directoryScope))) return access;
  return id ?? '';
}

function scopesOf(jwt: string): string[] {
  try {
    const payload = jwt.split('.')[1] ?? '';
    const claims = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as { scope?: unknown };
    return typeof claims.scope === 'string' ? claims.scope.split(' ') : [];
  } catch {
    return []; // no JWT: nothing can be read from it
  }
}

const signInProblem = (detail: string): Problem => new Problem({ status: 401, code: 'sign_in', title: 'You could not be signed in', detail });

function random(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
