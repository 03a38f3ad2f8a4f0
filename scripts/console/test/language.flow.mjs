import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { accessible, ask, base, customer, eventually, fits, flow, mails, partner, provider, sweep } from './world.mjs';

const ann = { email: 'ann@acme.example' };
const olga = { email: 'olga@contoso.example' };

flow('the language: the browser’s at first, another one when it is chosen, and kept', async ({ open }) => {
  const c = await customer(); // whose admin reads in no language yet
  const page = await open(c.admin, `/customers/${c.id}/overview`, { locale: 'de-AT' });
  await page.getByRole('heading', { name: 'Übersicht', level: 1 }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
  await page.getByRole('button', { name: `Angemeldet als ${c.admin.email}` }).click();
  await page.getByRole('menuitemcheckbox', { name: 'English' }).click();
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
  await page.getByRole('button', { name: `Signed in as ${c.admin.email}` }).waitFor(); // and still is
  await page.reload();
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
});

flow('the language that one has chosen: in another browser, and in one’s mails', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(provider, 'PUT', `/v1/customers/${c.id}`, { name: c.name, contacts: [c.admin.email] }, { 'If-Match': '*' });
  const page = await open(c.admin, `/customers/${c.id}/overview`, { locale: 'en-GB' });
  await page.getByRole('button', { name: `Signed in as ${c.admin.email}` }).click();
  await page.getByText('Language, of mails too (times: Europe/Berlin)').waitFor();
  await page.getByRole('menuitemcheckbox', { name: 'Deutsch' }).click();
  await page.getByRole('heading', { name: 'Übersicht', level: 1 }).waitFor();

  const elsewhere = await open(c.admin, `/customers/${c.id}/overview`, { locale: 'en-GB' });
  await elsewhere.getByRole('heading', { name: 'Übersicht', level: 1 }).waitFor();

  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[0].id], level: 'view' });
  await eventually(async () => {
    const subjects = (await mails(c.admin.email)).map((mail) => mail.subject);
    assert.ok(subjects.includes(`${p.name} hat jetzt Zugriff auf ${c.name}`), `got ${subjects}`);
  });
  const toPartner = await mails(`ops@${p.id}.example`);
  assert.ok(toPartner.every((mail) => !mail.subject.includes('Zugriff')), 'nobody else’s mails change');
});

flow('another language is chosen in the middle of a form: what was entered stays, and all around it is said in that language', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[0].id], level: 'view' });
  for (const [who, path, field, its, heading] of [
    [c.admin, `/customers/${c.id}/invitations/new`, 'E-mail address', 'E-Mail-Adresse', 'Einladungen'],
    [p.owner, `/partners/${p.id}/employees/add`, 'Name', 'Name', 'Mitarbeiter hinzufügen'],
    [provider, `/provider/partners/${p.id}`, 'Name', 'Name', 'Partner'],
  ]) {
    const data = new Set();
    const page = await open(who, path, { bytes: { push: (response) => void collect(response, data) } });
    await page.getByRole('textbox', { name: field, exact: true }).fill('half a');
    const english = new Set((await texts(page)).filter((text) => /\p{L}{3}/u.test(text)));
    await page.getByRole('button', { name: /^Signed in as/ }).click();
    await page.getByRole('menuitemcheckbox', { name: 'Deutsch' }).click();
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    assert.equal(await page.getByRole('textbox', { name: its, exact: true }).inputValue(), 'half a');
    await eventually(async () => {
      const left = (await texts(page)).filter((text) => english.has(text) && !same.has(text) && !data.has(text) && !/ UTC$/.test(text));
      assert.deepEqual(left, [], `${path}: still in English`);
    });
    await page.getByRole('textbox', { name: its, exact: true }).fill('half a word');
    await page.getByRole('link', { name: 'Partner Access' }).first().click();
    await page.getByRole('dialog', { name: 'Ohne Speichern verlassen?' }).waitFor(); // it is a changed form still
  }
});

/** What is the same in English and in German. */
const catalogue = async (language) => JSON.parse(await readFile(new URL(`../../../shared/messages/${language}.json`, import.meta.url), 'utf8'));
const [en, de] = [await catalogue('en'), await catalogue('de')];
const same = new Set([...Object.keys(en).filter((key) => en[key] === de[key]).map((key) => en[key]), 'Partner Access']);

flow('the language is chosen on the pages without a bar, too: before signing in, and by an invited person', async ({ open }) => {
  for (const [path, english, german] of [
    ['/sign-in', 'Sign in as a demo person', 'Als Demo-Person anmelden'],
    ['/invitations#no-such-token', 'Invitation', 'Einladung'],
  ]) {
    const page = await open(undefined, path, { width: 360 });
    await page.getByRole('heading', { name: english, exact: true }).waitFor();
    const languages = page.getByRole('navigation', { name: 'Language' });
    assert.equal(await languages.getByRole('button', { name: 'English' }).getAttribute('aria-pressed'), 'true');
    await languages.getByRole('button', { name: 'Deutsch' }).press('Enter');
    await page.getByRole('heading', { name: german, exact: true }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Deutsch', 'who uses the keyboard goes on there');
    await fits(page);
    await accessible(page, `${path}, with the languages`);
    await page.reload();
    await page.getByRole('heading', { name: german, exact: true }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
  }
});

flow('a language that there is none of is shown in English', async ({ open }) => {
  const page = await open(undefined, '/sign-in', { locale: 'nl-NL' });
  await page.getByRole('heading', { name: 'Sign in as a demo person' }).waitFor();
});

flow('dates and numbers are written as the reader’s locale has them', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[0].id], level: 'view', until: '2031-12-24T17:00:00Z' });
  for (const [locale, shown] of [['de-DE', '24. Dez. 2031, 18:00 MEZ'], ['en-GB', '24 Dec 2031, 18:00 CET'], ['en-US', /Dec 24, 2031, 0?6:00 PM GMT\+1/]]) {
    const page = await open(c.admin, `/customers/${c.id}/partners/${p.id}`, { locale });
    await page.getByText(shown).first().waitFor();
    assert.equal(await page.locator('time').getByText(/\d\d\d\d-\d\d-\d\d \d\d:\d\d UTC/).count() > 0, true, 'and in UTC beside it');
  }
});

sweep('in German: the main pages of each side, with axe', async ({ open }) => {
  for (const [who, path, heading] of [
    [undefined, '/sign-in', 'Partner Access'],
    [ann, '/customers/acme/overview', 'Übersicht'],
    [ann, '/customers/acme/partners', 'Partner'],
    [olga, '/partners/contoso/customers', 'Kunden'],
    [provider, '/provider/customers', 'Kunden'],
    [provider, '/provider/webhooks/new', 'Webhooks'],
  ]) {
    const page = await open(who, path, { locale: 'de-DE' });
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    await eventually(async () => assert.equal(await page.getByText('Wird geladen').count(), 0));
    await fits(page);
    await accessible(page, `${path}, in German`);
  }
});

flow('a refusal is said in the reader’s language, and not in the service’s words', async ({ open }) => {
  const c = await customer();
  const page = await open(c.admin, `/customers/${c.id}/partners/add`, { locale: 'de-DE' });
  await page.getByRole('combobox', { name: 'Partner oder Person' }).fill(c.admin.email);
  await page.getByRole('button', { name: 'Hinzufügen', exact: true }).click();
  await page.locator('#panel').getByText('Partner sind Personen fremder Organisationen.').first().waitFor();
});

// The made-up language is English with accents and 40% more of it. What has no accent does not come from the catalogue: it is data, or forgotten.
for (const [side, whose, paths] of [
  ['signing in, and an invitation', () => undefined, () => ['/sign-in', '/invitations#no-such-token']],
  ['the customer’s side', (c) => c.admin, (c, p) => [
    ...['overview', 'partners', 'partners/add', `partners/${p.id}`, `partners/${p.id}/edit`, `partners/${p.id}/people`, 'people', 'requests', 'requests/policy'],
    ...['invitations', 'invitations/new', 'history', 'mail'],
  ].map((page) => `/customers/${c.id}/${page}`).concat('/no/such/page')],
  ['the partner’s side', (_, p) => p.owner, (c, p) => [
    ...['customers', `customers/${c.id}`, `customers/${c.id}/users`, `customers/${c.id}/people`, 'employees', `employees/${p.users[1].id}`, 'employees/add'],
    ...['requests', 'requests/new', 'invitations', 'invitations/new', 'history', 'mail', 'account', 'password'],
  ].map((page) => `/partners/${p.id}/${page}`)],
  ['the provider’s side', () => provider, (c, p, h) => [
    ...['partners', 'partners/new', `partners/${p.id}`, 'tree', 'customers', 'customers/new', `customers/${c.id}`, `customers/${c.id}/edit`],
    ...['webhooks', 'webhooks/new', `webhooks/${h.id}`, `webhooks/${h.id}/edit`, `webhooks/${h.id}/replay`],
    ...['members/new', `members/${c.admin.email}`, 'relationships/new', 'managing-partner'].map((page) => `customers/${c.id}/${page}`),
  ].map((page) => `/provider/${page}`)],
]) {
  sweep(`in a language that is 40% longer: ${side}`, async ({ open }) => {
    const data = new Set(['Partner Access', 'Europe/Berlin', 'UTC', 'Deutsch', 'English']); // languages have their own names
    const bytes = { push: (response) => void collect(response, data) };
    const [c, p] = [await customer(), await partner()];
    await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id], level: 'support', until: '2031-12-24T17:00:00Z' });
    await ask(c.admin, 'POST', `/v1/customers/${c.id}/invitations`, { email: `eve@${p.id}-elsewhere.example`, partner: p.id });
    const page = await open(whose(c, p), '/sign-in?lang=pseudo', { bytes });
    const { webhook: h } = await ask(provider, 'POST', '/v1/webhooks', { url: 'http://127.0.0.1:1/language' }); // where nothing answers
    for (const path of paths(c, p, h)) {
      const [before, hash] = path.split('#');
      await page.goto(`${base}${before}?lang=pseudo${hash ? `#${hash}` : ''}`);
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 900 });
        await page.getByRole('heading', { level: 1 }).first().waitFor();
        await eventually(async () => assert.deepEqual(unknown(await texts(page), data), [], `${path} at ${width} px: not from the catalogue`), 20);
        await eventually(() => fits(page, `${path} at ${width} px`)); // a page that was wide takes a moment to be narrow
      }
    }
    await ask(provider, 'DELETE', `/v1/webhooks/${h.id}`);
  });
}

/** Every string of an answer: data, that a page shows as it is. */
async function collect(response, data) {
  if (!/json/.test(response.headers()['content-type'] ?? '')) return;
  const walk = (value) => {
    if (typeof value === 'string') data.add(value);
    else if (typeof value === 'number') data.add(String(value));
    else if (value && typeof value === 'object') Object.values(value).forEach(walk);
  };
  walk(await response.json().catch(() => undefined));
}

/** The texts that can be seen or are read out, but for examples of what could be entered. */
const texts = (page) =>
  page.evaluate(() => {
    const out = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const parent = node.parentElement;
      if (!parent.closest('script, style, noscript') && parent.checkVisibility({ visibilityProperty: true })) out.push(node.data);
    }
    for (const element of document.querySelectorAll('[aria-label]')) out.push(element.getAttribute('aria-label'));
    return out;
  });

const accented = /[åçéîñöšûýžÅÇÉÎÑÖŠÛłþđğ]/;
const written = /\d{1,2} [A-Z][a-z]{2,3} \d{4}(, \d\d:\d\d (GMT(\+\d+)?|CET|CEST|UTC))?|\d{4}-\d\d-\d\d \d\d:\d\d UTC/g; // dates

/** Those texts, or parts of them, that are neither accented nor data. */
function unknown(all, data) {
  return [...new Set(all)].filter((text) => {
    if (accented.test(text) || data.has(text.trim())) return false;
    return text.replace(written, '').split(/[·(),:;=→]/).some((part) => /\p{L}{2}/u.test(part) && !data.has(part.trim()));
  });
}
