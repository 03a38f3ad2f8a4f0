import { createChecker, credentials, decisionFor, guard } from 'partner-access/next';

const access = createChecker('https://api.cloud.example', credentials('https://id.cloud.example/oauth2/token', 'id', 'secret'));

export const GET = guard(
  access,
  async (request: Request, { params }: { params: Promise<{ customer: string }> }) => ({
    user: request.headers.get('user') ?? '',
    action: 'reports:read',
    customer: (await params).customer,
  }),
  (request) => Response.json(decisionFor(request)?.level ?? null),
);

export const asNextCallsIt: (request: Request, context: { params: Promise<{ customer: string }> }) => Promise<Response> = GET;
