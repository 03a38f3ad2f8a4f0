// Guards routes of Express 4 and 5, and of all that take its middleware.
import type { Checker } from './check';
import { judge, serves, type Asks } from './guard';

export { createChecker, credentials, Problem, type Checker, type CheckerOptions, type Decision, type Question, type Tokens } from './check';
export { decisionFor, type Asks } from './guard';

/** A request as far as a question needs it. For Express's own types of a route: guard<express.Request<{ customer: string }>>(…). */
export interface GuardedRequest {
  params: Record<string, any>;
  headers: Record<string, string | string[] | undefined>;
  [member: string]: any;
}

/** What a guard needs of Express's response, which is Node's own. */
export interface GuardedResponse {
  readonly headersSent: boolean;
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(body: string): unknown;
}

/**
 * Asks before each request, and calls next only when the answer is a clear yes, never with an error. Question says who asks for what; nothing, or an
 * error, is answered with 401. A denial is 403, and what could not be answered is 503, as problem documents (RFC 9457) that say no more than the reason.
 * What serves the request finds the decision with decisionFor(req).
 */
export function guard<Request extends object = GuardedRequest>(
  checker: Checker,
  question: Asks<[Request]>,
): (req: Request, res: GuardedResponse, next: () => void) => Promise<void> {
  return async (req, res, next) => {
    const judged = await judge(checker, () => question(req));
    if ('decision' in judged) {
      serves(req, judged.decision);
      next();
      return;
    }
    if (res.headersSent) return; // something before has answered meanwhile
    res.writeHead(judged.refusal.status, judged.refusal.headers);
    res.end(judged.refusal.body);
  };
}
