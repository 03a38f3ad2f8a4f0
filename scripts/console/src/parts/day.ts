// Days as people type them.
import { locale, t } from '../language';

/** Whether the reader's locale writes the month before the day, as in 12/31/2026. */
const monthFirst = (reader: string): boolean => {
  const parts = new Intl.DateTimeFormat(reader, { year: 'numeric', month: 'numeric', day: 'numeric' }).formatToParts(new Date(2026, 11, 31)).map((p) => p.type);
  return parts.indexOf('month') < parts.indexOf('day');
};

/**
 * The day that somebody typed, as YYYY-MM-DD; undefined when it is none. Taken are the year first (2026-12-31, 2026/12/31), the day first with dots
 * (31.12.2026), and with slashes what the reader's locale has first, unless only the other order is a day.
 */
export function dayOf(text: string, reader = locale()): string | undefined {
  const typed = text.trim();
  const yearFirst = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/.exec(typed);
  if (yearFirst) return day(yearFirst[1], yearFirst[2], yearFirst[3]);
  const dots = /^(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d\d)$/.exec(typed);
  if (dots) return day(dots[3], dots[2], dots[1]);
  const rest = /^(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d\d)$/.exec(typed);
  if (!rest) return undefined;
  const [, a, b, year] = rest;
  return monthFirst(reader) ? (day(year, a, b) ?? day(year, b, a)) : (day(year, b, a) ?? day(year, a, b));
}

function day(y = '', m = '', d = ''): string | undefined {
  const year = y.length === 2 ? 2000 + Number(y) : Number(y);
  const t = new Date(year, Number(m) - 1, Number(d));
  if (t.getFullYear() !== year || t.getMonth() !== Number(m) - 1 || t.getDate() !== Number(d)) return undefined;
  return `${year}-${m.padStart(2, '0')}-${d.padStart(2, '0')}`;
}

/** A day as the reader's locale writes it in figures: what an input shows, and takes back. */
export function dayShown(iso: string, reader = locale()): string {
  const [y = 0, m = 1, d = 1] = iso.split('-').map(Number);
  return new Intl.DateTimeFormat(reader, { year: 'numeric', month: '2-digit', day: '2-digit' }).format(new Date(y, m - 1, d));
}

export const notADay = (): string => t('pages.day.wrong', { example: dayShown('2026-12-31') });
