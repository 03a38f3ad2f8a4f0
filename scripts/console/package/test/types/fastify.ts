import fastify from 'fastify';
import { createChecker, credentials, decisionFor, guard } from 'partner-access/fastify';

const access = createChecker('https://api.cloud.example', credentials('https://id.cloud.example/oauth2/token', 'id', 'secret'));
const app = fastify();
app.get<{ Params: { customer: string } }>(
  '/customers/:customer/reports',
  { onRequest: guard(access, (request) => ({ user: String(request.headers['user']), action: 'reports:read', customer: request.params.customer })) },
  async (request) => decisionFor(request)?.level,
);
app.addHook('preHandler', guard(access, async () => undefined));
