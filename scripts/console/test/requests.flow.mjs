import assert from 'node:assert/strict';

import { accessible, ask, base, customer, eventually, flash, flow, mails, partner } from './world.mjs';

const panel = (page) => page.locator('#panel');

/** A customer with a code, and a partner that has it. */
async function acquainted() {
  const [c, p] = [await customer(), await partner()];
  const { code } = await ask(c.admin, 'POST', `/v1/customers/${c.id}/request-policy/code`);
  return { c, p, code, kim: p.users[1] };
}

flow('a partner asks with a code, and the customer sees what approving gives, and approves less', async ({ open }) => {
  const { c, p, code, kim } = await acquainted();
  const page = await open(p.owner, `/partners/${p.id}/requests`);
  await page.getByRole('button', { name: 'Ask for access' }).click();
  const form = panel(page).getByRole('form', { name: 'Ask for access' });
  await form.getByRole('textbox', { name: 'Customer\'s id' }).fill(c.id);
  await form.getByRole('textbox', { name: 'Code' }).fill(code.toLowerCase());
  await form.getByRole('button', { name: /Level/ }).click();
  await page.getByRole('option', { name: /^Support/ }).click();
  await form.getByRole('button', { name: /Users/ }).click();
  await page.getByRole('option', { name: new RegExp(kim.name) }).click();
  await page.keyboard.press('Escape');
  await form.getByRole('textbox', { name: 'Reason' }).fill('Migration');
  await accessible(page, 'asking');
  await panel(page).getByRole('button', { name: 'Ask', exact: true }).click();
  await flash(page, `Your request to ${c.id} is on its way`);
  await page.getByRole('link', { name: /Access at Support for Kim Tech/ }).waitFor();

  const link = await eventually(async () => {
    const all = await mails(c.admin.email);
    return all.map((m) => /http\S+request=\S+/.exec(m.text)?.[0]).find(Boolean) ?? assert.fail('no mail with the link to the request');
  });
  const theirs = await open(c.admin, link.slice(base.length));
  await theirs.getByText('1 waiting').first().waitFor({ state: 'attached' }); // in the navigation, which gives way to the panel
  const monday = await open(c.admin, `/customers/${c.id}/overview`);
  await monday.getByRole('link', { name: 'Requests that wait: 1' }).click();
  await monday.waitForURL(/\/requests$/);
  const decide = panel(theirs);
  await decide.getByText('What approving would do').waitFor();
  await decide.getByText('Kim Tech: Support').waitFor();
  await accessible(theirs, 'a request');
  await decide.getByRole('button', { name: /Level/ }).click();
  await theirs.getByRole('option', { name: /^View/ }).click();
  await decide.getByText('Kim Tech: View').waitFor();
  await decide.getByRole('button', { name: 'Approve' }).click();
  await flash(theirs, 'The request is approved');
  assert.equal((await ask(c.admin, 'GET', `/v1/customers/${c.id}/grants/${p.id}`)).level, 'view');
  await eventually(async () => assert.equal(await theirs.getByText('1 waiting').count(), 0));
});

for (const [locale, button, words] of [
  ['en-GB', 'Ask', 'This customer grants at most 30 days at a time.'],
  ['de-DE', 'Anfragen', 'Dieser Kunde gewährt Zugriff für höchstens 30 Tage auf einmal.'],
]) {
  flow(`a period that is too long is refused with the number of days, in the reader’s language: ${locale}`, async ({ open }) => {
    const { c, p, code } = await acquainted();
    await ask(c.admin, 'PUT', `/v1/customers/${c.id}/request-policy`, { mode: 'code', max_days: 30 }, { 'If-Match': '*' });
    const page = await open(p.owner, `/partners/${p.id}/requests/new?customer=${c.id}`, { locale });
    const form = panel(page).getByRole('form');
    await form.getByRole('textbox', { name: /Code/ }).fill(code);
    await form.getByRole('button', { name: /Users|Benutzer/ }).click();
    await page.getByRole('option', { name: /Kim Tech/ }).click();
    await page.keyboard.press('Escape');
    await form.getByRole('textbox', { name: /Reason|Grund|Begründung/ }).fill('Migration');
    await panel(page).getByRole('button', { name: button, exact: true }).click();
    await panel(page).getByText(words).first().waitFor();
    assert.equal(await panel(page).getByText(/at a time: |grants at most 30 days at a time$/).count(), 0); // the service's own sentence
  });
}

flow('a denial leads to asking, the customer asks back and declines, and the partner withdraws', async ({ open }) => {
  const { c, p } = await acquainted();
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, users: [p.users[1].id], level: 'view' });
  const page = await open(p.owner, `/partners/${p.id}/customers?ask=raise&customer=${c.id}`);
  const form = panel(page).getByRole('form', { name: 'Ask for access' });
  await form.getByRole('button', { name: /Level/ }).click();
  await page.getByRole('option', { name: /^Manage/ }).click();
  await panel(page).getByRole('button', { name: 'Ask', exact: true }).click();
  await flash(page, `Your request to ${c.name} is on its way`);

  const theirs = await open(c.admin, `/customers/${c.id}/requests`);
  await theirs.getByRole('link', { name: /A higher level: Manage/ }).click();
  await panel(theirs).getByRole('textbox', { name: 'Note' }).fill('What for?');
  await panel(theirs).getByRole('button', { name: 'Ask this question' }).click();
  await flash(theirs, 'Your question is on its way');
  await theirs.getByRole('link', { name: /A higher level: Manage/ }).click();
  await panel(theirs).getByText('What for?').waitFor();
  await panel(theirs).getByRole('button', { name: 'Decline' }).click();
  await flash(theirs, 'The request is declined');

  await ask(p.owner, 'POST', `/v1/partners/${p.id}/requests`, { customer: c.id, kind: 'raise', level: 'support' });
  const again = await open(p.owner, `/partners/${p.id}/requests`);
  await again.getByRole('link', { name: /A higher level: Support/ }).click();
  await panel(again).getByRole('button', { name: 'Withdraw' }).click();
  await flash(again, 'The request is withdrawn');
});

flow('the customer says who may ask, and makes a code', async ({ open }) => {
  const { c } = await acquainted();
  const page = await open(c.admin, `/customers/${c.id}/requests`);
  await page.getByRole('button', { name: 'Who may ask' }).click();
  const form = panel(page).getByRole('form', { name: 'Who may ask' });
  await form.getByRole('button', { name: 'Make another code' }).click();
  await form.getByText('Hand out this code').waitFor();
  await form.getByText(/^[A-HJ-NP-Z2-9]{8}$/).waitFor();
  await accessible(page, 'the rules for requests');
  await form.getByRole('radio', { name: /Partners that have or had access/ }).click();
  await form.getByRole('checkbox', { name: 'A reason is needed' }).click();
  await form.getByRole('button', { name: /Who decides/ }).click();
  await page.getByRole('option', { name: new RegExp(c.admin.email) }).click();
  await page.keyboard.press('Escape');
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await flash(page, 'The rules for requests are saved');
  const policy = await ask(c.admin, 'GET', `/v1/customers/${c.id}/request-policy`);
  assert.deepEqual([policy.mode, policy.reason_required, policy.approvers], ['known', true, [c.admin.email]]);
});

flow('everyone is asked for, and some of them are approved', async ({ open }) => {
  const { c, p, code, kim } = await acquainted();
  const page = await open(p.owner, `/partners/${p.id}/requests/new?customer=${c.id}`);
  const form = panel(page).getByRole('form', { name: 'Ask for access' });
  await form.getByRole('textbox', { name: 'Code' }).fill(code);
  await form.getByRole('radio', { name: /^Everyone/ }).click();
  await panel(page).getByRole('button', { name: 'Ask', exact: true }).click();
  await flash(page, `Your request to ${c.id} is on its way`);

  const theirs = await open(c.admin, `/customers/${c.id}/requests`);
  await theirs.getByRole('link', { name: /for everyone/ }).click();
  const decide = panel(theirs);
  await decide.getByRole('checkbox', { name: 'Everyone, as asked' }).click();
  await decide.getByRole('button', { name: /Users/ }).click();
  await theirs.getByRole('option', { name: new RegExp(kim.name) }).click();
  await theirs.keyboard.press('Escape');
  await decide.getByText('Kim Tech: View').waitFor();
  await accessible(theirs, 'fewer users');
  await decide.getByRole('button', { name: 'Approve' }).click();
  await flash(theirs, 'The request is approved');
  const grant = await ask(c.admin, 'GET', `/v1/customers/${c.id}/grants/${p.id}`);
  assert.deepEqual([grant.everyone, grant.user_count], [false, 1]);
});
