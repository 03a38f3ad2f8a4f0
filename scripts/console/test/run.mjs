// Runs every flow of this folder: go test ./scripts/console starts the stack, builds the pages, and this.
import { readdir } from 'node:fs/promises';
import { after } from 'node:test';

import { close } from './world.mjs';

const here = new URL('.', import.meta.url);
for (const name of (await readdir(here)).filter((n) => n.endsWith('.flow.mjs')).sort()) await import(new URL(name, here).href);

after(close);
