import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { accessible, ask, base, clockKept, customer, eventually, fits, flash, flow, mails, partner, provider, signInAnew, sweep, temporaryFor } from './world.mjs';

const at = (c, more = '') => `/customers/${c.id}/partners${more}`;
const row = (page, name) => page.getByRole('row').filter({ hasText: name });
const panel = (page) => page.locator('#panel');
const grantOf = (c, p) => ask(c.admin, 'GET', `/v1/customers/${c.id}/grants/${p.id}`);
const insideOf = async (c, p) => (await ask(c.admin, 'GET', `/v1/customers/${c.id}/grants/${p.id}/users`)).items.map((u) => u.name).sort();

async function menu(page, name, item) {
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

/** Opens the panel that edits a partner's access, from the list. */
async function edit(page, p) {
  await page.goto(new URL(page.url().replace(/\/partners\/.*/, '/partners'), page.url()).href);
  await menu(page, p.name, 'Edit');
}

const box = (page) => panel(page).getByRole('combobox', { name: 'Partner or person' });

/** Finds a partner by its name, in the one box of the form that adds one. */
async function chooseOrganisation(page, p) {
  await box(page).fill(p.name);
  await page.getByRole('option', { name: new RegExp(`${p.name} `) }).or(page.getByRole('option', { name: p.name, exact: true })).first().click();
}

/** Chooses one of a list that is searched, as in the form that invites a person. */
async function searchOrganisation(page, p) {
  await panel(page).getByRole('button', { name: /Organisation/ }).click();
  await page.getByRole('combobox', { name: 'Find an organisation' }).or(page.getByRole('textbox', { name: 'Find an organisation' })).fill(p.name);
  await page.getByRole('option', { name: new RegExp(p.name) }).click();
}

/** Enters the address of a person, in the one box. */
const enterPerson = (page, email) => box(page).fill(email);

async function choose(page, field, option) {
  await panel(page).getByRole('button', { name: field }).click();
  await page.getByRole('option', { name: option }).click();
}

const later = (t, hours) => new Date(t.getTime() + hours * 3600_000);
/** An instant as the pages write it, in the flows' zone and in UTC, and as mails do. */
const berlin = (t) =>
  new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' }).format(t);
const utc = (t) => `${t.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
const written = (t) => `${new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'long', year: 'numeric' }).format(t)}, ${t.toISOString().slice(11, 16)} UTC`;

/** Enters an instant into a day and a time field, as local time. */
async function enter(within, label, t) {
  const [day, time] = t.toLocaleString('sv-SE', { timeZone: 'Europe/Berlin' }).split(' ');
  await within.getByRole('textbox', { name: `${label}: day` }).fill(day.replaceAll('-', '/'));
  await within.getByRole('textbox', { name: `${label}: time` }).fill(time.slice(0, 5));
}

/** Moves the clock with the menu at the top. */
async function moveClock(page, item) {
  await page.getByRole('button', { name: /local stack's clock/ }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

/** Sets the clock to an instant, in the pop-up of the menu. It runs on from there. */
async function setClock(page, t) {
  await moveClock(page, 'Set the clock…');
  const dialog = page.getByRole('dialog', { name: 'Set the clock' });
  await enter(dialog, 'Now is', t);
  await dialog.getByText(`= ${utc(t)}`).waitFor();
  await accessible(page, 'setting the clock');
  await dialog.getByRole('button', { name: 'Set', exact: true }).click();
  await flash(page, `The clock is set to ${utc(t).slice(0, 'YYYY-MM-DD hh:'.length)}`);
}

/** Follows the link at the top to the mailbox, which opens in a tab of its own. */
async function mailbox(page) {
  const tab = page.context().waitForEvent('page');
  await page.getByRole('link', { name: /^Mailbox/ }).click();
  return tab;
}

/** The link to a mail in the mailbox, which is loaded again until it has arrived. */
function arrived(box, subject, to) {
  const mail = box.getByRole('listitem').filter({ hasText: `to ${to}` }).getByRole('link', { name: subject });
  return eventually(async () => {
    await box.reload();
    assert.equal(await mail.count(), 1, `${subject}, to ${to}`);
    return mail;
  });
}

flow('D15 adding an individual user by e-mail', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const page = await open(c.admin, at(c));
  await page.getByText('No partner has access.').waitFor();
  await page.getByRole('button', { name: 'Add partner' }).click();
  await enterPerson(page, p.users[1].email);
  await panel(page).getByText(`Kim Tech, ${p.name}`).waitFor();
  await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
  await flash(page, 'Kim Tech is added');
  await flash(page, `${p.users[1].email}, ${p.name}, has the level View.`);
  await flash(page, 'Users with access: 0 before, 1 now.');
  await row(page, p.name).getByText('1 user').waitFor();
  assert.deepEqual(await insideOf(c, p), ['Kim Tech']);
  await mails(p.users[1].email, 1);
});

flow('D8 an address of nobody is refused, beside the field and in the problem’s own words', async ({ open }) => {
  const c = await customer();
  const page = await open(c.admin, at(c, '/add'));
  await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
  await panel(page).getByText('Enter a name or an address.').waitFor();
  await enterPerson(page, 'nobody@nowhere.example');
  await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
  await panel(page).getByText(/is no user of any partner/).first().waitFor();
  const field = box(page);
  await eventually(async () => assert.equal(await field.getAttribute('aria-invalid'), 'true'));
});

flow('D16 adding an organisation that is found by typing, with some of its users, a level and an end', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech', 'Sam Tech', 'Zoe Tech'])];
  const page = await open(c.admin, at(c, '/add'));
  await chooseOrganisation(page, p);
  await panel(page).getByRole('checkbox', { name: 'Kim Tech' }).check();
  // What is checked outlives searching.
  await panel(page).getByRole('searchbox', { name: /Find in Users/ }).fill('zoe');
  await panel(page).getByRole('checkbox', { name: 'Kim Tech' }).waitFor({ state: 'detached' });
  await panel(page).getByRole('checkbox', { name: 'Zoe Tech' }).check();
  await panel(page).getByRole('button', { name: /^Level/ }).click();
  await page.getByRole('option', { name: /^Support/ }).click();
  await choose(page, /^Ends/, 'On a day');
  await panel(page).getByRole('textbox', { name: 'Until: day' }).fill('2030/03/01');
  await panel(page).getByRole('textbox', { name: 'Until: time' }).fill('18:30');
  await panel(page).getByText('Your local time (Europe/Berlin): 1 Mar 2030, 18:30 CET = 2030-03-01 17:30 UTC').waitFor();
  await accessible(page, 'adding');
  await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
  await flash(page, `${p.name} is added`);
  await flash(page, 'Added: Kim Tech and Zoe Tech.');
  const grant = await grantOf(c, p);
  assert.deepEqual([grant.level, grant.until, grant.everyone, grant.user_count], ['support', '2030-03-01T17:30:00Z', false, 2]);
  assert.deepEqual(await insideOf(c, p), ['Kim Tech', 'Zoe Tech']);
});

flow('D20 adding an organisation that is there already merges, and says so', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech', 'Sam Tech'])];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id], level: 'manage' });
  const page = await open(c.admin, at(c, '/add'));
  await chooseOrganisation(page, p);
  await panel(page).getByText(`${p.name} has access already`).waitFor();
  await panel(page).getByRole('checkbox', { name: 'Sam Tech' }).check();
  await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
  await flash(page, `The access of ${p.name} is changed`);
  await flash(page, 'Added: Sam Tech. Users with access: 1 before, 2 now.');
  await row(page, p.name).getByText('2 users').waitFor();
  assert.equal(await row(page, p.name).count(), 1);
  assert.equal((await grantOf(c, p)).level, 'manage', 'what was left as it is must stay');
});

flow('E11 adding everyone, now and later', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const page = await open(c.admin, at(c, '/add'));
  await chooseOrganisation(page, p);
  await panel(page).getByRole('radio', { name: 'Everyone, now and later' }).check();
  await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
  await flash(page, 'All present and future users of the partner have access.');
  await row(page, p.name).getByText('Everyone (2)').waitFor();
  assert.equal((await grantOf(c, p)).everyone, true);
});

flow('A5 letting the partner assign its users', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const page = await open(c.admin, at(c, '/add'));
  await chooseOrganisation(page, p);
  await panel(page).getByRole('radio', { name: 'The partner assigns them' }).check();
  await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
  await flash(page, `${p.name} is added`);
  assert.equal((await grantOf(c, p)).assigned_by, 'partner');
});

flow('one click is one grant: a request that gets no answer is sent again under the same Idempotency-Key', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const page = await open(c.admin, at(c, '/add'));
  const keys = [];
  await page.route('**/v1/customers/*/grants', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    keys.push(route.request().headers()['idempotency-key']);
    if (keys.length > 1) return route.continue();
    await route.fetch(); // it gets through, and its answer is lost
    return route.abort('connectionreset');
  });
  page.removeAllListeners('console'); // the lost answer stands in the console
  await enterPerson(page, p.users[1].email);
  await panel(page).getByText(`Kim Tech, ${p.name}`).waitFor();
  await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
  await flash(page, 'Kim Tech is added');
  assert.equal(keys.length, 2);
  assert.ok(keys[0] && keys[0] === keys[1], `keys: ${keys}`);
});

flow('D12 D13 the list is searched and filtered by the service, and paged by cursor', async ({ open }) => {
  const c = await customer();
  const partners = [];
  for (let i = 0; i < 27; i++) {
    const p = await partner([], { name: i === 7 ? 'Quux Consulting' : `Bulk ${String(i).padStart(2, '0')}` });
    partners.push(p);
    await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id });
  }
  await ask(c.admin, 'PATCH', `/v1/customers/${c.id}/grants/${partners[3].id}`, { state: 'suspended' }, { 'If-Match': '*' });
  const page = await open(c.admin, at(c));
  await eventually(async () => assert.equal(await page.getByRole('row').count(), 26)); // with the header
  await page.getByRole('button', { name: 'Next page' }).click();
  await eventually(async () => assert.equal(await page.getByRole('row').count(), 3));
  await page.getByRole('button', { name: 'Previous page' }).click();
  await eventually(async () => assert.equal(await page.getByRole('row').count(), 26));
  await page.getByRole('searchbox', { name: 'Find partners' }).fill('quux');
  await row(page, 'Quux Consulting').waitFor();
  await eventually(async () => assert.equal(await page.getByRole('row').count(), 2));
  assert.equal(new URL(page.url()).searchParams.get('q'), 'quux');
  await page.getByRole('searchbox', { name: 'Find partners' }).fill('nothing like it');
  await page.getByText('No partner matches this search.').waitFor();
  await page.getByRole('button', { name: 'Show all partners' }).click();
  await eventually(async () => assert.equal(await page.getByRole('row').count(), 26));
  await page.getByRole('button', { name: /^Status/ }).click();
  await page.getByRole('option', { name: 'Suspended' }).click();
  await page.keyboard.press('Escape');
  await row(page, 'Bulk 03').waitFor();
  await eventually(async () => assert.equal(await page.getByRole('row').count(), 2));
});

flow('a mail that was not delivered says why in the reader’s language', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const contact = `it-${c.id}@bounced.example`;
  await ask(provider, 'PUT', `/v1/customers/${c.id}`, { name: c.name, domain: `${c.id}.example`, contacts: [contact] });
  const { version } = (await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, everyone: true, level: 'view' })).grant;
  const states = async () => (await ask(c.admin, 'GET', `/v1/customers/${c.id}/mail`)).items.filter((m) => m.to === contact).map((m) => m.state);
  await eventually(async () => assert.deepEqual(await states(), ['bounced']));
  await ask(c.admin, 'PATCH', `/v1/customers/${c.id}/grants/${p.id}`, { state: 'suspended' }, { 'If-Match': `"${version}"` });
  await eventually(async () => assert.deepEqual((await states()).sort(), ['bounced', 'suppressed']));

  for (const [locale, refused, earlier, said] of [
    ['en-GB', 'The recipient’s mail server refused it.', 'An earlier mail to this address came back, or was marked as unwanted.', /^The mail service said: /],
    ['de-DE', 'Der Mailserver des Empfängers hat sie abgelehnt.', 'Eine frühere E-Mail an diese Adresse kam zurück oder wurde als unerwünscht gekennzeichnet.', /^Der Maildienst meldete: /],
  ]) {
    const page = await open(c.admin, `/customers/${c.id}/mail`, { locale });
    await row(page, contact).filter({ hasText: refused }).waitFor();
    await row(page, contact).filter({ hasText: earlier }).waitFor();
    assert.doesNotMatch(await page.getByRole('table').innerText(), /Permanent|the address bounced/);
    await accessible(page, `mails, ${locale}`);
    await row(page, contact).filter({ hasText: refused }).getByRole('button').first().click();
    await page.getByRole('dialog').getByText(refused).waitFor();
    await page.getByRole('dialog').getByText(said).waitFor();
    await accessible(page, `a mail that came back, ${locale}`);
  }
});

for (const how of ['mouse', 'keyboard']) {
  flow(`the filter of states is loaded when it is used, by ${how}`, async ({ open }) => {
    const [c, p] = [await customer(), await partner()];
    await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, everyone: true, level: 'view' });
    const bytes = [];
    const page = await open(c.admin, at(c), { bytes, dark: how === 'mouse' });
    const loaded = () => bytes.some((r) => /\/StatusMultiselect-/.test(r.url()));
    const filter = page.getByRole('button', { name: 'Status All that have not ended', exact: true });
    await row(page, p.name).waitFor();
    await page.waitForLoadState('networkidle');
    assert.equal(loaded(), false);
    const before = await looks(filter);

    if (how === 'mouse') {
      await filter.click();
    } else {
      await page.getByRole('searchbox', { name: 'Find partners' }).focus();
      await page.keyboard.press('Tab');
      assert.equal(await filter.evaluate((e) => e === document.activeElement), true, 'the next Tab comes to it');
      await page.keyboard.press('Enter');
    }
    const list = page.getByRole('listbox');
    await list.waitFor();
    assert.equal(loaded(), true);
    assert.equal(await list.evaluate((e) => e === document.activeElement), true, 'the list has the focus');
    await page.keyboard.press('Escape');
    await list.waitFor({ state: 'detached' });
    assert.equal(await filter.evaluate((e) => e === document.activeElement), true, 'the button has the focus again');
    await page.evaluate(() => document.activeElement.blur());
    await page.mouse.move(0, 0);
    await eventually(async () => assert.deepEqual(await looks(filter), before));

    await filter.focus();
    await page.keyboard.press('ArrowDown');
    await list.waitFor();
    if (how === 'mouse') {
      await page.getByRole('option', { name: 'Suspended' }).click();
    } else {
      while (!(await page.getByRole('option', { name: 'Suspended' }).evaluate((e) => e.id === document.activeElement.getAttribute('aria-activedescendant')))) {
        await page.keyboard.press('ArrowDown');
      }
      await page.keyboard.press('Enter');
    }
    await page.keyboard.press('Escape');
    await page.getByText('No partner matches this search.').waitFor();
    assert.equal(new URL(page.url()).searchParams.get('status'), 'suspended');

    await page.reload();
    await page.getByText('No partner matches this search.').waitFor();
    await page.getByRole('button', { name: /^Status/ }).getByText('Suspended').waitFor();
    await accessible(page, 'a list that is narrowed to a state');
  });
}

/** What is seen of a button, and what it tells assistive technology. */
const looks = (button) =>
  button.evaluate((e) => {
    const seen = (of, ...names) => names.map((name) => `${name}: ${getComputedStyle(of)[name]}`);
    const { x, y, width, height } = e.getBoundingClientRect();
    const arrow = e.querySelector('svg').getBoundingClientRect();
    return [
      ...[x, y, width, height, arrow.x, arrow.y, arrow.width].map(Math.round),
      ...seen(e, 'backgroundColor', 'borderTopColor', 'borderTopWidth', 'borderRadius', 'cursor', 'fontFamily', 'fontSize', 'lineHeight'),
      ...seen(e.querySelector('span'), 'color', 'fontStyle', 'fontWeight'),
      ...seen(e.querySelector('svg'), 'color'),
      ...['aria-haspopup', 'aria-expanded', 'type'].map((name) => e.getAttribute(name)),
    ];
  });

flow('D27 editing: the users with access are checked', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech', 'Sam Tech'])];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[0].id, p.users[1].id], level: 'view' });
  const page = await open(c.admin, at(c));
  await edit(page, p);
  const box = (name) => panel(page).getByRole('checkbox', { name });
  await box('Sam Tech').waitFor();
  assert.deepEqual([await box('Olga Owner').isChecked(), await box('Kim Tech').isChecked(), await box('Sam Tech').isChecked()], [true, true, false]);
  await box('Kim Tech').uncheck();
  await box('Sam Tech').check();
  await panel(page).getByRole('button', { name: /^Level/ }).click();
  await page.getByRole('option', { name: /^Manage/ }).click();
  await accessible(page, 'editing');
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await flash(page, `The access of ${p.name} is changed`);
  await flash(page, 'Added: Sam Tech. Removed: Kim Tech. Level: Manage.');
  assert.deepEqual(await insideOf(c, p), ['Olga Owner', 'Sam Tech']);
});

flow('E9 the last user cannot be removed, and the panel says why', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id] });
  const page = await open(c.admin, at(c, `/${p.id}/edit`));
  await panel(page).getByRole('checkbox', { name: 'Kim Tech' }).uncheck();
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await panel(page).getByText('The last user cannot be removed').waitFor();
  assert.deepEqual(await insideOf(c, p), ['Kim Tech']);
});

flow('E14 E15 E16 everyone on replaces the checkboxes; off, current users keep their access and can be removed', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech', 'Sam Tech'])];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id] });
  const page = await open(c.admin, at(c));
  await edit(page, p);
  const everyone = () => panel(page).getByRole('switch', { name: /^Everyone of/ }).or(panel(page).getByRole('checkbox', { name: /^Everyone of/ }));
  await everyone().check();
  await panel(page).getByText('Replaces the users that are checked one by one.').waitFor();
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await row(page, p.name).getByText('Everyone (3)').waitFor();
  await edit(page, p);
  await everyone().uncheck();
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await row(page, p.name).getByText('3 users').waitFor();
  await edit(page, p);
  await panel(page).getByRole('checkbox', { name: 'Olga Owner' }).uncheck();
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await row(page, p.name).getByText('2 users').waitFor();
  assert.deepEqual(await insideOf(c, p), ['Kim Tech', 'Sam Tech']);
});

flow('a conflict: someone else changes the grant meanwhile; the panel says what, and one’s own changes can be applied again', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech', 'Sam Tech'])];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id], level: 'view' });
  const page = await open(c.admin, at(c, `/${p.id}/edit`));
  await panel(page).getByRole('checkbox', { name: 'Olga Owner' }).check();
  await ask(c.admin, 'PATCH', `/v1/customers/${c.id}/grants/${p.id}`, { users: { add: [p.users[2].id] }, level: 'support' }, { 'If-Match': '*' });
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await panel(page).getByText('Someone else changed this').waitFor();
  await panel(page).getByText('Level: View → Support').waitFor();
  await panel(page).getByText('Added: Sam Tech').waitFor();
  await accessible(page, 'a conflict');
  assert.deepEqual(await insideOf(c, p), ['Kim Tech', 'Sam Tech'], 'nothing may be saved yet');
  assert.ok(await panel(page).getByRole('checkbox', { name: 'Olga Owner' }).isChecked());
  await panel(page).getByRole('button', { name: 'Apply my changes' }).click();
  await flash(page, `The access of ${p.name} is changed`);
  assert.deepEqual(await insideOf(c, p), ['Kim Tech', 'Olga Owner', 'Sam Tech']);
  assert.equal((await grantOf(c, p)).level, 'support', 'what only the other one changed must stay');
});

flow('a period starts, reminds and ends while the clock is moved', ({ open }) =>
  clockKept(async (now) => {
    const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech'])];
    const from = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 2, 12)); // noon: no clock change is near
    const until = later(from, 8 * 24);
    const page = await open(c.admin, at(c));
    const status = (word) => row(page, p.name).getByText(word, { exact: true }).waitFor();

    // A week and a day, from the day after tomorrow.
    await page.getByRole('button', { name: 'Add partner' }).click();
    await chooseOrganisation(page, p);
    await panel(page).getByRole('checkbox', { name: 'Kim Tech' }).check();
    await panel(page).getByRole('button', { name: /^Level/ }).click();
    await page.getByRole('option', { name: /^Support/ }).click();
    for (const [label, t] of [['From', from], ['Until', until]]) {
      if (label === 'From') await panel(page).getByRole('radio', { name: 'On a day' }).check();
      else await choose(page, /^Ends/, 'On a day');
      await enter(panel(page), label, t);
      await panel(page).getByText(`Your local time (Europe/Berlin): ${berlin(t)} = ${utc(t)}`).waitFor();
    }
    await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
    await flash(page, `${p.name} is added`);
    await flash(page, `Added: Kim Tech. Starts: ${berlin(from)} (${utc(from)}). Ends: ${berlin(until)} (${utc(until)}).`);
    await status('Scheduled');
    await status('Support');
    await row(page, p.name).getByText(`From ${berlin(from)}`).waitFor();
    await row(page, p.name).getByText(`Until ${berlin(until)}`).waitFor();

    // An hour before it begins, and on the instant.
    await setClock(page, later(from, -1));
    await page.reload(); // so that what stands there is of the new time
    await status('Scheduled');
    await setClock(page, from);
    await status('Active');
    assert.equal(await row(page, p.name).getByText(/^From/).count(), 0, 'what has begun shows its end alone');

    // Seven days before the end both sides are reminded.
    await moveClock(page, 'One day later');
    const box = await mailbox(page);
    await arrived(box, `The access of ${p.name} ends in 7 days`, `it@${c.id}.example`);
    await (await arrived(box, `Your access to ${c.name} ends in 7 days`, p.users[1].email)).click();
    await box.getByRole('heading', { name: `Your access to ${c.name} ends in 7 days` }).waitFor();
    const ends = `Your access to ${c.name} in Example Cloud ends on ${written(until)}, in 7 days. If you need it for longer, ask ${c.name} to extend it before then.`;
    await box.locator('pre').getByText(ends).waitFor();
    await box.frameLocator('iframe').getByText(ends).waitFor();

    // On the instant of the end, which comes a week after the reminder.
    await moveClock(page, 'A week later');
    await page.getByText('No partner has access.').waitFor();
    await page.getByRole('button', { name: /^Status/ }).click();
    await page.getByRole('option', { name: 'Expired' }).click();
    await page.keyboard.press('Escape');
    await status('Expired');
    await page.getByRole('button', { name: `Actions for ${p.name}` }).click();
    assert.deepEqual(await page.getByRole('menuitem').allTextContents(), ['Grant again'], 'what has ended cannot be changed');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: p.name }).click();
    await page.getByText(`This access ended on ${berlin(until)}: its period has ended.`).waitFor();
    await box.getByRole('link', { name: 'Mailbox' }).click();
    await arrived(box, `The access of ${p.name} has expired`, `it@${c.id}.example`);
    await (await arrived(box, `Your access to ${c.name} has expired`, p.users[1].email)).click();
    await box.locator('pre').getByText(`in Example Cloud expired on ${written(until)}.`).waitFor();
  }));

flow('the reminder’s button opens the access with its extension filled in', ({ open }) =>
  clockKept(async (now) => {
    const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech'])];
    const until = new Date(Math.floor(later(now, 8 * 24).getTime() / 60_000) * 60_000);
    await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id], until: until.toISOString() });
    const page = await open(c.admin, at(c));
    await moveClock(page, 'One day later');
    const box = await mailbox(page);
    await (await arrived(box, `The access of ${p.name} ends in 7 days`, `it@${c.id}.example`)).click();
    const [link] = /https?:\S+extend=P8D\S*/.exec(await box.locator('pre').textContent());
    await page.goto(link);
    const longer = later(until, 8 * 24);
    await panel(page).getByText(`Your local time (Europe/Berlin): ${berlin(longer)} = ${utc(longer)}`).waitFor();
    await panel(page).getByRole('button', { name: 'Save' }).click();
    await flash(page, `The access of ${p.name} is changed`);
    assert.equal(new Date((await grantOf(c, p)).until).getTime(), longer.getTime(), 'the end');
    assert.ok(!page.url().includes('extend'), 'the address asks for no second extension');

    // From then on it extends itself.
    await edit(page, p);
    await panel(page).getByText('More settings').click();
    await panel(page).getByRole('button', { name: /^Extend automatically/ }).click();
    await page.getByRole('option', { name: 'By 90 days' }).click();
    await accessible(page, 'extending automatically');
    await panel(page).getByRole('button', { name: 'Save' }).click();
    await flash(page, 'Extended by 90 days by itself while it is used.');
    assert.equal((await grantOf(c, p)).auto_extend, 'P90D');
  }));

flow('an edit of the period, and of what else the panel has', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id], from: '2030-01-01T00:00:00Z', until: '2030-02-01T00:00:00Z' });
  const page = await open(c.admin, at(c));
  const status = (word) => row(page, p.name).getByText(word, { exact: true }).waitFor();
  const opened = async () => {
    await edit(page, p);
    await panel(page).getByRole('button', { name: 'Save' }).waitFor();
  };
  const saved = async (...lines) => {
    await panel(page).getByRole('button', { name: 'Save' }).click();
    await [`The access of ${p.name} is changed`, ...lines].reduce((message, hasText) => message.filter({ hasText }), page.getByRole('status')).waitFor(); // one message says it all
    await panel(page).waitFor({ state: 'detached' });
  };
  const radio = (group, name) => panel(page).getByRole('radiogroup', { name: group }).getByRole('radio', { name });
  const toggle = (name) => panel(page).getByRole('switch', { name }).or(panel(page).getByRole('checkbox', { name }));

  // What has not begun can begin at another time: in winter an hour ahead of UTC, in summer two.
  await status('Scheduled');
  await row(page, p.name).getByText('From 1 Jan 2030, 01:00 CET').waitFor();
  await opened();
  await panel(page).getByText('Your local time (Europe/Berlin): 1 Jan 2030, 01:00 CET = 2030-01-01 00:00 UTC').waitFor();
  await panel(page).getByRole('textbox', { name: 'From: day' }).fill('2030/03/01');
  await panel(page).getByRole('textbox', { name: 'From: time' }).fill('09:15');
  await panel(page).getByText('Your local time (Europe/Berlin): 1 Mar 2030, 09:15 CET = 2030-03-01 08:15 UTC').waitFor();
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await panel(page).getByText(/before it begins/).first().waitFor(); // the end stands before the new beginning
  await eventually(async () => assert.equal(await panel(page).getByRole('textbox', { name: 'Until: day' }).getAttribute('aria-invalid'), 'true'));
  await panel(page).getByRole('textbox', { name: 'Until: day' }).fill('2030/06/01');
  await panel(page).getByRole('textbox', { name: 'Until: time' }).fill('18:30');
  await panel(page).getByText('Your local time (Europe/Berlin): 1 Jun 2030, 18:30 CEST = 2030-06-01 16:30 UTC').waitFor();
  await saved('Starts: 1 Mar 2030, 09:15 CET (2030-03-01 08:15 UTC).', 'Ends: 1 Jun 2030, 18:30 CEST (2030-06-01 16:30 UTC).');
  await row(page, p.name).getByText('From 1 Mar 2030, 09:15 CET').waitFor();
  await row(page, p.name).getByText('Until 1 Jun 2030, 18:30 CEST').waitFor();
  const moved = await grantOf(c, p);
  assert.deepEqual([moved.from, moved.until], ['2030-03-01T08:15:00Z', '2030-06-01T16:30:00Z']);

  // It begins at once, and has no end.
  await opened();
  await radio('Starts', 'Immediately').check();
  await choose(page, /^Ends/, 'Never (continuous)');
  await saved(/Starts: \d.* UTC\)\./, 'Continuous: it has no end.');
  await status('Active');
  await status('Continuous');

  // Suspended, and resumed.
  await opened();
  await panel(page).getByRole('textbox', { name: 'From: day' }).waitFor({ state: 'detached' }); // it has begun: that stays
  await toggle('Suspend access').check();
  await panel(page).getByText('No user of the partner has access until you resume it.').waitFor();
  await saved('Status: Suspended.');
  await status('Suspended');
  await opened();
  assert.equal(await toggle('Suspend access').isChecked(), true);
  await toggle('Suspend access').uncheck();
  await saved('Status: Active.');
  await status('Active');

  // Who assigns, single sign-on and the note, of which the list shows nothing: the panel does, when it is opened again.
  await opened();
  await panel(page).getByRole('button', { name: 'More settings' }).click();
  await radio('Who assigns the users', 'The partner').check();
  await toggle('Require single sign-on').check();
  await panel(page).getByRole('textbox', { name: 'Note' }).fill('For the migration, ticket 4711');
  await saved('The partner assigns its users.', 'Single sign-on is required.', 'The note is changed.');
  await opened();
  await panel(page).getByRole('button', { name: 'More settings' }).click();
  assert.equal(await radio('Who assigns the users', 'The partner').isChecked(), true);
  assert.equal(await toggle('Require single sign-on').isChecked(), true);
  assert.equal(await panel(page).getByRole('textbox', { name: 'Note' }).inputValue(), 'For the migration, ticket 4711');
  await accessible(page, 'more settings');
  await radio('Who assigns the users', 'You').check();
  await toggle('Require single sign-on').uncheck();
  await panel(page).getByRole('textbox', { name: 'Note' }).fill('');
  await saved('The customer assigns the users.', 'Single sign-on is not required.', 'The note is removed.');
  const grant = await grantOf(c, p);
  assert.deepEqual([grant.status, grant.until, grant.assigned_by, grant.require_sso, grant.note], ['active', null, 'customer', false, '']);
  assert.deepEqual(await insideOf(c, p), ['Kim Tech'], 'users keep their access');
});

flow('A14 suspending and resuming, from the row’s menu', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, everyone: true });
  const page = await open(c.admin, at(c));
  await menu(page, p.name, 'Suspend access');
  await flash(page, `The access of ${p.name} is suspended`);
  await flash(page, '2 users without access until you resume it.');
  await row(page, p.name).getByText('Suspended').waitFor();
  assert.equal((await grantOf(c, p)).status, 'suspended');
  await menu(page, p.name, 'Resume access');
  await flash(page, `The access of ${p.name} is resumed`);
  await row(page, p.name).getByText('Active').waitFor();
  assert.equal((await grantOf(c, p)).status, 'active');
});

flow('D29 removing: the pop-up says who will lose access; then it is gone', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech', 'Sam Tech'])];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id, p.users[2].id] });
  const page = await open(c.admin, at(c));
  await menu(page, p.name, 'Remove partner access');
  const dialog = page.getByRole('dialog', { name: 'Remove partner access?' });
  await dialog.getByText(`2 users of ${p.name} lose access immediately`).waitFor();
  await dialog.getByText('Kim Tech').waitFor();
  await dialog.getByText('Sam Tech').waitFor();
  assert.equal(await dialog.getByText('Olga Owner').count(), 0);
  await accessible(page, 'removing');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.equal((await grantOf(c, p)).status, 'active', 'cancelled: nothing may have happened');
  await menu(page, p.name, 'Remove partner access');
  await dialog.getByRole('button', { name: 'Yes, remove access' }).click();
  await flash(page, `The access of ${p.name} is removed`);
  await flash(page, 'Access removed for: Kim Tech and Sam Tech.');
  await page.getByText('No partner has access.').waitFor();
  assert.equal((await grantOf(c, p)).status, 'ended');
  await page.goto(new URL(at(c, `/${p.id}`), page.url()).href);
  await page.getByText(`revoked by the customer (${c.admin.email})`).waitFor();
});

flow('a partner has a page of its own: its access, people, history and mails', async ({ open }) => {
  const [c, p, q] = [await customer(), await partner(['Olga Owner', 'Kim Tech', 'Sam Tech']), await partner(['Olga Owner', 'Zoe Tech'])];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id, p.users[2].id], level: 'support', note: 'Ticket 4711' });
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: q.id, users: [q.users[1].id] });
  await mails(p.users[1].email, 2); // of the account, and of the access
  const page = await open(c.admin, at(c));
  await page.getByRole('link', { name: p.name }).click();
  await page.getByRole('heading', { name: p.name, level: 1 }).waitFor();
  await page.getByText('Ticket 4711').waitFor();
  await accessible(page, 'a partner’s overview');
  await page.getByRole('tab', { name: 'People' }).click();
  await page.waitForURL(`**${at(c, `/${p.id}/people`)}`);
  await row(page, 'Kim Tech').getByText('Support', { exact: true }).waitFor();
  await accessible(page, 'a partner’s people');
  await menu(page, 'Sam Tech', 'Remove');
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await flash(page, 'Sam Tech no longer has access');
  assert.deepEqual(await insideOf(c, p), ['Kim Tech']);
  await page.getByRole('button', { name: 'Undo' }).click();
  await flash(page, 'Sam Tech has access again');
  assert.deepEqual(await insideOf(c, p), ['Kim Tech', 'Sam Tech']);
  await page.getByRole('tab', { name: 'History' }).click();
  await row(page, 'Access granted').waitFor();
  assert.equal(await page.getByText(q.name).count(), 0, 'the history is of this partner alone');
  await accessible(page, 'a partner’s history');
  await page.getByRole('tab', { name: 'Mails' }).click();
  await row(page, `it@${c.id}.example`).first().waitFor();
  const about = await page.getByRole('row').filter({ hasText: 'Access granted' }).count();
  await accessible(page, 'a partner’s mails');
  await page.getByRole('link', { name: 'Mails', exact: true }).first().click();
  await eventually(async () => assert.ok((await page.getByRole('row').filter({ hasText: 'Access granted' }).count()) > about, 'of both partners there are more'));
  await page.goBack();
  await page.getByRole('tab', { name: 'Mails', selected: true }).waitFor();
  await page.reload();
  await page.getByRole('tab', { name: 'Mails', selected: true }).waitFor();
  await page.goto(new URL(at(c, '/no-such-partner'), page.url()).href);
  await page.getByText('This is not one of your partners').waitFor();
});

flow('at 1280 px, with a panel open, the status and the actions stay in sight, and the list of pages makes room', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id], until: '2030-03-01T00:00:00Z' });
  const page = await open(c.admin, at(c));
  const pagesListed = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Invitations' });
  await pagesListed.waitFor();
  await page.getByRole('button', { name: 'Add partner' }).click();
  await panel(page).waitFor();
  await pagesListed.waitFor({ state: 'hidden' });
  const left = (await panel(page).boundingBox()).x;
  for (const seen of [row(page, p.name).getByText('Active'), page.getByRole('button', { name: `Actions for ${p.name}` })]) {
    await eventually(async () => {
      const box = await seen.boundingBox();
      assert.ok(box.x > 0 && box.x + box.width <= left, `${box.x} to ${box.x + box.width}, and the panel begins at ${left}`);
    });
  }
  await page.keyboard.press('Escape');
  await pagesListed.waitFor();
});

flow('E3 E5 inviting a person, sending the invitation again, and cancelling it', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const guest = `eve@${p.id}.guest.example`;
  const page = await open(c.admin, `/customers/${c.id}/invitations`);
  await page.getByText('There are no invitations yet.').waitFor();
  await page.getByRole('button', { name: 'Invite a person' }).click();
  await panel(page).getByRole('textbox', { name: 'E-mail address' }).fill(guest);
  await searchOrganisation(page, p);
  await accessible(page, 'inviting');
  await panel(page).getByRole('button', { name: 'Invite', exact: true }).click();
  await flash(page, `${guest} is invited`);
  await row(page, guest).getByText('Pending').waitFor();
  const [first] = await mails(guest, 1);
  assert.match(first.text, /\/invitations#\S+/, 'the mail leads to the pages');
  await menu(page, guest, 'Send again');
  await flash(page, `Another mail is on its way to ${guest}`);
  await mails(guest, 2);
  await menu(page, guest, 'Cancel the invitation');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the invitation' }).click();
  await flash(page, `The invitation of ${guest} is cancelled`);
  await row(page, guest).getByText('Cancelled').waitFor();
  await page.getByRole('button', { name: `Actions for ${guest}` }).click();
  await page.getByRole('menuitem', { name: 'Invite again' }).waitFor();
  assert.equal(await page.getByRole('menuitem', { name: 'Cancel the invitation' }).count(), 0, 'it was cancelled already');
  await page.keyboard.press('Escape');
  await accessible(page, 'the invitations');
});

flow('a list is exported whole, as a file', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id], level: 'view', note: '=1+1, "æ"' });
  for (let i = 0; i < 120; i++) await ask(c.admin, 'PATCH', `/v1/customers/${c.id}/grants/${p.id}`, { message: `number ${i}` }, { 'If-Match': '*' });
  const page = await open(c.admin, `/customers/${c.id}/history`);
  for (const [list, link, rows, found] of [
    ['History', undefined, 122, 'message: number 118 -> number 119'], // the registered admin, the grant and its changes
    ['Mails', 'Mails', undefined, 'grant.edited'],
    ['Partners', 'Partners', 1, '"\'=1+1, ""æ"""'],
  ]) {
    if (link) await page.getByRole('link', { name: link, exact: true }).first().click();
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: `Export ${list} as CSV` }).click()]);
    const text = await readFile(await file.path(), 'utf8');
    await page.getByText(`${list}: `, { exact: false }).first().waitFor();
    assert.match(file.suggestedFilename(), new RegExp(`^${c.id}-[a-z]+-\\d{4}-\\d\\d-\\d\\d\\.csv$`));
    assert.ok(text.startsWith('\ufeffid,'), `${list}: begins with ${text.slice(0, 20)}`);
    assert.ok(text.includes(found), `${list}: ${found} is not in ${text.slice(0, 600)}`);
    const last = /\r\n#rows,(\d+),[,]*\r\n$/.exec(text);
    assert.ok(last, `${list}: ends with ${text.slice(-80)}`);
    if (rows) assert.ok(Number(last[1]) >= rows, `${list}: ${last[1]} rows, want ${rows}`);
  }
  await accessible(page, 'the list with its export');
});

flow('the history: what happened, to whom, by whom, and filtered', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id], level: 'view' });
  await ask(c.admin, 'PATCH', `/v1/customers/${c.id}/grants/${p.id}`, { level: 'support' }, { 'If-Match': '*' });
  const page = await open(c.admin, `/customers/${c.id}/history`);
  const edited = row(page, 'Access changed');
  await edited.getByText('Level: View → Support').waitFor();
  await edited.getByText(c.admin.email).waitFor();
  await row(page, 'Access granted').getByText(p.name).waitFor();
  await accessible(page, 'the history');
  await page.getByRole('button', { name: /What is shown/ }).click();
  await page.getByRole('option', { name: 'Access granted' }).click();
  await edited.waitFor({ state: 'detached' });
  await row(page, 'Access granted').waitFor();
});

flow('the mails: what was sent to whom, and sending one again', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id] });
  const contact = `it@${c.id}.example`;
  const before = (await mails(contact, 1)).length;
  const page = await open(c.admin, `/customers/${c.id}/mail`);
  await row(page, contact).first().getByText('Access granted').waitFor();
  await accessible(page, 'the mails');
  await row(page, contact).first().getByRole('button', { name: `Send the mail to ${contact} again` }).click();
  await page.getByRole('dialog', { name: 'Send this mail again?' }).getByRole('button', { name: 'Send again' }).click();
  await flash(page, `The mail to ${contact} was sent again`);
  await mails(contact, before + 1);
});

flow('the mails: one is opened and read, word for word, and without the secret in it', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id], message: 'the migration' });
  const [sent] = await mails(p.users[1].email, 2).then((all) => all.filter((m) => m.text.includes('the migration')));
  const guest = `eve@${p.id}.guest.example`;
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/invitations`, { email: guest, partner: p.id });
  const [invited] = await mails(guest, 1);
  const page = await open(c.admin, `/customers/${c.id}/mail`);
  for (const [to, mail] of [[p.users[1].email, sent], [guest, invited]]) {
    await row(page, to).first().getByRole('button', { name: `Read the mail to ${to}` }).click();
    const dialog = page.getByRole('dialog', { name: mail.subject });
    const [, token] = /invitations[/#](\S+)/.exec(mail.text) ?? [];
    const text = await dialog.locator('.mail-text').textContent();
    assert.equal(text.trim(), mail.text.replaceAll(token ?? '-', token ? '...' : '-').replaceAll('\r\n', '\n').trim());
    assert.equal(await dialog.getByRole('alert').count(), 0);
    await accessible(page, 'a mail');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  }
});

flow('A12 a managed relationship is shown, and nothing is offered that would be refused', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(provider, 'PUT', `/v1/customers/${c.id}/managing-partner`, { partner: p.id });
  await ask(p.owner, 'POST', `/v1/customers/${c.id}/invitations`, { email: `eve@${p.id}.guest.example`, level: 'view' });
  const words = `${p.name} manages ${c.name}; only Example Cloud ends it.`;
  const page = await open(c.admin, at(c));
  await page.getByText(words).waitFor();
  await row(page, p.name).waitFor();
  assert.equal(await page.getByRole('button', { name: /^(Add partner|Actions for)/ }).count(), 0);
  await page.getByRole('link', { name: p.name }).click();
  await page.getByText(words).waitFor();
  await page.getByRole('tab', { name: 'People' }).click();
  await page.getByText(`eve@${p.id}.guest.example`).waitFor();
  assert.equal(await page.getByRole('button', { name: /^(Save|Cancel|Edit|Actions)/ }).count(), 0);
  await accessible(page, 'a managed relationship');
  await page.goto(new URL(`/customers/${c.id}/invitations`, page.url()).href);
  await page.getByText(words).waitFor();
  await row(page, 'eve@').getByText('Pending').waitFor();
  assert.equal(await page.getByRole('button', { name: /^(Invite|Actions for)/ }).count(), 0);
  for (const form of [at(c, '/add'), `/customers/${c.id}/invitations/new`]) {
    await page.goto(new URL(form, page.url()).href);
    await panel(page).getByText(words).waitFor();
    assert.equal(await panel(page).getByRole('textbox').count(), 0);
  }
  const theirs = await open(p.owner, `/partners/${p.id}/customers/${c.id}`);
  await theirs.getByText(words).waitFor(); // the partner reads the same
});

flow('D11 the profile menu has Settings, and Partners in it', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id] });
  const page = await open(c.admin, `/customers/${c.id}/history`);
  await page.getByRole('button', { name: /^Signed in as/ }).click();
  const settings = page.getByRole('group', { name: 'Settings' }).or(page.getByRole('menu').filter({ hasText: 'Settings' })).first();
  await settings.getByText('Settings', { exact: true }).waitFor();
  await accessible(page, 'the profile menu');
  await settings.getByRole('menuitem', { name: 'Partners' }).click();
  await row(page, p.name).waitFor();
  assert.equal(new URL(page.url()).pathname, at(c));
});

flow('D15 adding one person where the partner has access already: what is shown is what is granted', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech', 'Sam Tech'])];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[0].id], level: 'manage' });
  const levelsOf = async () => Object.fromEntries((await ask(c.admin, 'GET', `/v1/customers/${c.id}/grants/${p.id}/users`)).items.map((u) => [u.name, u.effective_level]));
  const page = await open(c.admin, at(c, '/add'));
  const sent = [];
  page.on('request', (r) => {
    if (r.method() === 'POST' && r.url().endsWith(`/v1/customers/${c.id}/grants`)) sent.push(r.postDataJSON());
  });
  const find = async (user) => {
      await enterPerson(page, user.email);
    await panel(page).getByText(`${user.name}, ${p.name}`).waitFor();
    await panel(page).getByText(`${p.name} has access already`).or(panel(page).getByText(`${user.name} has access already`)).first().waitFor();
  };

  // Untouched, the person gets what the form shows.
  await find(p.users[1]);
  await panel(page).getByText(/Level: Manage, continuous/).waitFor();
  await panel(page).getByRole('button', { name: /^Level for this person Manage/ }).waitFor();
  assert.equal(await panel(page).getByRole('button', { name: /^Ends/ }).count(), 0, 'the period is the open grant’s');
  await accessible(page, 'adding a person to an open grant');
  await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
  await flash(page, 'Kim Tech is added');
  await flash(page, `${p.users[1].email}, ${p.name}, has the level Manage.`);
  assert.deepEqual(await levelsOf(), { 'Olga Owner': 'manage', 'Kim Tech': 'manage' });
  assert.deepEqual(sent, [{ email: p.users[1].email }], 'and looking the person up asks with dry_run alone');

  // A lower level is that person's alone.
  await page.goto(new URL(at(c, '/add'), page.url()).href);
  await find(p.users[2]);
  await panel(page).getByRole('button', { name: /^Level for this person/ }).click();
  await page.getByRole('option', { name: /^View/ }).click();
  await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
  await flash(page, `${p.users[2].email}, ${p.name}, has the level View.`);
  assert.deepEqual(await levelsOf(), { 'Olga Owner': 'manage', 'Kim Tech': 'manage', 'Sam Tech': 'view' });

  // The table of users shows each one's level.
  await edit(page, p);
  await row(panel(page), 'Sam Tech').getByText('View', { exact: true }).waitFor();
  await row(panel(page), 'Kim Tech').getByText('Manage', { exact: true }).waitFor();

  // Who has access already is shown with the level, and nothing changes it unasked.
  await page.goto(new URL(at(c, '/add'), page.url()).href);
  await find(p.users[2]);
  await panel(page).getByText('Sam Tech has access already').waitFor();
  await panel(page).getByRole('button', { name: /^Level for this person View/ }).click();
  await page.getByRole('option', { name: /^No limit/ }).waitFor();
  await page.keyboard.press('Escape');
  await panel(page).getByRole('link', { name: `edit the access of ${p.name}` }).click();
  await page.getByRole('dialog', { name: 'Leave without saving?' }).getByRole('button', { name: 'Leave' }).click(); // the address was entered
  await panel(page).getByRole('button', { name: 'Save' }).waitFor();
});

flow('a person’s limit is removed: of one who has access, and of one who is added anew', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech', 'Sam Tech'])];
  const kim = p.users[1];
  const path = `/v1/customers/${c.id}/grants/${p.id}`;
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[0].id, kim.id], level: 'manage' });
  const limit = (level) => ask(c.admin, 'PATCH', path, { caps: { [kim.email]: level } }, { 'If-Match': '*' });
  const limits = async () => (await ask(c.admin, 'GET', `/v1/customers/${c.id}`)).caps;
  const page = await open(c.admin, at(c, '/add'));
  const unlimit = async (shown) => {
    await page.goto(new URL(at(c, '/add'), page.url()).href);
      await enterPerson(page, kim.email);
    await panel(page).getByRole('button', { name: new RegExp(`^Level for this person ${shown}`) }).click();
    await page.getByRole('option', { name: /^No limit/ }).click();
    await accessible(page, 'removing a limit');
    await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
  };
  await limit('view');
  await unlimit('View');
  await flash(page, 'The limit of Kim Tech is removed');
  await flash(page, 'Kim Tech: Manage.');
  assert.deepEqual(await limits(), []);

  await limit('manage'); // also one that only counts when the partner gets more
  await ask(c.admin, 'DELETE', `${path}/users/${kim.id}`);
  await unlimit('Manage');
  await flash(page, 'Kim Tech is added, without a limit');
  assert.deepEqual(await limits(), []);
  assert.deepEqual(await insideOf(c, p), ['Kim Tech', 'Olga Owner']);

  // Without a limit there is none to remove.
  await page.goto(new URL(at(c, '/add'), page.url()).href);
  await enterPerson(page, kim.email);
  await panel(page).getByRole('button', { name: /^Level for this person/ }).click();
  await page.getByRole('option', { name: /^View/ }).waitFor();
  assert.equal(await page.getByRole('option', { name: /^No limit/ }).count(), 0);
});

flow('E5 E8 pending invitations stand among the users of the partner’s access, and are cancelled there', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const guest = `eve@${p.id}.guest.example`;
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id], level: 'support' });
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/invitations`, { email: guest, partner: p.id, level: 'view' });
  const page = await open(c.admin, at(c, `/${p.id}/edit`));
  const table = panel(page).getByRole('table', { name: `Users of ${p.name}` });
  await row(table, 'Kim Tech').getByText('Support', { exact: true }).waitFor();
  await row(table, guest).getByText(/^Invited, until/).waitFor();
  await row(table, guest).getByText('View', { exact: true }).waitFor();
  await accessible(page, 'an invitation among the users');
  const telephone = await open(c.admin, at(c, `/${p.id}/edit`), { width: 360 }); // has no room for a column of levels
  await panel(telephone).getByText(`${p.users[1].email} · Tech · Support`).waitFor();
  await panel(telephone).getByText(/^Invited \(View\), until/).waitFor();
  await fits(telephone);
  await accessible(telephone, 'an invitation among the users, 360 px');
  await row(table, guest).getByRole('button', { name: `Cancel the invitation of ${guest}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the invitation' }).click();
  await flash(page, `The invitation of ${guest} is cancelled`);
  await row(table, guest).waitFor({ state: 'detached' });
  await row(table, 'Kim Tech').waitFor();
});

flow('E5 E11 with everyone on, too, pending invitations stand in the panel and are cancelled there, by an admin alone', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const guest = `eve@${p.id}.guest.example`;
  const member = `mem@${c.id}.example`;
  await ask(provider, 'PUT', `/v1/customers/${c.id}/members/${member}`, { name: 'Mem Member', role: 'member' });
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, everyone: true });
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/invitations`, { email: guest, partner: p.id, level: 'view' });
  const cancel = { name: `Cancel the invitation of ${guest}` };
  const seen = await open({ email: member }, at(c, `/${p.id}/people`));
  await row(seen, guest).getByText(/^Can be accepted until/).waitFor();
  assert.equal(await seen.getByRole('button', { name: `Actions for ${guest}` }).count(), 0);
  const page = await open(c.admin, at(c, `/${p.id}/edit`));
  await row(panel(page), 'Kim Tech').waitFor();
  await row(panel(page), guest).getByRole('button', cancel).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the invitation' }).click();
  await flash(page, `The invitation of ${guest} is cancelled`);
  await row(panel(page), guest).waitFor({ state: 'detached' });
  await row(panel(page), 'Kim Tech').waitFor();
});

flow('a member who is no admin sees everything and changes nothing', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const bob = { email: `bob@${c.id}.example` };
  await ask(provider, 'PUT', `/v1/customers/${c.id}/members/${encodeURIComponent(bob.email)}`, { name: 'Bob Baker', role: 'member' });
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, everyone: true });
  const page = await open(bob, at(c));
  await page.getByRole('link', { name: p.name }).click();
  await page.getByText('Only an admin of your organisation can change this.').waitFor();
  assert.equal(await page.getByRole('button', { name: /^(Add partner|Edit|Extend|Actions)/ }).count(), 0);
});

flow('another customer’s page is answered like one that does not exist', async ({ open }) => {
  const [c, d] = [await customer(), await customer()];
  const page = await open(c.admin, at(d));
  await page.getByRole('heading', { name: 'Page not found', level: 1 }).waitFor();
});

flow('a list that cannot be read says so, and can be tried again', async ({ open }) => {
  const c = await customer();
  const page = await open(undefined, '/sign-in');
  let broken = true;
  await page.route('**/v1/customers/*/grants?*', (route) =>
    broken ? route.fulfill({ status: 500, contentType: 'application/problem+json', body: JSON.stringify({ type: 'urn:x', title: 'Something went wrong', status: 500, code: 'internal', detail: 'the request id helps to find it in the log', request_id: 'abc-1' }) }) : route.continue(),
  );
  await page.getByRole('textbox', { name: 'E-mail address', exact: true }).fill(c.admin.email);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('link', { name: 'Partners', exact: true }).click();
  await page.getByRole('heading', { name: 'Partners', level: 1 }).waitFor(); // till then the overview stands there, whose lists say the same
  await page.getByText('Something went wrong').waitFor();
  await page.getByText('Request abc-1').waitFor();
  broken = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('No partner has access.').waitFor();
});

flow('by keyboard alone: a person is added', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const page = await open(c.admin, at(c));
  const press = (key) => page.keyboard.press(key);
  const reach = async (name, key = 'Tab') => {
    for (let i = 0; i < 60; i++) {
      const now = await page.evaluate(() => {
        const e = document.activeElement?.matches('a, button, input, textarea, [role]') ? document.activeElement : null;
        const label = e?.getAttribute('aria-label') ?? (e?.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' ');
        return `${label} ${e?.textContent ?? ''} ${[...(e?.labels ?? [])].map((l) => l.textContent).join(' ')}`;
      });
      if (now.includes(name)) return;
      await press(key);
    }
    assert.fail(`${name} cannot be reached with ${key}`);
  };
  await page.getByText('No partner has access.').waitFor();
  await reach('Add partner');
  await press('Enter');
  await panel(page).waitFor();
  await eventually(async () => assert.ok(await page.evaluate(() => document.activeElement?.closest('#panel') !== null), 'focus is not in the panel'));
  await reach('Partner or person');
  await page.keyboard.type(p.users[1].email);
  await press('Enter'); // looks the person up at once
  await panel(page).getByText(`Kim Tech, ${p.name}`).waitFor();
  await press('Enter');
  await flash(page, 'Kim Tech is added');
  await eventually(async () => assert.ok(await page.evaluate(() => document.activeElement?.textContent?.includes('Add partner')), 'focus has not gone back'));
  await press('Enter');
  await panel(page).waitFor();
  await eventually(async () => assert.ok(await page.evaluate(() => document.activeElement?.closest('#panel') !== null)));
  await press('Escape');
  await panel(page).waitFor({ state: 'detached' });
});

for (const dark of [false, true]) {
  sweep(`every page of the customer’s side, at 360 px, ${dark ? 'dark' : 'light'}`, async ({ open }) => {
    const [c, p] = [await customer(), await partner()];
    await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id], until: '2030-03-01T00:00:00Z' });
    const page = await open(c.admin, at(c), { width: 360, dark });
    for (const [path, wait] of [
      [at(c), p.name],
      [at(c, '/add'), 'Partner or person'],
      [at(c, `/${p.id}/edit`), 'Kim Tech'],
      [`/customers/${c.id}/invitations`, 'There are no invitations yet.'],
      [`/customers/${c.id}/invitations/new`, 'Days to accept'],
      [`/customers/${c.id}/history`, 'Access granted'],
      [`/customers/${c.id}/mail`, 'it@'],
    ]) {
      await page.goto(new URL(path, page.url()).href);
      await page.getByText(wait).first().waitFor();
      await fits(page);
      await accessible(page);
    }
  });
}

flow('a customer’s admin signs in with the password from the mail, and is a member of that customer', async ({ open }) => {
  const c = await customer();
  const [password] = await eventually(() => temporaryFor(c.admin.email, 1));
  const page = await open(undefined, '/sign-in');
  await signInAnew(page, c.admin.email, password, 'correct horse battery');
  await page.getByRole('button', { name: /^Signed in as/ }).waitFor();
  await page.getByText(c.name).first().waitFor();
  const login = (secret) => fetch(`${base}/_local/login`, { method: 'POST', body: JSON.stringify({ email: c.admin.email, password: secret }) });
  assert.equal((await login('correct horse battery')).status, 200);
  assert.equal((await login(password)).status, 401);
});
