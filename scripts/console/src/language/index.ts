// What the pages say, in the reader's language: shared/messages has the words. Nothing here knows the pages.
import type { I18nProviderProps } from '@cloudscape-design/components/i18n';
import { IntlMessageFormat } from 'intl-messageformat';
import { createElement, Fragment, useSyncExternalStore, type ReactNode } from 'react';
import sources from 'virtual:languages';

import type { Messages } from './messages';

export type Key = keyof Messages;
type Compiled = Exclude<ConstructorParameters<typeof IntlMessageFormat>[0], string>;

/** A language's words: compiled patterns by key, and Cloudscape's own. */
export interface Catalogue {
  messages: Record<string, string | Compiled>;
  components: I18nProviderProps.Messages;
}

interface Changed {
  messages: (of: Catalogue['messages']) => Catalogue['messages'];
  components: (of: Catalogue['components']) => Catalogue['components'];
}

interface Language {
  tag: string; // of the catalogue's file, such as de
  locale: string; // how dates and numbers are written, such as de-AT
  catalogue: Catalogue;
  formats: Map<string, IntlMessageFormat>;
  changed: Changed; // what is made of them, in a language that is made up
  parts: Set<Part>; // that are loaded
}

type Kinds<W> = { text: W; number: number; choice: string };
type Values<K extends Key, W> = { [P in keyof Messages[K]]: Kinds<W>[Messages[K][P] & keyof Kinds<W>] };
type Given<K extends Key, W> = keyof Messages[K] extends never ? [] : [values: Values<K, W>];

/** The pages whose words are loaded with them: language/catalogue.mjs says which they are. */
export type Part = 'customer' | 'partner' | 'provider' | 'invitation' | 'signIn' | 'embedded';

/** The languages that the pages can be read in. */
export const languages: readonly string[] = Object.keys(sources);

const stored = 'partner-access.language';
const listeners = new Set<() => void>();
const wanted = new Set<Part>(); // by pages that have been opened
let language: Language | undefined;

function now(): Language {
  if (!language) throw new Error('words are wanted before a language is loaded');
  return language;
}

/** What the catalogue says under a key. */
export function t<K extends Key>(key: K, ...[values]: Given<K, string>): string {
  return formatted(key, values) as string;
}

/** What the catalogue says under a key, with elements of the page in it. */
export function rich<K extends Key>(key: K, ...[values]: Given<K, ReactNode>): ReactNode {
  const parts = formatted<ReactNode>(key, values);
  return Array.isArray(parts) ? createElement(Fragment, null, ...parts) : parts;
}

function formatted<W>(key: string, values: object | undefined): string | W | (string | W)[] {
  const { catalogue, formats, locale } = now();
  const message = catalogue.messages[key];
  if (message === undefined) throw new Error(`no words for ${key}`);
  if (typeof message === 'string') return message;
  let format = formats.get(key);
  if (!format) {
    format = new IntlMessageFormat(message, locale);
    formats.set(key, format);
  }
  return format.format<W>(mapped(values ?? {}) as Record<string, string>);
}

const mapped = (values: object): object => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value === 'string' ? apart(value) : (value as unknown)]));

/** Letters that are written from right to left, and what turns the direction by itself. */
const turning = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}\p{Bidi_Control}]/u;

/** A name in a sentence: one that is written from right to left is set apart (Unicode's isolates, UAX #9), so that it does not turn its neighbours round. */
export const apart = (name: string): string => (turning.test(name) ? `\u2068${name}\u2069` : name);

/** Whether there are words under a key that the service has made. */
export const known = (key: string): key is Key => key in now().catalogue.messages;

/** "Ann, Bob and Cid", as the reader writes it. */
export const list = (words: readonly string[]): string => new Intl.ListFormat(locale()).format(words.map(apart));

/** How the reader writes dates and numbers, and sorts names. */
export const locale = (): string => now().locale;

/** A number as the reader writes it. */
export const number = (n: number): string => n.toLocaleString(locale());

/** Puts names into the reader's order. */
export const byName = (a: string, b: string): number => new Intl.Collator(locale(), { numeric: true }).compare(a, b);

/** A language's own name: Deutsch. */
export const nameOf = (tag: string): string => {
  const name = new Intl.DisplayNames([tag], { type: 'language' }).of(tag) ?? tag;
  return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
};

const baseOf = (tag: string): string => tag.split('-')[0] ?? tag;

/** The language there is for a tag such as de-AT. */
export const languageFor = (wanted: string): string | undefined => languages.find((tag) => tag === wanted) ?? languages.find((tag) => tag === baseOf(wanted));

/** The language that the reader has chosen here; else the first of the browser's that there is; else English. */
function preferred(): string {
  const chosen = localStorage.getItem(stored);
  if (chosen && languages.includes(chosen)) return chosen;
  for (const wanted of navigator.languages) {
    const found = languageFor(wanted);
    if (found) return found;
  }
  return 'en';
}

const unchanged: Changed = { messages: (of) => of, components: (of) => of };

let begun: () => void;
const started = new Promise<void>((resolve) => (begun = resolve));

async function load(tag: string, as = tag, changed = unchanged): Promise<void> {
  const source = sources[tag];
  if (!source) throw new Error(`no language ${tag}`);
  let parts: Part[];
  let loaded: Pick<Catalogue, 'messages'>[];
  const start = source.start();
  do {
    parts = [...wanted];
    loaded = await Promise.all([start, ...parts.map((part) => source.parts[part]())]);
  } while (wanted.size > parts.length);
  const messages = changed.messages(Object.assign({}, ...loaded.map((of) => of.messages)) as Catalogue['messages']);
  const catalogue = { messages, components: changed.components((await start).components) };
  language = { tag, locale: navigator.languages.find((l) => baseOf(l) === baseOf(tag)) ?? tag, catalogue, formats: new Map(), changed, parts: new Set(parts) };
  document.documentElement.lang = as;
  begun();
  for (const listener of listeners) listener();
}

/** Loads a page, and its words beside it. */
export async function withWords<M>(part: Part, page: Promise<M>): Promise<M> {
  wanted.add(part);
  await started;
  for (let shown = now(); !shown.parts.has(part); shown = now()) { // again where another language was chosen meanwhile
    const more = await sources[shown.tag]?.parts[part]();
    Object.assign(shown.catalogue.messages, shown.changed.messages(more?.messages ?? {}));
    shown.parts.add(part);
  }
  return page;
}

/** Loads the reader's language, or the one for a given tag: before anything is shown. */
export const startLanguage = (given?: string): Promise<void> => load((given && languageFor(given)) || preferred());

/** English made 40% longer, with accents: shows which words do not come from the catalogue, and where longer ones have no room. */
export async function startPseudo(): Promise<void> {
  const { pseudo } = await import('./pseudo');
  await load('en', 'en-XA', pseudo);
}

/** Shows the pages in another language, now and when they are opened again. */
export async function chooseLanguage(tag: string): Promise<void> {
  if (tag !== now().tag) await load(tag);
  localStorage.setItem(stored, tag);
}

/** The language that is shown; who uses it is drawn again when it changes. */
export const useLanguage = (): Language => useSyncExternalStore((changed) => (listeners.add(changed), () => listeners.delete(changed)), now);
