// Looks at pages with a real browser: node pages.mjs ORIGIN [--shots DIR] PATH...
//
// Every page at phone and desktop width, in both themes, and without scripts: no accessibility violation,
// no sideways scrolling, no request to another host, no failed request, no script error.
// Ends with `N pages, M faults` and exit 1 when M is not 0.
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { AxeBuilder } from '@axe-core/playwright';

const words = process.argv.slice(2);
const origin = words.shift();
const shots = words[0] === '--shots' ? words.splice(0, 2)[1] : null;
if (shots) mkdirSync(shots, { recursive: true });

const looks = {
  'phone-light': { viewport: { width: 390, height: 844 }, colorScheme: 'light' },
  'phone-dark': { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
  'desktop-light': { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
  'desktop-dark': { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
  'noscript': { viewport: { width: 320, height: 700 }, javaScriptEnabled: false },
};
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

// A browser that phones home would fail every request here, and slowly.
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});

let faults = 0;
const fault = (...what) => { faults += 1; console.log('FAULT', ...what); };

async function look(path, name, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const expected = path.includes('no-such') ? 404 : 200;
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) fault(path, name, 'asks outside', request.url());
  });
  page.on('response', (response) => {
    const own = new URL(response.url()).pathname === new URL(origin + path).pathname;
    if (response.status() >= 400 && !(own && response.status() === expected)) fault(path, name, response.status(), response.url());
  });
  page.on('pageerror', (error) => fault(path, name, error.message));
  page.on('console', (message) => { if (message.type() === 'error' && expected === 200) fault(path, name, message.text()); });
  await page.goto(origin + path, { waitUntil: 'load' });
  if (options.javaScriptEnabled !== false) {
    const width = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    if (width[0] > width[1]) fault(path, name, `scrolls sideways: ${width[0]} > ${width[1]}`);
    const { violations } = await new AxeBuilder({ page }).withTags(rules).analyze();
    for (const { id, nodes } of violations) fault(path, name, id, `${nodes.length}x`, nodes[0].html.slice(0, 120));
  }
  if (shots) await page.screenshot({ path: `${shots}/${path.replaceAll(/[^a-z0-9]+/gi, '-')}${name}.png` });
  await context.close();
}

for (const path of words) {
  for (const [name, options] of Object.entries(looks)) await look(path, name, options);
}
await browser.close();
console.log(`${words.length} pages, ${faults} faults`);
process.exit(faults ? 1 : 0);
