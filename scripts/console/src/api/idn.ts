// International domains as people read them. The service keeps and answers them as A-labels (xn--); it takes them in Unicode, too, so that what a page
// shows can be sent back as it is. The same rules as shared/access/domain_name.go: a label that could pass for another name stays an A-label.

/** The members of the service's answers that hold addresses or domains. */
const members = new Set(['email', 'domain', 'domains', 'contacts', 'to', 'email_was']);

/** An answer's text with its addresses and domains in Unicode. */
export function inUnicode(json: string): string {
  if (!json.includes('xn--')) return json; // nearly always
  return JSON.stringify(
    JSON.parse(json, (name, value: unknown) => {
      if (!members.has(name)) return value;
      if (typeof value === 'string') return shown(value);
      return Array.isArray(value) ? value.map((v: unknown) => (typeof v === 'string' ? shown(v) : v)) : value;
    }),
  );
}

/** An address or a domain in Unicode. */
export function shown(address: string): string {
  const at = address.lastIndexOf('@') + 1;
  const labels = address.slice(at).split('.');
  return address.slice(0, at) + labels.map(label).join('.');
}

function label(l: string): string {
  if (!l.startsWith('xn--')) return l;
  const u = decode(l.slice(4));
  return u !== undefined && u === u.normalize('NFC').toLowerCase() && oneScript(u) && !looksLatin(u) ? u : l;
}

const together = [
  /^[\p{scx=Latin}\p{sc=Common}\p{sc=Inherited}]*$/u,
  /^[\p{sc=Latin}\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Common}]*$/u,
  /^[\p{sc=Latin}\p{sc=Han}\p{sc=Bopomofo}\p{sc=Common}]*$/u,
  /^[\p{sc=Latin}\p{sc=Han}\p{sc=Hangul}\p{sc=Common}]*$/u,
  ...['Greek', 'Cyrillic', 'Armenian', 'Hebrew', 'Arabic', 'Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati', 'Oriya', 'Tamil', 'Telugu', 'Kannada', 'Malayalam', 'Sinhala', 'Thai', 'Lao', 'Georgian', 'Ethiopic', 'Khmer', 'Myanmar', 'Tibetan', 'Mongolian'].map(
    (s) => new RegExp(`^[\\p{sc=${s}}\\p{sc=Common}\\p{sc=Inherited}]*$`, 'u'),
  ),
];

const oneScript = (l: string): boolean => together.some((t) => t.test(l));

const looksLatin = (l: string): boolean => {
  const letters = [...l].filter((c) => /\p{L}/u.test(c));
  return letters.length > 0 && letters.every((c) => 'асԁеһіјӏорԛѕԝхуъьҽпгѵѡανορικυτω'.includes(c));
};

/** What Punycode stands for (RFC 3492); undefined when it is none. */
function decode(input: string): string | undefined {
  const base = 36;
  const out = [...input.slice(0, Math.max(0, input.lastIndexOf('-')))].map((c) => c.charCodeAt(0));
  let n = 128;
  let bias = 72;
  let i = 0;
  for (let at = input.lastIndexOf('-') + 1; at < input.length; ) {
    const before = i;
    for (let weight = 1, k = base; ; k += base) {
      const digit = parseInt(input[at++] ?? '', base);
      if (Number.isNaN(digit)) return undefined;
      const value = digit >= 10 ? digit - 10 : digit + 26; // a to z, then 0 to 9
      i += value * weight;
      if (i > 0x7fffffff) return undefined;
      const threshold = Math.min(Math.max(k - bias, 1), 26);
      if (value < threshold) break;
      weight *= base - threshold;
    }
    const length = out.length + 1;
    let delta = Math.floor((i - before) / (before === 0 ? 700 : 2));
    delta += Math.floor(delta / length);
    let k = 0;
    for (; delta > 455; k += base) delta = Math.floor(delta / 35);
    bias = k + Math.floor((36 * delta) / (delta + 38));
    n += Math.floor(i / length);
    if (n > 0x10ffff) return undefined;
    i %= length;
    out.splice(i++, 0, n);
  }
  return out.some((c) => c > 127) ? String.fromCodePoint(...out) : undefined;
}
