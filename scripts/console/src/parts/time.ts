// Instants are UTC on the wire. People read and enter their own local time: both are always shown, with the zone written.
import { locale } from '../language';

/** The zone of this browser, such as Europe/Berlin. */
export const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** 22 Nov 2026, 11:00 GMT+1, as the reader's locale writes it. */
export function local(t: Date): string {
  return new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' }).format(t);
}

/** A day of UTC, as the reader's locale writes it. */
export function utcDay(t: Date): string {
  return new Intl.DateTimeFormat(locale(), { timeZone: 'UTC', day: 'numeric', month: 'short', year: 'numeric' }).format(t);
}

/** 2026-11-22 10:00 UTC: the same everywhere, as logs and exports have it. */
export function utc(t: Date): string {
  return `${t.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The fields of a date and a time input for an instant, in local time. */
export function fieldsOf(instant: string): { date: string; time: string } {
  const t = new Date(instant);
  const two = (n: number): string => String(n).padStart(2, '0');
  return { date: `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`, time: `${two(t.getHours())}:${two(t.getMinutes())}` };
}

/**
 * The instant of a local date and time; null while they are not complete. A time that a clock change skips is taken as browsers do, some
 * time later: what it came to is shown beside it.
 */
export function instantOf(date: string, time: string): string | null {
  const d = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date);
  const t = /^(\d\d):(\d\d)$/.exec(time);
  if (!d || !t) return null;
  const at = new Date(Number(d[1]), Number(d[2]) - 1, Number(d[3]), Number(t[1]), Number(t[2]));
  if (Number.isNaN(at.getTime()) || at.getDate() !== Number(d[3])) return null;
  return at.toISOString();
}

/** The day, in UTC, so many days before. */
export const daysBefore = (now: Date, days: number): string => new Date(now.getTime() - days * 86_400_000).toISOString().slice(0, 10);
