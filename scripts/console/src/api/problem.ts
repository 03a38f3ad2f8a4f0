import type { components } from './schema';

type ProblemDocument = components['schemas']['Problem'];

/** What went wrong with a request, whoever said so: the service by a problem document (RFC 9457), the gateway, or the network. */
export class Problem extends Error {
  /** How what is wrong at a place of the request is said: as the service says it, unless a front end has words of its own. */
  static words: (problem: Problem, error: { pointer: string; detail: string }) => string = (_, { detail }) => sentence(detail);

  readonly status: number; // 0 when there was no answer
  readonly code: string; // stable; see openapi.yaml. Of the page's own: unreachable, gateway
  readonly title: string;
  readonly detail: string;
  readonly requestId: string; // empty when there was no answer
  readonly errors: readonly { pointer: string; detail: string }[];
  readonly retryAfter: number; // seconds; 0 when nobody said
  readonly limit: number; // the most at once; 0 when that is not what is wrong, as the next
  readonly maxDays: number; // the longest period
  readonly offered: ProblemDocument['offered']; // what the provider offers the partner

  constructor(document: Partial<ProblemDocument>, retryAfter = 0) {
    super(document.detail ?? document.title ?? 'Something went wrong');
    this.name = 'Problem';
    this.status = document.status ?? 0;
    this.code = document.code ?? 'gateway';
    this.title = document.title ?? 'Something went wrong';
    this.detail = document.detail ?? '';
    this.requestId = document.request_id ?? '';
    this.errors = document.errors ?? [];
    this.retryAfter = retryAfter;
    this.limit = document.limit ?? 0;
    this.maxDays = document.max_days ?? 0;
    this.offered = document.offered;
  }

  /** The words for what was given at a pointer, or below it; undefined when it has none. */
  at(pointer: string): string | undefined {
    const here = this.errors.filter((e) => e.pointer === pointer || e.pointer.startsWith(`${pointer}/`));
    return here.length > 0 ? [...new Set(here.map((e) => Problem.words(this, e)))].join(' ') : undefined;
  }

  /** Whether the same request may succeed when it is sent again: nothing was wrong with it. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 503 || this.code === 'contention';
  }
}

/** The problem in an answer that is a refusal. */
export function problemOf(response: Response, body: unknown): Problem {
  const retryAfter = Number(response.headers.get('Retry-After')) || 0;
  const requestId = response.headers.get('X-Request-ID') ?? response.headers.get('Apigw-Requestid') ?? '';
  if (isDocument(body)) return new Problem({ request_id: requestId, ...body }, retryAfter);
  const message = (body as { message?: unknown } | undefined)?.message; // the gateway's own refusals
  return new Problem(
    {
      status: response.status,
      code: { 401: 'unauthenticated', 404: 'not_found', 429: 'too_many_requests', 503: 'unavailable' }[response.status] ?? 'gateway',
      title: typeof message === 'string' && message ? message : `The service answered ${response.status}`,
      detail: '',
      request_id: requestId,
    },
    retryAfter,
  );
}

/** Anything thrown, as a Problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TypeError) {
    return new Problem({
      code: 'unreachable',
      title: 'The service cannot be reached',
      detail: 'The request may or may not have been carried out. Check the current state, then try again.',
    });
  }
  return new Problem({ code: 'page', title: 'Something went wrong in this page', detail: String(error) });
}

function isDocument(body: unknown): body is ProblemDocument {
  const b = body as Partial<ProblemDocument> | null | undefined;
  return typeof b?.code === 'string' && typeof b.title === 'string' && typeof b.status === 'number';
}

/** The service's details begin small, as in a log; on a page they are sentences. */
export function sentence(text: string): string {
  const t = /^[a-z]+[ ,]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text; // but no address, and no id
  return /[.!?]$/.test(t) ? t : `${t}.`;
}
