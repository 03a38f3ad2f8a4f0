import assert from 'node:assert/strict';

import { accessible, ask, base, customer, eventually, flash, flow, partner, provider, sweep } from './world.mjs';

const at = (c, more = '') => `/customers/${c.id}/partners${more}`;
const panel = (page) => page.locator('#panel');
const box = (page) => panel(page).getByRole('combobox', { name: 'Partner or person' });
const grantOf = (c, p) => ask(c.admin, 'GET', `/v1/customers/${c.id}/grants/${p.id}`);
const leaving = (page) => page.getByRole('dialog', { name: 'Leave without saving?' });

async function choose(page, field, option) {
  await panel(page).getByRole('button', { name: field }).click();
  await page.getByRole('option', { name: option }).first().click();
}

async function choosePartner(page, p) {
  await box(page).fill(p.name);
  await page.getByRole('option', { name: new RegExp(`${p.name} `) }).or(page.getByRole('option', { name: p.name, exact: true })).first().click();
}

flow('a period is a choice of days, or a day as people type it; what is no day is refused in a sentence', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const page = await open(c.admin, at(c, '/add'));
  await choosePartner(page, p);
  await choose(page, /^Ends/, '30 days');
  await panel(page).getByText(/^Access ends exactly then: /).waitFor();
  await panel(page).getByRole('radio', { name: 'Everyone, now and later' }).check();
  await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
  await flash(page, `${p.name} is added`);
  const { from, until } = await grantOf(c, p);
  const days = (Date.parse(until) - Date.parse(from)) / 86_400_000;
  assert.ok(days > 29.9 && days < 30.1, `${days} days`);
  await page.goto(base + at(c, `/${p.id}/edit`));
  const day = panel(page).getByRole('textbox', { name: 'Until: day' });
  await day.waitFor();
  for (const typed of ['31.12.2030', '12/31/2030', '31/12/2030', '2030-12-31']) {
    await day.fill(typed);
    await panel(page).getByText(/: 31 Dec 2030, /).waitFor();
  }
  await day.fill('31.13.2030');
  await day.blur();
  await panel(page).getByText('This is not a day. Enter it like 31/12/2026 or 2026-12-31.').waitFor();
  await accessible(page, 'a day that is none');
  await panel(page).getByRole('button', { name: 'Until: day: choose in a calendar' }).click();
  await panel(page).getByRole('button', { name: /^1 |^15 /}).or(panel(page).getByRole('gridcell').filter({ hasText: '15' })).first().click();
  await panel(page).getByText(/= 20\d\d-\d\d-15 |= 20\d\d-\d\d-14 /).waitFor();
});

flow('a level that the provider does not offer the partner cannot be chosen, and says why', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech'], { offer: 'support' })];
  const page = await open(c.admin, at(c, '/add'));
  await choosePartner(page, p);
  await panel(page).getByText('The provider offers this partner Support at most.').waitFor();
  await panel(page).getByRole('button', { name: /^Level/ }).click();
  const manage = page.getByRole('option', { name: /^Manage/ });
  await manage.waitFor();
  assert.equal(await manage.getAttribute('aria-disabled'), 'true');
});

flow('many users: a table in pages, with how many of them are selected; the buttons stay in sight', async ({ open }) => {
  const [c, p] = [await customer(), await partner(Array.from({ length: 81 }, (_, i) => `User${String(i).padStart(2, '0')} Many`))];
  const page = await open(c.admin, at(c, '/add'));
  await choosePartner(page, p);
  await panel(page).getByText('0 of 81 selected').waitFor();
  await panel(page).getByRole('checkbox', { name: 'User00 Many' }).check();
  await panel(page).getByText('1 of 81 selected').waitFor();
  await panel(page).getByRole('button', { name: 'Next page of users' }).click();
  await panel(page).getByRole('checkbox', { name: 'User30 Many' }).check();
  await panel(page).getByText('2 of 81 selected').waitFor();
  const add = panel(page).getByRole('button', { name: 'Add', exact: true });
  const { y, height } = await add.boundingBox();
  assert.ok(y + height <= 900, `the button ends at ${y + height} px`);
  await panel(page).getByRole('button', { name: 'Select all 81' }).click();
  await panel(page).getByText('81 of 81 selected').waitFor();
  await panel(page).getByText('At most 80 users are added at once: you selected 81.', { exact: false }).waitFor();
  await panel(page).getByRole('checkbox', { name: 'User30 Many' }).uncheck();
  await panel(page).getByText('80 of 81 selected').waitFor();
  await accessible(page, 'many users');
  await add.click();
  await flash(page, `${p.name} is added`);
  assert.equal((await grantOf(c, p)).user_count, 80);
});

flow('an address of nobody offers the invitation, filled in', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const email = `eve@${p.id}.guest.example`;
  const page = await open(c.admin, at(c, '/add'));
  await box(page).fill(email);
  await panel(page).getByText('Nobody with an account has this address').waitFor();
  await accessible(page, 'an address of nobody');
  await panel(page).getByRole('button', { name: 'Invite this person' }).click();
  const field = panel(page).getByRole('textbox', { name: 'E-mail address' });
  await field.waitFor();
  assert.equal(await field.inputValue(), email);
});

flow('who leaves a changed form is asked first, and nothing is lost by a reload or by a session that ends', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const page = await open(c.admin, at(c, '/add'));
  await choosePartner(page, p);
  await choose(page, /^Ends/, '90 days');
  await panel(page).getByRole('button', { name: 'Cancel' }).click();
  await accessible(page, 'leaving a form');
  await leaving(page).getByRole('button', { name: 'Stay' }).click();
  await page.getByRole('link', { name: 'Settings of' }).first().click();
  await leaving(page).getByRole('button', { name: 'Stay' }).click();
  assert.equal(await box(page).inputValue(), p.name);

  await page.reload();
  await panel(page).getByRole('button', { name: /^Ends 90 days/ }).waitFor();
  assert.equal(await box(page).inputValue(), p.name);

  // The session ends while the form is being sent.
  await page.route('**/v1/**', (route) => { // and not by what the page reads meanwhile
    const sent = route.request().method() === 'POST' && !route.request().url().includes('dry_run');
    return sent ? route.fulfill({ status: 401, contentType: 'application/json', body: '{"message":"Unauthorized"}' }) : route.continue();
  });
  await panel(page).getByRole('radio', { name: 'Everyone, now and later' }).check();
  await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText('Your session has ended').first().waitFor();
  await page.unroute('**/v1/**');
  await page.getByRole('textbox', { name: 'E-mail address', exact: true }).fill(c.admin.email);
  await page.getByRole('button', { name: 'Continue' }).click();
  await panel(page).getByRole('button', { name: /^Ends 90 days/ }).waitFor();
  assert.equal(await box(page).inputValue(), p.name);
  assert.equal(await panel(page).getByRole('radio', { name: 'Everyone, now and later' }).isChecked(), true);
  await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
  await flash(page, `${p.name} is added`);
  assert.equal(await leaving(page).count(), 0);

  // Sent, or left, nothing of it is there the next time.
  await page.getByRole('button', { name: 'Add partner' }).click();
  await box(page).waitFor();
  assert.equal(await box(page).inputValue(), '');
  await box(page).fill('something');
  await page.keyboard.press('Escape'); // closes the list of partners
  await panel(page).getByRole('button', { name: 'Cancel' }).click();
  await leaving(page).getByRole('button', { name: 'Leave' }).click();
  await panel(page).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Add partner' }).click();
  await box(page).waitFor();
  assert.equal(await box(page).inputValue(), '');
});

// Each form: who opens it where, what is changed in it, and how one sees that it still is.
const typed = (name, text) => ({
  change: (page) => page.getByRole('textbox', { name, exact: true }).fill(text),
  kept: async (page) => assert.equal(await page.getByRole('textbox', { name, exact: true }).inputValue(), text),
});
const switched = (role, name) => ({
  change: (page) => page.getByRole(role, { name }).check(),
  kept: async (page) => assert.equal(await page.getByRole(role, { name }).isChecked(), true),
});
for (const [side, forms] of [
  ['the provider’s', (c, p) => [
    [provider, '/provider/partners/new', typed('Name', 'Fabrikam')],
    [provider, `/provider/partners/${p.id}`, typed('Name', 'Another name')],
    [provider, '/provider/customers/new', typed('Name', 'Umbrella')],
    [provider, `/provider/customers/${c.id}/edit`, typed('Contacts', 'it@umbrella.example')],
    [provider, `/provider/customers/${c.id}/members/new`, typed('Name', 'Mia Member')],
    [provider, `/provider/customers/${c.id}/members/${c.admin.email}`, typed('Name', 'Ada Adams')],
    [provider, `/provider/customers/${c.id}/relationships/new`, switched('checkbox', /^Everyone/)],
  ]],
  ['the partner’s', (c, p) => [
    [p.owner, `/partners/${p.id}/account`, typed('Contacts', 'boss@contoso.example')],
    [p.owner, `/partners/${p.id}/employees/${p.users[1].id}`, typed('Name', 'Kim Keller')],
    [p.owner, `/partners/${p.id}/employees/add`, typed('Name', 'Kim Keller')],
    [p.owner, `/partners/${p.id}/invitations/new`, typed('E-mail address', 'eve@elsewhere.example')],
    [p.owner, `/partners/${p.id}/requests/new`, typed("Customer's id", 'umbrella')],
    [p.owner, `/partners/${p.id}/customers/${c.id}/users`, switched('checkbox', /^Everyone/)],
  ]],
  ['the customer’s', (c) => [
    [c.admin, `/customers/${c.id}/requests/policy`, switched('radio', /^Nobody/)],
    [c.admin, `/customers/${c.id}/invitations/new`, typed('E-mail address', 'eve@elsewhere.example')],
  ]],
]) {
  sweep(`who leaves a changed form of ${side} is asked first, and it is there again after a reload`, async ({ open }) => {
    const [c, p] = [await customer(), await partner()];
    await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[0].id], level: 'view', assigned_by: 'partner' });
    for (const [who, path, { change, kept }] of forms(c, p)) {
      const page = await open(who, path);
      await change(page);
      await page.getByRole('link', { name: 'Partner Access' }).first().click();
      await leaving(page).getByRole('button', { name: 'Stay' }).click();
      assert.equal(new URL(page.url()).pathname, path);
      await kept(page);
      await page.reload();
      await eventually(() => kept(page));
      await page.getByRole('link', { name: 'Partner Access' }).first().click();
      await leaving(page).getByRole('button', { name: 'Leave' }).click();
      await page.waitForURL((url) => url.pathname !== path);
      await page.goto(base + path);
      await page.getByRole('heading', { level: 1 }).first().waitFor();
      await page.getByText('Loading').first().waitFor({ state: 'detached' });
      await assert.rejects(kept(page), undefined, path);
      await page.close();
    }
  });
}

flow('access that has ended is granted again as it was', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech', 'Sam Tech'])];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id, p.users[2].id], level: 'support', note: 'Ticket 4711' });
  await ask(c.admin, 'DELETE', `/v1/customers/${c.id}/grants/${p.id}`);
  const page = await open(c.admin, at(c, `/${p.id}`));
  await page.getByRole('button', { name: `Actions for ${p.name}` }).click();
  await page.getByRole('menuitem', { name: 'Grant again' }).click();
  await panel(page).getByText('2 of 3 selected').waitFor();
  await panel(page).getByRole('button', { name: /^Level Support/ }).waitFor();
  await accessible(page, 'granting again');
  await panel(page).getByRole('button', { name: 'Add', exact: true }).click();
  await flash(page, `${p.name} is added`);
  const g = await grantOf(c, p);
  assert.deepEqual([g.status, g.level, g.user_count, g.note], ['active', 'support', 2, 'Ticket 4711']);
});

flow('one notice at a time, with a way back, and gone on another page', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, everyone: true });
  const page = await open(c.admin, at(c));
  for (const item of ['Suspend access', 'Resume access', 'Suspend access']) {
    await page.getByRole('button', { name: `Actions for ${p.name}` }).click();
    await page.getByRole('menuitem', { name: item }).click();
    await flash(page, item === 'Suspend access' ? 'is suspended' : 'is resumed');
  }
  assert.equal(await page.getByRole('button', { name: 'Dismiss this message' }).count(), 1);
  await page.getByRole('button', { name: 'Undo' }).click();
  await flash(page, `The access of ${p.name} is resumed`);
  await eventually(async () => assert.equal((await grantOf(c, p)).status, 'active'));
  await page.waitForTimeout(4100); // so long a message belongs to what has just been done
  await page.getByRole('link', { name: 'History' }).first().click();
  await page.getByRole('heading', { name: 'History', level: 1 }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Dismiss this message' }).count(), 0);
});
