// The hooks in front of the service at BASE, where contoso has access to acme, and KIM with it; ADMIN is acme's.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { createApi } from 'partner-access';
import { PartnerAccess, useGrant, useGrantChanges, useGrants, useMe, usePeople } from 'partner-access/react';
import { createElement } from 'react';
import { create } from 'react-test-renderer';

const { BASE, ADMIN, KIM } = process.env;
const shown = [];
after(() => shown.forEach((root) => root.unmount()));

/** Renders a component that uses hooks, and gives what they last returned. */
async function render(hooks, token = ADMIN) {
  const last = {};
  const Component = () => {
    Object.assign(last, hooks());
    return null;
  };
  shown.push(create(createElement(PartnerAccess, { api: createApi({ baseUrl: BASE, token: () => token }) }, createElement(Component))));
  await until(() => Object.keys(last).length > 0);
  return last;
}

/** Waits until something is so, for a minute at most. */
async function until(is) {
  for (const end = Date.now() + 60_000; !is(); await new Promise((resolve) => setTimeout(resolve, 20))) assert.ok(Date.now() < end, `still not: ${is}`);
}

test('who has signed in, who can come in, and one grant', async () => {
  const last = await render(() => ({ me: useMe(), people: usePeople('acme'), grant: useGrant('acme', 'contoso') }));
  await until(() => last.me.data && last.grant.data && !last.people.loading);
  assert.equal(last.me.data.customers[0].role, 'admin');
  assert.equal(last.grant.data.level, 'support');
  assert.deepEqual(last.people.items.map(({ user }) => user.id ?? user), [KIM]);
});

test('a change is shown at once, on pages', async () => {
  const last = await render(() => ({ grants: useGrants('acme', { limit: 1 }), changes: useGrantChanges('acme') }));
  await until(() => last.grants.items.length === 1);
  assert.equal(last.grants.more, false);
  last.changes.grant.send({ partner: 'fabrikam', level: 'view' });
  await until(() => last.grants.more);
  const names = [last.grants.items[0].partner.id];
  await last.grants.turn(2);
  await until(() => last.grants.page === 2);
  names.push(last.grants.items[0].partner.id);
  assert.deepEqual(names, ['contoso', 'fabrikam']);
  last.changes.revoke.send(last.grants.items[0]);
  await until(() => !last.grants.more && last.grants.pages === 1);
});

test('an edit of what somebody has changed meanwhile is refused', async () => {
  const last = await render(() => ({ grant: useGrant('acme', 'contoso'), changes: useGrantChanges('acme') }));
  await until(() => last.grant.data);
  const before = last.grant.data;
  last.changes.edit.send({ grant: before, change: { note: 'for the audit' } });
  await until(() => last.grant.data.version > before.version);
  last.changes.edit.send({ grant: before, change: { level: 'manage' } });
  await until(() => last.changes.edit.problem);
  assert.deepEqual([last.changes.edit.problem.code, last.changes.edit.problem.status, last.grant.data.level], ['version_mismatch', 412, 'support']);
});

test('a refusal says where and why', async () => {
  const last = await render(() => ({ changes: useGrantChanges('acme') }));
  last.changes.grant.send({ partner: 'contoso', level: 'support', until: '2020-01-01T00:00:00Z' });
  await until(() => last.changes.grant.problem);
  const { problem } = last.changes.grant;
  assert.deepEqual([problem.status, problem.code, problem.at('/until')], [409, 'grant_differs', 'The open grant has another until.']);
});

test('without a token that counts there is a problem', async () => {
  const last = await render(() => ({ me: useMe(), grants: useGrants('acme') }), 'none');
  await until(() => last.me.problem && last.grants.problem);
  assert.deepEqual([last.me.problem.status, last.me.data, last.grants.items], [401, undefined, []]);
});
