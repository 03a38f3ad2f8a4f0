// Days as people type them.

/** Whether the reader's locale writes the month before the day, as in 12/31/2026. */
const monthFirst = (locale?: string): boolean => {
  const parts = new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'numeric', day: 'numeric' }).formatToParts(new Date(2026, 11, 31)).map((p) => p.type);
  return parts.indexOf('month') < parts.indexOf('day');
};

/**
 * The day that somebody typed, as YYYY-MM-DD; undefined when it is none. Taken are the year first (2026-12-31, 2026/12/31), the day first with dots
 * (31.12.2026), and with slashes what the reader's locale has first, unless only the other order is a day.
 */
export function dayOf(text: string, locale?: string): string | undefined {
  const t = text.trim();
  const yearFirst = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/.exec(t);
  if (yearFirst) return day(yearFirst[1], yearFirst[2], yearFirst[3]);
  const dots = /^(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d\d)$/.exec(t);
  if (dots) return day(dots[3], dots[2], dots[1]);
  const rest = /^(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d\d)$/.exec(t);
  if (!rest) return undefined;
  const [, a, b, year] = rest;
  return monthFirst(locale) ? (day(year, a, b) ?? day(year, b, a)) : (day(year, b, a) ?? day(year, a, b));
}

function day(y = '', m = '', d = ''): string | undefined {
  const year = y.length === 2 ? 2000 + Number(y) : Number(y);
  const t = new Date(year, Number(m) - 1, Number(d));
  if (t.getFullYear() !== year || t.getMonth() !== Number(m) - 1 || t.getDate() !== Number(d)) return undefined;
  return `${year}-${m.padStart(2, '0')}-${d.padStart(2, '0')}`;
}

/** A day as the reader's locale writes it in figures: what an input shows, and takes back. */
export function dayShown(iso: string, locale?: string): string {
  const [y = 0, m = 1, d = 1] = iso.split('-').map(Number);
  return new Intl.DateTimeFormat(locale, { year: 'numeric', month: '2-digit', day: '2-digit' }).format(new Date(y, m - 1, d));
}

export const notADay = (): string => `This is not a day. Enter it like ${dayShown('2026-12-31')} or 2026-12-31.`;
