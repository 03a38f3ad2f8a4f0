import { answer, createApi, dryRun, etagOf, Problem, readAll, verifyWebhook, WebhookError, type Api, type Schemas } from 'partner-access';

const api: Api = createApi({ baseUrl: 'https://api.cloud.example', token: () => undefined });

export async function grants(customer: string): Promise<Schemas['Grant'][]> {
  return readAll(async (cursor) => (await answer(api.GET('/v1/customers/{customer}/grants', { params: { path: { customer }, query: { cursor } } }))).data);
}

export async function edit(grant: Schemas['Grant']): Promise<number> {
  const path = { customer: grant.customer.id, partner: grant.partner.id };
  try {
    const { plan } = await dryRun(
      api.PATCH('/v1/customers/{customer}/grants/{partner}', {
        params: { path, query: { dry_run: true }, header: { 'If-Match': etagOf(grant) } },
        body: { level: 'view' },
      }),
    );
    return plan.would.status;
  } catch (error) {
    if (error instanceof Problem) return error.retryAfter;
    throw error;
  }
}

// @ts-expect-error: there is no such path
void api.GET('/v1/nothing', {});
// @ts-expect-error: there is no such level
void api.POST('/v1/customers/{customer}/grants', { params: { path: { customer: 'acme' } }, body: { partner: 'contoso', level: 'all' } });

export const received = async (headers: Headers, body: Uint8Array): Promise<Date> => (await verifyWebhook(headers, body, ['whsec_'])).sent;
export const isWebhookError = (error: unknown): boolean => error instanceof WebhookError;
