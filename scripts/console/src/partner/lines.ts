import type { Schemas } from '../api';
import { roleName } from '../parts/words';

/** A user's fields in words. */
export const userLines = (u: Schemas['User']): Record<string, string> => ({
  Name: u.name,
  'E-mail address': u.email,
  Role: roleName[u.role],
  Telephone: u.phone ?? '',
  'Two factors': u.mfa ? 'on' : 'off',
  Status: u.status,
});

/** An account's settings in words. */
export const accountLines = (a: Schemas['Account']): Record<string, string> => ({ Name: a.name, Contacts: a.contacts.join(', ') });
