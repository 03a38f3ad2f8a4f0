// The client of the whole API, without React: the console's own, as scripts/console/src/api has it.
export { answer, createApi, dryRun, etagOf, type Answer, type Api, type ApiOptions, type Schemas } from '../../src/api/client';
export { readExport, type ExportFile, type ExportPage, type ExportQuery } from '../../src/api/export';
export { Intent } from '../../src/api/intent';
export { readAll, type Page } from '../../src/api/pages';
export { asProblem, Problem, problemOf } from '../../src/api/problem';
export type { components, operations, paths } from '../../src/api/schema';
export { verifyWebhook, WebhookError, webhookTolerance, type WebhookHeaders, type WebhookMessage } from '../../src/api/webhook';
