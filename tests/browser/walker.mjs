// What all walks are made of: a browser, a page that is looked at, steps that are counted, and faults that are told.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { AxeBuilder } from '@axe-core/playwright';

const [site, mails, flag, value] = process.argv.slice(2);
export const origin = site;
const shots = value;
const only = flag === '--only' ? value.split(',') : null;
if (flag === '--shots') mkdirSync(shots, { recursive: true });
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
export const password = 'low-tide-at-noon';

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});

let steps = 0;
let faults = 0;
let walk = '';
const fault = (...what) => { faults += 1; console.log('FAULT', walk, ...what); };
export const expect = (is, ...what) => { steps += 1; if (!is) fault(...what); };
const seen = new Set();

/// Lets axe look at a page.
async function judge(page, name, themes) {
  for (const colorScheme of themes) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).withTags(rules).analyze();
    for (const { id, nodes } of violations) fault(name, colorScheme, id, `${nodes.length}x`, nodes[0].html.slice(0, 160));
    if (flag === '--shots') {
      for (const [size, width] of [['phone', 390], ['desktop', 1280], ['wide', 1920]]) {
        await page.setViewportSize({ width, height: 900 });
        await page.screenshot({ path: join(shots, `${name}-${size}-${colorScheme}.png`), fullPage: true });
      }
      await page.setViewportSize({ width: 1280, height: 900 });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  if (width[0] > width[1]) fault(name, `scrolls sideways: ${width[0]} > ${width[1]}`);
}

/// Looks at a page in both themes, each kind of page once.
export async function look(page, name) {
  if (only || seen.has(name) || page.noscript) return;
  seen.add(name);
  await judge(page, name, ['light', 'dark']);
}

/// Looks at a page as it is where no script of ours has run. Axe needs a browser that runs scripts, so ours are kept from it.
export async function lookPlain(page, name) {
  if (only || !page.noscript) return;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, storageState: await page.context().storageState() });
  await context.route('**/*.js', (route) => route.abort());
  const plain = await context.newPage();
  await plain.goto(page.url(), { waitUntil: 'load' });
  await judge(plain, `${name}-plain`, ['light']);
  await context.close();
}

/// The newest mail to an address, once it is there: mail leaves a moment after the page.
export async function mail(to, subject) {
  for (let tries = 0; tries < 100; tries += 1) {
    const texts = readdirSync(mails).filter((name) => name.endsWith('.eml')).sort()
      .map((name) => readFileSync(join(mails, name), 'utf8').replaceAll('=\r\n', '').replaceAll('=3D', '='));
    const found = texts.filter((text) => text.includes(`To: ${to}`) && subject.test(text)).pop();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`no mail to ${to} like ${subject}`);
}

/// The path of the first link of ours in a mail. Its host is the site's, which is not where the test listens.
export const link = (text, part) => new URL(text.match(new RegExp(`https?://\\S*${part}\\S*`))[0]).pathname;

export async function walked(name, how, options, steps) {
  if (only && !only.includes(name)) return;
  walk = name + how;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.noscript = options.javaScriptEnabled === false;
  page.setDefaultTimeout(10_000);
  page.on('pageerror', (error) => fault('script error', error.message));
  page.on('dialog', (dialog) => dialog.accept());
  page.on('response', (response) => { if (response.status() >= 500) fault(response.status(), response.url()); });
  try {
    await steps(page);
  } catch (error) {
    fault(page.url(), error.message.split('\n').slice(0, 3).join(' '));
    if (flag === '--shots') await page.screenshot({ path: join(shots, `fault-${walk.replaceAll(' ', '-')}.png`) });
  }
  await context.close();
}

export const open = (page, path) => page.goto(origin + path, { waitUntil: 'load' });
export const press = (page, name) => page.getByRole('button', { name, exact: true }).first().click();
export const notice = async (page, text) => {
  await page.locator('#notices .notice', { hasText: text }).first().waitFor();
  steps += 1;
};

export async function login(page, username, secret = password) {
  await open(page, '/user/login/');
  await page.getByLabel('Login name or address').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(secret);
  await press(page, 'Log in');
  await page.locator('.menu summary', { hasText: username }).waitFor();
  steps += 1;
}

/// Ends the program: says how much was seen, and fails if anything was wrong.
export async function finish() {
  await browser.close();
  console.log(`${steps} steps, ${faults} faults`);
  process.exit(faults ? 1 : 0);
}
