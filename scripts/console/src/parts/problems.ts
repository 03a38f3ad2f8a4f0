import { sentence, type Problem } from '../api';

/**
 * What the service's refusals are called on the pages, by their code, and what can be done about them. Where what can be done depends on what was sent,
 * the service says it: `undefined`.
 */
const words: Record<string, [title: string, remedy: string | undefined]> = {
  invalid: ['Something that you entered cannot be taken', undefined],
  unauthenticated: ['You are not signed in', 'Sign in, and try again.'],
  forbidden: ['You may not do this', 'Not allowed: your role does not allow this. Ask an admin of your organisation.'],
  not_registered: ['You are not registered', 'Ask an admin of your organisation to add you.'],
  managed: ['The provider manages this', 'Only the provider changes or ends it.'],
  not_found: ['Not found', 'There is nothing here, or you have no access to it.'],
  last_user: ['The last user cannot be removed', 'Add another user first, or remove the access of the whole partner.'],
  everyone_is_on: ['Everyone has access', 'Switch off “Everyone” before you remove single users.'],
  managed_elsewhere: ['Another partner manages the customer', 'Only the provider changes that.'],
  customer_user_conflict: ['The person belongs to the customer', "Members of a customer never have access to it as a partner's user."],
  version_mismatch: ['Someone else changed this meanwhile', 'Check the current state, then try again.'],
  plan_changed: ['It would do something else now', 'Someone changed it meanwhile. Check the current state, then try again.'],
  contention: ['Someone else is changing the same thing', 'Try again in a moment.'],
  already_invited: ['The person is invited already', 'The invitation can be sent again from the list of invitations.'],
  mail_outdated: ['This mail is outdated', 'What it says is no longer so: it is not sent again.'],
  too_large: ['This is too much at once', 'Shorten what you entered.'],
  too_many_users: ['Too many users at once', 'Select at most 80 users, save, and go on with the others.'],
  too_many_requests: ['Too many requests', 'Wait a moment, then try again.'],
  unavailable: ['The service is busy', 'Try again in a moment.'],
  internal: ['Something went wrong', 'The service could not answer. Try again; if it stays so, tell the provider the number of the request.'],
};

/** A problem as the pages say it: what it is, and a sentence about what can be done, '' where there is nothing to say. */
export function problemWords(problem: Problem): [title: string, remedy: string] {
  const [title, remedy] = words[problem.code] ?? [problem.title, undefined];
  return [title, remedy ?? (problem.detail && problem.detail !== problem.title ? sentence(problem.detail) : '')];
}
