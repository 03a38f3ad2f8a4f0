import assert from 'node:assert/strict';

import { accessible, ask, base, customer, eventually, fits, flash, flow, mails, partner, provider, sweep, temporaryFor } from './world.mjs';

const at = (p, more = 'customers') => `/partners/${p.id}/${more}`;
const row = (page, name) => page.getByRole('row').filter({ hasText: name });
const panel = (page) => page.locator('#panel');
const as = (user) => ({ email: user.email });
const grant = (c, p, body = {}) => ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, ...body });
const pickedOf = async (c, p) => (await ask(p.owner, 'GET', `/v1/partners/${p.id}/customers/${c.id}/users`)).items.map((u) => u.name).sort();
const usersOf = async (p) => (await ask(p.owner, 'GET', `/v1/partners/${p.id}/users`)).items;

async function menu(page, name, item) {
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

flow('A1 W14 A18 A20 the partner’s customers: domain, name, id and effective level; the sign-in link is there only while access is open', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech'], { offer: 'support' })];
  await grant(c, p, { users: [p.users[1].id], level: 'manage' });
  const page = await open(as(p.users[1]), at(p));
  const r = row(page, c.name);
  await r.getByText(`${c.id}.example`).waitFor();
  await r.getByText(`Id: ${c.id}`).waitFor();
  await r.getByText('Active').waitFor();
  await r.getByText('In effect: Support').waitFor();
  assert.equal(await r.getByRole('link', { name: `Open dashboard and reports of ${c.name}` }).getAttribute('href'), `https://${c.id}.example/sign-in?as=partner`);
  await ask(c.admin, 'PATCH', `/v1/customers/${c.id}/grants/${p.id}`, { state: 'suspended' }, { 'If-Match': '*' });
  await page.reload();
  await r.getByText('Suspended').first().waitFor();
  assert.equal(await r.getByRole('link', { name: /^Open|^Manage/ }).count(), 0);
  const owner = await open(p.owner, at(p));
  await owner.getByRole('searchbox', { name: 'Find customers' }).fill('no such');
  await owner.getByText('No customer matches this search.').waitFor();
});

flow('A5 A21 the partner assigns its users; an assigned user gets the sign-in link', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech', 'Sam Tech'])];
  await grant(c, p, { level: 'support' });
  const kim = await open(as(p.users[1]), at(p));
  await row(kim, c.name).getByText('Not assigned').waitFor();
  const page = await open(p.owner, at(p));
  await menu(page, c.name, 'Authorised users');
  await panel(page).getByRole('checkbox', { name: 'Kim Tech' }).check();
  await accessible(page, 'picking');
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await flash(page, `The users with access to ${c.name} are changed`);
  await flash(page, 'Added: Kim Tech.');
  assert.deepEqual(await pickedOf(c, p), ['Kim Tech']);
  await kim.reload();
  await row(kim, c.name).getByRole('link', { name: `Open dashboard and reports of ${c.name}` }).waitFor();
  // The last one stays (E9), and everyone replaces those who were checked (E11, E14).
  await menu(page, c.name, 'Authorised users');
  await panel(page).getByRole('checkbox', { name: 'Kim Tech' }).uncheck();
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await panel(page).getByText('The last user cannot be removed').waitFor();
  await panel(page).getByRole('switch', { name: /^Everyone of/ }).or(panel(page).getByRole('checkbox', { name: /^Everyone of/ })).check();
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await row(page, c.name).getByText('Everyone (3)').waitFor();
});

flow('A5 where the customer assigns, or one’s role may not, the users are only seen', async ({ open }) => {
  const [c, d, p] = [await customer(), await customer(), await partner()];
  await grant(c, p, { users: [p.users[1].id] });
  await grant(d, p);
  const page = await open(p.owner, at(p, `customers/${c.id}/users`));
  await panel(page).getByText(`${c.name} assigns your users itself.`).waitFor();
  await panel(page).getByRole('checkbox', { name: 'Kim Tech' }).waitFor();
  assert.equal(await panel(page).getByRole('button', { name: 'Save' }).count(), 0);
  const kim = await open(as(p.users[1]), at(p, `customers/${d.id}/users`));
  await panel(kim).getByText('Owners, admins and business users of the partner assign its users.').waitFor();
  assert.equal(await kim.getByRole('button', { name: /^Actions for/ }).count(), 0);
});

flow('a conflict: two of the partner pick at once; the second is told, and applies anew', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech', 'Sam Tech'])];
  await grant(c, p);
  const page = await open(p.owner, at(p, `customers/${c.id}/users`));
  await panel(page).getByRole('checkbox', { name: 'Kim Tech' }).check();
  await ask(p.owner, 'PUT', `/v1/partners/${p.id}/customers/${c.id}/users`, { users: [p.users[2].id] });
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await panel(page).getByText('Someone else changed this').waitFor();
  await panel(page).getByText('Users: none → Sam Tech').waitFor();
  await panel(page).getByRole('button', { name: 'Apply my changes' }).click();
  await flash(page, `The users with access to ${c.name} are changed`);
  assert.deepEqual(await pickedOf(c, p), ['Kim Tech', 'Sam Tech']);
});

flow('relinquishing: the pop-up says who loses access; then the customer leaves the list', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await grant(c, p, { users: [p.users[1].id] });
  const page = await open(p.owner, at(p));
  await menu(page, c.name, 'Relinquish access');
  const dialog = page.getByRole('dialog', { name: `Relinquish the access to ${c.name}?` });
  await dialog.getByText('Kim Tech').waitFor();
  await accessible(page, 'relinquishing');
  await dialog.getByRole('button', { name: 'Relinquish' }).click();
  await flash(page, `The access to ${c.name} is relinquished`);
  await page.getByText('No customer has granted access yet.').waitFor();
  assert.equal((await ask(c.admin, 'GET', `/v1/customers/${c.id}/grants/${p.id}`)).end.reason, 'relinquished_by_partner');
});

flow('P14 P15 several employees in one go: a result each, and who was refused stays in the form with the reason', async ({ open }) => {
  const p = await partner();
  const page = await open(p.owner, at(p, 'employees'));
  await page.getByRole('button', { name: 'Add employees' }).click();
  const line = async (i, name, email) => {
    if (i > 0) await page.getByRole('button', { name: 'Another employee' }).click();
    await page.getByRole('textbox', { name: 'Name' }).nth(i).fill(name);
    await page.getByRole('textbox', { name: 'E-mail address' }).nth(i).fill(email);
  };
  await line(0, 'Nia New', `nia@${p.id}.example`);
  await line(1, 'Kim Again', p.users[1].email);
  await line(2, 'Max Misdialled', `max@${p.id}.example`);
  await page.getByRole('textbox', { name: 'Telephone' }).nth(2).fill('123');
  await page.getByRole('checkbox', { name: 'On' }).nth(2).check();
  await page.getByRole('button', { name: 'Add 3 employees' }).click();
  await page.getByText('1 employee added').waitFor();
  await page.getByText('2 employees not added').waitFor();
  await eventually(async () => assert.equal(await page.getByRole('textbox', { name: 'E-mail address' }).nth(0).getAttribute('aria-invalid'), 'true'));
  assert.equal(await page.getByRole('textbox', { name: 'Telephone' }).nth(1).getAttribute('aria-invalid'), 'true');
  await accessible(page, 'adding employees');
  await page.getByRole('button', { name: 'Remove Kim Again' }).click();
  await page.getByRole('textbox', { name: 'Telephone' }).fill('+4930123456');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await flash(page, '2 employees added');
  await row(page, 'Max Misdialled').getByText('Signs in with two factors').waitFor();
  assert.deepEqual((await usersOf(p)).map((u) => u.name), ['Olga Owner', 'Kim Tech', 'Nia New', 'Max Misdialled']);
  await mails(`nia@${p.id}.example`);
  await mails(`ops@${p.id}.example`, 2); // P16
});

flow('P19 editing an employee; what is wrong stands beside its field, and what somebody else changed meanwhile is told', async ({ open }) => {
  const p = await partner();
  const page = await open(p.owner, at(p, 'employees'));
  await page.getByRole('link', { name: 'Kim Tech' }).click();
  await panel(page).getByRole('textbox', { name: 'E-mail address' }).fill(p.users[0].email);
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await eventually(async () => assert.equal(await panel(page).getByRole('textbox', { name: 'E-mail address' }).getAttribute('aria-invalid'), 'true'));
  await panel(page).getByRole('textbox', { name: 'E-mail address' }).fill(`kim2@${p.id}.example`);
  await panel(page).getByRole('button', { name: /^Role/ }).click();
  await page.getByRole('option', { name: /^Business/ }).click();
  await panel(page).getByRole('textbox', { name: 'Telephone' }).fill('+4930123456');
  await ask(p.owner, 'PATCH', `/v1/partners/${p.id}/users/${p.users[1].id}`, { name: 'Kim Other' }, { 'If-Match': '*' });
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await panel(page).getByText('Name: Kim Tech → Kim Other').waitFor();
  await accessible(page, 'editing an employee');
  await panel(page).getByRole('button', { name: 'Apply my changes' }).click();
  await flash(page, 'Kim Other is changed');
  await flash(page, 'Role: Tech → Business');
  const [kim] = (await usersOf(p)).slice(1);
  assert.deepEqual([kim.name, kim.email, kim.role, kim.phone], ['Kim Other', `kim2@${p.id}.example`, 'business', '+4930123456']);
});

flow('an employee is disabled and enabled; P21 D23 deleting says what it cuts', async ({ open }) => {
  const [c, d, p] = [await customer('First'), await customer('Second'), await partner(['Olga Owner', 'Kim Tech', 'Sam Tech'])];
  await grant(c, p, { users: [p.users[1].id, p.users[2].id] });
  await grant(d, p, { everyone: true });
  const page = await open(p.owner, at(p, 'employees'));
  await menu(page, 'Kim Tech', 'Disable');
  await flash(page, 'Kim Tech is disabled');
  await row(page, 'Kim Tech').getByText('Disabled').waitFor();
  await menu(page, 'Kim Tech', 'Enable');
  await row(page, 'Kim Tech').getByText('Active').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Actions for Olga Owner' }).count(), 0, 'owners are the provider’s to change');
  await menu(page, 'Kim Tech', 'Delete');
  const dialog = page.getByRole('dialog', { name: 'Delete Kim Tech?' });
  await dialog.getByText(c.name).waitFor();
  await dialog.getByText(d.name).waitFor();
  await accessible(page, 'deleting');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await flash(page, 'Kim Tech is deleted');
  await row(page, 'Kim Tech').waitFor({ state: 'detached' });
  assert.deepEqual(await pickedOf(c, p), ['Sam Tech']);
});

flow('an employee is deleted and erased', async ({ open }) => {
  const p = await partner();
  const page = await open(p.owner, at(p, 'employees'));
  await menu(page, 'Kim Tech', 'Delete');
  const dialog = page.getByRole('dialog', { name: 'Delete Kim Tech?' });
  await dialog.getByLabel('Erase the person, too').check();
  await accessible(page, 'erasing');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await flash(page, 'Kim Tech is erased');
  await row(page, 'Kim Tech').waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'History' }).click();
  await row(page, 'User erased').getByText('Erased person').waitFor();
});

/** Resets an employee's password from the row's menu. */
async function reset(page, name) {
  await menu(page, name, 'Reset password');
  await page.getByRole('dialog', { name: `Reset the password of ${name}?` }).getByRole('button', { name: 'Reset password' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

flow('P15 P20 a new temporary password is sent, opens the account once, and is replaced; later one changes one’s own', async ({ open }) => {
  const p = await partner(['Olga Owner']);
  const email = `nia@${p.id}.example`;
  const owner = await open(p.owner, at(p, 'employees/add'));
  await owner.getByRole('textbox', { name: 'Name' }).fill('Nia New');
  await owner.getByRole('textbox', { name: 'E-mail address' }).fill(email);
  await owner.getByRole('button', { name: 'Add', exact: true }).click();
  await flash(owner, '1 employee added');
  const [first] = await temporaryFor(email, 1);
  await reset(owner, 'Nia New');
  await flash(owner, `A temporary password is on its way to ${email}`);
  const second = (await eventually(() => temporaryFor(email, 2))).find((t) => t !== first);

  const page = await open(undefined, '/sign-in');
  const logIn = async (password) => {
    await page.getByRole('textbox', { name: 'E-mail address of the account' }).fill(email);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
  };
  await logIn(first);
  await page.getByText('Incorrect username or password.').waitFor();
  await logIn(second);
  await page.getByLabel('New password').fill('correct horse battery');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('button', { name: 'Signed in as Nia New' }).waitFor();

  await page.getByRole('link', { name: 'My password' }).click();
  const change = async (current) => {
    await page.getByLabel('Current password').fill(current);
    await page.getByLabel('New password', { exact: true }).fill('another horse battery');
    await page.getByLabel('New password, once more').fill('another horse battery');
    await page.getByRole('button', { name: 'Change password' }).click();
  };
  await change('not the right one');
  await eventually(async () => assert.equal(await page.getByLabel('Current password').getAttribute('aria-invalid'), 'true'));
  await accessible(page, 'changing the password');
  await change('correct horse battery');
  await flash(page, 'Your password is changed');
  const login = (password) => fetch(`${base}/_local/login`, { method: 'POST', body: JSON.stringify({ email, password }) });
  assert.equal((await login('another horse battery')).status, 200);
  assert.notEqual((await login('correct horse battery')).status, 200);

  // Whoever manages employees resets it: the password has ended, and the mail to the person carries another temporary one.
  await reset(owner, 'Nia New');
  await eventually(async () => assert.notEqual((await login('another horse battery')).status, 200));
  const third = (await eventually(() => temporaryFor(email, 3))).find((t) => ![first, second].includes(t));
  await page.goto(`${base}/sign-in`);
  await logIn(third);
  await page.getByLabel('New password').fill('third horse battery');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('button', { name: 'Signed in as Nia New' }).waitFor();
});

flow('P20 a lost password is replaced with a code by mail', async ({ open }) => {
  const p = await partner(['Olga Owner', 'Kim Tech']);
  const email = p.users[1].email;
  const [temporary] = await eventually(() => temporaryFor(email, 1));
  const login = (body) => fetch(`${base}/_local/login`, { method: 'POST', body: JSON.stringify({ email, ...body }) });
  assert.equal((await login({ password: temporary, new_password: 'correct horse battery' })).status, 200);

  const page = await open(undefined, '/sign-in');
  await page.getByRole('textbox', { name: 'E-mail address of the account' }).fill(email);
  await page.getByRole('button', { name: 'Forgot password?' }).click();
  const form = page.getByRole('form', { name: 'Forgot password' });
  await accessible(page, 'asking for a code');
  await form.getByRole('button', { name: 'Send code' }).click();
  await form.getByText(`a code is on its way to ${email}`, { exact: false }).waitFor();
  const code = await eventually(async () => {
    const found = (await mails(email)).map((m) => /code is (\d{6})/.exec(m.text)?.[1]).filter(Boolean);
    assert.equal(found.length, 1);
    return found[0];
  });
  await form.getByRole('textbox', { name: 'Code from the mail' }).fill(code === '000000' ? '000001' : '000000');
  await form.getByLabel('New password').fill('another horse battery');
  await form.getByRole('button', { name: 'Replace password' }).click();
  await form.getByText('The code is wrong, or has expired', { exact: false }).waitFor();
  await form.getByRole('textbox', { name: 'Code from the mail' }).fill(code);
  await accessible(page, 'replacing a lost password');
  await form.getByRole('button', { name: 'Replace password' }).click();
  await page.getByText('Your password is replaced.', { exact: false }).waitFor();
  assert.equal((await login({ password: 'correct horse battery' })).status, 401);
  await page.getByLabel('Password', { exact: true }).fill('another horse battery');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('button', { name: 'Signed in as Kim Tech' }).waitFor();
});

flow('P13 the form says that two factors need a telephone number, before it is sent', async ({ open }) => {
  const p = await partner();
  const page = await open(p.owner, at(p, 'employees/add'));
  await page.getByText('Needs a telephone number.').waitFor();
  await page.getByRole('textbox', { name: 'Name' }).fill('Max Phoneless');
  await page.getByRole('textbox', { name: 'E-mail address' }).fill(`max@${p.id}.example`);
  await page.getByRole('checkbox', { name: 'On' }).check();
  await page.getByText('Two factors need a telephone number.').first().waitFor();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  assert.deepEqual((await usersOf(p)).map((u) => u.name), ['Olga Owner', 'Kim Tech']);
  await page.getByRole('textbox', { name: 'Telephone' }).fill('+4930123456');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await flash(page, '1 employee added');
  await page.getByRole('link', { name: 'Kim Tech' }).click();
  await panel(page).getByText('Needs a telephone number.').waitFor();
  await panel(page).getByRole('checkbox', { name: /^With two factors/ }).check();
  await panel(page).getByText('Two factors need a telephone number.').first().waitFor();
});

flow('A18 W14 one customer has a page of its own: setting, own level, what it opens, and the reason where it does not', async ({ open }) => {
  const [c, d, p] = [await customer(), await customer('Without address'), await partner()];
  await grant(c, p, { users: [p.users[1].id], level: 'manage' });
  await ask(provider, 'PUT', `/v1/customers/${d.id}`, { domain: null });
  await grant(d, p, { users: [p.users[1].id] });
  const page = await open(as(p.users[1]), at(p));
  await page.getByRole('link', { name: c.name, exact: true }).click();
  await page.getByRole('heading', { name: c.name, level: 1 }).waitFor();
  const link = page.getByRole('link', { name: `Manage service of ${c.name}` });
  assert.equal(await link.first().getAttribute('href'), `https://${c.id}.example/sign-in?as=partner`); // W10
  await page.getByText('Everything, reading and changing').waitFor();
  await page.getByText(`Not required; ${p.name} has it`).waitFor(); // A9
  await accessible(page, 'one customer');
  await page.getByRole('tab', { name: 'People' }).click();
  await row(page, 'Kim Tech').getByText('Manage').waitFor();
  await accessible(page, 'the people with access to one customer');
  await page.getByRole('tab', { name: 'Overview' }).click();
  // W6: with support, what is read stands there; the level is the reader's own.
  await ask(c.admin, 'PATCH', `/v1/customers/${c.id}/grants/${p.id}`, { level: 'support' }, { 'If-Match': '*' });
  await page.reload();
  await page.getByText('What View gives, and reports and user activity: reading only').waitFor();
  await page.getByRole('link', { name: `Open dashboard and reports of ${c.name}` }).first().waitFor();
  // A19: without access the link is gone, and the page says why and what to do.
  await ask(c.admin, 'PATCH', `/v1/customers/${c.id}/grants/${p.id}`, { state: 'suspended' }, { 'If-Match': '*' });
  await page.reload();
  await page.getByText(`${c.name} has suspended the access.`).waitFor();
  await page.getByText(`Only ${c.name} can resume it.`).waitFor();
  assert.equal(await link.count(), 0);
  const owner = await open(p.owner, at(p, `customers/${d.id}`));
  await owner.getByText('You are not among the users assigned to this customer.').waitFor();
  await owner.getByText(`${d.name} assigns the users: ask it to add you.`).waitFor();
  // A customer without an address says so, on the page and in the list.
  await page.goto(base + at(p, `customers/${d.id}`));
  await page.getByText(`${d.name} has no address to sign in at`).waitFor();
  await page.goto(base + at(p));
  await row(page, d.name).getByText('No sign-in address').waitFor();
  await page.goto(base + at(p, 'customers/no-such-customer'));
  await page.getByText('This is not one of your customers').waitFor();
});

flow('A7 A9 the list and the page give the reason of a check: a member of the customer, and a partner without single sign-on', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech'], { sso: false })];
  await grant(c, p, { users: [p.users[1].id], require_sso: true });
  const page = await open(as(p.users[1]), at(p));
  await row(page, c.name).getByText('Single sign-on required').waitFor();
  await page.getByRole('link', { name: c.name, exact: true }).click();
  await page.getByText(`${c.name} requires single sign-on, and ${p.name} does not have it.`).waitFor();
  await page.getByText(`Required; ${p.name} does not have it`).waitFor();
  const owner = await open(p.owner, at(p, 'account'));
  await owner.getByText('Your organisation does not have it.').waitFor();
  await ask(provider, 'PATCH', `/v1/partners/${p.id}`, { sso: true }, { 'If-Match': '*' });
  await ask(provider, 'PUT', `/v1/customers/${c.id}/members/${encodeURIComponent(p.users[1].email)}`, { name: 'Kim Tech', role: 'member' });
  await page.reload();
  await page.getByText(`You are a member of ${c.name}, and members never have access as a partner's user.`).waitFor();
});

flow('E5 E8 pending invitations stand among the users with access to a customer, and are cancelled there; users are removed there', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech', 'Sam Tech'])];
  await grant(c, p, { level: 'support' });
  const page = await open(p.owner, at(p, `customers/${c.id}/people`));
  await page.getByText('nobody has access until you assign the first one', { exact: false }).waitFor(); // E9
  await page.getByRole('button', { name: 'Edit users' }).click();
  await panel(page).getByRole('checkbox', { name: 'Kim Tech' }).check();
  await panel(page).getByRole('checkbox', { name: 'Sam Tech' }).check();
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await row(page, 'Kim Tech').getByText('Assigned').waitFor();
  const email = `eve@${p.id}-elsewhere.example`;
  await page.getByRole('button', { name: 'Invite a person' }).click();
  await panel(page).getByRole('button', { name: new RegExp(c.name) }).waitFor(); // chosen already
  await panel(page).getByRole('textbox', { name: 'E-mail address' }).fill(email);
  await panel(page).getByRole('button', { name: 'Invite', exact: true }).click();
  await page.getByRole('heading', { name: c.name, level: 1 }).waitFor();
  await row(page, email).getByText('Pending').waitFor();
  await row(page, 'Sam Tech').waitFor();
  await accessible(page, 'users and invitations');
  // The panel has them, too, and cancels them as the table does below.
  const other = `max@${p.id}-elsewhere.example`;
  await ask(p.owner, 'POST', `/v1/customers/${c.id}/invitations`, { email: other, level: 'view' });
  await page.reload();
  await page.getByRole('button', { name: 'Edit users' }).click();
  await row(panel(page), email).getByText(/^Invited, until/).waitFor();
  await accessible(page, 'invitations in the panel');
  await row(panel(page), other).getByRole('button', { name: `Cancel the invitation of ${other}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the invitation' }).click();
  await flash(page, `The invitation of ${other} is cancelled`);
  await row(panel(page), other).waitFor({ state: 'detached' });
  await panel(page).getByRole('button', { name: 'Cancel', exact: true }).click();
  await menu(page, email, 'Cancel the invitation');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the invitation' }).click();
  await flash(page, `The invitation of ${email} is cancelled`);
  await row(page, email).waitFor({ state: 'detached' });
  await menu(page, 'Sam Tech', 'Remove');
  await page.getByRole('dialog', { name: `Remove Sam Tech from ${c.name}?` }).getByRole('button', { name: 'Remove' }).click();
  await flash(page, `Sam Tech no longer has access to ${c.name}`);
  await row(page, 'Sam Tech').waitFor({ state: 'detached' });
  assert.deepEqual(await pickedOf(c, p), ['Kim Tech']);
  // E9: deleting the only user with access shows a warning.
  await page.goto(base + at(p, 'employees'));
  await menu(page, 'Kim Tech', 'Delete');
  await page.getByRole('dialog').getByText(`Kim Tech is the only user with access to ${c.name}`, { exact: false }).waitFor();
});

flow('W3 W12 a parent partner sees the partners below it by name, and nothing of their customers', async ({ open }) => {
  const above = await partner();
  const below = await partner(['Bo Owner'], { parent: above.id });
  const c = await customer();
  await grant(c, below, { everyone: true });
  const page = await open(above.owner, at(above));
  await page.getByRole('heading', { name: 'Partners below' }).waitFor();
  await row(page, below.name).waitFor();
  assert.equal(await page.getByText(c.name).count(), 0);
});

flow('a removed partner’s person reads what happened', async ({ open }) => {
  const p = await partner();
  await ask(provider, 'DELETE', `/v1/partners/${p.id}`);
  const page = await open(as(p.users[1]), '/');
  await page.getByText(`The provider has removed ${p.name}`).waitFor();
});

flow('P8 P10 what a role may not do is not offered, and is refused when it is asked for all the same', async ({ open }) => {
  const p = await partner(['Olga Owner', 'Kim Tech']);
  const links = (page) => page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allInnerTexts();
  const kim = await open(as(p.users[1]), at(p, 'employees'));
  await row(kim, 'Kim Tech (you)').waitFor();
  assert.deepEqual((await links(kim)).filter((t) => t !== ''), ['Customers', 'Employees', 'Requests', 'History', 'My password']);
  assert.equal(await kim.getByRole('button', { name: 'Add employees' }).count(), 0);
  assert.equal(await kim.getByRole('button', { name: /^Actions for/ }).count(), 0);
  for (const refused of ['account', 'invitations', 'mail']) {
    await kim.goto(base + at(p, refused));
    await kim.getByText('your role does not allow this', { exact: false }).first().waitFor();
  }
  await kim.goto(base + at(p, 'history')); // P4
  await row(kim, 'Kim Tech').first().waitFor();
  const owner = await open(p.owner, at(p, 'account'));
  await owner.getByRole('heading', { name: 'Account settings', level: 1 }).waitFor();
  const stranger = await open((await partner()).owner, at(p));
  await stranger.getByText(/nothing/i).first().waitFor();
});

flow('P8 the account settings are the owner’s: the contacts, and the name to read', async ({ open }) => {
  const p = await partner();
  const page = await open(p.owner, at(p, 'account'));
  await page.getByRole('textbox', { name: 'Contacts' }).fill('ops@contoso.example\nnot an address');
  await page.getByRole('button', { name: 'Save' }).click();
  await eventually(async () => assert.equal(await page.getByRole('textbox', { name: 'Contacts' }).getAttribute('aria-invalid'), 'true'));
  await page.getByRole('textbox', { name: 'Contacts' }).fill('ops@contoso.example\nboss@contoso.example');
  assert.equal(await page.getByRole('textbox', { name: 'Name' }).inputValue(), p.name);
  assert.equal(await page.getByRole('textbox', { name: 'Name' }).isEditable(), false);
  await accessible(page, 'account settings');
  await page.getByRole('button', { name: 'Save' }).click();
  await flash(page, 'The account settings are changed');
  assert.deepEqual((await ask(p.owner, 'GET', `/v1/partners/${p.id}/account`)).contacts, ['ops@contoso.example', 'boss@contoso.example']);
});

flow('A9 the owner sets single sign-on in the account settings where the provider allows it, and only reads it elsewhere', async ({ open }) => {
  const [c, p] = [await customer(), await partner(['Olga Owner', 'Kim Tech'], { sso: false })];
  await grant(c, p, { users: [p.users[1].id], require_sso: true });
  const access = async () => (await ask(as(p.users[1]), 'GET', `/v1/partners/${p.id}/customers`)).items[0].you_have_access;
  const page = await open(p.owner, at(p, 'account'));
  await page.getByText('Your organisation does not have it.').waitFor();
  const name = 'Your organisation has it';
  const has = page.getByRole('checkbox', { name }).or(page.getByRole('switch', { name }));
  assert.equal(await has.count(), 0);

  const its = await open(provider, `/provider/partners/${p.id}`);
  await panel(its).getByRole('checkbox', { name: 'Its owner can change this' }).check();
  await accessible(its, 'a partner whose owner sets single sign-on');
  await panel(its).getByRole('button', { name: 'Save' }).click();
  await flash(its, 'Single sign-on is set by: you → you and its owner');

  await page.reload();
  assert.equal(await has.isChecked(), false);
  assert.equal(await access(), false);
  await has.check();
  await accessible(page, 'account settings with single sign-on');
  await page.getByRole('button', { name: 'Save' }).click();
  await flash(page, 'Single sign-on: off → on');
  assert.equal(await access(), true);
  const history = await open(p.owner, at(p, 'history'));
  await row(history, p.owner.email).getByText('Single sign-on: off → on').waitFor();

  // Withdrawn while the owner looks: the change is refused, with the reason, and nothing is changed.
  await has.uncheck();
  await ask(provider, 'PATCH', `/v1/partners/${p.id}`, { owner_sets_sso: false }, { 'If-Match': '*' });
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText(/The provider sets whether your organisation has single sign-on. Ask the provider/).first().waitFor();
  assert.equal(await access(), true);
});

flow('E3 E5 the partner invites somebody from elsewhere, sends it again, and cancels it', async ({ open }) => {
  const [c, d, p] = [await customer('Lets assign'), await customer('Assigns itself'), await partner()];
  await grant(c, p, { level: 'support' });
  await grant(d, p, { users: [p.users[1].id] });
  const email = `eve@${p.id}-elsewhere.example`;
  const page = await open(p.owner, at(p, 'invitations'));
  await page.getByText('There are no invitations yet.').waitFor();
  const invite = async () => {
    await page.getByRole('button', { name: 'Invite a person' }).click();
    await panel(page).getByRole('textbox', { name: 'E-mail address' }).fill(email);
    await panel(page).getByRole('button', { name: /^Customer/ }).click();
    await page.getByRole('option', { name: new RegExp(c.name) }).waitFor();
    assert.equal(await page.getByRole('option', { name: new RegExp(d.name) }).count(), 0);
    await page.getByRole('option', { name: new RegExp(c.name) }).click();
    await panel(page).getByRole('button', { name: 'Invite', exact: true }).click();
  };
  await invite();
  await flash(page, `${email} is invited`);
  await row(page, email).getByText('Pending').waitFor();
  await row(page, email).getByText(c.name).waitFor();
  await invite();
  await eventually(async () => assert.equal(await panel(page).getByRole('textbox', { name: 'E-mail address' }).getAttribute('aria-invalid'), 'true')); // already_invited
  await accessible(page, 'inviting');
  await panel(page).getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Leave' }).click(); // what was refused is not lost unasked
  await mails(email, 1);
  await menu(page, email, 'Send again');
  await flash(page, `Another mail is on its way to ${email}`);
  await mails(email, 2);
  await menu(page, email, 'Cancel the invitation');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the invitation' }).click();
  await flash(page, `The invitation of ${email} is cancelled`);
  await row(page, email).getByText('Cancelled').waitFor();
});

flow('long names and addresses break, so that every column of a table stays in sight', async ({ open }) => {
  const [c, p] = [await customer('Datenverarbeitungsdienstleistungsgesellschaft Donaudampfschifffahrt'), await partner()];
  const email = `eve.with.an.address.that.is.longer.than.most@${p.id}-elsewhere.example`;
  await grant(c, p);
  await ask(p.owner, 'POST', `/v1/customers/${c.id}/invitations`, { email, level: 'view' });
  const page = await open(p.owner, at(p, 'invitations'));
  for (const path of ['invitations', 'history', 'customers', `customers/${c.id}/people`, `customers/${c.id}/history`]) {
    await page.goto(base + at(p, path));
    await page.getByText(c.name).first().waitFor();
    if (path !== 'customers') await page.getByText(email).first().waitFor();
    const wider = (tables) => tables.filter((t) => t.offsetWidth > t.parentElement.clientWidth).length;
    const beyond = await page.getByRole('table').evaluateAll(wider);
    assert.equal(beyond, 0, `${path}: a table is wider than its place`);
  }
  const telephone = await open(p.owner, at(p, `customers/${c.id}/people/edit`), { width: 360 });
  await panel(telephone).getByText(email).waitFor();
  const table = panel(telephone).getByRole('table');
  const inside = await table.evaluate((t) => t.offsetWidth <= t.parentElement.clientWidth);
  assert.ok(inside, 'the panel at 360 px: the table is wider than its place');
});

flow('the partner’s history and mails; a mail is sent again', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await grant(c, p, { users: [p.users[1].id], level: 'support' });
  await mails(p.users[1].email, 2);
  const page = await open(p.owner, at(p, 'history'));
  await row(page, 'Access granted').getByText(c.name).waitFor();
  await page.getByRole('button', { name: /What is shown/ }).click();
  await page.getByRole('option', { name: 'User created' }).click();
  await row(page, 'Access granted').waitFor({ state: 'detached' });
  await row(page, 'Kim Tech').waitFor();
  await page.getByRole('link', { name: 'Mails' }).click();
  const again = page.getByRole('button', { name: `Send the mail to ${p.users[1].email} again` }).first();
  await again.click();
  await page.getByRole('dialog', { name: 'Send this mail again?' }).getByRole('button', { name: 'Send again' }).click();
  await flash(page, `The mail to ${p.users[1].email} was sent again`);
  await mails(p.users[1].email, 3);
});

flow('by keyboard alone: users are assigned, and the access is relinquished', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await grant(c, p);
  const page = await open(p.owner, at(p));
  const press = (key) => page.keyboard.press(key);
  const reach = async (what) => {
    await what.waitFor();
    for (let i = 0; i < 60; i++) {
      if (await what.evaluate((e) => e === document.activeElement)) return;
      await press('Tab');
    }
    assert.fail(`${what} cannot be reached with Tab`);
  };
  await reach(page.getByRole('link', { name: c.name, exact: true }));
  await press('Enter');
  await reach(page.getByRole('tab', { name: 'Overview' }));
  await press('ArrowRight');
  await reach(page.getByRole('button', { name: 'Edit users' }));
  await press('Enter');
  await reach(panel(page).getByRole('checkbox', { name: 'Kim Tech' }));
  await press('Space');
  await reach(panel(page).getByRole('button', { name: 'Save' }));
  await press('Enter');
  await flash(page, 'Added: Kim Tech.');
  await reach(page.getByRole('button', { name: 'Relinquish access' }));
  await press('Enter');
  await reach(page.getByRole('dialog').getByRole('button', { name: 'Relinquish' }));
  await press('Enter');
  await page.getByText('No customer has granted access yet.').waitFor();
});

flow('a suspended partner’s people are told so', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await grant(c, p, { users: [p.users[1].id] });
  await ask(provider, 'PATCH', `/v1/partners/${p.id}`, { status: 'suspended' }, { 'If-Match': '*' });
  const page = await open(as(p.users[1]), at(p));
  await page.getByText('The provider has suspended your organisation').waitFor();
  await row(page, c.name).waitFor();
  await row(page, c.name).getByText('Partner suspended').waitFor();
  assert.equal(await page.getByRole('link', { name: /^Open|^Manage/ }).count(), 0);
});

sweep('the partner’s pages at 360 px, dark', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await grant(c, p, { level: 'support' });
  await ask(p.owner, 'POST', `/v1/customers/${c.id}/invitations`, { email: `eve@${p.id}-elsewhere.example` });
  const page = await open(p.owner, at(p), { width: 360, dark: true });
  const pages = ['customers', 'employees', `customers/${c.id}`, `customers/${c.id}/users`, `employees/${p.users[1].id}`, 'employees/add', 'invitations', 'invitations/new', 'account', 'password'];
  for (const [i, name] of pages.entries()) {
    await page.goto(base + at(p, name));
    await page.getByRole('heading', { level: 1 }).or(panel(page).getByRole('button', { name: 'Cancel' })).first().waitFor();
    await eventually(async () => assert.equal(await page.getByText('Loading').count(), 0));
    await fits(page);
    if (i % 2 === 0) await accessible(page, `${name}, 360 px, dark`);
  }
});
