import assert from 'node:assert/strict';

import { accessible, ask, customer, eventually, fits, flash, flow, partner, provider } from './world.mjs';

const row = (page, name) => page.getByRole('row').filter({ hasText: name });
const inDays = (days) => new Date(Math.floor(Date.now() / 1000) * 1000 + days * 86_400_000).toISOString();
const grant = (c, p, body) => ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, ...body });
const firstCells = (page) => page.getByRole('row').locator('th[scope=row], td:first-child').allTextContents();

flow('the overview: how many can come in, what ends soon with its extension, and what nobody uses', async ({ open }) => {
  const [c, p, q] = [await customer(), await partner(['Olga Owner', 'Kim Tech', 'Sam Tech']), await partner(['Olga Owner', 'Zoe Tech'])];
  const until = inDays(9.5);
  await grant(c, p, { users: [p.users[1].id, p.users[2].id], until });
  await grant(c, q, { everyone: true });
  const page = await open(c.admin, `/customers/${c.id}`);
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Partners with access now: 2' }).waitFor();
  await page.getByRole('link', { name: 'People who can come in now: 4' }).waitFor();
  await page.getByRole('link', { name: 'Of them, not in the last 90 days: 4' }).waitFor();
  const ending = page.getByRole('table', { name: 'Ends within 30 days' });
  await row(ending, p.name).getByText('Ends in 9 days').waitFor();
  assert.equal(await ending.getByText(q.name).count(), 0);
  await accessible(page, 'the overview');
  await ending.getByRole('button', { name: `Extend the access of ${p.name}` }).click();
  await page.getByRole('menuitem', { name: 'By 90 days' }).click();
  await flash(page, `The access of ${p.name} is extended`);
  const untilNow = async () => Date.parse((await ask(c.admin, 'GET', `/v1/customers/${c.id}/grants/${p.id}`)).until);
  assert.equal(await untilNow(), Date.parse(until) + 90 * 86_400_000);
  await page.getByText('No access ends within 30 days.').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await row(ending, p.name).getByText('Ends in 9 days').waitFor();
  assert.equal(await untilNow(), Date.parse(until));

  // The numbers lead to their lists.
  await page.getByRole('link', { name: 'Partners with access now: 2' }).click();
  await page.getByRole('heading', { name: 'Partners (2)', level: 1 }).waitFor();
  await page.goBack();
  await page.getByRole('link', { name: 'People who can come in now: 4' }).click();
  await page.getByRole('heading', { name: 'People (4)', level: 1 }).waitFor();
  await row(page, 'Zoe Tech').getByText('By everyone').waitFor();
  await row(page, 'Sam Tech').getByText('Assigned').waitFor();
  await accessible(page, 'the people');
  const telephone = await open(c.admin, `/customers/${c.id}/overview`, { width: 390, dark: true });
  await telephone.getByText('Ends in 9 days').waitFor();
  await fits(telephone);
  await accessible(telephone, 'the overview, 390 px');
});

flow('the people are sorted, filtered and paged in the address, which survives a reload and the way back', async ({ open }) => {
  const [c, p, q] = [await customer(), await partner(Array.from({ length: 30 }, (_, i) => `Person${String(i).padStart(2, '0')} Many`)), await partner(['Olga Owner', 'Zoe Tech'])];
  await grant(c, p, { everyone: true, level: 'view' });
  await grant(c, q, { everyone: true, level: 'manage', until: inDays(20) });
  const page = await open(c.admin, `/customers/${c.id}/people`);
  await page.getByRole('heading', { name: 'People (32)', level: 1 }).waitFor();
  await page.getByRole('button', { name: 'Next page' }).click();
  await eventually(async () => assert.equal(await page.getByRole('row').count(), 8));
  await page.reload();
  await eventually(async () => assert.equal(await page.getByRole('row').count(), 8));
  assert.equal(new URL(page.url()).searchParams.get('page'), '2');
  await page.getByRole('button', { name: /^User/ }).click(); // the other way round
  await page.getByRole('link', { name: q.name }).first().waitFor();
  await eventually(async () => assert.match((await firstCells(page)).find((t) => t.includes('@')) ?? '', /Zoe Tech/));
  assert.equal(new URL(page.url()).searchParams.get('sort'), '-name');
  await page.getByRole('button', { name: 'Level' }).click();
  await page.getByRole('option', { name: 'Manage' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('heading', { name: 'People (2)', level: 1 }).waitFor();
  await page.getByRole('link', { name: q.name }).first().click();
  await page.getByRole('heading', { name: q.name, level: 1 }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'People (2)', level: 1 }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'People (2)', level: 1 }).waitFor();
  await page.getByRole('searchbox', { name: 'Find people' }).fill('nobody like this');
  await page.getByText('Nobody who can come in matches this search.').waitFor();
  await page.getByRole('button', { name: 'Show everybody' }).click();
  await page.getByRole('heading', { name: 'People (32)', level: 1 }).waitFor();
});

flow('the history is narrowed by partner, person, actor and time, in the address', async ({ open }) => {
  const [c, p, q] = [await customer(), await partner(['Olga Owner', 'Kim Tech']), await partner(['Olga Owner', 'Zoe Tech'])];
  await grant(c, p, { users: [p.users[1].id] });
  await grant(c, q, { users: [q.users[1].id] });
  const page = await open(c.admin, `/customers/${c.id}/history`);
  const granted = (name) => row(page, 'Access granted').filter({ hasText: name });
  await granted(p.name).waitFor();
  await page.getByRole('button', { name: 'More filters' }).click();
  await page.getByRole('searchbox', { name: 'Person whom it concerns' }).fill(q.users[1].email);
  await granted(p.name).waitFor({ state: 'detached' });
  await granted(q.name).waitFor();
  await page.reload();
  await granted(q.name).waitFor();
  assert.equal(await granted(p.name).count(), 0);
  await page.getByRole('searchbox', { name: 'Person whom it concerns' }).fill('');
  await granted(p.name).waitFor();
  await page.getByRole('combobox', { name: 'By' }).fill('provider');
  await page.getByRole('option', { name: 'The provider' }).click();
  await granted(p.name).waitFor({ state: 'detached' });
  await row(page, 'Member added').waitFor();
  await accessible(page, 'the history, filtered');
  await page.getByRole('combobox', { name: 'By' }).fill('');
  await page.getByRole('textbox', { name: 'From' }).fill('31.12.2099');
  await page.getByText('Nothing of this kind has happened.').waitFor();
  await page.getByRole('textbox', { name: 'From' }).fill('31.31.2099');
  await page.getByRole('textbox', { name: 'From' }).blur();
  await page.getByText(/^This is not a day\. Enter it like/).waitFor();
  await page.goto(new URL(`/customers/${c.id}/history?with=${p.id}`, page.url()).href);
  await granted(p.name).waitFor();
  assert.equal(await granted(q.name).count(), 0);
  // The partner's side has the same.
  const theirs = await open(p.owner, `/partners/${p.id}/history?actor=provider`);
  await row(theirs, 'User created').first().waitFor();
  assert.equal(await row(theirs, 'Access granted').count(), 0);
});

flow('a member sees who can come in, and is offered nothing to change', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const member = `mem@${c.id}.example`;
  await ask(provider, 'PUT', `/v1/customers/${c.id}/members/${member}`, { name: 'Mem Member', role: 'member' });
  await grant(c, p, { users: [p.users[1].id], until: inDays(9.5) });
  const page = await open({ email: member }, `/customers/${c.id}/overview`);
  await row(page, p.name).getByText('Ends in 9 days').waitFor();
  for (const path of ['overview', 'partners', `partners/${p.id}`, `partners/${p.id}/people`, 'people', 'invitations']) {
    await page.goto(new URL(`/customers/${c.id}/${path}`, page.url()).href);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForLoadState('networkidle');
    assert.deepEqual(await page.getByRole('button', { name: /^(Add|Edit|Extend|Actions|Invite|Remove)/ }).allTextContents(), [], path);
  }
});
