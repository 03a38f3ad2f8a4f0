// Guards route handlers of Next, and of all that answer a Request with a Response: Hono, Remix, workers.
import type { Checker } from './check';
import { judge, serves, type Asks } from './guard';

export { createChecker, credentials, Problem, type Checker, type CheckerOptions, type Decision, type Question, type Tokens } from './check';
export { decisionFor, type Asks } from './guard';

/**
 * A route handler that asks before each request, and has it handled only when the answer is a clear yes. Question says who asks for what, from the request
 * and what Next gives beside it (its params are a promise); nothing, or an error, is answered with 401. A denial is 403, and what could not be answered is
 * 503, as problem documents (RFC 9457) that say no more than the reason. The handler finds the decision with decisionFor(request).
 */
export function guard<Incoming extends Request, Rest extends unknown[]>(
  checker: Checker,
  question: Asks<[Incoming, ...Rest]>,
  handler: (request: Incoming, ...rest: Rest) => Response | Promise<Response>,
): (request: Incoming, ...rest: Rest) => Promise<Response> {
  return async (request, ...rest) => {
    const judged = await judge(checker, () => question(request, ...rest));
    if ('refusal' in judged) return new Response(judged.refusal.body, judged.refusal);
    serves(request, judged.decision);
    return handler(request, ...rest);
  };
}
