// The languages of the catalogue as modules of the pages: virtual:languages loads each as a chunk of its own.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Plugin } from 'vite';

import { compile, folder, languagesIn, ofPages, readLanguage } from './catalogue.mjs';

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

/** Components that the pages do not use, and whose words are the longest. */
const unused = ['annotation-context', 'code-editor', 'collection-preferences', 'date-range-picker', 'property-filter', 's3-resource-selector', 'tag-editor', 'tutorial-panel'];

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

export function languages(): Plugin {
  return {
    name: 'languages',
    resolveId: (id) => (id === list || id.startsWith(one) ? `\0${id}` : undefined),
    load(id) {
      if (id === `\0${list}`) return `export default {${languagesIn().map((l) => `${JSON.stringify(l)}: () => import('${one}${l}')`).join(', ')}};`;
      if (!id.startsWith(`\0${one}`)) return undefined;
      const language = id.slice(one.length + 1);
      this.addWatchFile(join(folder, `${language}.json`));
      const messages = Object.fromEntries(
        Object.entries(readLanguage(language))
          .filter(([key]) => ofPages(key))
          .map(([key, pattern]) => [key, compiled(pattern)]),
      );
      return `export const { components, messages } = JSON.parse(${JSON.stringify(JSON.stringify({ components: componentsIn(language), messages }))});`;
    },
  };
}

/** Code of Cloudscape's that is loaded with every page and that no page uses: AppLayout's drawer of news, which brings dragging and dropping with it. */
export function without(): Plugin {
  const drawer = '\0without/feature-notifications-drawer-content';
  return {
    name: 'without',
    enforce: 'pre',
    resolveId: (id) => (id.endsWith('/drawer/feature-notifications-drawer-content') ? drawer : undefined),
    load: (id) => (id === drawer ? 'export const RuntimeContentPart = () => null;\nexport default () => null;' : undefined),
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
