// Each guard over HTTP, in a server of its framework, in front of a fake service.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import express from 'express';
import fastify from 'fastify';
import { authorizer, policyAuthorizer } from 'partner-access/authorizer';
import { createChecker } from 'partner-access/check';
import { decisionFor as decisionInExpress, guard as inExpress } from 'partner-access/express';
import { decisionFor as decisionInFastify, guard as inFastify } from 'partner-access/fastify';
import { decisionFor as decisionInNext, guard as inNext } from 'partner-access/next';

import { closeAll, kim, listen, no, says, serve, silent, unclear, yes } from './service.mjs';

const apps = [];
after(async () => {
  closeAll();
  await Promise.all(apps.map((app) => app.close()));
});

/** Who has signed in, by a test's header. */
function questionOf(headers, customer) {
  if (headers.user === 'thrown') throw new Error('the session cannot be read');
  if (headers.user === 'rejected') return Promise.reject(new Error('the session cannot be read'));
  return headers.user ? { ...kim, user: headers.user, customer } : undefined;
}

const served = ({ level }) => ({ level });

/** A checker that asks once, and gives up soon only where it has to: a slow machine is no reason to refuse. */
const checkerOf = (url, answer) => createChecker(url, () => 'secret', { tries: 1, timeout: answer === silent ? 100 : 30_000 });

/** The servers by their frameworks: each has its guarded page at /customers/acme/reports and counts how often it was served. */
const frameworks = {
  async express(checker, served) {
    const app = express();
    app.get(
      '/customers/:customer/reports',
      inExpress(checker, (req) => questionOf(req.headers, req.params.customer)),
      (req, res) => res.json(served(decisionInExpress(req))),
    );
    return listen(app);
  },
  async fastify(checker, served) {
    const app = fastify();
    apps.push(app);
    app.get(
      '/customers/:customer/reports',
      { onRequest: inFastify(checker, (request) => questionOf(request.headers, request.params.customer)) },
      async (request) => served(decisionInFastify(request)),
    );
    return app.listen({ port: 0, host: '127.0.0.1' });
  },
  async next(checker, served) {
    const GET = inNext(
      checker,
      async (request, { params }) => questionOf(Object.fromEntries(request.headers), (await params).customer),
      (request) => Response.json(served(decisionInNext(request))),
    );
    return listen(async (req, res) => {
      const customer = /^\/customers\/([^/]+)\/reports$/.exec(req.url)?.[1];
      const answer = await GET(new Request(`http://127.0.0.1${req.url}`, { headers: req.headers }), { params: Promise.resolve({ customer }) });
      res.writeHead(answer.status, Object.fromEntries(answer.headers));
      res.end(await answer.text());
    });
  },
};

const refusals = {
  401: '{"title":"Unauthorized","status":401,"reason":"unauthenticated"}',
  403: '{"title":"Forbidden","status":403,"reason":"expired"}',
  503: '{"title":"Service Unavailable","status":503,"reason":"unanswered"}',
};

const cases = [
  { about: 'granted', user: 'kim', answer: says(200, yes), status: 200 },
  { about: 'denied', user: 'kim', answer: says(200, no), status: 403 },
  { about: 'nobody', user: '', answer: says(200, yes), status: 401 },
  { about: 'a question that is thrown', user: 'thrown', answer: says(200, yes), status: 401 },
  { about: 'a question that is rejected', user: 'rejected', answer: says(200, yes), status: 401 },
  { about: 'a failure', user: 'kim', answer: says(500, ''), status: 503 },
  ...Object.entries(unclear).map(([about, answer]) => ({ about, user: 'kim', answer, status: 503 })),
];

for (const [name, start] of Object.entries(frameworks)) {
  for (const { about, user, answer, status } of cases) {
    test(`${name}: ${about} is ${status}`, async () => {
      const { url, asked } = await serve(answer);
      let times = 0;
      const app = await start(checkerOf(url, answer), (decision) => {
        times++;
        return served(decision);
      });
      const got = await fetch(`${app}/customers/acme/reports`, { headers: user ? { user } : {} });
      assert.equal(got.status, status);
      assert.equal(times, status === 200 ? 1 : 0);
      if (answer !== silent) assert.equal(asked.length, status === 401 ? 0 : 1);
      if (status === 200) {
        assert.deepEqual(await got.json(), { level: 'support' });
        assert.deepEqual(asked[0].body, { subject: { type: 'user', id: 'kim' }, action: { name: 'reports:read' }, resource: { type: 'customer', id: 'acme' } });
        return;
      }
      assert.equal(await got.text(), refusals[status]);
      assert.equal(got.headers.get('Content-Type'), 'application/problem+json');
      assert.equal(got.headers.get('Cache-Control'), 'no-store');
      assert.equal(got.headers.get('Retry-After'), status === 503 ? '1' : null);
    });
  }

  test(`${name}: a checker of one's own that does worse is refused`, async () => {
    for (const check of [() => ({ allowed: 'true' }), () => undefined, () => ({ allowed: true, problem: new Error() }), () => Promise.reject(), () => assert.fail()]) {
      const app = await start({ check }, () => assert.fail('it was served'));
      const { status } = await fetch(`${app}/customers/acme/reports`, { headers: { user: 'kim' } });
      assert.ok(status === 403 || status === 503, `got ${status}`);
    }
  });
}

const event = (user, more) => ({ headers: user ? { user } : {}, pathParameters: { customer: 'acme' }, ...more });
const asks = ({ headers, pathParameters }) => questionOf(headers, pathParameters.customer);
const context = { reason: 'granted', level: 'support', grant: 'grt_1', valid_until: '2027-03-01T00:00:00.000Z' };

for (const { about, user, answer, status } of cases) {
  test(`authorizer of an HTTP API: ${about}`, async () => {
    const { url } = await serve(answer);
    const handler = authorizer(checkerOf(url, answer), asks);
    const got = handler(event(user));
    if (status === 503) await assert.rejects(got, /the check was not answered/);
    else assert.deepEqual(await got, status === 200 ? { isAuthorized: true, context } : { isAuthorized: false, context: {} });
  });

  test(`authorizer of a REST API: ${about}`, async () => {
    const { url } = await serve(answer);
    const handler = policyAuthorizer(checkerOf(url, answer), asks);
    const methodArn = 'arn:aws:execute-api:eu-central-1:123456789012:abc/prod/GET/customers/acme/reports';
    const got = handler(event(user, { methodArn }));
    if (status === 503) return assert.rejects(got, /the check was not answered/);
    if (status === 401) return assert.rejects(got, { message: 'Unauthorized' });
    const { principalId, policyDocument, context: is } = await got;
    assert.deepEqual([principalId, policyDocument.Statement], ['kim', [{ Action: 'execute-api:Invoke', Effect: status === 200 ? 'Allow' : 'Deny', Resource: methodArn }]]);
    assert.deepEqual(is, status === 200 ? context : {});
  });
}
