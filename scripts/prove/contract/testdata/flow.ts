// The flow of stack_test.go through the client of hey-api, at the address BASE with the tokens ADMIN and BACK_END.
// The test that runs it sees the exchanges. A failed assertion ends the process with a status that is not 0.
import assert from 'node:assert/strict';
import { createClient } from './hey/client';
import { createGrant, editGrant, evaluate, evaluateAll, getGrant, listGrants, revokeGrant } from './hey';

const { BASE: baseUrl = '', ADMIN, BACK_END, CUSTOMER: customer = '', PARTNER: partner = '', SECOND: second = '', KIM: kim = '',
  OTHER: other = '', ACTION: action = '' } = process.env;
const ann = createClient({ baseUrl, auth: ADMIN });
const backEnd = createClient({ baseUrl, auth: BACK_END });

async function flow() {
  for (const body of [{ email: kim, level: 'support' }, { partner: second, everyone: true, level: 'view' }] as const) {
    const made = await createGrant({ client: ann, path: { customer }, body });
    assert.equal(made.response.status, 201, JSON.stringify(made.error));
  }

  const partners: string[] = [];
  for (let cursor: string | undefined, pages = 0; ;) {
    const page = await listGrants({ client: ann, path: { customer }, query: { limit: 1, cursor } });
    assert.ok(page.data && typeof page.data === 'object', JSON.stringify(page.error));
    assert.ok(page.data.items.length <= 1);
    partners.push(...page.data.items.map((g) => g.partner.id));
    pages++;
    if (page.data.next_cursor === null) {
      assert.ok(pages >= 2);
      break;
    }
    cursor = page.data.next_cursor;
  }
  assert.ok(partners.includes(partner) && partners.includes(second), partners.join());

  const path = { customer, partner };
  const read = await getGrant({ client: ann, path });
  const headers = { 'If-Match': read.response.headers.get('ETag') ?? '' };
  const edited = await editGrant({ client: ann, path, headers, body: { level: 'manage' } });
  assert.ok(edited.data && 'grant' in edited.data, JSON.stringify(edited.error));
  assert.equal(edited.data.grant.level, 'manage');
  const late = await editGrant({ client: ann, path, headers, body: { note: 'too late' } });
  assert.equal(late.response.status, 412);
  assert.ok(late.error && 'code' in late.error);
  assert.equal(late.error.code, 'version_mismatch');

  const check = async () => {
    const asked = await evaluate({
      client: backEnd,
      body: { subject: { type: 'user', id: kim }, action: { name: action }, resource: { type: 'customer', id: customer } },
    });
    assert.ok(asked.data, JSON.stringify(asked.error));
    return asked.data;
  };
  assert.equal((await check()).decision, true);
  const batch = await evaluateAll({
    client: backEnd,
    body: {
      subject: { type: 'user', id: kim },
      action: { name: action },
      evaluations: [{ resource: { type: 'customer', id: customer } }, { resource: { type: 'customer', id: other } }],
    },
  });
  assert.deepEqual(batch.data?.evaluations?.map((e) => e.decision), [true, false], JSON.stringify(batch.error));

  for (const p of [partner, second]) {
    const revoked = await revokeGrant({ client: ann, path: { customer, partner: p } });
    assert.equal(revoked.response.status, 200, JSON.stringify(revoked.error));
  }
  const denied = await check();
  assert.equal(denied.decision, false);
  assert.equal(denied.context.reason, 'ended');
}

flow().catch((e: unknown) => {
  console.error(e);
  process.exitCode = 1;
});
