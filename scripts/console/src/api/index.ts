// Everything about talking to the service, and nothing else: the folder can be lifted out into another front end.
export { answer, createApi, dryRun, etagOf, type Answer, type Api, type ApiOptions, type Schemas } from './client';
export { readExport, type ExportPage, type ExportQuery } from './export';
export { readAll, useCursorPages, type CursorPages, type Page } from './pages';
export { asProblem, Problem, sentence } from './problem';
export { Intent, useSubmit, type Submit } from './submit';
export { verifyWebhook, WebhookError, webhookTolerance, type WebhookHeaders, type WebhookMessage } from './webhook';
