// A receiver in Node: reads deliveries from its input, and answers how each of three verifiers has taken them. See node_test.go.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { CloudEvent, HTTP } from 'cloudevents';
import { Webhook as Standard } from 'standardwebhooks';
import { Webhook as Svix } from 'svix';
import ts from 'typescript';

const source = readFileSync(fileURLToPath(new URL('../../console/src/api/webhook.ts', import.meta.url)), 'utf8');
const { outputText } = ts.transpileModule(source, { compilerOptions: { module: 'esnext', target: 'es2023' } });
const { verifyWebhook, WebhookError } = await import(`data:text/javascript,${encodeURIComponent(outputText)}`);

const { now, deliveries } = JSON.parse(readFileSync(0, 'utf8'));

const headersOf = ({ id, timestamp, signature }) => ({ 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature });

// Each says undefined when it verifies a delivery, else why not.
const verifiers = {
  standardwebhooks: ({ body, keys, ...d }) => failure(() => new Standard(keys[0]).verify(body, headersOf(d))),
  svix: ({ body, keys, ...d }) => failure(() => new Svix(keys[0]).verify(body, headersOf(d))),
  client: ({ body, keys, ...d }) =>
    failure(async () => {
      const { id } = await verifyWebhook(headersOf(d), body, keys, new Date(now));
      if (id !== d.id) throw new Error(`it is ${id}`);
    }, WebhookError),
  cloudevents: ({ body }) =>
    failure(() => {
      const event = HTTP.toEvent({ headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' }, body });
      const strict = new CloudEvent(event.toJSON(), true); // fails where the specification is not followed
      const is = JSON.parse(body);
      for (const name of ['id', 'source', 'type', 'subject', 'sequence', 'partitionkey', 'dataschema']) {
        if (strict[name] !== is[name]) throw new Error(`${name} is ${strict[name]}`);
      }
      if (strict.data.customer !== is.data.customer || strict.data.partner !== is.data.partner) throw new Error('the data is another');
    }),
};

async function failure(run, expected = Error) {
  try {
    await run();
    return undefined;
  } catch (error) {
    return `${error instanceof expected ? '' : 'unexpected: '}${error.name}: ${error.message}`;
  }
}

const answers = [];
for (const d of deliveries) {
  const answer = {};
  for (const by of d.by) answer[by] = (await verifiers[by](d)) ?? '';
  answers.push(answer);
}
console.log(JSON.stringify(answers));
