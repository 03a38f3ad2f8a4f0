import express from 'express';
import { createChecker, credentials, decisionFor, guard, type Decision } from 'partner-access/express';

const access = createChecker('https://api.cloud.example', credentials('https://id.cloud.example/oauth2/token', 'id', 'secret'));
const app = express();
app.get(
  '/customers/:customer/reports',
  guard(access, (req) => ({ user: String(req.headers['user']), action: 'reports:read', customer: req.params.customer })),
  (req, res) => {
    const decision: Decision | undefined = decisionFor(req);
    res.json(decision?.level);
  },
);
app.get(
  '/customers/:customer/insights',
  guard<express.Request<{ customer: string }>>(access, (req) => ({ user: req.get('user') ?? '', action: 'insights:read', customer: req.params.customer })),
);
app.use(guard(access, () => undefined));

// @ts-expect-error: a question names its customer
guard(access, () => ({ user: 'kim', action: 'reports:read' }));
