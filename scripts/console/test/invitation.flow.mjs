import assert from 'node:assert/strict';

import { accessible, ask, base, clockKept, customer, eventually, fits, flow, hosted, mails, partner, signInAnew, temporaryFor } from './world.mjs';

let count = 0;

/** An invitation to somebody new, by the customer, and the link in the mail. */
async function invited(more = {}) {
  const [c, p] = [await customer(), await partner()];
  const email = `eve${++count}@${p.id}-elsewhere.example`;
  const { invitation } = await ask(c.admin, 'POST', `/v1/customers/${c.id}/invitations`, { email, partner: p.id, level: 'support', ...more });
  const [mail] = await mails(email);
  const link = /http\S+\/invitations#\S+/.exec(mail.text)?.[0] ?? assert.fail(mail.text);
  assert.ok(link.startsWith(base), `the mail leads to ${link}`);
  return { c, p, email, invitation, path: link.slice(base.length) };
}

flow('E4 the link in the mail shows the offer before signing in; the invited person signs in, accepts, and has access', async ({ open }) => {
  const { c, p, email, path } = await invited();
  const page = await open(undefined, path);
  await page.getByRole('heading', { name: `Invitation to ${c.name}`, level: 1 }).waitFor();
  await page.getByText(p.name).first().waitFor();
  await page.getByText(/^Support/).waitFor();
  assert.equal(await page.getByText(email).count(), 0, 'the address is masked before signing in');
  await accessible(page, 'an invitation');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('textbox', { name: 'E-mail address', exact: true }).fill(email);
  await page.keyboard.press('Enter');
  await page.getByText(`You are signed in as ${email}.`).waitFor();
  await page.getByRole('textbox', { name: 'Your name' }).fill('Eve External');
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByText(`You now have access to ${c.name}`).waitFor();
  await page.getByRole('button', { name: 'Go to your customers' }).click();
  await page.waitForURL(`${base}/partners/${p.id}/customers`);
  await page.getByRole('link', { name: new RegExp(`of ${c.name}`) }).waitFor();
  await page.getByRole('button', { name: 'Signed in as Eve External' }).waitFor();
  const links = await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allInnerTexts();
  assert.deepEqual(links.filter((t) => t !== ''), ['Customers'], 'an external user has no other page');
  const [eve] = (await ask(c.admin, 'GET', `/v1/customers/${c.id}/grants/${p.id}/users`)).items;
  assert.deepEqual([eve.name, eve.role, eve.email], ['Eve External', 'external', email]);
  const again = await open(undefined, path);
  await again.getByText('This invitation has already been accepted').waitFor();
});

flow('E4 who has no account gets one on the page, and the password by mail', async ({ open }) => {
  const { c, p, email, path } = await invited();
  const page = await open(undefined, path);
  const form = page.getByRole('form', { name: 'Create an account' });
  await form.getByRole('textbox', { name: 'Your name' }).fill('Eve External');
  await accessible(page, 'creating an account');
  await form.getByRole('button', { name: 'Accept and create an account' }).click();
  await page.getByText('You have accepted the invitation').waitFor();
  assert.equal(await page.getByText(email).count(), 0, 'the address stays masked');
  await accessible(page, 'an account was created');

  // The sweep makes the account, and the mail's next attempt its password.
  let password;
  await clockKept(async (_, clock) => {
    await eventually(async () => {
      await clock({ advance: '61s' });
      [password] = (await temporaryFor(email, 1)) ?? [];
    }, 40);
  });
  await page.getByRole('button', { name: 'Sign in' }).click();
  await signInAnew(page, email, password, 'correct horse battery');
  await page.getByRole('button', { name: 'Signed in as Eve External' }).waitFor();
  await page.waitForURL(`${base}/partners/${p.id}/customers`);
  await page.getByRole('link', { name: new RegExp(`of ${c.name}`) }).waitFor();

  const again = await open(undefined, path);
  await again.getByText('This invitation has already been accepted').waitFor();
});

flow('E4 signed in as somebody else: the page says as whom, and offers to switch', async ({ open }) => {
  const { c, p, email, path } = await invited();
  const page = await open(c.admin, path);
  await page.getByText('This invitation is for somebody else').waitFor();
  await page.getByText(c.admin.email).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Accept' }).count(), 0);
  await accessible(page, 'somebody else');
  await page.getByRole('button', { name: 'Sign in as somebody else' }).click();
  // An address that only looks like it is refused by the service.
  await page.getByRole('textbox', { name: 'E-mail address', exact: true }).fill(email.replace('eve', 'emil'));
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByText('This invitation is for somebody else').waitFor();
  await page.getByRole('button', { name: 'Sign in as somebody else' }).click();
  await page.getByRole('textbox', { name: 'E-mail address', exact: true }).fill(email);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByText(`You now have access to ${c.name}`).waitFor();
  assert.equal((await ask(c.admin, 'GET', `/v1/customers/${c.id}/grants/${p.id}`)).user_count, 1);
});

flow('an invitation is declined, after asking once more', async ({ open }) => {
  const { c, email, invitation, path } = await invited();
  const page = await open({ email }, path);
  await page.getByRole('button', { name: 'Decline' }).click();
  await page.getByRole('dialog', { name: 'Decline the invitation?' }).getByRole('button', { name: 'Decline' }).click();
  await page.getByText('You have declined the invitation').waitFor();
  assert.equal((await ask(c.admin, 'GET', `/v1/customers/${c.id}/invitations/${invitation.id}`)).status, 'declined');
  await page.reload();
  await page.getByText('This invitation was declined').waitFor();
});

flow('E5 E8 a cancelled invitation is explained, also when it is cancelled under one’s eyes; so is a link that a later mail replaced', async ({ open }) => {
  const { c, email, invitation, path } = await invited();
  const page = await open({ email }, path, { width: 360, dark: true });
  await page.getByRole('button', { name: 'Accept' }).waitFor();
  await fits(page);
  await accessible(page, 'an invitation, 360 px, dark');
  await ask(c.admin, 'DELETE', `/v1/customers/${c.id}/invitations/${invitation.id}`);
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByText('This invitation was cancelled').waitFor();
  await page.getByRole('button', { name: 'Accept' }).waitFor({ state: 'detached' });

  const other = await invited();
  await ask(other.c.admin, 'POST', `/v1/customers/${other.c.id}/invitations/${other.invitation.id}/resend`);
  await mails(other.email, 2);
  await eventually(async () => {
    const old = await open(undefined, other.path);
    await old.getByText('This link is no longer valid').waitFor({ timeout: 3000 });
  });
  const none = await open(undefined, '/invitations');
  await none.getByText('This link is no longer valid').waitFor();
});

flow('E5 an invitation whose days are over is explained', async ({ open }) => {
  const { path } = await invited({ days: 1 });
  await clockKept(async (_, clock) => {
    await clock({ advance: '25h' });
    const page = await open(undefined, path);
    await page.getByText('This invitation has expired').waitFor();
    await accessible(page, 'an expired invitation');
  });
});

flow('E4 the hosted login leads back to the invitation, whose token no server sees; somebody else is asked who they are anew', async ({ open }) => {
  const { path } = await invited();
  const page = await open(undefined, path, { at: hosted });
  const asked = [];
  page.on('request', (r) => asked.push(r.url()));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This invitation is for somebody else').waitFor(); // the test's login knows Ann alone
  await page.getByText('ann@acme.example').waitFor();
  assert.equal(new URL(page.url()).hash, path.slice('/invitations'.length));
  await page.getByRole('button', { name: 'Sign in as somebody else' }).click();
  await eventually(() => assert.ok(asked.some((u) => u.includes('prompt=login'))));
  await page.getByText('This invitation is for somebody else').waitFor();
  const token = path.split('#')[1];
  const seen = asked.filter((u) => u.includes(token) || u.includes(encodeURIComponent(token)));
  assert.ok(seen.every((u) => u.startsWith(`${base}/v1/invitations/`)), `the token is seen in ${seen}`);
});
