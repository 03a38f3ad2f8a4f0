// Runs the blocks of the README as they stand there, in front of the service at BASE, where contoso has access to acme, and the user KIM with it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { after, test } from 'node:test';

import { createElement } from 'react';
import { create } from 'react-test-renderer';
import { Webhook } from 'standardwebhooks';
import ts from 'typescript';

import { closeAll, says, serve } from './service.mjs';

const { BASE, CHECK, ADMIN, KIM } = process.env;
after(closeAll);

/** The blocks by the names in their first lines. */
const blocks = new Map();
for (const [, language, name, text] of readFileSync('node_modules/partner-access/README.md', 'utf8').matchAll(/^```(\w+)\n\/\/ (\S+)\n(.*?)^```$/gms)) {
  const { outputText } = ts.transpileModule(text, { compilerOptions: { module: 'esnext', target: 'es2022', jsx: 'react-jsx' } });
  blocks.set(name, language === 'tsx' ? outputText : text);
}
const lines = (name) => blocks.get(name).split('\n').filter((line) => line.trim() !== '').length;

const { url: tokens } = await serve(says(200, { access_token: CHECK, expires_in: 3600 }));
Object.assign(process.env, { ACCESS_URL: BASE, TOKEN_URL: tokens, CLIENT_ID: 'id', CLIENT_SECRET: 'secret' });
writeFileSync(
  'session.mjs',
  `export const signedIn = ({ headers }) => headers.user ?? headers.get?.('user') ?? undefined;
export const address = process.env.BASE;
export const idToken = () => process.env.ADMIN;
export const ended = [];
export const endSessions = (of) => ended.push(of);
`,
);
const { ended } = await import(new URL('session.mjs', import.meta.url));

/** Runs a block as a module of the project. */
async function load(name) {
  const file = name.replace(/\.tsx$/, '.mjs');
  writeFileSync(file, blocks.get(name));
  return import(new URL(file, import.meta.url));
}

/** Starts a block that listens, and returns its address. */
async function start(name) {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  process.env.PORT = probe.address().port;
  await new Promise((resolve) => probe.close(resolve));
  await load(name);
  const url = `http://localhost:${process.env.PORT}`;
  await until(() => fetch(url).then(() => true, () => false));
  return url;
}

/** Waits until something is so, for a minute at most. */
async function until(is) {
  for (const end = Date.now() + 60_000; !(await is()); await new Promise((resolve) => setTimeout(resolve, 20))) assert.ok(Date.now() < end, `still not: ${is}`);
}

for (const name of ['server.mjs', 'fastify.mjs']) {
  test(`protect an API: ${name}`, async () => {
    assert.ok(lines(name) <= 9, `got ${lines(name)} lines, want nine at most`);
    const url = await start(name);
    const got = async (user, customer) => (await fetch(`${url}/customers/${customer}/reports`, { headers: user ? { user } : {} })).status;
    assert.deepEqual([await got(KIM, 'acme'), await got(KIM, 'globex'), await got('', 'acme')], [200, 403, 401]);
  });
}

test('protect an API: route.mjs', async () => {
  const { GET } = await load('route.mjs');
  const got = async (user, customer) => (await GET(new Request(BASE, { headers: user ? { user } : {} }), { params: Promise.resolve({ customer }) })).status;
  assert.deepEqual([await got(KIM, 'acme'), await got(KIM, 'globex'), await got('', 'acme')], [200, 403, 401]);
});

test('protect an API: authorizer.mjs', async () => {
  const { handler } = await load('authorizer.mjs');
  const got = async (user, customer) => (await handler({ headers: user ? { user } : {}, pathParameters: { customer } })).isAuthorized;
  assert.deepEqual([await got(KIM, 'acme'), await got(KIM, 'globex'), await got('', 'acme')], [true, false, false]);
});

test('show the Partners tab: PartnersTab.tsx', async () => {
  const { PartnersTab } = await load('PartnersTab.tsx');
  const tab = create(createElement(PartnersTab, { customer: 'acme' }));
  const shown = () => JSON.stringify(tab.toJSON());
  const press = (label) => tab.root.findAllByType('button').find(({ children }) => children[0] === label).props.onClick();
  await until(() => shown().includes('"Contoso",": ","support"'));
  press('Only view');
  await until(() => shown().includes('"Contoso",": ","view"'));
  press('Revoke');
  await until(() => tab.root.findAllByType('li').length === 0 && !shown().includes('alert'));
  tab.unmount();
});

test('react to events: receiver.mjs', async () => {
  const url = await start('receiver.mjs');
  process.env.WEBHOOK_SECRET = `whsec_${Buffer.from('a secret of the receiver, 32 bytes').toString('base64')}`;
  const send = (type, data, secret = process.env.WEBHOOK_SECRET) => {
    const body = JSON.stringify({ type: `com.partner-access.${type}.v1`, data });
    const now = new Date();
    const headers = { 'webhook-id': 'evt_1', 'webhook-timestamp': String(Math.floor(now / 1000)), 'webhook-signature': new Webhook(secret).sign('evt_1', now, body) };
    return fetch(`${url}/partner-access`, { method: 'POST', body, headers: { ...headers, 'Content-Type': 'application/cloudevents+json' } });
  };
  assert.deepEqual(await (await send('webhook.verify', { token: 'abc' })).json(), { token: 'abc' });
  const lost = { match: { customer: 'acme', partner: 'contoso' } };
  assert.equal((await send('access.lost', lost)).status, 204);
  assert.equal((await send('access.lost', lost, `whsec_${btoa('somebody else has this one, not us')}`)).status, 401);
  assert.deepEqual(ended, [lost.match]);
});

test('every block is run', () => {
  assert.deepEqual([...blocks.keys()], ['server.mjs', 'fastify.mjs', 'route.mjs', 'authorizer.mjs', 'PartnersTab.tsx', 'receiver.mjs']);
});
