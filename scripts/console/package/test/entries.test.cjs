// Each entry by import and by require: the same names, and without React but in its own.
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { test } = require('node:test');

const checks = ['createChecker', 'credentials', 'Problem'];
const entries = {
  '': [
    'answer', 'asProblem', 'createApi', 'dryRun', 'etagOf', 'Intent', 'Problem', 'problemOf', 'readAll', 'readExport', 'verifyWebhook', 'WebhookError', 'webhookTolerance',
  ],
  '/check': checks,
  '/express': [...checks, 'decisionFor', 'guard'],
  '/fastify': [...checks, 'decisionFor', 'guard'],
  '/next': [...checks, 'decisionFor', 'guard'],
  '/authorizer': [...checks, 'authorizer', 'policyAuthorizer'],
  '/react': ['PartnerAccess', 'useApi', 'useCursorPages', 'useGrant', 'useGrantChanges', 'useGrants', 'useMe', 'usePeople', 'useSubmit'],
};

for (const [entry, names] of Object.entries(entries)) {
  test(`partner-access${entry} by import and by require`, async () => {
    const by = { import: await import(`partner-access${entry}`), require: require(`partner-access${entry}`) };
    for (const [way, module] of Object.entries(by)) {
      const got = Object.keys(module).filter((name) => name !== 'default' && name !== 'module.exports');
      assert.deepEqual(got.sort(), [...names].sort(), way);
    }
  });
}

test('the package names no further entry', () => {
  const { exports } = require('partner-access/package.json');
  assert.deepEqual(Object.keys(exports).sort(), [...Object.keys(entries).map((e) => `.${e}`), './package.json'].sort());
  assert.throws(() => require('partner-access/chunks/check.cjs'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });
});

test('only the hooks need React', () => {
  const loads = (entry) => `process.stdout.write(String(Object.keys((require('partner-access${entry}'), require.cache)).some((f) => /[\\\\/]react[\\\\/]/.test(f))))`;
  for (const entry of Object.keys(entries)) {
    assert.equal(execFileSync(process.execPath, ['-e', loads(entry)], { encoding: 'utf8' }), String(entry === '/react'), entry);
  }
});
