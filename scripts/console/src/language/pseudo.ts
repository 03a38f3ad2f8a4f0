import type { Catalogue } from './index';

const accents: Record<string, string> = { a: 'å', c: 'ç', e: 'é', i: 'î', n: 'ñ', o: 'ö', s: 'š', u: 'û', y: 'ý', z: 'ž', A: 'Å', C: 'Ç', E: 'É', I: 'Î', N: 'Ñ', O: 'Ö', S: 'Š', U: 'Û' };
const filling = 'łöñğ þåđđîñğ ';

/** Text with accents, and 40% more of it. */
function longer(text: string): string {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  if (letters === 0) return text;
  const more = Math.ceil(letters * 0.4);
  const [, core = '', end = ''] = /^(.*?)(\s*)$/s.exec(text) ?? [];
  return `${core.replace(/[a-zA-Z]/g, (c) => accents[c] ?? c)} ${filling.repeat(Math.ceil(more / filling.length)).slice(0, more).trim()}${end}`;
}

/** Everything with text in it, deep inside: compiled patterns have it as `value` of elements of the type 0. */
function walk(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(walk);
  if (typeof node !== 'object' || node === null) return node;
  const element = node as { type?: unknown; value?: unknown };
  if (element.type === 0 && typeof element.value === 'string') return { ...element, value: longer(element.value) };
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, walk(value)]));
}

export const pseudo = {
  messages: (of: Catalogue['messages']): Catalogue['messages'] =>
    Object.fromEntries(Object.entries(of).map(([key, message]) => [key, typeof message === 'string' ? longer(message) : (walk(message) as typeof message)])),
  components: (of: Catalogue['components']): Catalogue['components'] => walk(of) as Catalogue['components'],
};
