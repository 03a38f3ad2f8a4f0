import type { Schemas } from '../api';
import { t } from '../language';
import { roleName } from '../parts/words';

const onOff = (on: boolean): string => (on ? t('words.on') : t('words.off'));

/** A user's fields in words. */
export const userLines = (u: Schemas['User']): Record<string, string> => ({
  [t('words.field.name')]: u.name,
  [t('words.field.email')]: u.email,
  [t('words.field.role')]: roleName(u.role),
  [t('pages.employees.phone')]: u.phone ?? '',
  [t('pages.employees.mfa')]: onOff(u.mfa),
  [t('words.field.state')]: t(`words.user_status.${u.status}`),
});

/** An account's settings in words. */
export const accountLines = (a: Schemas['Account']): Record<string, string> => ({
  [t('words.field.name')]: a.name,
  [t('words.field.contacts')]: a.contacts.join(', '),
  [t('words.field.sso')]: onOff(a.sso),
  [t('pages.account.sso_set_by')]: a.owner_sets_sso ? t('pages.account.you') : t('words.by.provider'),
});

/** What a form says of two factors before anything is sent (P13). */
export const needsPhone = (): string => t('pages.employees.needs_phone');

/** What is wrong with two factors that have no telephone number. */
export const phoneless = ({ mfa, phone }: { mfa: boolean; phone: string | null }): string | undefined =>
  mfa && !phone?.trim() ? t('pages.employees.phoneless') : undefined;
