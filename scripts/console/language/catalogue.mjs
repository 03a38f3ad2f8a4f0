// The message catalogue, as the tools of the pages read it: shared/messages, a file for each language.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parse, TYPE } from '@formatjs/icu-messageformat-parser';

export const folder = fileURLToPath(new URL('../../../shared/messages/', import.meta.url));

/** The languages that there are: their files. */
export const languagesIn = (dir = folder) =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .map((name) => basename(name, '.json'))
    .sort();

/** One language's patterns by key. */
export const readLanguage = (language, dir = folder) => JSON.parse(readFileSync(join(dir, `${language}.json`), 'utf8'));

/** The keys of the mails are no part of the pages. */
export const ofPages = (key) => !key.startsWith('mails.');

/** A pattern as ICU MessageFormat has it, without places in the text; throws what is wrong with it. `<` is an ordinary character. */
export const compile = (pattern) => parse(pattern, { captureLocation: false, ignoreTag: true });

/** A pattern's parameters, with their kinds; throws where it uses more of MessageFormat than the catalogue does. */
export function parametersOf(pattern) {
  const found = new Map();
  const meet = (name, kind) => {
    if ((found.get(name) ?? kind) !== kind && kind !== 'text') found.set(name, kind);
    else if (!found.has(name)) found.set(name, kind);
  };
  const walk = (elements) => {
    for (const e of elements) {
      if (e.type === TYPE.literal || e.type === TYPE.pound) continue;
      if (e.type === TYPE.argument) meet(e.value, 'text');
      else if (e.type === TYPE.plural && e.pluralType === 'cardinal' && !e.offset) meet(e.value, 'number');
      else if (e.type === TYPE.select) meet(e.value, 'choice');
      else throw new Error('uses what is neither {name}, nor plural, nor select');
      for (const { value } of Object.values(e.options ?? {})) walk(value);
    }
  };
  walk(compile(pattern));
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}
