// Takes the README's pictures: BASE=http://127.0.0.1:8080 node scripts/console/shots/take.mjs, of a service that make run has just started with
// its demo data (scripts/local/seed).
import { chromium } from 'playwright-core';

const base = process.env.BASE ?? 'http://127.0.0.1:8080';
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

await take('customer', 'mia@umbra.example', '/customers/umbra/overview', false);
await take('partner', 'ida@aldgate.example', '/partners/aldgate/customers/umbra/people', true);
await browser.close();
