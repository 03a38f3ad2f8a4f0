// Builds the npm package into .build/npm: `node build.mjs [folder]`. A module of each kind for each entry, declarations for both kinds, and what the
// package's readers need: README, LICENSE, and a NOTICE with the licences of what is bundled.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';

import ts from 'typescript';
import { build } from 'vite';

const require = createRequire(import.meta.url);
const here = import.meta.dirname;
const root = resolve(here, '../../..');
const out = resolve(process.argv[2] ?? join(root, '.build/npm/package'));
const imported = /(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;
const read = (...path) => readFileSync(join(...path), 'utf8');
const entries = readdirSync(join(here, 'src'))
  .map((file) => file.replace(/\.tsx?$/, ''))
  .filter((name) => !['guard', 'tokens'].includes(name));

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const bundled = await modules();
declarations();
documents();

/** Writes an .mjs and a .cjs of each entry, and returns the folders of the packages whose code is in them. */
async function modules() {
  const folders = new Map();
  await build({
    root: here,
    configFile: false,
    logLevel: 'warn',
    build: {
      outDir: out,
      emptyOutDir: false,
      minify: false,
      target: 'es2022',
      lib: { entry: Object.fromEntries(entries.map((name) => [name, join(here, 'src', name === 'react' ? 'react.tsx' : `${name}.ts`)])), },
      rolldownOptions: {
        external: /^react($|\/)/,
        onLog: (level, log) => {
          if (log.code !== 'MODULE_LEVEL_DIRECTIVE') throw new Error(log.message); // the banner says "use client" instead
        },
        output: ['es', 'cjs'].map((format) => {
          const kind = format === 'es' ? 'mjs' : 'cjs';
          return {
            format,
            entryFileNames: `[name].${kind}`,
            chunkFileNames: `chunks/[name].${kind}`,
            banner: (chunk) => (chunk.name === 'react' ? '"use client";' : ''), // for Next's server components
          };
        }),
      },
    },
    plugins: [
      {
        name: 'bundled',
        generateBundle(_, bundle) {
          for (const chunk of Object.values(bundle)) {
            for (const id of Object.keys(chunk.modules ?? {})) {
              const [, folder, name] = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(id) ?? [];
              if (name) folders.set(name, folder);
            }
          }
        },
      },
    ],
  });
  return folders;
}

/** Writes the declarations of each source, for import and for require; what is types alone is there once. */
function declarations() {
  const config = ts.getParsedCommandLineOfConfigFile(join(here, 'tsconfig.json'), { noEmit: false, declaration: true, emitDeclarationOnly: true, outDir: out }, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (d) => {
      throw new Error(ts.flattenDiagnosticMessageText(d.messageText, '\n'));
    },
  });
  const program = ts.createProgram(config.fileNames, config.options);
  const emitted = new Map();
  const { diagnostics } = program.emit(undefined, (file, text) => {
    emitted.set(relative(out, file).replace(/^package\/src\//, './').replace(/^src\//, './').replace(/\.d\.ts$/, ''), text.replaceAll('../../src/', './'));
  });
  const wrong = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (wrong.length > 0) throw new Error(ts.formatDiagnostics(wrong, ts.createCompilerHost(config.options)));
  const needed = new Set(entries.map((name) => `./${name}`));
  for (const name of needed) {
    const text = emitted.get(name) ?? '';
    for (const [, to] of text.matchAll(imported)) if (to.startsWith('.')) needed.add(`./${join(dirname(name), to)}`);
    if (text) for (const kind of ['mts', 'cts']) write(`types/${name}.d.${kind}`, linked(text, kind.replace('ts', 'js')));
  }
  write('types/api/schema.d.ts', read(here, '../src/api/schema.d.ts'));
  for (const name of ['openapi-fetch', 'openapi-typescript-helpers']) {
    bundled.set(name, folderOf(name));
    const folder = join(folderOf(name), 'dist');
    const file = readdirSync(folder).find((f) => /^index\.d\.m?ts$/.test(f));
    write(`types/api/${name}.d.ts`, read(folder, file).replace(/'(openapi-[\w-]+)'|"(openapi-[\w-]+)"/g, (_, a, b) => `'./${a ?? b}.js'`));
  }
}

/** A declaration whose imports name files as a module of that kind has to. */
function linked(text, kind) {
  return text.replace(imported, (all, to) => {
    if (to === 'openapi-fetch') return all.replace(to, './openapi-fetch.js');
    return to.startsWith('.') ? all.replace(to, `${to}.${/\/schema$/.test(to) ? 'js' : kind}`) : all;
  });
}

function documents() {
  const exported = Object.fromEntries(
    entries.map((name) => [
      name === 'index' ? '.' : `./${name}`,
      {
        import: { types: `./types/${name}.d.mts`, default: `./${name}.mjs` },
        require: { types: `./types/${name}.d.cts`, default: `./${name}.cjs` },
      },
    ]),
  );
  const { private: _, ...own } = JSON.parse(read(here, 'package.json'));
  write('package.json', `${JSON.stringify({ ...own, exports: { ...exported, './package.json': './package.json' } }, null, 2)}\n`);
  cpSync(join(here, 'README.md'), join(out, 'README.md'));
  cpSync(join(root, 'LICENSE'), join(out, 'LICENSE'));
  const licences = [...bundled].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, folder]) => {
    const { version, license } = JSON.parse(read(folder, 'package.json'));
    const file = readdirSync(folder).find((f) => /^licen[sc]e(\.md|\.txt)?$/i.test(f));
    if (!file) throw new Error(`${name} is bundled, and its licence is not in ${folder}`);
    return `${'-'.repeat(80)}\n${name} ${version} (${license})\n\n${read(folder, file).trim()}\n`;
  });
  write('NOTICE', `${read(root, 'NOTICE').split('\n').slice(0, 2).join('\n')}\n\nThis package contains code of others, under these licences:\n\n${licences.join('\n')}`);
}

function folderOf(name) {
  for (const folder of require.resolve.paths(name)) {
    try {
      read(folder, name, 'package.json');
      return join(folder, name);
    } catch {
      // in another one
    }
  }
  throw new Error(`${name} is not installed`);
}

function write(name, text) {
  mkdirSync(dirname(join(out, name)), { recursive: true });
  writeFileSync(join(out, name), text);
}
