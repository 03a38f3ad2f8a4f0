import { authorizer, createChecker, credentials, policyAuthorizer, type PolicyResponse, type SimpleResponse } from 'partner-access/authorizer';

interface Event {
  headers?: Record<string, string | undefined>;
  pathParameters?: Record<string, string | undefined>;
}
const access = createChecker('https://api.cloud.example', credentials('https://id.cloud.example/oauth2/token', 'id', 'secret'));
const question = ({ headers, pathParameters }: Event) => ({ user: headers?.['user'] ?? '', action: 'reports:read', customer: pathParameters?.['customer'] ?? '' });

export const handler: (event: Event) => Promise<SimpleResponse> = authorizer(access, question);
export const rest: (event: Event & { methodArn: string }) => Promise<PolicyResponse> = policyAuthorizer(access, (event) => question(event));
