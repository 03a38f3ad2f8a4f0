import type { Schemas } from '../api';
import { roleName } from '../parts/words';

/** A user's fields in words. */
export const userLines = (u: Schemas['User']): Record<string, string> => ({
  Name: u.name,
  'E-mail address': u.email,
  Role: roleName(u.role),
  Telephone: u.phone ?? '',
  'Two factors': u.mfa ? 'on' : 'off',
  Status: u.status,
});

/** An account's settings in words. */
export const accountLines = (a: Schemas['Account']): Record<string, string> => ({
  Name: a.name,
  Contacts: a.contacts.join(', '),
  'Single sign-on': a.sso ? 'on' : 'off',
  'Single sign-on is set by': a.owner_sets_sso ? 'you' : 'the provider',
});

/** What a form says of two factors before anything is sent (P13). */
export const needsPhone = 'Needs a telephone number.';

/** What is wrong with two factors that have no telephone number. */
export const phoneless = ({ mfa, phone }: { mfa: boolean; phone: string | null }): string | undefined =>
  mfa && !phone?.trim() ? 'Two factors need a telephone number.' : undefined;
