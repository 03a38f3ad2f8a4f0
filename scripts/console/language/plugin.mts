// The languages of the catalogue as modules of the pages: virtual:languages loads each as a chunk of its own.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Plugin } from 'vite';

import { call, compile, folder, keysIn, languagesIn, ofPages, parts, readLanguage } from './catalogue.mjs';

const pages = fileURLToPath(new URL('../src/', import.meta.url));
const list = 'virtual:languages';
const one = 'virtual:language/';
const require = createRequire(import.meta.url);

/** Where Cloudscape's own words in a language are: in English where it does not speak it. */
function fileOf(language: string): string {
  try {
    return require.resolve(`@cloudscape-design/components/i18n/messages/all.${language}.json`);
  } catch {
    return require.resolve('@cloudscape-design/components/i18n/messages/all.en.json');
  }
}

/** Components that the pages do not use, and whose words are many. */
const unused = [
  ...['annotation-context', 'area-chart', 'code-editor', 'collection-preferences', 'copy-to-clipboard', 'date-range-picker', 'file-token-group', 'file-upload'],
  ...['help-panel', 'pie-chart', 'prompt-input', 'property-filter', 's3-resource-selector', 'slider', 'split-panel', 'tag-editor', 'tutorial-panel', 'wizard'],
  ...['[charts]', 'features-notification-drawer'], // parts of several, and of what trim.mts leaves out
];

type Words = Record<string, Record<string, Record<string, unknown>>>; // by library, language and component

/** Cloudscape's own words in a language, without those of components that the pages do not use. */
function componentsIn(language: string): Words {
  const all = JSON.parse(readFileSync(fileOf(language), 'utf8')) as Words;
  const used = (words: Record<string, unknown>) => Object.fromEntries(Object.entries(words).filter(([component]) => !unused.includes(component)));
  return mapped(all, (languages) => mapped(languages, used));
}

const mapped = <A, B>(of: Record<string, A>, each: (a: A) => B): Record<string, B> => Object.fromEntries(Object.entries(of).map(([key, value]) => [key, each(value)]));

/** A text as it is, and a pattern with parameters as what its formatter reads: so no parser is loaded. */
function compiled(pattern: string): unknown {
  const elements = compile(pattern);
  const [first] = elements;
  return elements.length === 1 && first?.type === 0 ? first.value : elements;
}

/**
 * The languages, each in parts: one that every page needs, and one for each of `parts`. In a build a key that is given to `t` as it is becomes its number
 * among those, there and in the catalogue, whose keys would be a third of it; a key that is put together from parts keeps its name.
 */
export function languages(): Plugin {
  let direct: [key: string, part: string][] = []; // by part, so that the numbers of each follow one another
  let numbers = new Map<string, number>();
  const patterns = (language: string) => mapped(Object.fromEntries(Object.entries(readLanguage(language)).filter(([key]) => ofPages(key))), compiled);
  return {
    name: 'languages',
    enforce: 'pre',
    config(_, { command }) {
      direct = command === 'build' ? [...keysIn(pages).direct].sort(([a, i], [b, j]) => (`${i} ${a}` < `${j} ${b}` ? -1 : 1)) : [];
      numbers = new Map(direct.map(([key], i) => [key, i]));
    },
    resolveId: (id) => (id === list || id.startsWith(one) ? `\0${id}` : undefined),
    load(id) {
      if (id === `\0${list}`) {
        const load = (language: string, part: string) => `() => import('${one}${language}${part && `/${part}`}')`;
        const all = languagesIn().map((l) => `${JSON.stringify(l)}: { start: ${load(l, '')}, parts: {${Object.keys(parts).map((part) => `${part}: ${load(l, part)}`).join(', ')}} }`);
        return `export default {${all.join(', ')}};`;
      }
      if (!id.startsWith(`\0${one}`)) return undefined;
      const [language = '', part = ''] = id.slice(one.length + 1).split('/');
      this.addWatchFile(join(folder, `${language}.json`));
      const messages = patterns(language);
      const own = direct.filter(([, of]) => of === part).map(([key]) => key);
      const numbered = own.map((key) => messages[key]);
      const from = numbers.get(own[0] ?? '') ?? 0;
      const named = part ? {} : Object.fromEntries(Object.entries(messages).filter(([key]) => !numbers.has(key)));
      const content = JSON.stringify({ components: part ? undefined : componentsIn(language), numbered, named });
      return `const { components, numbered, named } = JSON.parse(${JSON.stringify(content)});
export const messages = { ...named, ...Object.fromEntries(numbered.map((message, i) => [i + ${from}, message])) };
export { components };`;
    },
    transform(code, id) {
      if (!id.startsWith(pages)) return undefined;
      const out = code.replace(call, (all, name: string, space: string, key: string) => (numbers.has(key) ? `${name}(${space}${numbers.get(key)}` : all));
      return out === code ? undefined : { code: out, map: null };
    },
    buildEnd() {
      for (const id of this.getModuleIds()) {
        const component = /@cloudscape-design\/components\/([^/]+)\/index\.js$/.exec(id)?.[1];
        if (component && unused.includes(component)) this.error(`${component} is used now: its words have to be loaded, too`);
      }
    },
  };
}

/** The formatter without its parser, since every pattern is compiled, Cloudscape's, too. */
export const withoutParser = { '@formatjs/icu-messageformat-parser': require.resolve('@formatjs/icu-messageformat-parser/lib/no-parser.js') };
