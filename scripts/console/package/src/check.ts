// Asks the service: may this partner's user do that at this customer? It fails closed: whatever is not a clear yes is a no. shared/client does the same in
// Go, with the same words and the same figures.
import { Problem, problemOf } from '../../src/api/problem';
import { orAborted, type Tokens } from './tokens';

export { Problem } from '../../src/api/problem';
export { credentials, type Tokens } from './tokens';

/** Asks whether a partner's user may do something at a customer. */
export interface Question {
  user: string; // the id, or the verified e-mail address
  action: string; // of the catalogue: reports:read
  customer: string; // the customer's id
}

/** The answer to a Question. Only `allowed` decides; the rest says why. */
export interface Decision {
  allowed: boolean;
  reason: string; // granted, no_grant, expired, …: the contract lists them
  level: string; // at which level the grant counts; empty without one
  grant: string; // its id; empty without one
  validUntil: Date | undefined; // when an allow ends by the clock, if nothing ends it before; undefined: at no known instant
  evaluatedAt: Date | undefined; // when it was decided, by the service's clock
  problem?: Problem; // why this question could not be answered; allowed is false then
}

export interface Asking {
  /** Ends the waiting of who asks; questions that travel together go on for the others. */
  signal?: AbortSignal;
}

export interface Checker {
  /**
   * Asks one question. Whatever goes wrong is thrown, as a Problem or as the signal's reason: `allowed` is true only when the service said so. An allow
   * counts as a use of the access. Questions that others ask within two milliseconds go with it, 50 at most. Nothing is kept of an answer.
   */
  check(question: Question, asking?: Asking): Promise<Decision>;
  /**
   * Asks all questions, in batches of 100 at most, one after the other. The decisions are in the order of the questions; a question that could not be
   * answered by itself is a denial with its `problem`. None of them counts as a use of the access. Throws when nothing was answered.
   */
  checks(questions: readonly Question[], asking?: Asking): Promise<Decision[]>;
}

export interface CheckerOptions {
  timeout?: number; // of each try, in milliseconds; 2000 unless this says otherwise
  tries?: number; // how often a request is sent at most; 3 unless this says otherwise
  fetch?: typeof fetch; // sends the requests, for proxies or certificates
  trace?: () => string | undefined; // the traceparent (W3C Trace Context) that a request names; questions that travel together name that of the first
}

const maxQuestions = 100; // that a batch may hold
const maxTogether = 50; // questions that travel together, at most
const together = 2; // milliseconds that the first waits for others
const maxJoining = 1000; // bytes of a question that others go with: 50 of them stay below what the service takes
const maxPause = 10_000; // milliseconds

/**
 * Asks the deployment at that address: the stack's output Address, or http://127.0.0.1:8080 of make run. Make one for a process, since it keeps the token.
 */
export function createChecker(baseUrl: string, tokens: Tokens | (() => string | Promise<string>), options: CheckerOptions = {}): Checker {
  return new Asker(baseUrl.replace(/\/$/, ''), typeof tokens === 'function' ? { token: tokens } : tokens, options);
}

interface Waiting {
  body: Evaluation;
  trace: string | undefined;
  resolve: (decision: Decision) => void;
  reject: (problem: unknown) => void;
}

/** What a request needs beside its body. */
interface Sending {
  signal: AbortSignal | undefined;
  trace: string | undefined;
}

class Asker implements Checker {
  readonly #baseUrl: string;
  readonly #tokens: Tokens;
  readonly #fetch: typeof fetch;
  readonly #timeout: number;
  readonly #tries: number;
  readonly #trace: () => string | undefined;
  #waiting: Waiting[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(baseUrl: string, tokens: Tokens, options: CheckerOptions) {
    this.#baseUrl = baseUrl;
    this.#tokens = tokens;
    this.#fetch = options.fetch ?? fetch;
    this.#timeout = options.timeout ?? 2000;
    this.#tries = Math.max(options.tries ?? 3, 1);
    this.#trace = options.trace ?? (() => undefined);
  }

  async check(question: Question, { signal }: Asking = {}): Promise<Decision> {
    signal?.throwIfAborted();
    const body = evaluationOf(question);
    // A question that is too long would have the whole batch refused, and others' answers with it.
    if (new TextEncoder().encode(JSON.stringify(body)).length > maxJoining) return this.#one(body, { signal, trace: this.#trace() });
    // Whoever asked first may give up: the others' answers do not depend on it.
    return orAborted(this.#join(body), signal);
  }

  async checks(questions: readonly Question[], { signal }: Asking = {}): Promise<Decision[]> {
    const bodies = questions.map(evaluationOf);
    const decisions: Decision[] = [];
    const trace = this.#trace();
    for (let from = 0; from < bodies.length; from += maxQuestions) {
      decisions.push(...(await this.#batch({ evaluations: bodies.slice(from, from + maxQuestions) }, { signal, trace })));
    }
    return decisions;
  }

  #join(body: Evaluation): Promise<Decision> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ body, trace: this.#trace(), resolve, reject });
      if (this.#waiting.length === maxTogether) void this.#send();
      else if (this.#waiting.length === 1) this.#timer = setTimeout(() => void this.#send(), together);
    });
  }

  async #send(): Promise<void> {
    clearTimeout(this.#timer);
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      const [first] = batch;
      if (!first) return;
      const of = { signal: undefined, trace: first.trace };
      const joined = { context: { record_use: true }, evaluations: batch.map(({ body }) => body) }; // as it does of a question that goes alone
      const decisions = batch.length === 1 ? [await this.#one(first.body, of)] : await this.#batch(joined, of);
      batch.forEach(({ resolve, reject }, i) => {
        const decision = decisions[i];
        if (decision && !decision.problem) resolve(decision);
        else reject(decision?.problem ?? malformed());
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  /** Asks a question by itself. */
  async #one(body: Evaluation, of: Sending): Promise<Decision> {
    const { content } = await this.#do('/access/v1/evaluation', body, of);
    const decision = decisionOf(content);
    if (decision.problem) throw decision.problem;
    return decision;
  }

  async #batch(body: { context?: { record_use: boolean }; evaluations: Evaluation[] }, of: Sending): Promise<Decision[]> {
    const { content, headers } = await this.#do('/access/v1/evaluations', body, of);
    const answers = memberOf(content, 'evaluations');
    if (!Array.isArray(answers) || answers.length !== body.evaluations.length) throw malformed();
    const at = new Date(headers.get('Evaluated-At') ?? '');
    return answers.map((a) => {
      const decision = decisionOf(a);
      if (decision.problem) return decision;
      return { ...decision, evaluatedAt: decision.evaluatedAt ?? (Number.isNaN(at.getTime()) ? undefined : at) };
    });
  }

  /** Sends a request, again where the service asks for it or does not answer. A question changes nothing, so that it does no harm twice. */
  async #do(path: string, body: unknown, { signal, trace }: Sending): Promise<{ content: unknown; headers: Headers }> {
    const text = JSON.stringify(body);
    for (let n = 1, renewed = false; ; n++) {
      const sent = { token: '', trace };
      try {
        return await this.#try(path, text, sent, signal);
      } catch (error) {
        signal?.throwIfAborted();
        const problem = error instanceof Problem ? error : unreachable(error);
        if (problem.status === 401 && !renewed && this.#tokens.forget) {
          this.#tokens.forget(sent.token); // it has ended, or was ended
          renewed = true;
          continue;
        }
        if (n >= this.#tries || ![0, 429, 502, 503, 504].includes(problem.status)) throw problem;
        const pause = 50 * 2 ** (n - 1);
        const wait = problem.retryAfter > 0 ? problem.retryAfter * 1000 : pause / 2 + Math.random() * pause;
        if (wait > maxPause) throw problem;
        await orAborted(new Promise((resolve) => setTimeout(resolve, wait)), signal);
      }
    }
  }

  async #try(path: string, body: string, sent: { token: string; trace: string | undefined }, signal: AbortSignal | undefined): Promise<{ content: unknown; headers: Headers }> {
    const limit = AbortSignal.timeout(this.#timeout);
    const both = signal ? AbortSignal.any([signal, limit]) : limit;
    sent.token = await orAborted(Promise.resolve(this.#tokens.token(both)), both);
    const send = this.#fetch;
    const response = await send(this.#baseUrl + path, {
      method: 'POST',
      redirect: 'manual', // the token stays at the address that it is for
      signal: both,
      cache: 'no-store', // Next keeps what its fetch has got, unless this says so
      headers: {
        Accept: 'application/json, application/problem+json',
        'Content-Type': 'application/json',
        Authorization: `Bearer ${sent.token}`,
        ...(sent.trace ? { Traceparent: sent.trace } : {}),
      },
      body,
    });
    const text = await response.text();
    if (!response.ok) {
      const content = parsed(text) as { status?: unknown } | null | undefined;
      throw problemOf(response, content?.status === response.status ? content : undefined);
    }
    const content = parsed(text);
    if (content === undefined) throw malformed();
    return { content, headers: response.headers };
  }
}

/** A question in AuthZEN's words. */
interface Evaluation {
  subject: { type: 'user'; id: string };
  action: { name: string };
  resource: { type: 'customer'; id: string };
}

function evaluationOf({ user, action, customer }: Question): Evaluation {
  // What has come from a request may be something else at run time; and half a character would have a whole batch refused.
  const [id, name, at] = [user, action, customer].map((value: unknown) => {
    if (typeof value !== 'string') throw new Problem({ status: 400, code: 'invalid_request', title: 'Bad Request', detail: 'a question is of three texts' });
    return value.toWellFormed();
  }) as [string, string, string];
  return { subject: { type: 'user', id }, action: { name }, resource: { type: 'customer', id: at } };
}

/** Reads an answer; throws what is malformed. */
function decisionOf(answer: unknown): Decision {
  const context = memberOf(answer, 'context') ?? {};
  const error = memberOf(context, 'error');
  const rest = { level: textOf(context, 'level'), grant: textOf(context, 'grant'), reason: textOf(context, 'reason') };
  const times = { validUntil: timeOf(context, 'valid_until'), evaluatedAt: timeOf(context, 'evaluated_at') };
  if (error !== undefined && error !== null) {
    const status = memberOf(error, 'status');
    const detail = textOf(error, 'message');
    const problem = new Problem({ status: typeof status === 'number' ? status : 500, code: 'unanswered', title: 'The question was not answered', detail });
    return { allowed: false, ...rest, ...times, problem };
  }
  const decision = memberOf(answer, 'decision');
  if (typeof decision !== 'boolean') throw malformed();
  return { allowed: decision, ...rest, ...times };
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed();
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function textOf(value: unknown, name: string): string {
  const text = memberOf(value, name) ?? '';
  if (typeof text !== 'string') throw malformed();
  return text;
}

function timeOf(value: unknown, name: string): Date | undefined {
  const text = textOf(value, name);
  if (text === '') return undefined;
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw malformed();
  return time;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const malformed = (): Problem =>
  new Problem({ status: 0, code: 'unreadable', title: 'The answer cannot be read', detail: 'something else than the service has answered, or a part of its answer is missing' });

function unreachable(cause: unknown): Problem {
  const problem = new Problem({ status: 0, code: 'unreachable', title: 'The service cannot be reached', detail: String(cause) });
  problem.cause = cause;
  return problem;
}
