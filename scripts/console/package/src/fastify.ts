// Guards routes of Fastify 4 and 5.
import type { Checker } from './check';
import { judge, serves, type Asks } from './guard';

export { createChecker, credentials, Problem, type Checker, type CheckerOptions, type Decision, type Question, type Tokens } from './check';
export { decisionFor, type Asks } from './guard';

/** What a guard needs of Fastify's reply. */
export interface GuardedReply {
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(body: Uint8Array): unknown;
}

/**
 * A hook (onRequest, or preHandler where the question needs the body) that asks before each request, and lets it on only when the answer is a clear yes.
 * Question says who asks for what; nothing, or an error, is answered with 401. A denial is 403, and what could not be answered is 503, as problem
 * documents (RFC 9457) that say no more than the reason. What serves the request finds the decision with decisionFor(request).
 */
export function guard<Request extends object>(checker: Checker, question: Asks<[Request]>): (request: Request, reply: GuardedReply) => Promise<unknown> {
  return async (request, reply) => {
    const judged = await judge(checker, () => question(request));
    if ('decision' in judged) {
      serves(request, judged.decision);
      return undefined;
    }
    reply.code(judged.refusal.status);
    reply.headers(judged.refusal.headers);
    reply.send(Buffer.from(judged.refusal.body)); // a text would get a charset, which the type has none of
    return reply; // which ends the request here
  };
}
