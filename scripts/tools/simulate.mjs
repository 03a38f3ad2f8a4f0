// Evaluates calls against policies as IAM does. In, as JSON: {"policies": {role: [document]}, "calls": [{role, action, resource, context}]}.
// Out: for each call "allowed", "denied", or what is wrong with it.
import { json } from 'node:stream/consumers'

import { runSimulation } from '@cloud-copilot/iam-simulate'

const account = '123456789012'
const { policies, calls } = await json(process.stdin)

async function evaluate({ role, action, resource, context }) {
  const got = await runSimulation({
    request: {
      principal: `arn:aws:iam::${account}:role/${role}`, action, resource: { resource, accountId: account }, contextVariables: context ?? {},
    },
    identityPolicies: (policies[role] ?? []).map((policy, i) => ({ name: `${role}-${i}`, policy })),
    serviceControlPolicies: [], resourceControlPolicies: [],
  }, {})
  if (got.resultType === 'error') return JSON.stringify(got.errors)
  const ignored = (got.results ?? [got.result]).flatMap((r) => r.ignoredContextKeys ?? [])
  if (ignored.length > 0) return `IAM does not know ${ignored} of ${action}`
  return got.overallResult === 'Allowed' ? 'allowed' : 'denied'
}

const out = []
for (const call of calls) out.push(await evaluate(call))
process.stdout.write(JSON.stringify(out))
