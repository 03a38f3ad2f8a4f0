import assert from 'node:assert/strict';
import { createServer } from 'node:http';

import { accessible, ask, base, customer, eventually, fits, flash, flow, provider } from './world.mjs';

const panel = (page) => page.locator('#panel');
const row = (page, ...texts) => texts.reduce((rows, text) => rows.filter({ hasText: text }), page.getByRole('row'));

/** A receiver on this machine that answers challenges, and anything else with what `answers` says. It keeps the types of what it was sent, and the signatures. */
async function receiver(run) {
  const its = { answers: 204, got: [], signatures: [] };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      const event = JSON.parse(body);
      its.got.push(event.type);
      its.signatures.push(String(request.headers['webhook-signature']).split(' ').length);
      const challenge = event.type === 'webhook.verify';
      response.writeHead(challenge ? (its.silent ? 500 : 200) : its.answers, { 'Content-Type': 'application/json' });
      response.end(challenge && !its.silent ? JSON.stringify({ token: event.data.token }) : 'what the receiver says');
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  its.url = `http://127.0.0.1:${server.address().port}/hooks`;
  try {
    await run(its);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

/** Removes all webhooks: there are 20 at most, and the flows are run again. */
async function noWebhooks() {
  for (const h of (await ask(provider, 'GET', '/v1/webhooks')).items) await ask(provider, 'DELETE', `/v1/webhooks/${h.id}`);
}

async function choose(page, name, item) {
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('menuitem', { name: item, exact: true }).click();
}

flow('a webhook is added, its secret is shown once, it becomes active, and a test is delivered', async ({ open }) => {
  await noWebhooks();
  await receiver(async (its) => {
    const page = await open(provider, '/provider/webhooks');
    await page.getByText('There are no webhooks yet.').waitFor();
    await accessible(page, 'no webhooks');
    await page.getByRole('button', { name: 'Add webhook' }).first().click();
    const form = panel(page);
    await form.getByRole('button', { name: 'Add', exact: true }).click();
    await form.getByText('Enter the address.').waitFor();
    await form.getByRole('textbox', { name: 'Address' }).fill('https://user@hooks.cloud.example/');
    await form.getByRole('radio', { name: /^Chosen events/ }).check();
    await form.getByRole('button', { name: 'Add', exact: true }).click();
    await form.getByText('Choose at least one kind of event.').waitFor();
    await form.getByRole('checkbox', { name: /^grant\.\*/ }).check();
    await form.getByRole('textbox', { name: 'More events' }).fill('no.such.event');
    await form.getByRole('button', { name: 'Add', exact: true }).click();
    await form.getByText('Nothing can be sent to this address.').waitFor();
    await form.getByText('No event is called so').waitFor();
    await accessible(page, 'adding a webhook');
    await form.getByRole('textbox', { name: 'Address' }).fill(its.url);
    await form.getByRole('textbox', { name: 'Description' }).fill('The siem');
    await form.getByRole('textbox', { name: 'More events' }).fill('access.lost');
    await form.getByRole('link', { name: 'Cancel' }).or(form.getByRole('button', { name: 'Cancel' })).click(); // a changed form asks
    await page.getByRole('dialog').getByRole('button', { name: 'Stay' }).click();
    await form.getByRole('button', { name: 'Add', exact: true }).click();

    const dialog = page.getByRole('dialog', { name: 'The secret' });
    await dialog.getByText('It is not shown again.').waitFor();
    const secret = await dialog.locator('code').innerText();
    assert.match(secret, /^whsec_/);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await dialog.getByRole('button', { name: 'Copy' }).click();
    await dialog.getByRole('status').filter({ hasText: 'Copied' }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
    await page.mouse.click(5, 400); // beside the dialog: it stays
    await accessible(page, 'the secret');
    await dialog.getByRole('button', { name: 'I have kept it' }).click();

    await page.getByRole('heading', { name: 'The siem', level: 1 }).waitFor();
    await page.getByText('Active', { exact: true }).first().waitFor(); // without being loaded again
    await page.getByText('access.lost').first().waitFor();
    assert.equal(await page.getByText(secret).count(), 0);
    const [made] = (await ask(provider, 'GET', '/v1/webhooks')).items;
    assert.deepEqual([made.types, made.status, made.description, made.secret_kind], [['grant.*', 'access.lost'], 'active', 'The siem', 'v1']);

    await page.getByRole('button', { name: 'Send test' }).click();
    await flash(page, 'A test is sent');
    await row(page, 'webhook.test').getByText('Delivered').waitFor();
    assert.deepEqual(its.got, ['webhook.verify', 'webhook.test']);
    await row(page, 'webhook.verify').getByText('1 attempt').waitFor();
    assert.equal(await row(page, 'webhook.verify').getByRole('button').count(), 0); // a challenge is not sent again
    await row(page, 'webhook.test').getByRole('button', { name: /^Retry webhook\.test/ }).click();
    await flash(page, 'webhook.test is sent again');
    await eventually(() => assert.deepEqual(its.got, ['webhook.verify', 'webhook.test', 'webhook.test']));
    await accessible(page, 'a webhook');

    await page.getByRole('link', { name: 'Webhooks', exact: true, disabled: false }).click();
    await page.getByRole('link', { name: its.url }).waitFor();
    assert.equal(await page.getByText(secret).count(), 0);
    await accessible(page, 'one webhook in the list');
    const narrow = await open(provider, `/provider/webhooks/${made.id}`, { width: 360, dark: true });
    await narrow.getByText('webhook.verify').first().waitFor();
    await fits(narrow, 'a webhook');
    await accessible(narrow, 'a webhook, narrow and dark');
    await narrow.goto(`${base}/provider/webhooks`);
    await narrow.getByText('The siem').waitFor();
    await fits(narrow, 'the webhooks');
  });
});

flow('a receiver that fails: its status, retry, pause, and what failed is sent again', async ({ open }) => {
  await receiver(async (its) => {
    const { webhook } = await ask(provider, 'POST', '/v1/webhooks', { url: its.url, description: 'The failing one' });
    const page = await open(provider, `/provider/webhooks/${webhook.id}`);
    await page.getByText('Active', { exact: true }).first().waitFor();
    its.answers = 500;
    await page.getByRole('button', { name: 'Send test' }).click();
    const test = row(page, 'webhook.test');
    await test.getByText('Pending').waitFor();
    await test.getByText(/^500 in /).waitFor();
    await test.getByText('what the receiver says').waitFor();
    await test.getByRole('button', { name: /^Retry/ }).click(); // it waits for its next attempt, in a moment
    await page.getByText('The event is on its way').waitFor();
    await page.getByText('It is being sent, or is about to be.').waitFor();

    await page.getByRole('button', { name: 'Pause' }).click();
    await flash(page, 'The failing one is paused');
    await page.getByText('Paused', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Send test' }).click();
    await page.getByText('The webhook is not active').waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await flash(page, 'The failing one is resumed');

    const failed = () => row(page, 'webhook.test', 'Failed');
    const verified = async () => {
      its.answers = 204;
      await choose(page, 'The failing one', 'Verify again');
      await page.getByText('Active', { exact: true }).first().waitFor();
    };
    its.answers = 410;
    await page.getByRole('button', { name: 'Send test' }).click();
    await page.getByText('Disabled', { exact: true }).waitFor();
    await page.getByText('It has answered 410').waitFor();
    await failed().getByText(/^410 in /).first().waitFor();
    await accessible(page, 'a webhook that is disabled');
    const list = await open(provider, '/provider/webhooks');
    await row(list, 'The failing one', 'Disabled').getByText('It has answered 410').waitFor();
    await verified();
    await failed().first().getByRole('button', { name: /^Retry/ }).click();
    await flash(page, 'webhook.test is sent again');
    await row(page, 'webhook.test', 'Delivered').first().waitFor();

    its.answers = 410;
    await page.getByRole('button', { name: 'Send test' }).click();
    await page.getByText('Disabled', { exact: true }).waitFor();
    await verified();
    await page.getByRole('button', { name: /All deliveries/ }).click();
    await page.getByRole('option', { name: 'Failed' }).click();
    await eventually(() => assert.equal(new URL(page.url()).searchParams.get('state'), 'failed'));
    await failed().first().waitFor();
    await page.getByRole('button', { name: 'Send again what failed' }).click();
    await panel(page).getByRole('button', { name: 'Send again' }).click();
    await panel(page).getByText('Choose a day and a time.').or(panel(page).getByText(/day and a time/)).first().waitFor();
    await panel(page).getByRole('textbox', { name: 'Since: day' }).fill('2026-01-01');
    await accessible(page, 'sending again what failed');
    await panel(page).getByRole('button', { name: 'Send again' }).click();
    await flash(page, /^\d+ events? (is|are) sent again/);
    await page.getByText('There are no deliveries in this state.').waitFor();
    assert.equal(new URL(page.url()).searchParams.get('state'), 'failed'); // the filter stays
  });
});

flow('what failed at a webhook is sent again stretch by stretch, also after a refusal', async ({ open }) => {
  const { webhook } = await ask(provider, 'POST', '/v1/webhooks', { url: 'http://127.0.0.1:1/replay' });
  const page = await open(provider, `/provider/webhooks/${webhook.id}/replay`);
  const asked = [];
  await page.route('**/replay', async (route) => { // a log of more than one stretch takes days to come about
    if (route.request().method() !== 'POST') return route.continue();
    asked.push(route.request().postDataJSON().after);
    if (asked.length === 2) return route.fulfill({ status: 503, json: { message: 'Service Unavailable' } });
    return route.fulfill({ json: asked.length === 1 ? { replayed: 100, after: 'here' } : { replayed: 7, after: null } });
  });
  await panel(page).getByRole('textbox', { name: 'Since: day' }).fill('2026-01-01');
  await panel(page).getByRole('button', { name: 'Send again' }).click();
  await panel(page).getByText('The service is busy').waitFor();
  await panel(page).getByText('100 events are sent again so far').waitFor();
  await panel(page).getByRole('button', { name: 'Send again' }).click();
  await flash(page, '107 events are sent again');
  assert.deepEqual(asked, [null, 'here', 'here']);
  await ask(provider, 'DELETE', `/v1/webhooks/${webhook.id}`);
});

flow('a webhook is edited beside somebody else, gets another secret, is verified again, and removed', async ({ open }) => {
  const c = await customer();
  await receiver(async (its) => {
    const { webhook } = await ask(provider, 'POST', '/v1/webhooks', { url: its.url, description: 'The edited one', customer: c.id });
    const at = `/v1/webhooks/${webhook.id}`;
    const page = await open(provider, `/provider/webhooks/${webhook.id}`);
    await page.getByText('Active', { exact: true }).first().waitFor();
    await page.getByRole('link', { name: c.id }).waitFor();

    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await panel(page).getByRole('textbox', { name: 'Description' }).fill('Edited here');
    await ask(provider, 'PATCH', at, { types: ['grant.*'] }, { 'If-Match': '*' });
    await panel(page).getByRole('button', { name: 'Save' }).click();
    await panel(page).getByText('Events: All events → grant.*').waitFor();
    await accessible(page, 'a webhook that somebody else changed');
    await panel(page).getByRole('button', { name: 'Apply my changes' }).click();
    await flash(page, 'Description: The edited one → Edited here');
    await page.getByRole('heading', { name: 'Edited here', level: 1 }).waitFor();
    const edited = await ask(provider, 'GET', at);
    assert.deepEqual([edited.description, edited.types, edited.status], ['Edited here', ['grant.*'], 'active']);

    await choose(page, 'Edited here', 'Rotate secret');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('For 24 hours what is sent is signed with both').waitFor();
    await dialog.getByRole('button', { name: 'Rotate secret' }).click();
    await dialog.getByText('It is not shown again.').waitFor();
    assert.match(await dialog.locator('code').innerText(), /^whsec_/);
    await dialog.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByText('The former secret signs until').waitFor();
    await page.getByRole('button', { name: 'Send test' }).click();
    await row(page, 'webhook.test').getByText('Delivered').waitFor();
    assert.equal(its.signatures.at(-1), 2);

    its.silent = true;
    await choose(page, 'Edited here', 'Verify again');
    await flash(page, 'Edited here gets another challenge');
    await page.getByText('Unverified', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Send test' }).click();
    await page.getByText('The webhook is not active').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Pause' }).count(), 0);
    its.silent = false;
    await choose(page, 'Edited here', 'Verify again');
    await page.getByText('Active', { exact: true }).first().waitFor();

    await choose(page, 'Edited here', 'Remove');
    await dialog.getByText('Nothing is sent to it any more').waitFor();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await flash(page, 'Edited here is removed');
    await page.getByRole('heading', { name: 'Webhooks', level: 1 }).waitFor();
    assert.equal(await page.getByText('Edited here', { exact: true }).count(), 0);
  });
});

flow('the twentieth webhook has a public key, and there is no other after it', async ({ open }) => {
  const there = (await ask(provider, 'GET', '/v1/webhooks')).items.length;
  for (let i = there; i < 19; i++) await ask(provider, 'POST', '/v1/webhooks', { url: `http://127.0.0.1:1/${i}` });
  const page = await open(provider, '/provider/webhooks/new');
  const form = panel(page);
  await form.getByRole('textbox', { name: 'Address' }).fill('http://127.0.0.1:1/twentieth'); // where nothing answers
  await form.getByRole('radio', { name: /^Ed25519/ }).check();
  await form.getByRole('button', { name: 'Add', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'The public key' });
  assert.match(await dialog.locator('code').innerText(), /^whpk_/);
  await dialog.getByRole('button', { name: 'I have kept it' }).click();
  await page.getByRole('heading', { name: 'http://127.0.0.1:1/twentieth', level: 1 }).waitFor();
  await page.getByText('No answer').waitFor();
  await page.getByText('Unverified', { exact: true }).waitFor();

  await page.goto(`${base}/provider/webhooks/new`);
  await form.getByRole('textbox', { name: 'Address' }).fill('http://127.0.0.1:1/more');
  await form.getByRole('button', { name: 'Add', exact: true }).click();
  await form.getByText('There are as many webhooks as there can be').waitFor();
  await form.getByText('Remove one first.').waitFor();
  await accessible(page, 'twenty webhooks');
  await noWebhooks();
});
