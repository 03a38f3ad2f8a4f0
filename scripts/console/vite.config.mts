import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

import { languages, withoutParser } from './language/plugin.mts';
import { trim, without } from './trim.mts';

// Cloudscape's style sheet carries its fonts as data: addresses, which a strict Content-Security-Policy forbids and which everybody
// would load at first: as files they are loaded where they are used, and kept.
function fontsAsFiles(): Plugin {
  return {
    name: 'fonts-as-files',
    apply: 'build',
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type !== 'asset' || !file.fileName.endsWith('.css')) continue;
        file.source = String(file.source).replace(/url\(["']?data:font\/woff2;base64,([A-Za-z0-9+/=]+)["']?\)/g, (_match, data: string) => {
          const source = Buffer.from(data, 'base64');
          const fileName = `assets/open-sans-${createHash('sha256').update(source).digest('hex').slice(0, 8)}.woff2`;
          this.emitFile({ type: 'asset', fileName, source });
          return `url(/${fileName})`;
        });
      }
    },
  };
}

// embed/embed.ts, which pages elsewhere load by a name that stays the same.
function embedScript(): Plugin {
  return {
    name: 'embed-script',
    apply: 'build',
    buildStart() {
      this.emitFile({ type: 'chunk', id: fileURLToPath(new URL('embed/embed.ts', import.meta.url)), fileName: 'embed.js' });
    },
    generateBundle(_, bundle) {
      const script = bundle['embed.js'];
      if (script?.type !== 'chunk' || script.imports.length > 0 || script.exports.length > 0) this.error('embed.js is a plain script: it imports and exports nothing');
    },
  };
}

// The folder that is built serves every stage: what differs between stages stands in /settings.json, which is no part of it.
export default defineConfig({
  plugins: [react(), languages(), without(), trim(), fontsAsFiles(), embedScript()],
  resolve: { alias: withoutParser },
  build: {
    outDir: '../../.build/console',
    emptyOutDir: true,
    assetsInlineLimit: 0, // a data: address would need a wider Content-Security-Policy
    modulePreload: { polyfill: false },
    // What most pages need is one file, which compresses better than its parts; with a lower number signing in would load it all, too. Measured.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'shared', minShareCount: 25 }] } } },
    chunkSizeWarningLimit: 1500, // what counts is the first load, compressed: test/shell.flow.mjs holds it
  },
  server: {
    // npm run dev: the pages with hot reload at 5173, the API of a stack that make run has started.
    proxy: Object.fromEntries(
      ['/v1', '/access', '/.well-known', '/_local', '/settings.json'].map((path) => [path, process.env.API ?? 'http://127.0.0.1:8080']),
    ),
  },
});
