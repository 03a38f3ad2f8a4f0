// Writes src/language/messages.d.ts: the keys of the catalogue with their parameters, so that the compiler finds a wrong one.
import { writeFileSync } from 'node:fs';

import { ofPages, parametersOf, readLanguage } from './catalogue.mjs';

const lines = Object.entries(readLanguage('en'))
  .filter(([key]) => ofPages(key))
  .map(([key, pattern]) => `  '${key}': {${[...parametersOf(pattern)].map(([name, kind]) => ` ${name}: '${kind}'`).join(';')} };`);

writeFileSync(
  new URL('../src/language/messages.d.ts', import.meta.url),
  `// Code generated from shared/messages/en.json by scripts/console/language/types.mjs; DO NOT EDIT.

/** The keys of the catalogue, and each pattern's parameters: of text, a number that is counted, or a choice. */
export interface Messages {
${lines.join('\n').replaceAll('{ }', '{}')}
}
`,
);
