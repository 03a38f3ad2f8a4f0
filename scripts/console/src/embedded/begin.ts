import type { Api } from '../api';
import { chooseLanguage, languageFor, startLanguage } from '../language';
import type { Around } from '../session';
import { connect, type Host } from './host';
import { applyLook, followSystem } from './look';

let host: Host | undefined;

/** The application around these pages, once it has answered. */
export function theHost(): Host {
  if (!host) throw new Error('there is no application around these pages');
  return host;
}

/** Begins the pages in a frame: looks as the application wants, and has its tokens. Fails where none of those that may show them answers. */
export async function begin(allowed: readonly string[] = []): Promise<Around> {
  keepNothing();
  const around = (host = await connect(allowed));
  applyLook(around.look);
  followSystem(() => around.look);
  await startLanguage(around.look.language);
  let shown = around.look.language;
  around.onLook((look) => {
    applyLook(look);
    const language = look.language && languageFor(look.language);
    if (look.language !== shown && language) void chooseLanguage(language);
    shown = look.language;
  });
  return { token: () => around.token(), attach: (api, another) => attach(api, around, another) };
}

/** In a frame browsers keep things apart, or refuse to: nothing is kept beyond the page. */
function keepNothing(): void {
  for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, { value: new InMemory(), configurable: true });
}

class InMemory {
  [key: string]: unknown;
  getItem(key: string): unknown {
    return Object.hasOwn(this, key) ? this[key] : null;
  }
  setItem(key: string, value: string): void {
    this[key] = value;
  }
  removeItem(key: string): void {
    delete this[key];
  }
}

/** What the application is told of, by the request that did it. */
const events: Record<string, string> = {
  'POST /v1/customers/{customer}/grants': 'granted',
  'PATCH /v1/customers/{customer}/grants/{partner}': 'edited',
  'DELETE /v1/customers/{customer}/grants/{partner}': 'revoked',
  'POST /v1/customers/{customer}/invitations': 'invited',
  'POST /v1/customers/{customer}/requests/{request}/approve': 'approved',
  'POST /v1/customers/{customer}/requests/{request}/decline': 'declined',
  'POST /v1/partners/{partner}/invitations': 'invited',
  'POST /v1/partners/{partner}/requests': 'asked',
  'DELETE /v1/partners/{partner}/customers/{customer}': 'relinquished',
};

/** Tells the application of what is done, and sends a request again, once, whose token was not accepted any more: it has done nothing. */
function attach(api: Api, around: Host, another: () => void): void {
  around.onPerson(another);
  const sent = new Map<string, Request>();
  api.use({
    onRequest({ request, id }) {
      sent.set(id, request.clone());
      return undefined;
    },
    onError({ id }) {
      sent.delete(id);
    },
    async onResponse({ request, response: first, id, schemaPath, params }) {
      let response = first;
      const again = sent.get(id);
      sent.delete(id);
      if (response.status === 401 && again) {
        const token = await around.token(true).catch(() => '');
        if (token && `Bearer ${token}` !== again.headers.get('Authorization')) {
          again.headers.set('Authorization', `Bearer ${token}`);
          response = await fetch(again);
        }
      }
      const event = events[`${request.method} ${schemaPath}`];
      if (event && response.ok && !response.headers.get('Content-Type')?.includes('dry-run')) around.tell(event, await idsOf(response, params.path));
      return response;
    },
  });
}

/** The organisations that it is about: no people. */
async function idsOf(response: Response, path: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  type Of = Partial<Record<'customer' | 'partner', { id?: string }>>;
  const answered = (await response.clone().json().catch(() => ({}))) as Of & { grant?: Of };
  const of = answered.grant ?? answered;
  return { customer: path.customer ?? of.customer?.id, partner: path.partner ?? of.partner?.id };
}
