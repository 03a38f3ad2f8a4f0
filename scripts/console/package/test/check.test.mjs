import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { createChecker, credentials, Problem } from 'partner-access/check';

import { answers, closeAll, cut, kim, no, says, serve, silent, unclear, yes } from './service.mjs';

after(closeAll);
const token = () => 'secret';

test('a decision says why and until when', async () => {
  const { url, asked } = await serve(says(200, yes));
  assert.deepEqual(await createChecker(`${url}/`, token).check(kim), {
    allowed: true,
    reason: 'granted',
    level: 'support',
    grant: 'grt_1',
    validUntil: new Date('2027-03-01T00:00:00Z'),
    evaluatedAt: new Date('2026-11-22T10:00:00.125Z'),
  });
  assert.equal(asked[0].path, '/access/v1/evaluation');
  assert.equal(asked[0].headers.authorization, 'Bearer secret');
  assert.equal(
    asked[0].text,
    '{"subject":{"type":"user","id":"kim@contoso.example"},"action":{"name":"reports:read"},"resource":{"type":"customer","id":"acme"}}',
  );
});

test('a no is an answer, and no error', async () => {
  const { url } = await serve(says(200, no));
  const { allowed, reason } = await createChecker(url, token).check(kim);
  assert.deepEqual({ allowed, reason }, { allowed: false, reason: 'expired' });
});

for (const [about, answer] of Object.entries(unclear)) {
  test(`is thrown as a Problem: ${about}`, async () => {
    const { url } = await serve(answer);
    await assert.rejects(createChecker(url, token, { tries: 1, timeout: answer === silent ? 100 : 30_000 }).check(kim), Problem);
  });
}

for (const [about, first, sent] of [
  ['no answer', cut, 2],
  ['no answer in time', silent, 2],
  ['half an answer', says(200, '{"decision":tr'), 2],
  ['too many requests', says(429, { message: 'Too Many Requests' }), 2],
  ['out of service', says(503, { status: 503, code: 'unavailable', title: '' }), 2],
  ['a refusal', says(404, { status: 404, code: 'not_found', title: '' }), 1],
  ['a failure', says(500, ''), 1],
]) {
  test(`asks ${sent === 2 ? 'again' : 'once'} after ${about}`, async () => {
    const { url, asked } = await serve(first, says(200, yes));
    const asking = createChecker(url, token).check(kim);
    if (sent === 2) assert.equal((await asking).allowed, true);
    else await assert.rejects(asking, Problem);
    assert.equal(asked.length, sent);
  });
}

test('asks three times, and says what the service said', async () => {
  const { url, asked } = await serve(says(503, { status: 503, code: 'unavailable', title: 'Unavailable', detail: 'later', request_id: 'r1' }));
  await assert.rejects(createChecker(url, token).check(kim), { name: 'Problem', status: 503, code: 'unavailable', requestId: 'r1' });
  assert.equal(asked.length, 3);
});

test('waits as long as the service asks', async () => {
  const { url } = await serve(says(429, {}, { 'Retry-After': '1' }), says(200, yes));
  const began = Date.now();
  assert.equal((await createChecker(url, token).check(kim)).allowed, true);
  assert.ok(Date.now() - began >= 990, `after ${Date.now() - began} ms`);
});

test('does not wait for longer than ten seconds', async () => {
  const { url, asked } = await serve(says(429, {}, { 'Retry-After': '11' }));
  await assert.rejects(createChecker(url, token).check(kim), { status: 429, retryAfter: 11 });
  assert.equal(asked.length, 1);
});

test('questions of the same moment travel together', async () => {
  const { url, asked } = await serve(answers(({ user }) => ({ decision: user.endsWith('7'), context: { reason: user } })));
  const checker = createChecker(url, token);
  await Promise.all(
    Array.from({ length: 120 }, async (_, i) => {
      const { allowed, reason } = await checker.check({ ...kim, user: `u${i}` });
      assert.deepEqual([allowed, reason], [`u${i}`.endsWith('7'), `u${i}`]);
    }),
  );
  assert.deepEqual(asked.map(({ body }) => body.evaluations.length).sort(), [20, 50, 50]);
  assert.ok(asked.every(({ body }) => body.context.record_use === true), 'each is a use of the access, as one that goes alone');
});

test('a question of a batch that has an error fails alone', async () => {
  const { url } = await serve(answers(({ user }) => (user === 'bad' ? { decision: true, context: { error: { status: 400, message: 'no user' } } } : yes)));
  const checker = createChecker(url, token);
  const [bad, good] = await Promise.allSettled([checker.check({ ...kim, user: 'bad' }), checker.check(kim)]);
  assert.deepEqual([bad.status, bad.reason?.detail, good.status, good.value?.allowed], ['rejected', 'no user', 'fulfilled', true]);
  const [first, second] = await checker.checks([{ ...kim, user: 'bad' }, kim]);
  assert.deepEqual([first.allowed, first.problem?.status, second.allowed, second.problem], [false, 400, true, undefined]);
});

test('a question that is too long or no text takes no other along', async () => {
  const { url, asked } = await serve((req, res, is) => (is.text.includes('xxx') ? says(413, '') : answers(() => yes))(req, res, is));
  const checker = createChecker(url, token);
  const all = await Promise.allSettled([
    checker.check({ ...kim, customer: 'x'.repeat(16_000) }),
    checker.check({ ...kim, customer: ['acme', 'globex'] }),
    checker.check({ ...kim, customer: undefined }),
    checker.check({ ...kim, customer: 'half \ud800' }),
    checker.check(kim),
  ]);
  assert.deepEqual(
    all.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected', 'fulfilled', 'fulfilled'],
  );
  assert.ok(asked.every(({ text }) => !text.includes('\\ud800')));
});

test('fewer or more answers than questions are none', async () => {
  for (const evaluations of [[yes], [yes, yes, yes], undefined, {}]) {
    const { url } = await serve(says(200, { evaluations }));
    await assert.rejects(createChecker(url, token).checks([kim, kim]), Problem);
  }
});

test('many questions are batches of a hundred', async () => {
  const { url, asked } = await serve(answers(({ user }) => ({ decision: true, context: { reason: user } })));
  const decisions = await createChecker(url, token).checks(Array.from({ length: 250 }, (_, i) => ({ ...kim, user: `u${i}` })));
  assert.deepEqual(asked.map(({ body }) => body.evaluations.length), [100, 100, 50]);
  assert.ok(asked.every(({ body }) => body.context === undefined), 'a list that is shown is no use of the access');
  assert.deepEqual([decisions[249].reason, decisions[0].evaluatedAt], ['u249', new Date('2026-11-22T10:00:00.125Z')]);
});

test('who gives up takes nobody along', async () => {
  const { url } = await serve(answers(() => yes));
  const checker = createChecker(url, token);
  const gone = new AbortController();
  const first = checker.check(kim, { signal: gone.signal });
  const second = checker.check({ ...kim, user: 'sam' });
  gone.abort(new Error('gone'));
  await assert.rejects(first, /gone/);
  assert.equal((await second).allowed, true);
});

test('an allow is asked for each time', async () => {
  const { url, asked } = await serve(says(200, yes), says(200, no));
  const checker = createChecker(url, token);
  assert.deepEqual([(await checker.check(kim)).allowed, (await checker.check(kim)).allowed, asked.length], [true, false, 2]);
});

test('a token is kept until it ends, and got again when it is refused', async () => {
  let given = 0;
  const tokens = await serve((_, res, { text, headers }) => {
    assert.equal(text, 'grant_type=client_credentials&scope=partner-access%2Fcheck');
    assert.equal(atob(headers.authorization.slice(6)), 'id:s%3Ecret');
    says(200, { access_token: `token${++given}`, expires_in: 3600 })(_, res);
  });
  const ended = new Set();
  const { url } = await serve((req, res, is) => (ended.has(req.headers.authorization) ? says(401, {}) : answers(() => yes))(req, res, is));
  const checker = createChecker(url, credentials(tokens.url, 'id', 's>cret', 'partner-access/check'), { tries: 1 });
  await Promise.all(Array.from({ length: 20 }, (_, i) => checker.checks([{ ...kim, user: `u${i}` }])));
  assert.equal(given, 1);
  ended.add('Bearer token1');
  assert.equal((await checker.check(kim)).allowed, true);
  assert.equal(given, 2);
});

test('without a token there is no answer', async () => {
  const { url, asked } = await serve(says(200, yes));
  for (const answer of [says(400, { error: 'invalid_client' }), says(200, {}), says(200, '<html>'), says(302, '', { Location: url }), cut]) {
    const tokens = await serve(answer);
    await assert.rejects(createChecker(url, credentials(tokens.url, 'id', 'secret'), { tries: 1 }).check(kim), Problem);
  }
  assert.equal(asked.length, 0);
});

test('a request names the trace that it belongs to', async () => {
  const { url, asked } = await serve(answers(() => yes));
  let traces = 0;
  const checker = createChecker(url, token, { trace: () => `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b${++traces}-01` });
  await Promise.all([checker.check(kim), checker.check({ ...kim, user: 'sam' })]);
  await checker.checks([kim]);
  await createChecker(url, token, { trace: () => undefined }).check(kim);
  assert.deepEqual(
    asked.map(({ headers }) => headers.traceparent?.slice(-4)),
    ['1-01', '3-01', undefined],
  );
});
