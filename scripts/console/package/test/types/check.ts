import { createChecker, credentials, Problem, type Checker, type Decision, type Question, type Tokens } from 'partner-access/check';

const tokens: Tokens = credentials('https://id.cloud.example/oauth2/token', 'id', 'secret', 'partner-access/check');
export const access: Checker = createChecker('https://api.cloud.example', tokens, { timeout: 500, tries: 2, fetch });
export const other: Checker = createChecker('https://api.cloud.example', async () => 'token');

const question: Question = { user: 'kim@contoso.example', action: 'reports:read', customer: 'acme' };
export const until = async (): Promise<Date | undefined> => (await access.check(question, { signal: AbortSignal.timeout(10) })).validUntil;
export const all = async (): Promise<Decision[]> => access.checks([question]);
export const code = (error: unknown): string => (error instanceof Problem ? error.code : '');

// @ts-expect-error: a question is of three texts
void access.check({ user: 'kim@contoso.example', action: 'reports:read' });
