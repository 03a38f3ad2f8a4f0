// What readers set for themselves: their own colours, larger letters, another direction of writing.
import assert from 'node:assert/strict';

import { ask, base, customer, eventually, fits, flow, partner, provider, sweep } from './world.mjs';

/** The main pages of each side. */
const pagesOf = (c, p) => [
  [undefined, ['/sign-in']],
  [c.admin, ['overview', 'partners', `partners/${p.id}`, `partners/${p.id}/edit`, 'people', 'requests/policy', 'history'].map((page) => `/customers/${c.id}/${page}`)],
  [p.owner, ['customers', `customers/${c.id}/people`, 'employees', `employees/${p.users[1].id}`, 'account'].map((page) => `/partners/${p.id}/${page}`)],
  [provider, ['/provider/partners', `/provider/partners/${p.id}`, '/provider/tree', `/provider/customers/${c.id}`, '/provider/webhooks/new']],
];

/** A customer with a partner, whose names may be given. */
async function related(names = {}) {
  const c = await customer();
  const p = names.users ? await partner([], { name: names.partner }) : await partner();
  for (const [i, name] of (names.users ?? []).entries()) {
    const email = `user${i}@${p.id}.example`;
    p.users.push(await ask(provider, 'POST', `/v1/partners/${p.id}/users`, { email, name, role: i === 0 ? 'owner' : 'tech' }));
    p.owner = { email: p.users[0].email };
  }
  if (names.customer) await ask(provider, 'PUT', `/v1/customers/${c.id}`, { name: names.customer, contacts: [] }, { 'If-Match': '*' });
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id], level: 'view', until: '2031-12-24T17:00:00Z', assigned_by: 'partner' });
  return [c, p];
}

async function loaded(page) {
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  await eventually(async () => assert.equal(await page.getByText('Loading').count(), 0));
}

/** What has the focus looks otherwise without it, and nothing lies above it. */
async function focusSeen(page, path) {
  const at = await page.evaluate(() => {
    const e = document.activeElement;
    const { x, y, width, height } = e.getBoundingClientRect();
    const top = document.elementFromPoint(x + width / 2, y + height / 2);
    return e === document.body || width <= 1 ? undefined : { x, y, width, height, free: !top || e.contains(top) || top.contains(e) || top.matches('label, label *'), html: e.outerHTML.slice(0, 200) };
  });
  if (!at || at.x + at.width < 0 || at.x > 1280 || at.y < -at.height || at.y > 900) return; // in no page, or not to be seen by itself
  assert.ok(at.free, `${path}: something lies above ${at.html}`);
  const clip = { x: Math.max(0, at.x - 6), y: Math.max(0, at.y - 6), width: at.width + 12, height: at.height + 12 };
  const focused = await page.screenshot({ clip });
  await page.evaluate(() => {
    window.focused = document.activeElement;
    window.focused.blur();
  });
  const not = await page.screenshot({ clip });
  await page.evaluate(() => window.focused.focus());
  assert.ok(!focused.equals(not), `${path}: focus is not seen on ${at.html}`);
}

for (const side of [0, 1, 2, 3]) {
  sweep(`in the reader’s own colours one sees where the keyboard is: ${['signing in', 'the customer', 'the partner', 'the provider'][side]}`, async ({ open }) => {
    const [who, paths] = pagesOf(...(await related()))[side];
    const page = await open(who, paths[0], { forcedColors: 'active' });
    for (const path of paths) {
      await page.goto(base + path);
      await loaded(page);
      for (let i = 0; i < 25; i++) {
        await page.keyboard.press('Tab');
        await eventually(() => focusSeen(page, path), 3); // a panel that opens takes the focus
      }
    }
  });
}

flow('in the reader’s own colours one sees what is chosen: a language, a tab, and the option that the arrow keys have reached', async ({ open }) => {
  const [c, p] = await related();
  const differ = async (one, other) => {
    const looks = await Promise.all([one, other].map((l) => l.evaluate((e) => ['background-color', 'box-shadow'].map((name) => getComputedStyle(e).getPropertyValue(name)).join())));
    assert.notEqual(looks[0], looks[1]);
  };
  const signIn = await open(undefined, '/sign-in', { forcedColors: 'active' });
  await signIn.getByRole('button', { name: 'English' }).waitFor();
  await differ(signIn.getByRole('button', { name: 'English' }), signIn.getByRole('button', { name: 'Deutsch' }));
  const page = await open(p.owner, `/partners/${p.id}/customers/${c.id}`, { forcedColors: 'active' });
  await page.getByRole('tab').first().waitFor();
  await differ(page.getByRole('tab', { selected: true }), page.getByRole('tab', { selected: false }).first());
  await page.goto(`${base}/partners/${p.id}/invitations/new`);
  await page.locator('#panel').getByRole('button', { name: /^Level/ }).click();
  await page.keyboard.press('ArrowDown');
  await differ(page.getByRole('option', { name: /^Support/ }), page.getByRole('option', { name: /^Manage/ }));
});

sweep('at 200% nothing is beyond the edge or cut off', async ({ open }) => {
  for (const [who, paths] of pagesOf(...(await related()))) {
    const page = await open(who, paths[0], { width: 640, height: 450 });
    for (const path of paths) {
      await page.goto(base + path);
      await loaded(page);
      await eventually(() => fits(page, path));
      await eventually(async () => assert.deepEqual(await page.evaluate(cutOff), [], path));
    }
  }
});

/** Texts that are wider than what they stand in, where that neither scrolls nor says that something is left out. */
function cutOff() {
  const out = [];
  for (const e of document.querySelectorAll('#root *')) {
    const style = getComputedStyle(e);
    const hidden = ['hidden', 'clip'].includes(style.overflowX) && style.textOverflow !== 'ellipsis' && !e.matches('.name');
    const own = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
    const { width, height } = e.getBoundingClientRect();
    if (hidden && own && width > 1 && height > 1 && e.scrollWidth > e.clientWidth + 1) out.push(e.outerHTML.slice(0, 200));
  }
  return out;
}

flow('names that are written from right to left do not turn their neighbours round', async ({ open }) => {
  const [c, p] = await related({ customer: 'לקוח 7', partner: 'שותף (ישראל) 1', users: ['دانا 3', 'דוד 5'] });
  for (const [who, paths] of pagesOf(c, p)) {
    const page = await open(who, paths[0]);
    for (const path of paths) {
      await page.goto(base + path);
      await loaded(page);
      await eventually(async () => assert.deepEqual(await page.evaluate(turning), [], path), 5);
    }
  }
  const page = await open(c.admin, `/customers/${c.id}/partners/${p.id}/edit`);
  await page.locator('#panel').getByRole('button', { name: /^Level/ }).click();
  await page.getByRole('option', { name: /^Support/ }).click();
  await page.locator('#panel').getByRole('button', { name: 'Save' }).click();
  await page.getByRole('status').filter({ hasText: 'שותף' }).first().waitFor();
  assert.deepEqual(await page.evaluate(turning), [], 'the confirmation');
});

/** Texts with letters from right to left beside other text, without being set apart. */
function turning() {
  const letters = /[\u0590-\u06ff]/;
  const out = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (!letters.test(node.data.replace(/\u2068[^\u2069]*\u2069/g, '')) || node.parentElement.closest('bdi, [dir=auto], script, style, title')) continue;
    let block = node.parentElement;
    while (getComputedStyle(block).display === 'inline' && block.parentElement) block = block.parentElement;
    if (node.parentElement.checkVisibility() && block.textContent.trim() !== node.data.trim()) out.push(block.textContent.trim().slice(0, 200));
  }
  return [...new Set(out)];
}
