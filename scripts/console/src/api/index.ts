// Everything about talking to the service, and nothing else: the folder can be lifted out into another front end.
export { answer, createApi, dryRun, etagOf, type Answer, type Api, type ApiOptions, type Schemas } from './client';
export { readExport, type ExportPage, type ExportQuery } from './export';
export { Intent } from './intent';
export { readAll, type Page } from './pages';
export { asProblem, Problem, sentence } from './problem';
export { createQueries } from './queries';
export { useSubmit, type Submit } from './submit';
export { useCursorPages, type CursorPages } from './useCursorPages';
export { verifyWebhook, WebhookError, webhookTolerance, type WebhookHeaders, type WebhookMessage } from './webhook';
