// A fake AuthZEN service, and what the tests of the guards have in common.
import { once } from 'node:events';
import { createServer } from 'node:http';

export const yes = {
  decision: true,
  context: { reason: 'granted', level: 'support', grant: 'grt_1', valid_until: '2027-03-01T00:00:00Z', evaluated_at: '2026-11-22T10:00:00.125Z' },
};
export const no = { decision: false, context: { reason: 'expired', evaluated_at: '2026-11-22T10:00:00.125Z' } };
export const kim = { user: 'kim@contoso.example', action: 'reports:read', customer: 'acme' };

const listening = [];

/** Serves with a listener of node:http until the tests of the file have ended; returns its address. */
export async function listen(handler) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  listening.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}`;
}

export function closeAll() {
  for (const server of listening) {
    server.close();
    server.closeAllConnections();
  }
}

/** An answer of the fake service. */
export const says = (status, body, headers = {}) => (_, res) => {
  res.writeHead(status, headers);
  res.end(typeof body === 'string' ? body : JSON.stringify(body));
};
export const silent = () => {}; // as long as the asker waits
export const cut = (req) => req.socket.destroy();

/** A service that gives each request the next of those answers; the last goes on. It keeps what it was asked. */
export async function serve(...answers) {
  const asked = [];
  const url = await listen(async (req, res) => {
    let text = '';
    for await (const part of req) text += part;
    asked.push({ path: req.url, method: req.method, headers: req.headers, text, body: parsed(text) });
    answers[Math.min(asked.length, answers.length) - 1](req, res, asked.at(-1));
  });
  return { url, asked };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A service that answers each question by its own; a batch, too. */
export const answers = (of) => (_, res, { path, body }) => {
  const question = ({ subject, action, resource }) => ({ user: subject.id, action: action.name, customer: resource.id });
  const answer = path === '/access/v1/evaluation' ? of(question(body)) : { evaluations: body.evaluations.map((e) => of(question(e))) };
  res.writeHead(200, { 'Evaluated-At': '2026-11-22T10:00:00.125Z' });
  res.end(JSON.stringify(answer));
};

/** What a service can answer that is no clear yes and no clear no: each has to be refused. */
export const unclear = {
  'nothing in the answer': says(200, {}),
  'a null decision': says(200, { decision: null }),
  'a decision that is a text': says(200, { decision: 'true' }),
  'a decision that is a number': says(200, { decision: 1 }),
  'a list': says(200, [yes]),
  'null': says(200, null),
  'an error in the context': says(200, { decision: true, context: { error: { status: 400, message: '?' } } }),
  'a context that is a text': says(200, { decision: true, context: 'granted' }),
  'an end that is no time': says(200, { decision: true, context: { valid_until: 'soon' } }),
  'half an answer': says(200, JSON.stringify(yes).slice(0, 20)),
  'a page of a proxy': says(200, '<html>ok</html>'),
  'no content': says(204, ''),
  'a yes that leads elsewhere': says(302, yes, { Location: 'https://elsewhere.example/' }),
  'a refusal': says(403, { status: 403, code: 'forbidden', title: 'Forbidden' }),
  'a refusal of the token': says(401, { message: 'Unauthorized' }),
  'too many requests': says(429, { message: 'Too Many Requests' }),
  'a failure that says yes': says(500, yes),
  'out of service': says(503, { status: 503, code: 'unavailable', title: 'Unavailable' }),
  'no answer': cut,
  'no answer in time': silent,
};
