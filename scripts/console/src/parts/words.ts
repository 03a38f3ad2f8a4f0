// How the service's words read on a page. One place, so that both sides read the same.
import type { Schemas } from '../api';
import { local, utc } from './time';

export type Level = Schemas['Level'];
export type GrantStatus = Schemas['GrantStatus'];
type Change = Schemas['GrantChange'];
type Event = Schemas['Event'];
type By = Schemas['By'];

export const levelName: Record<Level, string> = { none: 'No access', view: 'View', support: 'Support', manage: 'Manage' };

export const levelAbout: Record<Level, string> = {
  none: 'A relationship without access',
  view: 'Sign in, insights, metrics, dashboard and licensed capacity',
  support: 'What View gives, and reports and user activity: reading only',
  manage: 'Everything, reading and changing',
};

export const statusName: Record<GrantStatus, string> = {
  scheduled: 'Scheduled',
  active: 'Active',
  suspended: 'Suspended',
  expired: 'Expired',
  ended: 'Ended',
};

/** Why the access is suspended by something else than the customer's own decision. */
export const suspendedBy: Partial<Record<NonNullable<Schemas['GrantReason']>, string>> = {
  partner_not_active: 'the provider has suspended the partner',
  partner_not_eligible: 'the partner is no channel partner',
  sso_required: 'the partner lacks the single sign-on that is required',
};

/** The status in a line, with its reason where that is not the customer's own decision. */
export function statusWords({ status, reason }: { status: GrantStatus; reason: Schemas['GrantReason'] }): string {
  const why = status === 'suspended' && reason ? suspendedBy[reason] : undefined;
  return why ? `Suspended: ${why}` : statusName[status];
}

export const roleName: Record<Schemas['Role'], string> = {
  owner: 'Owner',
  admin: 'Admin',
  business: 'Business',
  tech: 'Tech',
  sales_marketing: 'Sales and marketing',
  external: 'External',
};

/** Why an invitation was cancelled although nobody did that. */
export const invitationReason: Record<Schemas['InvitationReason'], string> = {
  grant_ended: 'the access that it was for has ended',
  choice_changed: 'the customer has changed who assigns the users',
  inviter_left: 'the person who sent it can no longer invite',
  partner_not_active: 'the provider has suspended the partner',
  partner_not_eligible: 'the partner cannot be granted access',
  partner_removed: 'the provider removed the partner',
  customer_removed: 'the provider removed the customer',
  managed: 'another partner manages the customer now',
  period_changed: 'the access now lasts longer than what was offered',
  expired: 'the access that was offered has ended',
};

/** Why a request was cancelled: it became moot. */
export const requestReason: Record<Schemas['RequestReason'], string> = {
  requester_left: 'the person who asked can no longer ask',
  fulfilled: 'the customer has granted as much in another way',
  grant_ended: 'the access that it is about has ended',
  partner_not_active: 'the provider has suspended the partner',
  partner_not_eligible: 'the partner cannot be granted access',
  partner_removed: 'the provider removed the partner',
  customer_removed: 'the provider removed the customer',
  managed: 'one partner manages the customer now',
};

export const endReason: Record<Schemas['EndReason'], string> = {
  revoked_by_customer: 'revoked by the customer',
  relinquished_by_partner: 'relinquished by the partner',
  expired: 'its period has ended',
  partner_removed: 'the provider removed the partner',
  customer_removed: 'the provider removed the customer',
  relationship_ended: 'the provider ended the relationship',
  management_ended: 'the provider ended the management',
};

export const count = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** "Ann, Bob and Cid", or the first few and how many more. */
export function names(list: readonly string[], most = 6): string {
  const shown = list.length > most ? [...list.slice(0, most - 1), count(list.length - most + 1, 'other')] : [...list];
  const last = shown.pop();
  return shown.length > 0 ? `${shown.join(', ')} and ${last}` : (last ?? '');
}

export const instant = (t: string): string => local(new Date(t));

/** Both zones, for where it matters. */
export const instantBoth = (t: string): string => `${local(new Date(t))} (${utc(new Date(t))})`;

/** People by name, of `all` that there are: those whose name is not known are counted. '' for nobody. */
export function namesOf(list: readonly (string | undefined)[], all = list.length): string {
  const known = list.filter((name) => name !== undefined);
  const others = all - known.length;
  if (others <= 0) return names(known);
  if (known.length === 0) return count(others, 'user');
  const shown = known.slice(0, 5);
  return `${shown.join(', ')} and ${count(all - shown.length, 'other')}`;
}

/** Who lost their access by the change, by name as far as the answer names them; '' for nobody. */
export function lost({ changes: { people, removed, user_count: users } }: Change): string {
  const gone = people.filter((p) => p.effective_level === undefined);
  return namesOf(gone.map((p) => p.name), Math.max(gone.length, removed.length, users.before - users.after));
}

/** What a change's answer says that it changed, line by line. */
export function changeLines({ grant, changes }: Change): string[] {
  const out: string[] = [];
  const { added, removed, people, fields, user_count: users } = changes;
  const called = (ids: readonly string[]): string => namesOf(ids.map((id) => people.find((p) => p.id === id)).filter((p) => p !== undefined).map(personLevel), ids.length);
  const personLevel = (p: Change['changes']['people'][number]): string =>
    p.effective_level && p.effective_level !== grant.effective_level ? `${p.name} (${levelName[p.effective_level]})` : p.name;
  if (added.length > 0) out.push(`Added: ${called(added)}.`);
  if (removed.length > 0) out.push(`Removed: ${called(removed)}.`);
  const named = people.filter((p) => !added.includes(p.id) && !removed.includes(p.id)); // by the request, though they had access before
  for (const field of fields) {
    switch (field) {
      case 'caps':
        out.push(...named.map((p) => `${p.name}: ${levelName[p.effective_level ?? 'none']}.`));
        break;
      case 'level':
        if (named.length > 0) {
          out.push(...named.map((p) => `${p.name}: ${levelName[p.effective_level ?? 'none']}.`));
          break;
        }
        out.push(
          `Level: ${levelName[grant.level]}${grant.effective_level === grant.level ? '' : `; in effect: ${levelName[grant.effective_level]}, the most that the provider offers`}.`,
        );
        break;
      case 'from':
        out.push(`Starts: ${instantBoth(grant.from)}.`);
        break;
      case 'until':
        out.push(grant.until ? `Ends: ${instantBoth(grant.until)}.` : 'Continuous: it has no end.');
        break;
      case 'everyone':
        out.push(
          grant.everyone
            ? 'All present and future users of the partner have access.'
            : 'Everyone is switched off: current users keep their access, new users do not get it.',
        );
        break;
      case 'assigned_by':
        out.push(grant.assigned_by === 'partner' ? 'The partner assigns its users.' : 'The customer assigns the users.');
        break;
      case 'state':
        out.push(`Status: ${statusWords(grant)}.`);
        break;
      case 'auto_extend':
        out.push(grant.auto_extend ? `Extended by ${daysOf(grant.auto_extend)} days by itself while it is used.` : 'Not extended by itself.');
        break;
      case 'require_sso':
        out.push(grant.require_sso ? 'Single sign-on is required.' : 'Single sign-on is not required.');
        break;
      case 'note':
        out.push(grant.note ? 'The note is changed.' : 'The note is removed.');
        break;
      case 'message':
        out.push(grant.message ? 'The message to the partner is changed.' : 'The message to the partner is removed.');
        break;
      default: // users and managed follow from the others
    }
  }
  if (users.before !== users.after) out.push(`Users with access: ${users.before} before, ${users.after} now.`);
  return out.length > 0 ? out : ['Nothing changed.'];
}

/** Says of a managed customer who manages it and who ends that, everywhere in the same words. */
export const managedWords = (partner: string, customer: string, product: string): string => `${partner} manages ${customer}; only ${product} ends it.`;

export function byWhom(by: By): string {
  if (by.email) return by.email;
  return { provider: 'the provider', clock: 'automatic', customer: 'the customer', partner: 'the partner' }[by.kind];
}

/** What happened, as a sentence without its subject: who did it stands in a column of its own. */
export function eventTitle(type: Event['type']): string {
  const words: Partial<Record<Event['type'], string>> = {
    'grant.created': 'Access granted',
    'grant.edited': 'Access changed',
    'grant.suspended': 'Access suspended',
    'grant.resumed': 'Access resumed',
    'grant.revoked': 'Access revoked',
    'grant.relinquished': 'Access relinquished',
    'grant.expired': 'Access expired',
    'grant.ended': 'Access ended',
    'grant.started': 'Access began',
    'grant.expiring': 'Access ends soon',
    'grant.user_left': 'A user left the partner',
    'grant.person_changed': 'A user has another address',
    'grant.partner_suspended': 'The provider suspended the partner',
    'grant.partner_resumed': 'The provider resumed the partner',
    'customer.managed': 'Managed by the partner',
    'customer.unmanaged': 'No longer managed',
    'user.activation_renewed': 'Temporary password sent',
    'member.activation_renewed': 'Temporary password sent',
    'user.activation_missed': 'Temporary password expired',
    'request.created': 'Access requested',
    'request.reminded': 'Reminder of a request',
    'request.questioned': 'Question about a request',
    'request.seconded': 'Request approved by one of several',
    'request.codes_refused': 'Wrong codes tried',
    'request.policy_edited': 'Rules for requests changed',
  };
  const known = words[type];
  if (known) return known;
  const [what = '', done = ''] = type.split('.');
  return `${what.charAt(0).toUpperCase()}${what.slice(1)} ${done.replaceAll('_', ' ')}`;
}

/** Reasons of events: why a grant, an invitation, an account or one user's access ended. */
const reasons: Record<NonNullable<Event['data']['reason']>, string> = {
  ...invitationReason,
  ...requestReason,
  ...endReason,
  person_changed: 'another person has the account',
  address_proved_elsewhere: 'another person has verified the address',
  invited_elsewhere: 'the person was invited to another partner and had no access left here',
  last_admin: 'the customer no longer has an admin',
  requester_left: 'the person who asked may not ask any more',
  fulfilled: 'the customer has granted it in another way',
};

/** The fields of a change, where they are called otherwise on the pages. */
const fieldNames: Record<string, string> = {
  assigned_by: 'Users assigned by',
  email: 'E-mail address',
  email_proved: 'Address verified',
  everyone: 'All users',
  auto_extend: 'Extended by itself',
  from: 'Start',
  mfa: 'Two-factor authentication',
  owner_sets_sso: 'Owner sets single sign-on',
  require_sso: 'Single sign-on required',
  sso: 'Single sign-on',
  state: 'Status',
  until: 'End',
};

/** How many days a duration of the service has (P90D). */
export const daysOf = (duration: string): number => Number(/^P(\d+)D$/.exec(duration)?.[1] ?? 0);

/** One field's value before or after a change. */
function valueWords(field: string, value: Schemas['FieldValue']): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value)) return names(value);
  if (field === 'level' || field === 'offer') return levelName[value as Level];
  if (field === 'role') return roleName[value as Schemas['Role']] ?? value;
  if (field === 'from' || field === 'until') return instant(value);
  return value;
}

const changeLine = ({ field, was, is }: Schemas['FieldChange']): string =>
  `${fieldNames[field] ?? field.charAt(0).toUpperCase() + field.slice(1)}: ${valueWords(field, was)} → ${valueWords(field, is)}`;

/** The details of an event that are worth a line. */
export function eventLines({ changes, data }: Event): string[] {
  const out: string[] = [];
  const people = (list: Schemas['Person'][], unnamed = 0): string =>
    namesOf(list.map((p) => p.name ?? p.email), list.length + unnamed);
  if (data.person) out.push([data.person.name ?? data.person.email, data.role && roleName[data.role as Schemas['Role']]].filter(Boolean).join(', '));
  out.push(...changes.map(changeLine));
  if (changes.length === 0 && data.level) out.push(`Level: ${levelName[data.level]}`);
  if (data.added?.length) out.push(`Added: ${people(data.added)}`);
  const gone = people(data.removed ?? [], data.unnamed);
  if (gone) out.push(`Removed: ${gone}`);
  if (changes.length === 0 && data.until) out.push(`Until: ${instant(data.until)}`);
  if (data.reason) out.push(`Reason: ${reasons[data.reason]}`);
  if (changes.length === 0 && data.note) out.push(`Note: ${data.note}`);
  if (changes.length === 0 && data.message) out.push(`Message: ${data.message}`);
  if (data.days !== undefined) out.push(`${count(data.days, 'day')} left`);
  return out;
}

export type DecisionReason = Schemas['DecisionReason'];

/** A reason of a check in words: why a person of the partner has no access, and what can be done about it. */
interface ReasonWords {
  short: string; // for a table's cell
  why: string; // a sentence
  remedy: string; // a sentence, or '' when there is nothing to do
}

/**
 * What each reason of a check means for the person who asks, at one customer. Lists and pages say it in these words alone. `picks` is who assigns the
 * users.
 */
export function reasonWords(reason: DecisionReason, { customer, partner, picks }: { customer: string; partner: string; picks: Schemas['Assigner'] }): ReasonWords {
  const words: Record<DecisionReason, [short: string, why: string, remedy: string]> = {
    granted: ['Open', `You have access to ${customer}.`, ''],
    unknown_subject: ['No account', `You have no account at ${partner}.`, `Ask an admin of ${partner}.`],
    partner_not_active: ['Partner suspended', `The provider has suspended ${partner}.`, 'Only the provider can resume it.'],
    partner_not_eligible: ['Not a channel partner', `${partner} is not a channel partner.`, 'Only the provider can change that.'],
    sso_required: [
      'Single sign-on required',
      `${customer} requires single sign-on, and ${partner} does not have it.`,
      `The owner of ${partner} can set it up, or ask the provider.`,
    ],
    user_not_active: ['Account not active', 'Your account is not active.', `Ask an admin of ${partner}.`],
    no_grant: ['Not granted', `${customer} has not granted access to ${partner}.`, `Ask ${customer}.`],
    not_yet_active: ['Not started', 'The access has not started yet.', ''],
    suspended: ['Suspended', `${customer} has suspended the access.`, `Only ${customer} can resume it.`],
    expired: ['Expired', 'The access has expired.', `${customer} can grant it again.`],
    ended: ['Ended', 'The access has ended.', `${customer} can grant it again.`],
    user_not_assigned: [
      'Not assigned',
      'You are not among the users assigned to this customer.',
      picks === 'partner' ? `An owner, admin or business user of ${partner} can assign you.` : `${customer} assigns the users: ask it to add you.`,
    ],
    customer_user_conflict: [
      'Member of the customer',
      `You are a member of ${customer}, and members never have access as a partner's user.`,
      `Sign in to ${customer} with your account there.`,
    ],
    own_organisation: [
      "Customer's own domain",
      `Your e-mail address belongs to ${customer}, and its own people never have access as a partner's users.`,
      `Sign in to ${customer} with your account there.`,
    ],
    level_too_low: ['No access', 'The relationship gives no access now.', `Ask ${customer} to grant a level.`],
    action_not_allowed: ['Not allowed', 'This is not available to partners.', ''],
    role_not_allowed: ['Not allowed', 'Your role does not allow this.', ''],
  };
  const [short, why, remedy] = words[reason] ?? ['No access', 'You have no access.', '']; // more reasons may be added
  return { short, why, remedy };
}

/** What the sign-in link opens at that level (W6, W10). */
export const opens = (level: Level): string => (level === 'manage' ? 'Manage service' : level === 'support' ? 'Open dashboard and reports' : 'Open dashboard');
