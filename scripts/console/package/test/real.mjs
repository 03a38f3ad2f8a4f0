// Guards in front of the real service, and what they answer: a line of JSON for each question of the arguments.
import { once } from 'node:events';

import express from 'express';
import { createChecker, guard } from 'partner-access/express';

const access = createChecker(process.env.BASE, () => process.env.TOKEN, { timeout: 30_000 });
const app = express();
app.get(
  '/:customer/:action',
  guard(access, (req) => ({ user: req.get('user'), action: req.params.action, customer: req.params.customer })),
  (req, res) => res.json({ status: 200 }),
);
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const ask = async (question) => {
  const [user, action, customer] = question.split('|');
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/${encodeURIComponent(customer)}/${action}`, { headers: { user } });
  const { status, reason = '' } = await answer.json();
  return `${question} ${status} ${reason}`.trim();
};
console.log((await Promise.all(process.argv.slice(2).map(ask))).join('\n')); // at the same moment: they travel together
server.close();
server.closeAllConnections();
