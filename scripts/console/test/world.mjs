// What the flows stand on: a browser, people, and the service's own API to prepare things and to look at what came of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';


/** The stack with its own pages; the pages at another origin; the pages with a hosted login. */
export const base = process.env.BASE;
export const other = process.env.OTHER;
export const hosted = process.env.HOSTED;

/** A vendor's pages that may show these in a frame, at two origins, and some that may not; these pages without the header that says so; the built files. */
export const vendor = process.env.VENDOR;
export const second = process.env.SECOND;
export const stranger = process.env.STRANGER;
export const loose = process.env.LOOSE;
export const built = process.env.BUILT;

let browser;

export async function close() {
  await browser?.close();
}

const tokens = new Map();

/** A token for who: { email } or { scope }. */
async function token(who) {
  const key = JSON.stringify(who);
  if (!tokens.has(key)) {
    const response = await fetch(`${base}/_local/token`, { method: 'POST', body: key });
    tokens.set(key, (await response.json()).token);
  }
  return tokens.get(key);
}

/** Asks the service as somebody ({ email } or { scope }), as a second client beside the browser; what is refused fails the flow. */
export async function ask(who, method, path, body, headers = {}) {
  const response = await fetch(base + path, {
    method,
    headers: { Authorization: `Bearer ${await token(who)}`, 'Content-Type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

export const provider = { scope: 'partner-access/directory' };

let last = 0;

/** A customer of the flow's own, with an admin, whom it returns as { email }. Names begin alike, so that they can be told apart. */
export async function customer(name = 'Customer') {
  const id = `c${Date.now().toString(36)}${++last}`;
  const admin = { email: `admin@${id}.example` };
  await ask(provider, 'PUT', `/v1/customers/${id}`, { name: `${name} ${last}`, domain: `${id}.example`, contacts: [`it@${id}.example`] });
  await ask(provider, 'PUT', `/v1/customers/${id}/members/${encodeURIComponent(admin.email)}`, { name: 'Ada Admin', role: 'admin' });
  return { id, name: `${name} ${last}`, admin };
}

/** A partner of the flow's own with as many users as there are names; the first is its owner. `more` are members of the partner. */
export async function partner(names = ['Olga Owner', 'Kim Tech'], more = {}) {
  const id = `p${Date.now().toString(36)}${++last}`;
  const name = `Partner ${id}`;
  await ask(provider, 'PUT', `/v1/partners/${id}`, { name, class: 'channel', offer: 'manage', sso: true, contacts: [`ops@${id}.example`], ...more });
  const users = [];
  for (const [i, n] of names.entries()) {
    const email = `${n.split(' ')[0].toLowerCase()}@${id}.example`;
    users.push(await ask(provider, 'POST', `/v1/partners/${id}/users`, { email, name: n, role: i === 0 ? 'owner' : 'tech' }));
  }
  return { id, name, users, owner: { email: users[0]?.email } };
}

/** The mails to an address, once there are that many; they come through the table's stream. */
export async function mails(to, count = 1) {
  return eventually(async () => {
    const all = (await (await fetch(`${base}/_local/mail`)).json()).filter((m) => [m.to].flat().includes(to));
    assert.ok(all.length >= count, `mails to ${to}: got ${all.length}, want ${count}`);
    return all;
  });
}

/** The temporary passwords in the mails to an address, once there are so many, each another. */
export async function temporaryFor(email, count) {
  const sent = await mails(email, count);
  const found = sent.map((m) => /\b\w{5}(-\w{5}){3}\b/.exec(m.text)?.[0]).filter(Boolean);
  assert.equal(new Set(found).size, count, `temporary passwords of ${email}`);
  return found;
}

/** Signs in on the page, with a password from a mail, and replaces that. */
export async function signInAnew(page, email, password, fresh) {
  await page.getByRole('textbox', { name: 'E-mail address of the account' }).fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByLabel('New password').fill(fresh);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** Repeats what fails until it holds, for some seconds. */
export async function eventually(check, seconds = 15) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

/** Runs what moves the stack's clock, told what it shows, and sets it back: the other flows' people and grants belong to that time. */
export async function clockKept(run) {
  const clock = async (to) => {
    const response = await fetch(`${base}/_local/clock`, to && { method: 'POST', body: JSON.stringify(to) });
    assert.equal(response.status, 200);
    return response.json();
  };
  const { now } = await clock();
  try {
    await run(new Date(now), clock);
  } finally {
    await clock({ now });
  }
}

/**
 * A flow that goes through all pages of a side once more in another way: another width, language or colours. CONSOLE_SHORT leaves it out,
 * and says so.
 */
export function sweep(name, run) {
  if (process.env.CONSOLE_SHORT) test(name, { skip: 'left out by CONSOLE_SHORT: make test-pages has it' }, () => {});
  else flow(name, run);
}

/**
 * A flow: a test with pages of its own. `open(who, path, options)` opens the console as somebody, undefined for nobody. Whatever breaks the
 * Content-Security-Policy, is thrown in a page, or is written to its console as an error, fails the flow; so does a request to anywhere
 * but the stack and the vendor's pages. Refusals that the flow provokes are no errors, nor what `expected` says of the console.
 */
export function flow(name, run) {
  test(name, { timeout: 120_000 }, async () => {
    browser ??= await chromium.launch({
      executablePath: process.env.CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    const contexts = [];
    const wrong = [];
    const open = async (who, path, { width = 1280, height = 900, dark = false, at = base, bytes, locale = 'en-GB', forcedColors = 'none', expected } = {}) => {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', timezoneId: 'Europe/Berlin', locale, reducedMotion: 'reduce', forcedColors });
      contexts.push(context);
      context.setDefaultTimeout(15_000);
      context.on('page', (page) => { // and those that it opens in tabs of their own
        page.on('pageerror', (error) => wrong.push(`thrown: ${error.message}`));
        page.on('console', (message) => {
          if (message.type() === 'error' && !expected?.test(message.text()) && !/Failed to load resource: the server responded with a status of/.test(message.text())) wrong.push(`console: ${message.text()}`);
        });
        page.on('request', (request) => {
          const to = new URL(request.url());
          if (to.protocol !== 'data:' && ![base, other, hosted, vendor, second, stranger, loose].includes(to.origin)) wrong.push(`asks ${to.origin}`);
        });
      });
      const page = await context.newPage();
      if (bytes) page.on('response', (response) => bytes.push(response));
      await page.addInitScript(() => {
        window.violations = [];
        document.addEventListener('securitypolicyviolation', (e) => console.error(`Content-Security-Policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
      });
      if (who) await page.addInitScript((w) => sessionStorage.setItem('partner-access.local', w), JSON.stringify(who));
      await page.goto(at + path);
      return page;
    };
    try {
      await run({ open });
      assert.deepEqual(wrong, []);
    } catch (error) {
      if (wrong.length > 0) error.message += `\nin the pages: ${wrong.join('\n')}`;
      if (process.env.CONSOLE_SHOTS) {
        for (const [i, c] of contexts.entries()) for (const p of c.pages()) await p.screenshot({ path: `${process.env.CONSOLE_SHOTS}/${name.replace(/\W+/g, '-')}-${i}.png` });
      }
      throw error;
    } finally {
      for (const c of contexts) await c.close();
    }
  });
}

/** Nothing at all that axe finds: by WCAG's rules, and by what is good practice beside them. */
export async function accessible(page, what = page.url()) {
  await page.getByRole('heading', { level: 1 }).first().waitFor(); // a page is loaded when it is opened
  // What a panel has scrolled out of its place counts as hidden for axe, labels among it: in a high window nothing is.
  const { width, height } = page.viewportSize();
  await page.setViewportSize({ width, height: 3000 });
  const { violations } = await new AxeBuilder({ page }).analyze();
  await page.setViewportSize({ width, height });
  assert.deepEqual(
    violations.map((v) => `${v.id} (${v.impact}): ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 200)).join(' | ')}`),
    [],
    `axe, at ${what}`,
  );
}

/** Nothing stands beyond the right edge. */
export async function fits(page, what = page.url()) {
  const { scroll, client } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth }));
  assert.ok(scroll <= client, `${what}: the page is ${scroll} px wide in a window of ${client} px`);
}

/** The text that confirms a change. */
export async function flash(page, text) {
  await page.getByRole('status').filter({ hasText: text }).first().waitFor();
}
