// The local stack's own endpoints, which exist in no deployed stage and stand in no contract.
import { Problem } from '../api';

export interface Person {
  email: string;
  name: string;
  role: string;
  of: string; // "customer acme" or "partner contoso"
}

export interface LocalStack {
  people: () => Promise<Person[]>;
  /** A token for a person by e-mail, or for one of the provider's systems by scope. */
  token: (who: { email?: string; scope?: string }) => Promise<string>;
  /** A token for the password of an account; undefined when the password is a temporary one and has to be replaced. */
  login: (email: string, password: string, newPassword?: string) => Promise<string | undefined>;
  /** Has a code mailed to the address of an account with a password of its own (P20). Nothing tells whether there is one. */
  forgot: (email: string) => Promise<void>;
  /** Replaces the password of the account that the code was mailed to. */
  replacePassword: (email: string, code: string, newPassword: string) => Promise<void>;
  now: () => Promise<Date>;
  moveClock: (to: { advance: string } | { now: string }) => Promise<Date>;
  mailbox: string; // the address of the page with the mails that were sent
}

export function localStack(api: string): LocalStack {
  async function call<T>(path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${api}/_local/${path}`, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
      cache: 'no-store',
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok) {
      const message = (answer as { message?: string } | undefined)?.message;
      throw new Problem({ status: response.status, code: 'local', title: message ?? `The local stack answered ${response.status}` });
    }
    return answer as T;
  }
  return {
    people: () => call('people'),
    token: async (who) => (await call<{ token: string }>('token', who)).token,
    login: async (email, password, newPassword) =>
      (await call<{ token?: string }>('login', { email, password, ...(newPassword ? { new_password: newPassword } : {}) })).token,
    forgot: (email) => call('forgot', { email }),
    replacePassword: (email, code, newPassword) => call('forgot/confirm', { email, code, new_password: newPassword }),
    now: async () => new Date((await call<{ now: string }>('clock')).now),
    moveClock: async (to) => new Date((await call<{ now: string }>('clock', to)).now),
    mailbox: `${api}/_local/mailbox`,
  };
}
