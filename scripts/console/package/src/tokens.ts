/** Gives the access token of the next request. */
export interface Tokens {
  /** The signal ends the waiting of who asks; a token that others wait for is still got. */
  token(signal: AbortSignal): string | Promise<string>;
  /** Drops a token that the service refused, so that the next one is another; absent where there is only one. */
  forget?(token: string): void;
}

const timeout = 5000; // milliseconds, for a token
const early = 60_000; // milliseconds before its end that a token is not used any more

/**
 * Gets tokens with a machine's own client (RFC 6749, section 4.4) and keeps each until a minute before its end, since each one costs (Cognito: $2.25 a
 * thousand). The endpoint is the stack's output SignInAddress with /oauth2/token behind it. No scopes are all that the client has.
 */
export function credentials(endpoint: string, id: string, secret: string, ...scopes: string[]): Tokens {
  let kept = { token: '', until: 0 };
  let coming: Promise<string> | undefined;

  async function get(): Promise<string> {
    const began = Date.now();
    const response = await fetch(endpoint, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
      headers: { Authorization: `Basic ${btoa(`${encoded(id)}:${encoded(secret)}`)}`, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}) }).toString(),
    });
    const text = await response.text();
    const { access_token: token, expires_in: lasts, error } = objectOf(text);
    if (response.status !== 200) throw new Error(`get a token: ${endpoint} answered ${response.status} ${typeof error === 'string' ? error : ''}`.trimEnd());
    if (typeof token !== 'string' || token === '') throw new Error('get a token: the answer has none');
    kept = { token, until: began + (typeof lasts === 'number' ? lasts * 1000 : 0) - early };
    return token;
  }

  return {
    token(signal) {
      if (kept.token !== '' && Date.now() < kept.until) return kept.token;
      coming ??= get().finally(() => (coming = undefined)); // one at a time: who comes meanwhile gets the same
      return orAborted(coming, signal);
    },
    forget(token) {
      if (kept.token === token) kept = { token: '', until: 0 };
    },
  };
}

const encoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What a promise comes to, unless the signal is aborted before: then its reason is thrown, and the promise goes on for others. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
