import assert from 'node:assert/strict';

import { accessible, ask, base, customer, eventually, fits, flash, flow, partner, provider, sweep } from './world.mjs';

const row = (page, name) => page.getByRole('row').filter({ hasText: name });
const panel = (page) => page.locator('#panel');
const settled = (page) => eventually(async () => assert.equal(await page.getByText('Loading').count(), 0));
const fresh = (prefix) => `${prefix}${Date.now().toString(36)}`;

async function menu(page, name, item) {
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('menuitem', { name: item, exact: true }).click();
}

async function choosePartner(page, p) {
  await panel(page).getByRole('button', { name: /^Partner/ }).click();
  await page.getByRole('combobox', { name: 'Find an organisation' }).or(page.getByRole('textbox', { name: 'Find an organisation' })).fill(p.name);
  await page.getByRole('option', { name: new RegExp(p.name) }).click();
}

flow('W4 the provider creates a partner with an offer, edits it, and its first user is its owner', async ({ open }) => {
  const id = fresh('new');
  const name = `Created ${id}`;
  const page = await open(provider, '/provider/partners');
  await page.getByRole('button', { name: 'Create partner' }).click();
  const form = panel(page);
  await form.getByRole('button', { name: 'Create' }).click();
  await form.getByText('Enter a name.').waitFor();
  assert.equal(await form.getByRole('radio', { name: /^Support/ }).isChecked(), true); // W7
  await form.getByRole('textbox', { name: 'Id' }).fill('contoso');
  await form.getByRole('textbox', { name: 'Name' }).fill(name);
  await form.getByRole('textbox', { name: 'Contacts' }).fill(`ops@${id}.example`);
  await form.getByRole('button', { name: 'Create' }).click();
  await form.getByText('A partner with the id contoso exists already.').first().waitFor(); // and is not edited without a word
  await form.getByRole('textbox', { name: 'Id' }).fill(id);
  await accessible(page, 'creating a partner');
  await form.getByRole('button', { name: 'Create' }).click();
  await flash(page, `${name} is created`);

  await page.getByRole('searchbox', { name: 'Find partners' }).fill(name);
  await page.getByRole('link', { name }).click();
  await form.getByRole('radio', { name: /^Manage/ }).check();
  await form.getByRole('checkbox', { name: 'The partner has it' }).or(form.getByRole('switch', { name: 'The partner has it' })).check();
  await form.getByRole('textbox', { name: 'Parent' }).fill('no-such-partner');
  await form.getByRole('button', { name: 'Save' }).click();
  await eventually(async () => assert.equal(await form.getByRole('textbox', { name: 'Parent' }).getAttribute('aria-invalid'), 'true'));
  await form.getByRole('textbox', { name: 'Parent' }).fill('contoso');
  await form.getByRole('button', { name: 'Save' }).click();
  await flash(page, 'Offer: Support → Manage');
  const made = await ask(provider, 'GET', `/v1/partners/${id}`);
  assert.deepEqual([made.class, made.offer, made.sso, made.parent, made.contacts], ['channel', 'manage', true, 'contoso', [`ops@${id}.example`]]);

  await menu(page, name, 'Employees');
  await page.getByText('There are no employees yet.').waitFor();
  await page.getByRole('button', { name: 'Add employees' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Oda Owner');
  await page.getByRole('textbox', { name: 'E-mail address' }).fill(`oda@${id}.example`);
  await page.getByRole('button', { name: /^Role/ }).click();
  await page.getByRole('option', { name: /^Owner/ }).click();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await flash(page, '1 employee added');
  await row(page, 'Oda Owner').getByText('Owner', { exact: true }).waitFor();
});

flow('a partner’s domains are confirmed by the provider, and shown in Unicode as a customer’s is', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const domains = async () => (await ask(provider, 'GET', `/v1/partners/${p.id}`)).domains;
  const page = await open(provider, `/provider/partners/${p.id}`);
  const field = panel(page).getByRole('textbox', { name: 'Domains' });
  await field.fill(`no domain at all!\n${p.id}.example`);
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await eventually(async () => assert.equal(await field.getAttribute('aria-invalid'), 'true'));
  await field.fill(`${c.id}.example`);
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await panel(page).getByText('Another organisation has this domain').first().waitFor();
  await field.fill(`${p.id}.example\nbücher-${p.id}.example`);
  await accessible(page, 'the domains of a partner');
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await flash(page, `Domains: none → ${p.id}.example, bücher-${p.id}.example`);
  assert.deepEqual(await domains(), [`${p.id}.example`, new URL(`http://bücher-${p.id}.example`).hostname]);
  await page.goto(`${base}/provider/partners/${p.id}`);
  assert.equal(await field.inputValue(), `${p.id}.example\nbücher-${p.id}.example`);
  await field.fill('');
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await flash(page, '→ none');
  assert.deepEqual(await domains(), []);
});

flow('the kill switch: a confirmation before it, nobody has access after it, and everything is as it was when the partner is resumed', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, everyone: true });
  const mine = async () => (await ask({ email: p.users[1].email }, 'GET', `/v1/partners/${p.id}/customers`)).items[0].you_have_access;
  assert.equal(await mine(), true);
  const page = await open(provider, `/provider/partners?q=${encodeURIComponent(p.name)}`);
  await menu(page, p.name, 'Suspend');
  await accessible(page, 'suspending');
  await page.getByRole('dialog', { name: `Suspend ${p.name}?` }).getByRole('button', { name: 'Suspend' }).click();
  await flash(page, `${p.name} is suspended`);
  await row(page, p.name).getByText('Suspended').waitFor();
  assert.equal(await mine(), false);
  await menu(page, p.name, 'Resume');
  await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
  await row(page, p.name).getByText('Active').waitFor();
  assert.equal(await mine(), true);
  await menu(page, p.name, 'Remove');
  await page.getByRole('dialog', { name: `Remove ${p.name}?` }).getByRole('button', { name: 'Remove' }).click();
  await flash(page, `${p.name} is removed`);
  await page.getByText('No partner', { exact: false }).first().waitFor();
});

flow('the provider registers a customer and keeps its members', async ({ open }) => {
  const id = fresh('cust');
  const page = await open(provider, '/provider/customers');
  await page.getByRole('link', { name: 'Acme', exact: true }).waitFor(); // all of them, by name
  await page.getByRole('searchbox', { name: 'Find customers' }).fill(id);
  await page.getByText('No customer matches this search.').waitFor();
  await accessible(page, 'finding a customer');
  await page.getByRole('button', { name: 'Register customer' }).click();
  const form = panel(page);
  await form.getByRole('textbox', { name: 'Id' }).fill(id);
  await form.getByRole('textbox', { name: 'Name' }).fill('Registered');
  await form.getByRole('textbox', { name: 'Domain' }).fill('no domain');
  await form.getByRole('button', { name: 'Register' }).click();
  await eventually(async () => assert.equal(await form.getByRole('textbox', { name: 'Domain' }).getAttribute('aria-invalid'), 'true'));
  await form.getByRole('textbox', { name: 'Domain' }).fill(`${id}.example`);
  await form.getByRole('button', { name: 'Register' }).click();
  await page.getByRole('heading', { name: 'Registered', level: 1 }).waitFor();

  await page.getByRole('button', { name: 'Add member' }).click();
  await form.getByRole('textbox', { name: 'E-mail address' }).fill(`ada@${id}.example`);
  await form.getByRole('textbox', { name: 'Name' }).fill('Ada Admin');
  await accessible(page, 'adding a member');
  await form.getByRole('button', { name: 'Add', exact: true }).click();
  await flash(page, 'Ada Admin is a member');
  await menu(page, 'Ada Admin', 'Edit');
  await form.getByRole('radio', { name: /^Member/ }).check();
  await form.getByRole('button', { name: 'Save' }).click();
  await row(page, 'Ada Admin').getByText('Member', { exact: true }).waitFor();
  await menu(page, 'Ada Admin', 'Remove');
  await page.getByRole('dialog', { name: 'Remove Ada Admin?' }).getByRole('button', { name: 'Remove' }).click();
  await page.getByText('The customer has no members', { exact: false }).waitFor();

  await page.getByRole('button', { name: 'Edit', exact: true }).click();
  await form.getByRole('textbox', { name: 'Name' }).fill('Renamed');
  await form.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: 'Renamed', level: 1 }).waitFor();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByRole('dialog', { name: 'Remove Renamed?' }).getByRole('button', { name: 'Remove' }).click();
  await flash(page, 'Renamed is removed');
});

flow('W7 A4 A15 relationships and managed customers', async ({ open }) => {
  const [c, p, other] = [await customer(), await partner(), await partner()];
  const page = await open(provider, `/provider/customers/${c.id}`);
  await page.getByRole('button', { name: 'Establish relationship' }).click();
  await choosePartner(page, p);
  await panel(page).getByText(`Nobody has access until ${p.name} assigns its first user.`, { exact: false }).waitFor(); // E9
  await panel(page).getByRole('button', { name: 'Establish' }).click();
  await flash(page, `${p.name} has a relationship with ${c.name}`);
  await page.getByText('The relationship is new.', { exact: false }).waitFor();
  await row(page, p.name).getByText('Support').waitFor(); // W7: the offer is at least that
  await menu(page, p.name, 'End relationship');
  await page.getByRole('dialog').getByRole('button', { name: 'End relationship' }).click();
  await page.getByText('No partner has access.').waitFor(); // A4

  await page.getByRole('button', { name: 'Set managing partner' }).click();
  await choosePartner(page, p);
  await accessible(page, 'choosing a managing partner');
  await panel(page).getByRole('button', { name: 'Set', exact: true }).click();
  await flash(page, `${p.name} manages ${c.name}`);
  await row(page, p.name).getByText('Manages the customer').waitFor();
  await page.getByRole('button', { name: 'Set managing partner' }).click();
  await choosePartner(page, other);
  await panel(page).getByRole('button', { name: 'Set', exact: true }).click();
  await panel(page).getByText('Another partner manages the customer').waitFor(); // A15
  await panel(page).getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Leave' }).click(); // what was refused is not lost unasked
  await menu(page, p.name, 'End management');
  await page.getByRole('dialog').getByRole('button', { name: 'End management' }).click();
  await flash(page, `${p.name} no longer manages ${c.name}`);
  assert.equal((await ask(provider, 'GET', `/v1/customers/${c.id}`)).managing_partner, null);
});

flow('W3 the tree of partners and customers: opened level by level, each customer with the setting of its partner', async ({ open }) => {
  const [c, above] = [await customer(), await partner()];
  const below = await partner(['Bo Owner'], { parent: above.id });
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: below.id, everyone: true, level: 'support' });
  const page = await open(provider, '/provider/tree');
  for (;;) { // the flows before this one have left partners
    await page.getByRole('treeitem').first().waitFor();
    const more = page.getByRole('button', { name: 'More partners' });
    if ((await page.getByRole('link', { name: above.name }).count()) > 0 || (await more.count()) === 0) break;
    const before = await page.getByRole('treeitem').count();
    await more.click();
    await eventually(async () => assert.ok((await page.getByRole('treeitem').count()) > before || (await more.count()) === 0));
  }
  assert.equal(await page.getByRole('link', { name: below.name }).count(), 0);
  await page.getByRole('button', { name: `Open ${above.name}` }).click();
  await page.getByRole('button', { name: `Open ${below.name}` }).click();
  await page.getByText('Customer · Support · Active').first().waitFor();
  await accessible(page, 'the tree');
  await page.getByRole('link', { name: c.name, exact: true }).click();
  await page.getByRole('heading', { name: c.name, level: 1 }).waitFor();
  await page.getByRole('tab', { name: 'People' }).click();
  await row(page, 'Bo Owner').getByText('By everyone').waitFor();
});

sweep('the provider’s pages at 360 px, dark', async ({ open }) => {
  const p = await partner();
  const page = await open(provider, '/provider/partners', { width: 360, dark: true });
  for (const path of ['/provider/partners', '/provider/tree', `/provider/partners/${p.id}`, '/provider/customers', '/provider/customers/initech', '/provider/customers/initech/managing-partner']) {
    await page.goto(base + path);
    await page.getByRole('heading', { level: 1 }).or(panel(page).getByRole('button', { name: 'Cancel' })).first().waitFor();
    await settled(page);
    await fits(page);
    await accessible(page, `${path}, 360 px, dark`);
  }
});
