// The message catalogue, as the tools of the pages read it: shared/messages, a file for each language.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
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

/** A key that is given to t or rich as it is: t('pages.button.cancel'). */
export const call = /\b(t|rich)\((\s*)'((?:words|pages|problems)\.[a-z0-9_.]+)'/g;

/** The pages that the router loads with words of their own, by the parts of the catalogue that they belong to. */
export const parts = { customer: 'customer/routes', partner: 'partner/routes', provider: 'provider/routes', invitation: 'invitation/Invitation', signIn: 'session/SignIn', embedded: 'embedded/Shell' };

/** The modules of the pages by their names below the folder, without endings. */
function modulesOf(pages) {
  const files = readdirSync(pages, { recursive: true, withFileTypes: true }).filter(({ name }) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts'));
  const paths = files.map(({ parentPath, path, name }) => join(parentPath ?? path, name));
  return new Map(paths.map((path) => [relative(pages, path).replace(/\.tsx?$/, ''), readFileSync(path, 'utf8')]));
}

/**
 * The keys that the pages' code asks for: `direct` where they are given to t or rich as they are, and nowhere else, with the part of the catalogue that they
 * belong to ('' where more than one page needs them); `chosen` tells of a key whether it is named in another way, or has one part that is chosen there,
 * as `words.level.${level}` has.
 */
export function keysIn(pages) {
  const modules = modulesOf(pages);
  const partOf = partsOf(modules);
  const [direct, named, shapes] = [new Map(), new Set(), []];
  for (const [module, text] of modules) {
    const rest = text.replace(call, (_, name, space, key) => {
      const part = partOf.get(module) ?? '';
      direct.set(key, (direct.get(key) ?? part) === part ? part : '');
      return name + space;
    });
    for (const [, key] of rest.matchAll(/'((?:words|pages|problems)\.[a-z0-9_.]+)'/g)) named.add(key);
    for (const [, shape] of rest.matchAll(/`((?:words|pages|problems)\.[^`]*)`/g)) {
      const fixed = shape.split(/\$\{[^}]*\}/).map((part) => part.replaceAll('.', '\\.'));
      shapes.push(new RegExp(`^${fixed.join(shape.startsWith('words.event.') ? '[a-z0-9_.]+' : '[a-z0-9_]+')}$`));
    }
  }
  const chosen = (key) => named.has(key) || shapes.some((shape) => shape.test(key));
  return { direct: new Map([...direct].filter(([key]) => !chosen(key))), chosen };
}

/** The part of each module that is reached from one part's page alone: not from the entry in another way, nor from another part's. */
function partsOf(modules) {
  const entries = Object.entries(parts).filter(([, module]) => modules.has(module));
  const pagesOfParts = new Set(entries.map(([, module]) => module));
  const reached = (from) => {
    const met = new Set();
    const visit = (module) => {
      if (met.has(module) || !modules.has(module)) return;
      met.add(module);
      for (const [, to] of modules.get(module).matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']*)'/g)) {
        const path = join(dirname(module), to);
        const next = modules.has(path) ? path : join(path, 'index');
        if (!pagesOfParts.has(next)) visit(next);
      }
    };
    visit(from);
    return met;
  };
  const common = reached('main');
  const found = new Map();
  for (const [part, entry] of entries) {
    for (const module of reached(entry)) if (!common.has(module)) found.set(module, (found.get(module) ?? part) === part ? part : '');
  }
  return found;
}
