// Takes the README's pictures: BASE=http://127.0.0.1:8080 node scripts/console/shots/take.mjs, of a service that make run has just started. It
// makes a customer of its own with partners in every state.
import { chromium } from 'playwright-core';

const base = process.env.BASE ?? 'http://127.0.0.1:8080';
const provider = { scope: 'partner-access/directory' };
const admin = { email: 'mia@umbra.example' };

async function ask(who, method, path, body) {
  const { token } = await (await fetch(`${base}/_local/token`, { method: 'POST', body: JSON.stringify(who) })).json();
  const response = await fetch(base + path, {
    method, headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', ...(method === 'PATCH' && { 'If-Match': '*' }) },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

const days = (n) => new Date(Date.now() + n * 86_400_000).toISOString();

await ask(provider, 'PUT', '/v1/customers/umbra', { name: 'Umbra Health', domain: 'umbra.example', contacts: ['it@umbra.example'] });
await ask(provider, 'PUT', `/v1/customers/umbra/members/${admin.email}`, { name: 'Mia Moreau', role: 'admin' });
const partners = {};
for (const [id, name, people] of [
  ['aldgate', 'Aldgate Consulting', ['Ida Iversen', 'Noor Nasser', 'Ravi Rao']],
  ['brightline', 'Brightline IT', ['Pia Pohl', 'Quinn Quist']],
  ['corvus', 'Corvus Security', ['Tom Tran', 'Uma Ueda', 'Vic Vale', 'Wes Wu']],
  ['delphi', 'Delphi Analytics', ['Xia Xu']],
  ['evergreen', 'Evergreen Managed Services', ['Yan Yilmaz', 'Zoe Zhu']],
  ['foundry', 'Foundry Partners', ['Abe Adler']],
  ['granite', 'Granite Support', ['Bea Berg']],
]) {
  await ask(provider, 'PUT', `/v1/partners/${id}`, { name, class: 'channel', offer: 'manage', sso: true, contacts: [`ops@${id}.example`] });
  partners[id] = [];
  for (const [i, person] of people.entries()) {
    const email = `${person.split(' ')[0].toLowerCase()}@${id}.example`;
    partners[id].push((await ask(provider, 'POST', `/v1/partners/${id}/users`, { email, name: person, role: i === 0 ? 'owner' : 'tech' })).id);
  }
}
const grants = '/v1/customers/umbra/grants';
await ask(admin, 'POST', grants, { partner: 'aldgate', users: partners.aldgate, level: 'manage' });
await ask(admin, 'POST', grants, { partner: 'brightline', users: partners.brightline, level: 'support', until: days(9) });
await ask(admin, 'POST', grants, { partner: 'corvus', everyone: true, level: 'view', until: days(21) });
await ask(admin, 'POST', grants, { partner: 'delphi', users: partners.delphi, level: 'view', from: days(5), until: days(35) });
await ask(admin, 'POST', grants, { partner: 'evergreen', users: partners.evergreen, level: 'support' });
await ask(admin, 'PATCH', `${grants}/evergreen`, { state: 'suspended' });
await ask(admin, 'POST', grants, { partner: 'foundry', users: partners.foundry, level: 'view' });
await ask(admin, 'DELETE', `${grants}/foundry`);
await ask(admin, 'POST', '/v1/customers/umbra/invitations', { email: 'kai@freelance.example', partner: 'aldgate', level: 'view' });
const { code } = await ask(admin, 'POST', '/v1/customers/umbra/request-policy/code');
await ask({ email: 'bea@granite.example' }, 'POST', '/v1/partners/granite/requests', {
  customer: 'umbra', code, kind: 'access', level: 'support', users: partners.granite, until: days(30), reason: 'Roll out the new scheduling module',
});

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });

async function take(name, email, path, dark) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 760 }, colorScheme: dark ? 'dark' : 'light', timezoneId: 'Europe/Berlin', locale: 'en-GB', reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.addInitScript((who) => sessionStorage.setItem('partner-access.local', who), JSON.stringify({ email }));
  await page.goto(base + path, { waitUntil: 'networkidle' });
  await page.getByRole('heading').first().waitFor();
  await page.screenshot({ path: new URL(`${name}.png`, import.meta.url).pathname });
  await context.close();
}

await take('customer', admin.email, '/customers/umbra/overview', false);
await take('partner', 'ida@aldgate.example', '/partners/aldgate/customers/umbra/people', true);
await browser.close();
