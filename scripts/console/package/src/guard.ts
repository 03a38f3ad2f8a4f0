// What the guards of all frameworks do alike: ask before each request, and serve it only when the answer is a clear yes.
import type { Checker, Decision, Question } from './check';

/**
 * Says who asks for what. Nobody signed in: undefined, or an error, which is answered like it.
 */
export type Asks<Request extends unknown[]> = (...request: Request) => Question | undefined | Promise<Question | undefined>;

/** The answer to a request that is not served: a problem document (RFC 9457) that says no more than the reason. */
export interface Refusal {
  status: 401 | 403 | 503;
  headers: Record<string, string>;
  body: string;
}

/** The decision on which to serve a request, or how to refuse it: 401 nobody, 403 denied, 503 not answered. It never throws. */
export async function judge(checker: Checker, question: () => ReturnType<Asks<[]>>): Promise<{ decision: Decision; question: Question } | { refusal: Refusal }> {
  let asked: Question | undefined;
  try {
    asked = await question();
  } catch {
    asked = undefined;
  }
  if (typeof asked?.user !== 'string' || asked.user === '') return { refusal: refusalOf(401, 'unauthenticated') };
  try {
    const decision = await checker.check(asked);
    if (decision.allowed === true && !decision.problem) return { decision, question: asked };
    if (decision.problem) return { refusal: refusalOf(503, 'unanswered') };
    return { refusal: refusalOf(403, decision.reason) };
  } catch {
    return { refusal: refusalOf(503, 'unanswered') };
  }
}

const titles = { 401: 'Unauthorized', 403: 'Forbidden', 503: 'Service Unavailable' };

function refusalOf(status: Refusal['status'], reason: string): Refusal {
  return {
    status,
    headers: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', ...(status === 503 ? { 'Retry-After': '1' } : {}) },
    body: JSON.stringify({ title: titles[status], status, ...(reason ? { reason } : {}) }),
  };
}

const decisions = new WeakMap<object, Decision>();

/** Keeps the decision that a request is served on, for decisionFor. */
export function serves(request: object, decision: Decision): void {
  decisions.set(request, decision);
}

/** The decision that a guard has served the request on; undefined outside of it. */
export function decisionFor(request: object): Decision | undefined {
  return decisions.get(request);
}
