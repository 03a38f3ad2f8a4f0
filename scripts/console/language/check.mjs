// Says what is wrong with the catalogue, a line each, and fails where something is: node language/check.mjs [folder of the catalogue] [folder of the pages].
import { fileURLToPath } from 'node:url';

import { folder, keysIn, languagesIn, ofPages, parametersOf, readLanguage } from './catalogue.mjs';

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

const { direct, chosen } = keysIn(pages);
for (const key of Object.keys(english)) {
  if (ofPages(key) && !direct.has(key) && !chosen(key)) wrong.push(`en: ${key} is not used`);
}

if (wrong.length > 0) {
  console.log(wrong.join('\n'));
  process.exitCode = 1;
}
