// Lambda authorizers of API Gateway. API Gateway keeps an authorizer's answer for five minutes unless it is told not to: set the authorizer's
// time to live (authorizerResultTtlInSeconds) to 0, or what is revoked is still allowed for so long.
import type { Checker, Decision } from './check';
import { judge, type Asks } from './guard';

export { createChecker, credentials, Problem, type Checker, type CheckerOptions, type Decision, type Question, type Tokens } from './check';
export type { Asks } from './guard';

/** What the integration gets of the decision, as $context.authorizer.… */
export interface AuthorizerContext {
  reason: string;
  level: string;
  grant: string;
  valid_until: string; // RFC 3339, UTC; empty: at no known instant
}

/** A simple response of an HTTP API's authorizer, payload format 2.0. */
export interface SimpleResponse {
  isAuthorized: boolean;
  context: Partial<AuthorizerContext>;
}

/** The response of a REST API's authorizer (TOKEN or REQUEST). */
export interface PolicyResponse {
  principalId: string;
  policyDocument: { Version: '2012-10-17'; Statement: [{ Action: 'execute-api:Invoke'; Effect: 'Allow' | 'Deny'; Resource: string }] };
  context: Partial<AuthorizerContext>;
}

/**
 * An authorizer of an HTTP API (payload format 2.0, simple responses). Nobody and a denial are not authorized (API Gateway answers 403); what could not be
 * answered is thrown (500), so that it counts among the function's errors.
 */
export function authorizer<Event>(checker: Checker, question: Asks<[Event]>): (event: Event) => Promise<SimpleResponse> {
  return async (event) => {
    const judged = await judge(checker, () => question(event));
    if ('decision' in judged) return { isAuthorized: true, context: contextOf(judged.decision) };
    if (judged.refusal.status === 503) throw new Error('partner access: the check was not answered');
    return { isAuthorized: false, context: {} };
  };
}

/**
 * An authorizer of a REST API (TOKEN or REQUEST), whose policy is for the request's own method and path alone. Nobody is `Unauthorized` (API Gateway
 * answers 401), a denial is a policy that denies (403), and what could not be answered is thrown (500).
 */
export function policyAuthorizer<Event extends { methodArn: string }>(checker: Checker, question: Asks<[Event]>): (event: Event) => Promise<PolicyResponse> {
  return async (event) => {
    let user = '';
    const judged = await judge(checker, async () => {
      const asked = await question(event);
      user = asked?.user ?? '';
      return asked;
    });
    if ('refusal' in judged && judged.refusal.status === 401) throw new Error('Unauthorized'); // this very text is API Gateway's for 401
    if ('refusal' in judged && judged.refusal.status === 503) throw new Error('partner access: the check was not answered');
    const decision = 'decision' in judged ? judged.decision : undefined;
    return {
      principalId: user,
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Action: 'execute-api:Invoke', Effect: decision ? 'Allow' : 'Deny', Resource: event.methodArn }],
      },
      context: decision ? contextOf(decision) : {},
    };
  };
}

const contextOf = ({ reason, level, grant, validUntil }: Decision): AuthorizerContext => ({ reason, level, grant, valid_until: validUntil?.toISOString() ?? '' });
