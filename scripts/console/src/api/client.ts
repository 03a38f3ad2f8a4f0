// The one way to the service: typed by openapi.yaml (schema.d.ts is generated from it by make generate). Nothing here knows the console.
import createClient, { type Client } from 'openapi-fetch';

import { inUnicode } from './idn';
import { asProblem, problemOf } from './problem';
import type { components, paths } from './schema';

/** The contract's schemas, by name: Schemas['Grant']. */
export type Schemas = components['schemas'];

// What is answered but for lists as CSV and JSON Lines (see export.ts).
type Json = 'application/json' | 'application/problem+json' | 'application/vnd.partner-access.dry-run+json';

export type Api = Client<paths, Json>;

/** What is answered to a request without dry_run. */
type Real<T> = Exclude<T, { dry_run: true }>;

export interface ApiOptions {
  baseUrl: string; // without a slash at the end; empty: where the page is
  token: () => string | undefined | Promise<string>; // of who has signed in, asked before each request
  signedOut?: () => void; // a token was sent and is not accepted (any more)
}

export function createApi({ baseUrl, token, signedOut }: ApiOptions): Api {
  const api = createClient<paths, Json>({
    baseUrl,
    cache: 'no-store',
    credentials: 'omit',
    querySerializer: { array: { style: 'form', explode: false } },
    headers: { Accept: 'application/json, application/problem+json' },
  });
  api.use({
    async onRequest({ request }) {
      const bearer = await token();
      if (bearer) request.headers.set('Authorization', `Bearer ${bearer}`);
      request.headers.set('X-Request-ID', crypto.randomUUID());
      return request;
    },
    async onResponse({ request, response }) {
      if (response.status === 401 && request.headers.has('Authorization')) signedOut?.();
      if (!response.ok || !/^application\/(json|vnd\.partner-access\.)/.test(response.headers.get('Content-Type') ?? '')) return undefined;
      return new Response(inUnicode(await response.text()), response);
    },
  });
  return api;
}

/** An answer that is no refusal, with what its headers say. */
export interface Answer<T> {
  data: T;
  etag: string; // names the state of what was read: the If-Match of an edit. Empty when there is none
  status: number;
  requestId: string;
}

/** Waits for a request and gives its answer; a refusal, or no answer, is thrown as a Problem. */
export async function answer<T>(request: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<Answer<Real<T>>> {
  let result;
  try {
    result = await request;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw asProblem(error);
  }
  const { data, error, response } = result;
  if (!response.ok) throw problemOf(response, error);
  return {
    data: data as Real<T>,
    etag: response.headers.get('ETag') ?? '',
    status: response.status,
    requestId: response.headers.get('X-Request-ID') ?? '',
  };
}

/** Waits for a request with dry_run, and gives what it would do, with the answer that it would get; what it would be refused with is thrown. */
export async function dryRun<T>(request: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<{ plan: Schemas['DryRun']; answer: Real<T> }> {
  const { data } = await answer(request);
  const plan = data as unknown as Schemas['DryRun'];
  const { problem, status } = plan.would;
  if (problem) throw problemOf(new Response(null, { status }), problem);
  return { plan, answer: plan.would.answer as Real<T> };
}

/** The ETag of something whose version was read in a list: the version in quotes. */
export const etagOf = (item: { version: number }): string => `"${item.version}"`;
