// The languages of the catalogue as modules of the pages: virtual:languages loads each as a chunk of its own.
import { createRequire } from 'node:module';
import { join } from 'node:path';

import type { Plugin } from 'vite';

import { compile, folder, languagesIn, ofPages, readLanguage } from './catalogue.mjs';

const list = 'virtual:languages';
const one = 'virtual:language/';
const require = createRequire(import.meta.url);

/** Where Cloudscape's own words in a language are: in English where it does not speak it. */
function componentsIn(language: string): string {
  try {
    return require.resolve(`@cloudscape-design/components/i18n/messages/all.${language}`);
  } catch {
    return require.resolve('@cloudscape-design/components/i18n/messages/all.en');
  }
}

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
      return `export { default as components } from ${JSON.stringify(componentsIn(language))};\nexport const messages = JSON.parse(${JSON.stringify(JSON.stringify(messages))});`;
    },
  };
}

/** The formatter without its parser, since every pattern is compiled, Cloudscape's, too. */
export const withoutParser = { '@formatjs/icu-messageformat-parser': require.resolve('@formatjs/icu-messageformat-parser/lib/no-parser.js') };
