// How the service's words read on a page. One place, so that both sides read the same.
import type { Schemas } from '../api';
import { known, list, number, t, type Key } from '../language';
import { local, utc } from './time';

export type Level = Schemas['Level'];
export type GrantStatus = Schemas['GrantStatus'];
type Change = Schemas['GrantChange'];
type Event = Schemas['Event'];
type By = Schemas['By'];

export const levelName = (level: Level): string => t(`words.level.${level}`);

export const levelAbout = (level: Level): string => t(`words.level_about.${level}`);

export const grantStatuses: readonly GrantStatus[] = ['scheduled', 'active', 'suspended', 'expired', 'ended'];

export const statusName = (status: GrantStatus): string => t(`words.status.${status}`);

/** The status in a line, with its reason where that is not the customer's own decision. */
export function statusWords({ status, reason }: { status: GrantStatus; reason: Schemas['GrantReason'] }): string {
  if (status === 'suspended' && (reason === 'partner_not_active' || reason === 'partner_not_eligible' || reason === 'sso_required')) {
    return t('words.suspended_because', { reason: t(`words.suspended_by.${reason}`) });
  }
  return statusName(status);
}

export const roleName = (role: Schemas['Role']): string => t(`words.role.${role}`);

/** Why an invitation was cancelled although nobody did that. */
export function invitationReason(reason: Schemas['InvitationReason']): string {
  return reason === 'expired' ? t('words.reason.offer_expired') : t(`words.reason.${reason}`);
}

/** Why a request was cancelled: it became moot. */
export function requestReason(reason: Schemas['RequestReason']): string {
  if (reason === 'grant_ended') return t('words.reason.request_grant_ended');
  return reason === 'managed' ? t('words.reason.request_managed') : t(`words.reason.${reason}`);
}

export const endReason = (reason: Schemas['EndReason']): string => t(`words.reason.${reason}`);

export const count = (n: number, noun: 'user' | 'employee' | 'customer' | 'day' | 'row' | 'other'): string => t(`words.count.${noun}`, { count: n });

/** "Ann, Bob and Cid", or the first few and how many more. */
export function names(people: readonly string[], most = 6): string {
  return list(people.length > most ? [...people.slice(0, most - 1), count(people.length - most + 1, 'other')] : people);
}

export const instant = (at: string): string => local(new Date(at));

/** Both zones, for where it matters. */
export const instantBoth = (at: string): string => t('words.both_zones', { local: local(new Date(at)), utc: utc(new Date(at)) });

/** People by name, of `all` that there are: those whose name is not known are counted. '' for nobody. */
export function namesOf(people: readonly (string | undefined)[], all = people.length): string {
  const named = people.filter((name) => name !== undefined);
  const others = all - named.length;
  if (others <= 0) return names(named);
  if (named.length === 0) return count(others, 'user');
  const shown = named.slice(0, 5);
  return list([...shown, count(all - shown.length, 'other')]);
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
    p.effective_level && p.effective_level !== grant.effective_level ? t('words.change.person_level', { name: p.name, level: levelName(p.effective_level) }) : p.name;
  if (added.length > 0) out.push(t('words.change.added', { people: called(added) }));
  if (removed.length > 0) out.push(t('words.change.removed', { people: called(removed) }));
  const named = people.filter((p) => !added.includes(p.id) && !removed.includes(p.id)); // by the request, though they had access before
  for (const field of fields) {
    switch (field) {
      case 'caps':
        out.push(...named.map((p) => t('words.change.person', { name: p.name, level: levelName(p.effective_level ?? 'none') })));
        break;
      case 'level':
        if (named.length > 0) {
          out.push(...named.map((p) => t('words.change.person', { name: p.name, level: levelName(p.effective_level ?? 'none') })));
          break;
        }
        out.push(
          grant.effective_level === grant.level
            ? t('words.change.level', { level: levelName(grant.level) })
            : t('words.change.level_lower', { level: levelName(grant.level), effective: levelName(grant.effective_level) }),
        );
        break;
      case 'from':
        out.push(t('words.change.starts', { at: instantBoth(grant.from) }));
        break;
      case 'until':
        out.push(grant.until ? t('words.change.ends', { at: instantBoth(grant.until) }) : t('words.change.continuous'));
        break;
      case 'everyone':
        out.push(
          grant.everyone
            ? t('words.change.everyone_on')
            : t('words.change.everyone_off'),
        );
        break;
      case 'assigned_by':
        out.push(grant.assigned_by === 'partner' ? t('words.change.partner_assigns') : t('words.change.customer_assigns'));
        break;
      case 'state':
        out.push(t('words.change.status', { status: statusWords(grant) }));
        break;
      case 'auto_extend':
        out.push(grant.auto_extend ? t('words.change.auto_extend_on', { days: number(daysOf(grant.auto_extend)) }) : t('words.change.auto_extend_off'));
        break;
      case 'require_sso':
        out.push(grant.require_sso ? t('words.change.sso_on') : t('words.change.sso_off'));
        break;
      case 'note':
        out.push(grant.note ? t('words.change.note_changed') : t('words.change.note_removed'));
        break;
      case 'message':
        out.push(grant.message ? t('words.change.message_changed') : t('words.change.message_removed'));
        break;
      default: // users and managed follow from the others
    }
  }
  if (users.before !== users.after) out.push(t('words.change.users', { before: number(users.before), after: number(users.after) }));
  return out.length > 0 ? out : [t('words.change.nothing')];
}

/** Says of a managed customer who manages it and who ends that, everywhere in the same words. */
export const managedWords = (partner: string, customer: string, product: string): string => t('words.managed', { partner, customer, product });

export function byWhom(by: By): string {
  if (by.email) return by.email;
  return t(`words.by.${by.kind}`);
}

/** What happened, as a sentence without its subject: who did it stands in a column of its own. */
export function eventTitle(type: Event['type']): string {
  const key = `words.event.${type}`;
  if (known(key)) return words(key);
  const [what = '', done = ''] = type.split('.');
  return `${what.charAt(0).toUpperCase()}${what.slice(1)} ${done.replaceAll('_', ' ')}`;
}

/** Why a grant, an invitation, an account or one user's access ended, as an event has it. */
function reasonOf(reason: NonNullable<Event['data']['reason']>): string {
  return reason === 'grant_ended' || reason === 'managed' ? requestReason(reason) : t(`words.reason.${reason}`);
}

/** What a field of a change is called. */
function fieldName(field: string): string {
  const key = `words.field.${field}`;
  return known(key) ? words(key) : field.charAt(0).toUpperCase() + field.slice(1);
}

/** A role of the service's, which may be one that is not known here yet. */
function roleWords(role: string): string {
  const key = `words.role.${role}`;
  return known(key) ? words(key) : role;
}

/** What stands under a key that is known to be there. */
const words = (key: Key, values: object = {}): string => (t as (key: Key, values: object) => string)(key, values);

/** How many days a duration of the service has (P90D). */
export const daysOf = (duration: string): number => Number(/^P(\d+)D$/.exec(duration)?.[1] ?? 0);

/** One field's value before or after a change. */
function valueWords(field: string, value: Schemas['FieldValue']): string {
  if (value === null) return t('words.none');
  if (typeof value === 'boolean') return value ? t('words.on') : t('words.off');
  if (Array.isArray(value)) return names(value);
  if (field === 'level' || field === 'offer') return levelName(value as Level);
  if (field === 'role') return roleWords(value);
  if (field === 'from' || field === 'until') return instant(value);
  return value;
}

const changeLine = ({ field, was, is }: Schemas['FieldChange']): string =>
  t('words.event_line.change', { field: fieldName(field), was: valueWords(field, was), is: valueWords(field, is) });

/** The details of an event that are worth a line. */
export function eventLines({ changes, data }: Event): string[] {
  const out: string[] = [];
  const people = (list: Schemas['Person'][], unnamed = 0): string =>
    namesOf(list.map((p) => p.name ?? p.email), list.length + unnamed);
  if (data.person) out.push([data.person.name ?? data.person.email, data.role && roleWords(data.role)].filter(Boolean).join(', '));
  out.push(...changes.map(changeLine));
  if (changes.length === 0 && data.level) out.push(t('words.event_line.level', { level: levelName(data.level) }));
  if (data.added?.length) out.push(t('words.event_line.added', { people: people(data.added) }));
  const gone = people(data.removed ?? [], data.unnamed);
  if (gone) out.push(t('words.event_line.removed', { people: gone }));
  if (changes.length === 0 && data.until) out.push(t('words.event_line.until', { at: instant(data.until) }));
  if (data.reason) out.push(t('words.event_line.reason', { reason: reasonOf(data.reason) }));
  if (changes.length === 0 && data.note) out.push(t('words.event_line.note', { note: data.note }));
  if (changes.length === 0 && data.message) out.push(t('words.event_line.message', { message: data.message }));
  if (data.days !== undefined) out.push(t('words.event_line.days_left', { count: data.days }));
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
  const key = `words.decision.${reason}.short`;
  if (!known(key)) return { short: t('words.level.none'), why: t('words.decision.other'), remedy: '' }; // more reasons may be added
  return { short: words(key), why: words(`words.decision.${reason}.why`, { customer, partner }), remedy: remedyOf(reason, { customer, partner, picks }) };
}

function remedyOf(reason: DecisionReason, { customer, partner, picks }: { customer: string; partner: string; picks: Schemas['Assigner'] }): string {
  switch (reason) {
    case 'unknown_subject':
    case 'user_not_active':
      return t('words.remedy.ask_admin', { partner });
    case 'partner_not_active':
    case 'partner_not_eligible':
      return t(`words.decision.${reason}.remedy`);
    case 'sso_required':
      return t('words.decision.sso_required.remedy', { partner });
    case 'no_grant':
      return t('words.remedy.ask_customer', { customer });
    case 'suspended':
      return t('words.decision.suspended.remedy', { customer });
    case 'expired':
    case 'ended':
      return t('words.remedy.grant_again', { customer });
    case 'user_not_assigned':
      return picks === 'partner' ? t('words.remedy.partner_assigns', { partner }) : t('words.remedy.customer_assigns', { customer });
    case 'customer_user_conflict':
    case 'own_organisation':
      return t('words.remedy.sign_in_there', { customer });
    case 'level_too_low':
      return t('words.remedy.ask_level', { customer });
    default:
      return '';
  }
}

/** What the sign-in link opens at that level (W6, W10). */
export const opens = (level: Level): string => t(`words.opens.${level === 'none' ? 'view' : level}`);

/** Why a mail was not sent, is still to be sent, or came back; undefined for one that was sent. */
export function mailReason(state: Schemas['MailState']): string | undefined {
  return state === 'sent' || state === 'delivered' ? undefined : t(`words.mail_reason.${state}`);
}
