// Says what is wrong with the catalogue, a line each, and fails where something is: node language/check.mjs [folder of the catalogue] [folder of the pages].
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { folder, languagesIn, ofPages, parametersOf, readLanguage } from './catalogue.mjs';

const catalogue = process.argv[2] ?? folder;
const pages = process.argv[3] ?? fileURLToPath(new URL('../src/', import.meta.url));
const wrong = [];

const english = readLanguage('en', catalogue);
const parameters = new Map();
for (const language of ['en', ...languagesIn(catalogue).filter((l) => l !== 'en')]) {
  const messages = readLanguage(language, catalogue);
  const keys = Object.keys(messages);
  if (keys.some((key, i) => i > 0 && key <= keys[i - 1])) wrong.push(`${language}: the keys are not sorted`);
  for (const key of Object.keys(english)) if (!(key in messages)) wrong.push(`${language}: ${key} is missing`);
  for (const [key, pattern] of Object.entries(messages)) {
    if (!/^(words|pages|problems|mails)(\.[A-Za-z0-9_-]+)+$/.test(key)) wrong.push(`${language}: ${key} is no key`);
    if (!(key in english)) wrong.push(`${language}: ${key} is not in English`);
    if (typeof pattern !== 'string' || pattern.trim() !== pattern || pattern === '') {
      wrong.push(`${language}: ${key} is empty, or has space at an end`);
      continue;
    }
    try {
      // The mails' formatter writes a number as its language does also where nothing is counted.
      const its = [...parametersOf(pattern)].map(([name, kind]) => (ofPages(key) ? `${name} (${kind})` : name)).join(', ');
      if (language === 'en') parameters.set(key, its);
      else if (its !== (parameters.get(key) ?? its)) wrong.push(`${language}: ${key} has ${its || 'no parameters'}, English has ${parameters.get(key) || 'none'}`);
    } catch (error) {
      wrong.push(`${language}: ${key} ${error.message}`);
    }
  }
}

// A key stands in the pages' code as it is, or with one part of it chosen there: `words.level.${level}`.
const used = new Set();
const shapes = [];
for (const file of readdirSync(pages, { recursive: true, withFileTypes: true })) {
  if (!/\.tsx?$/.test(file.name) || file.name.endsWith('.d.ts')) continue;
  const text = readFileSync(join(file.parentPath ?? file.path, file.name), 'utf8');
  for (const [, key] of text.matchAll(/'((?:words|pages|problems)\.[a-z0-9_.]+)'/g)) used.add(key);
  for (const [, shape] of text.matchAll(/`((?:words|pages|problems)\.[^`]*)`/g)) {
    const parts = shape.split(/\$\{[^}]*\}/).map((part) => part.replaceAll('.', '\\.'));
    shapes.push(new RegExp(`^${parts.join(shape.startsWith('words.event.') ? '[a-z0-9_.]+' : '[a-z0-9_]+')}$`));
  }
}
for (const key of Object.keys(english)) {
  if (ofPages(key) && !used.has(key) && !shapes.some((shape) => shape.test(key))) wrong.push(`en: ${key} is not used`);
}

if (wrong.length > 0) {
  console.log(wrong.join('\n'));
  process.exitCode = 1;
}
