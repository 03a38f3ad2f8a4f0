// The pages in a vendor's own application: embed/ is the application, at other origins than the pages.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';

import { accessible, ask, base, built, customer, eventually, flow, loose, partner, second, stranger, vendor } from './world.mjs';

const ann = 'ann@acme.example';
const at = (values, of = vendor) => [undefined, `/?${new URLSearchParams({ id: 'acme', as: ann, ...values })}`, { at: of }];

/** The pages in the frame of a vendor's page. */
const shown = (page) => page.frameLocator('iframe');
const inner = (page) => eventually(() => page.frames().find((f) => f.url().startsWith(base)) ?? assert.fail('no frame'));
const events = (page) => page.locator('#events li').allTextContents();
const told = (page, event) => eventually(async () => assert.ok((await events(page)).includes(event), `got ${await events(page)}`));
const heading = (page, name) => shown(page).getByRole('heading', { name, level: 1 }).waitFor();
const acting = (page, who) => shown(page).getByText(`You act as ${who}.`).waitFor();


flow('embedding: the script is at most 3 kB', async () => {
  const { size } = statSync(`${built}/embed.js`);
  console.log(`embed.js: ${size} bytes`);
  assert.ok(size <= 3000, `got ${size} bytes`);
});

for (const [show, side, id, as, name] of [
  ['partners', 'customer', 'acme', ann, 'Partners'],
  ['people', 'customer', 'acme', ann, 'People'],
  ['requests', 'customer', 'acme', ann, 'Requests'],
  ['partners', 'partner', 'contoso', 'olga@contoso.example', 'Customers'],
  ['people', 'partner', 'contoso', 'olga@contoso.example', 'Employees'],
  ['requests', 'partner', 'contoso', 'olga@contoso.example', 'Requests'],
]) {
  flow(`embedding: ${show} of a ${side}, with the application’s token, and it is said for whom`, async ({ open }) => {
    const page = await open(...at({ show, side, id, as }));
    await heading(page, name);
    await acting(page, as);
    await told(page, 'partner-access:ready {}');
    assert.equal(await shown(page).getByRole('navigation').count(), 0, 'the list of pages');
    assert.equal(await shown(page).getByRole('button', { name: /Signed in as/ }).count(), 0, 'the bar at the top');
    if (show === 'partners') await accessible(page);
  });
}

flow('embedding: no token stands in an address, and none is kept', async ({ open }) => {
  const page = await open(...at({ show: 'partners' }));
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.reload();
  await acting(page, ann);
  assert.deepEqual(asked.filter((url) => url.includes('eyJ')), []);
  const frame = await inner(page);
  const kept = await frame.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]));
  assert.doesNotMatch(kept, /eyJ/);
});

flow('embedding: what is granted and revoked in the frame is told to the page, by ids', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  const page = await open(...at({ show: 'partners', id: c.id, as: c.admin.email }));
  await shown(page).getByRole('button', { name: 'Add partner' }).click();
  await shown(page).getByRole('combobox', { name: /Partner or person/ }).fill(p.name);
  await shown(page).getByRole('option', { name: new RegExp(`${p.name} `) }).first().click();
  await shown(page).getByRole('radio', { name: /Everyone/ }).click();
  await shown(page).getByRole('button', { name: 'Add', exact: true }).click();
  await told(page, `partner-access:granted {"customer":"${c.id}","partner":"${p.id}"}`);
  await shown(page).getByRole('button', { name: `Actions for ${p.name}` }).click();
  await shown(page).getByRole('menuitem', { name: /Remove/ }).click();
  await shown(page).getByRole('button', { name: /Yes, remove/ }).click();
  await told(page, `partner-access:revoked {"customer":"${c.id}","partner":"${p.id}"}`);
});

flow('embedding: a link leads on in the frame, and the page around it stays', async ({ open }) => {
  const [c, p] = [await customer(), await partner()];
  await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: p.id, level: 'view' });
  const page = await open(...at({ show: 'partners', id: c.id, as: c.admin.email }));
  const url = page.url();
  await shown(page).getByRole('link', { name: p.name }).click();
  await heading(page, p.name);
  assert.equal(page.url(), url);
});

flow('embedding: the frame is as high as its content, and at most as high as the window', async ({ open }) => {
  const c = await customer();
  const page = await open(...at({ show: 'partners', id: c.id, as: c.admin.email }));
  await page.evaluate(() => {
    window.heights = [];
    window.addEventListener('message', ({ data }) => data.height && window.heights.push(data.height));
  });
  await acting(page, c.admin.email);
  const height = async () => (await page.locator('iframe').boundingBox()).height;
  const low = await height();
  await shown(page).getByRole('button', { name: 'Add partner' }).click(); // a panel needs room
  await eventually(async () => assert.ok((await height()) > low + 100, `got ${await height()}, before ${low}`));
  await shown(page).getByRole('button', { name: 'Cancel' }).click();
  await eventually(async () => assert.equal(await height(), low));
  for (let i = 0; i < 12; i++) await ask(c.admin, 'POST', `/v1/customers/${c.id}/grants`, { partner: (await partner(['Olga Owner'])).id, level: 'view' });
  await page.reload();
  await acting(page, c.admin.email);
  await eventually(async () => assert.ok((await height()) > 600 && (await height()) < 900, `got ${await height()}`));
  await page.setViewportSize({ width: 1280, height: 500 });
  await eventually(async () => assert.equal(await height(), 500)); // the window's
  const heights = await page.evaluate(() => window.heights);
  assert.ok(heights === undefined || heights.length < 10, `told ${heights}`);
});

flow('embedding: language, mode and colours are the application’s, and follow it', async ({ open }) => {
  const page = await open(...at({ show: 'partners', language: 'de-AT', mode: 'dark', accent: '#0b7a53', background: '#101820' }));
  await heading(page, 'Partner');
  await shown(page).getByText(`Sie handeln als ${ann}.`).waitFor();
  const frame = await inner(page);
  const look = () => frame.evaluate(() => {
    const button = [...document.querySelectorAll('main button')].find((b) => /hinzu|Add/.test(b.textContent));
    return { dark: document.body.classList.contains('awsui-dark-mode'), ground: getComputedStyle(document.body).backgroundColor, button: getComputedStyle(button).backgroundColor };
  });
  const dark = await look();
  assert.deepEqual([dark.dark, dark.ground], [true, 'rgb(16, 24, 32)']);
  await accessible(page, 'dark, with colours');
  await page.evaluate(() => {
    const element = document.querySelector('#place > *');
    for (const [name, value] of Object.entries({ language: 'en', mode: 'light', accent: '#ffdd00', background: '#fffaf0' })) element.setAttribute(name, value);
  });
  await heading(page, 'Partners');
  const light = await look();
  assert.deepEqual([light.dark, light.ground], [false, 'rgb(255, 250, 240)']);
  assert.notEqual(light.button, dark.button);
  await accessible(page, 'light, with a colour that is too light for words'); // and is made legible
});

flow('embedding: what is no colour, mode or language changes nothing', async ({ open }) => {
  const plain = await open(...at({ show: 'partners' }));
  await acting(plain, ann);
  const odd = await open(...at({ show: 'partners', language: '../../x', mode: 'x', accent: 'red; --x: url(https://evil.example)', background: 'url(https://evil.example)' }));
  await acting(odd, ann);
  const styles = async (page) => (await inner(page)).evaluate(() => [document.body.className, document.body.getAttribute('style'), document.documentElement.lang]);
  assert.deepEqual(await styles(odd), await styles(plain));
});

flow('embedding: a token that ends, or is not accepted any more, is asked for again, and nobody notices', async ({ open }) => {
  const page = await open(...at({ show: 'partners' }));
  await acting(page, ann);
  await page.evaluate(() => {
    const element = document.querySelector('#place > *');
    const good = element.token;
    window.asked = [];
    element.token = ({ refused }) => {
      window.asked.push(refused);
      return refused ? good() : 'bad.token.x';
    };
  });
  await page.evaluate(() => { // the pages anew, in the same element
    const element = document.querySelector('#place > *');
    element.setAttribute('customer', element.getAttribute('customer'));
  });
  await heading(page, 'Partners');
  await acting(page, ann);
  assert.deepEqual((await page.evaluate(() => window.asked)).slice(0, 2), [false, true]);
  assert.deepEqual((await events(page)).filter((e) => e.includes('error')), []);
});

flow('embedding: no sign-in in the frame: without a token it says so, and asks again', async ({ open }) => {
  const page = await open(...at({ show: 'partners', as: '' }));
  await shown(page).getByText('Your session has ended').waitFor();
  await told(page, 'partner-access:error {"reason":"signed_out"}');
  await accessible(page);
  await page.evaluate((email) => (document.querySelector('#place > *').token = async () => (await fetch(`/token?as=${email}`)).text()), ann);
  await shown(page).getByRole('button', { name: 'Try again' }).click();
  await heading(page, 'Partners');
  const frame = await inner(page);
  for (const path of ['/sign-in', '/invitations', '/provider/partners']) {
    await frame.goto(base + path);
    await heading(page, 'Page not found');
  }
});

flow('embedding: when somebody else uses the application, nothing of who was there before is left', async ({ open }) => {
  const page = await open(...at({ show: 'partners' }));
  await acting(page, ann);
  await page.evaluate(() => (document.querySelector('#place > *').token = async () => (await fetch('/token?as=bob@acme.example')).text()));
  const frame = await inner(page);
  await frame.evaluate(() => (Date.now = () => 4e12)); // the token has ended
  await shown(page).getByRole('searchbox').or(shown(page).getByPlaceholder(/word/)).first().fill('contoso'); // asks the service
  await acting(page, 'bob@acme.example');
  await eventually(async () => assert.equal(await shown(page).getByRole('button', { name: 'Add partner' }).count(), 0)); // a member gets none
});

flow('embedding: the page of an origin that is not allowed shows nothing', async ({ open }) => {
  const page = await open(...at({ show: 'partners' }, stranger).slice(0, 2), { at: stranger, expected: /frame-ancestors|violates the following|refused to connect/i });
  await page.locator('iframe').waitFor();
  await eventually(() => assert.ok(page.frames().some((f) => f.url().startsWith('chrome-error:')), page.frames().map((f) => f.url()).join()));
  assert.deepEqual(await events(page), []);
});

flow('embedding: without its header, the pages themselves refuse an origin that is not allowed', async ({ open }) => {
  const put = (page, token) => page.evaluate(([pages, give]) => {
    window.heard = [];
    const frame = document.body.appendChild(document.createElement('iframe'));
    window.addEventListener('message', ({ source, data }) => {
      if (source !== frame.contentWindow) return;
      window.heard.push(Object.keys(data).filter((k) => k !== 'partnerAccess').join());
      frame.contentWindow.postMessage({ partnerAccess: 1, look: { mode: 'dark' } }, '*');
      frame.contentWindow.postMessage({ partnerAccess: 1, ask: data.ask ?? 1, token: give }, '*');
    });
    frame.src = `${pages}/customers/acme/partners`;
  }, [loose, token]);
  const token = await (await fetch(`${base}/_local/token`, { method: 'POST', body: JSON.stringify({ email: ann }) })).json();
  const frameOf = (page) => eventually(() => page.frames().find((f) => f.url().startsWith(loose)) ?? assert.fail('no frame'));
  for (const [who, starts] of [[second, true], [stranger, false]]) {
    const page = await open(undefined, `/token?as=${ann}`, { at: who }); // a page without a policy
    await put(page, token.token);
    const frame = await frameOf(page);
    await eventually(async () => assert.ok((await page.evaluate(() => window.heard)).includes('ready')));
    if (starts) await frame.getByText(`You act as ${ann}.`).waitFor();
    else {
      await frame.getByText('no application answers that may show these pages').waitFor({ timeout: 25_000 });
      assert.deepEqual(await page.evaluate(() => window.heard), ['ready'], 'it is asked for nothing');
      assert.equal(await frame.evaluate(() => document.body.classList.contains('awsui-dark-mode')), false);
    }
  }
});

flow('embedding: messages of other windows, tokens that nobody asked for and a flood of messages change nothing', async ({ open }) => {
  const page = await open(...at({ show: 'partners' }));
  await acting(page, ann);
  const { token } = await (await fetch(`${base}/_local/token`, { method: 'POST', body: JSON.stringify({ email: 'gil@globex.example' }) })).json();
  await page.evaluate(([give, to]) => {
    const frame = document.querySelector('#place > *').shadowRoot.querySelector('iframe').contentWindow;
    for (let ask = 0; ask < 50; ask++) frame.postMessage({ partnerAccess: 1, ask, token: give }, to);
    for (let i = 0; i < 5000; i++) frame.postMessage({ partnerAccess: 1, look: { mode: i % 2 ? 'light' : 'dark' } }, to);
    for (const odd of [null, 1, 'x', {}, { partnerAccess: 1, look: 1 }, { partnerAccess: 2, look: { mode: 'dark' } }]) frame.postMessage(odd, to);
  }, [token, base]);
  const frame = await inner(page);
  await frame.evaluate(() => { // from its own window, which is not the one around it
    window.postMessage({ partnerAccess: 1, look: { mode: 'dark' } }, location.origin);
  });
  await shown(page).getByRole('button', { name: 'Add partner' }).click();
  await shown(page).getByRole('button', { name: 'Cancel' }).click();
  await acting(page, ann);
  await eventually(async () => assert.equal(await frame.evaluate(() => document.body.classList.contains('awsui-dark-mode')), false));
  // And the element takes nothing from another window.
  const before = await events(page);
  await page.evaluate(() => window.postMessage({ partnerAccess: 1, event: 'granted', detail: {}, height: 5000 }, '*'));
  await page.evaluate(() => new Promise((done) => setTimeout(done)));
  assert.deepEqual(await events(page), before);
});

flow('embedding: an id is never an address', async ({ open }) => {
  for (const id of ['../sign-in', '//evil.example', 'javascript:alert(1)', 'acme?next=x', 'acme/../../x', '', '.', 'acme#x', 'https://evil.example']) {
    const page = await open(...at({ show: 'partners', id }));
    await told(page, 'partner-access:error {"reason":"customer"}');
    assert.equal(await page.locator('iframe').count(), 0, id);
  }
});
