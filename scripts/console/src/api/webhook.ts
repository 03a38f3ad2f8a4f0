// Whether a webhook's message is the service's (Standard Webhooks 1.0). For receivers: it needs WebCrypto alone, as browsers, Node and workers have it, and
// no other file of this folder. shared/client/webhook.go does the same in Go.

/** How far the time of a message may be from the receiver's clock, in milliseconds. */
export const webhookTolerance = 5 * 60_000;

const maxSignatures = 10; // of a message: a sender that exchanges its secret makes two

/** A message that nobody who has one of the secrets has sent just now: answer 401 and read none of it. */
export class WebhookError extends Error {
  override name = 'WebhookError';
}

/** What is known of a message beside its body. */
export interface WebhookMessage {
  id: string; // of the event: the same for each attempt, so that a receiver passes over what it has had
  sent: Date; // when this attempt was made, to the second
}

/** Headers as fetch has them, or as Node's http does, with names in lower case. */
export type WebhookHeaders = Headers | Record<string, string | string[] | undefined>;

/**
 * The id and the time of a message that was signed with one of the keys. Its body is the bytes or the text that came: what was parsed and written again is
 * another text. A key is the endpoint's secret (whsec_…) or its public key (whpk_…); while secrets are exchanged there are two. A message that lacks a
 * header, is more than webhookTolerance away from now, or has no signature of one of the keys is a WebhookError; a key that is none is another error.
 */
export async function verifyWebhook(headers: WebhookHeaders, body: string | Uint8Array, keys: string[], now = new Date()): Promise<WebhookMessage> {
  const verifiers = await Promise.all(keys.map(verifierOf));
  if (verifiers.length === 0) throw new Error('there is no key to verify a webhook with');
  const [id, seconds, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => valueOf(headers, name)) as [string, string, string];
  const sent = new Date(Number(seconds) * 1000);
  if (!/^[1-9][0-9]{0,11}$/.test(seconds)) throw new WebhookError('its time is no number of seconds');
  if (Math.abs(sent.getTime() - now.getTime()) > webhookTolerance) throw new WebhookError(`it is of ${sent.toISOString()}, and it is ${now.toISOString()} now`);
  const all = signatures.split(' ');
  if (all.length > maxSignatures) throw new WebhookError(`it has ${all.length} signatures, more than ${maxSignatures}`);
  const message = join(new TextEncoder().encode(`${id}.${seconds}.`), typeof body === 'string' ? new TextEncoder().encode(body) : body);
  for (const text of all) {
    const comma = text.indexOf(',');
    const signature = decode(text.slice(comma + 1));
    if (comma < 0 || !signature) continue;
    for (const { version, algorithm, key } of verifiers) {
      if (version === text.slice(0, comma) && (await crypto.subtle.verify(algorithm, key, signature, message))) return { id, sent };
    }
  }
  throw new WebhookError('no signature is of a key that is known here');
}

function valueOf(headers: WebhookHeaders, name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : headers[name];
  if (typeof value !== 'string' || value === '') throw new WebhookError(`the header ${name} is not there, or not once`);
  return value;
}

interface Verifier {
  version: string;
  algorithm: string;
  key: CryptoKey;
}

// No error quotes a key.
async function verifierOf(text: string): Promise<Verifier> {
  const [kind, encoded] = [text.slice(0, text.indexOf('_') + 1), text.slice(text.indexOf('_') + 1)];
  const bytes = decode(encoded);
  if (kind === 'whsec_' && bytes && bytes.length >= 24 && bytes.length <= 64) {
    const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
    return { version: 'v1', algorithm: 'HMAC', key };
  }
  if (kind === 'whpk_' && bytes?.length === 32) {
    return { version: 'v1a', algorithm: 'Ed25519', key: await crypto.subtle.importKey('raw', bytes, 'Ed25519', false, ['verify']) };
  }
  throw new Error('a key of a webhook is whsec_ and the base64 of 24 to 64 bytes, or whpk_ and that of 32 bytes');
}

/** The bytes of a text in base64 that is written in the one way in which these bytes are written. */
function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const raw = atob(text);
    return btoa(raw) === text ? Uint8Array.from(raw, (c) => c.charCodeAt(0)) : undefined;
  } catch {
    return undefined;
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
