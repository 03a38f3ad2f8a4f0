// Lints an OpenAPI document with Redocly's rules, and ends with 1 when one is broken:
//
//   node scripts/tools/lint-contract.mjs shared/httpapi/openapi.yaml
import { createConfig, formatProblems, getTotals, lint } from '@redocly/openapi-core';

const config = await createConfig({
  extends: ['recommended-strict'],
  rules: { 'no-unused-components': 'off' }, // it does not see references in x-item-schema, nor names in descriptions
});
const problems = await lint({ ref: process.argv[2], config });
if (problems.length > 0) {
  formatProblems(problems, { format: 'codeframe', totals: getTotals(problems), version: '', maxProblems: 50, color: false });
  process.exit(1);
}
