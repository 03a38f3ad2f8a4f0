// Makes Cloudscape's files smaller while they are built, by what its packages say of themselves. Each step depends on a file and on the installed
// version alone, never on what else is in the bundle: so a file whose name is the same has the same content, and may be cached for ever.
import { createRequire } from 'node:module';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Plugin } from 'vite';

const require = createRequire(import.meta.url);
const components = dirname(require.resolve('@cloudscape-design/components/package.json'));
const ours = join(import.meta.dirname, 'src');

const theme = 'internal/base-theme/styles.scoped.css'; // defines the design tokens
const icons = 'icon/generated/icons.js';

/** A custom property as Cloudscape names them, whose last part is a hash that no other one has: --color-text-body-default-7v1jfn. */
const token = /--[a-z][\w-]*-([a-z0-9]{6})(?![\w-])/g;
/** A class as Cloudscape names them: its name, its file's hash, its content's, and its line: awsui_button_vjswe_1g1tk_70. */
const className = /awsui_[A-Za-z0-9-]+_([a-z0-9]{4,6})_[a-z0-9]{5}_\d+/g;
/** How code refers to the custom properties that it sets itself: customCssProps.maxContentWidth. */
const property = /\bcustomCssProps\.(\w+)/g;
const declaration = /(--[\w-]+):[^;{}]*;/g;

/**
 * Trims design tokens, classes and icons. A token that no component of Cloudscape's refers to is not declared; one that is declared for the whole
 * page is named by its hash, and used without the value that would stand in for it; a class is named by its file's hash and a number; and an icon whose
 * name stands nowhere, neither in a component nor in the pages, is left out.
 */
export function trim(): Plugin {
  let read: Read;
  return {
    name: 'trim',
    apply: 'build',
    enforce: 'pre',
    buildStart() {
      read = readAll();
    },
    transform(code, id) {
      const file = id.replace(/\?.*$/, '');
      if (file.endsWith(join(components, icons))) return withoutIcons(code, read.text);
      const style = file.endsWith('.css');
      if (!style && !(file.includes('@cloudscape-design') && file.endsWith('.js'))) return undefined;
      let out = file.endsWith(theme) ? code.replace(declaration, (all, name: string) => (read.declared.has(name) && !read.used.has(name) ? '' : all)) : code;
      if (style) out = withoutFallbacks(out, read.declared);
      out = out.replace(token, (name) => read.declared.get(name) ?? name);
      out = out.replace(className, (name) => read.classes.get(name) ?? name);
      if (!style) out = out.replace(property, (all, name: string) => (read.properties.has(name) ? JSON.stringify(read.properties.get(name)) : all));
      return out === code ? undefined : { code: out, map: null };
    },
  };
}

interface Read {
  declared: Map<string, string>; // the tokens that are declared for the whole page, with their short names
  used: Set<string>; // the tokens that something refers to
  classes: Map<string, string>; // the classes, with their short names
  properties: Map<string, string>; // the custom properties that code sets, by what it calls them
  text: string; // of all modules
}

const nothing = 'export default () => null;';
const exported = (value: string, ...names: string[]) => names.map((name) => `export const ${name} = ${value};`).join(' ');

/**
 * Code of Cloudscape's that is loaded with every page and that no page uses, by the end of its module's name, with what stands in for it. `asked` is what
 * a page would write that does use it, which fails the build.
 */
const unused: Record<string, { code: string; asked?: RegExp }> = {
  // AppLayout's drawers of news, of an assistant and at the bottom, and the groups of buttons in any drawer.
  '/use-feature-notifications': {
    code: exported(
      '() => ({ featureNotificationsProps: { renderLatestFeaturePrompt: () => null }, onOpenFeatureNotificationsDrawer: () => {}, featureNotificationsMessageHandler: () => {} })',
      'useFeatureNotifications',
    ),
  },
  'drawer/global-ai-drawer': { code: exported('() => null', 'AppLayoutGlobalAiDrawerImplementation') },
  'drawer/global-bottom-drawer': { code: exported('() => null', 'AppLayoutBottomDrawerWrapper') },
  '../button-group/internal': { code: nothing, asked: /headerActions/ },
  // What is dragged: the edges of panels and columns, and the items of lists.
  '/panel-resize-handle': { code: nothing, asked: /\bresizable\b/ },
  '/drag-handle-wrapper': { code: nothing, asked: /resizableColumns/ },
  '/drag-handle': { code: nothing, asked: /\bsortable\b/ },
  '/sortable-area': { code: nothing, asked: /\bsortable\b/ },
  // Editing a table's cells in their places.
  '/inline-editor': { code: exported('() => null', 'InlineEditor'), asked: /editConfig/ },
  '/disabled-inline-editor': { code: exported('() => null', 'DisabledInlineEditor'), asked: /editConfig/ },
  // Reports of how the pages are used, which nobody receives.
  '/log-clients.js': { code: 'export class CLogClient { sendMetric() {} } export class PanoramaClient { sendMetric() {} }' },
  '/use-performance-marks': { code: exported('() => ({})', 'usePerformanceMarks') },
  'analytics/components/analytics-funnel': { code: exported('({ children }) => children', 'AnalyticsFunnel', 'AnalyticsFunnelStep', 'AnalyticsFunnelSubStep') },
};

/** Leaves out what is `unused`; fails where nothing asks for it, since it has another name then, or is not there any more. */
export function without(): Plugin {
  const prefix = '\0without/';
  const met = new Set<string>();
  return {
    name: 'without',
    apply: 'build',
    enforce: 'pre',
    buildStart() {
      const text = textsOf(ours, /\.tsx$/, /^$/).join('\n');
      for (const [end, { asked }] of Object.entries(unused)) if (asked?.test(text)) this.error(`a page uses ${String(asked)}, which needs ${end}: take it from the list of trim.mts`);
    },
    resolveId(id, importer) {
      const found = importer?.includes('@cloudscape-design') && Object.keys(unused).find((end) => id.endsWith(end));
      if (!found) return undefined;
      met.add(found);
      return prefix + found;
    },
    load: (id) => (id.startsWith(prefix) ? unused[id.slice(prefix.length)]?.code : undefined),
    buildEnd(error) {
      const gone = Object.keys(unused).filter((end) => !met.has(end));
      if (!error && gone.length > 0) this.error(`no module asks for ${gone.join(', ')}: it is named otherwise now`);
    },
  };
}

/** What the installed version of Cloudscape, and the pages, say. */
function readAll(): Read {
  const rules = readFileSync(join(components, theme), 'utf8');
  const body = /\bbody\s*\{([^{}]*)\}/.exec(rules)?.[1] ?? '';
  const declared = new Map<string, string>();
  const taken = new Set<string>();
  for (const [, name = ''] of body.matchAll(declaration)) {
    const hash = /-([a-z0-9]{6})$/.exec(name)?.[1];
    if (!hash || declared.has(name)) continue;
    if (taken.has(hash)) throw new Error(`two tokens end with ${hash}: they need longer names`);
    taken.add(hash);
    declared.set(name, `--${hash}`);
  }
  if (declared.size < 500) throw new Error(`${theme} declares ${declared.size} tokens only: is it made otherwise now?`);
  const modules = [...textsOf(components, /\.js$/, /^(test-utils|i18n|icon|theming|tokens\.js)$|styles\.(css|selectors)\.js$/), ...textsOf(ours, /\.tsx?$/, /^$/)].join('\n');
  const styles = [...textsOf(components, /\.css$/, /^$/), ...textsOf(ours, /\.css$/, /^$/)].join('\n');
  const global = readFileSync(require.resolve('@cloudscape-design/global-styles/index.css'), 'utf8');
  const used = new Set([...`${styles}${global}`.matchAll(/var\(\s*(--[\w-]+)/g)].map(([, name = '']) => name));
  for (const [name] of modules.matchAll(token)) used.add(name);
  return { declared, used, classes: shortClasses(styles), properties: propertiesOf(modules), text: modules };
}

/** Each file's classes, numbered in the order of their names. */
function shortClasses(styles: string): Map<string, string> {
  const byFile = new Map<string, Set<string>>();
  for (const [name, file = ''] of styles.matchAll(className)) byFile.set(file, (byFile.get(file) ?? new Set()).add(name));
  const short = new Map<string, string>();
  for (const [file, names] of byFile) [...names].sort().forEach((name, i) => short.set(name, `c${file}${i.toString(36)}`));
  return short;
}

function propertiesOf(modules: string): Map<string, string> {
  const map = /const customCSSPropertiesMap = \{([^}]*)\}/.exec(modules)?.[1] ?? '';
  return new Map([...map.matchAll(/"(\w+)": "(--[\w-]+)"/g)].map(([, name = '', value = '']) => [name, value]));
}

function textsOf(folder: string, wanted: RegExp, left: RegExp): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !left.test(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return textsOf(path, wanted, left);
      return wanted.test(entry.name) ? [readFileSync(path, 'utf8')] : [];
    });
}

/** var(--a, b) is var(--a) where --a is declared for the whole page. */
function withoutFallbacks(css: string, declared: Map<string, string>): string {
  let out = '';
  let at = 0;
  for (;;) {
    const start = css.indexOf('var(', at);
    if (start < 0) return out + css.slice(at);
    const name = /^var\(\s*(--[\w-]+)\s*,/.exec(css.slice(start, start + 200))?.[1];
    if (!name || !declared.has(name)) {
      out += css.slice(at, start + 4); // what stands inside is looked at next
      at = start + 4;
      continue;
    }
    let depth = 0;
    let end = start + 3;
    do {
      if (css[end] === '(') depth++;
      else if (css[end] === ')') depth--;
      end++;
    } while (depth > 0 && end < css.length);
    out += `${css.slice(at, start)}var(${name})`;
    at = end;
  }
}

/** The icons whose names stand somewhere in quotes. */
function withoutIcons(code: string, text: string): { code: string; map: null } {
  const parts = code.split(/^(?= {4}"[\w-]+":)/m);
  const kept = parts.filter((part) => {
    const name = /^ {4}"([\w-]+)":/.exec(part)?.[1];
    return !name || new RegExp(`["'\`]${name}["'\`]`).test(text);
  });
  if (parts.length < 100) throw new Error(`${icons} is made otherwise now: ${parts.length} parts`);
  const last = parts.at(-1) ?? '';
  const end = last.slice(last.lastIndexOf('};'));
  const out = kept.join('');
  return { code: out.includes(end) ? out : out + end, map: null };
}
