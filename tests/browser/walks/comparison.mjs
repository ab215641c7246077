// What changed between two revisions: of a series, of a patch, as page and as text.
import { expect, look, lookPlain, open, origin } from '../walker.mjs';
import { revisions } from './series.mjs';

/// A reader compares the last two revisions of a series.
export async function comparer(page) {
  const [old, latest] = await revisions(page, 'Give errors a type');
  await open(page, latest);
  await page.getByRole('link', { name: 'compare with v1' }).click();
  await page.waitForURL(/\/series\/\d+\/diff\/\d+\//);
  await look(page, 'comparison');
  await lookPlain(page, 'comparison');
  const rows = page.locator('table.range tbody tr');
  const signs = await rows.locator('.sign').allTextContents();
  for (const sign of ['=', '!', '<']) expect(signs.includes(sign), 'a patch with', sign);
  expect(await rows.filter({ hasText: 'dropped' }).count() === 1, 'signs are words, too');
  expect(await page.locator('details.pair').count() === signs.filter((sign) => sign === '!').length, 'each changed patch can be unfolded');
  await rows.filter({ hasText: 'changed' }).first().getByRole('link').click();
  await page.waitForURL(/#p\d+$/);
  const [only, both] = await Promise.all(['.new', '.both.a'].map((kind) => page.locator(`pre.inter ${kind}`).first()
    .evaluate((line) => getComputedStyle(line).backgroundColor)));
  expect(only !== both, 'what only one revision has stands on another ground', only, both);
  const href = await page.getByRole('link', { name: 'as text' }).getAttribute('href');
  const raw = await page.request.get(new URL(href, page.url()).href);
  const text = await raw.text();
  expect(raw.headers()['content-type'].startsWith('text/plain') && /^1: .* ! 1: /.test(text), 'the same as text', text.slice(0, 80));
  if (!page.noscript) await keys(page);
  await page.locator('.crumbs a[data-key="u"]').click();
  await page.waitForURL(origin + latest);
  const missing = await page.request.get(`${origin}${old}diff/999999/`);
  expect(missing.status() === 404, 'a series that is not there is not compared', missing.status());
}

async function keys(page) {
  await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
  const at = () => page.evaluate(() => document.activeElement.closest('details.pair')?.id);
  await page.keyboard.press('N');
  const first = await at();
  await page.keyboard.press('N');
  const second = await at();
  await page.keyboard.press('P');
  expect(first && second && first !== second && await at() === first, 'N and P go from patch to patch', first, second);
  await page.keyboard.press('n');
  expect(await page.evaluate(() => document.activeElement.textContent.startsWith('@@')), 'n goes to a hunk');
  await page.keyboard.press('w');
  expect(await page.locator('#wrap').isChecked(), 'w wraps lines');
  const wraps = await page.locator('pre.inter').evaluateAll((all) => all.every((one) => one.scrollWidth <= one.clientWidth));
  expect(wraps, 'and none is cut off');
}

/// A reader chooses what to compare with, and compares one patch.
export async function chooser(page) {
  const [first, second, third] = await revisions(page, 'ring: no more divisions');
  const id = (path) => path.match(/\d+/)[0];
  await open(page, `${first}diff/${id(third)}/`);
  const others = page.getByRole('navigation', { name: 'Compare with another revision' });
  expect(await others.locator('[aria-current]').textContent() === 'v1', 'compared with v1');
  await others.getByRole('link', { name: 'v2' }).click();
  await page.waitForURL(`${origin}${second}diff/${id(third)}/`);
  await look(page, 'comparison-of-three');
  await open(page, third);
  await page.locator('#patches td.c-name a').nth(1).click();
  await page.getByRole('link', { name: 'compare with v2' }).click();
  await page.waitForURL(/\/patch\/.*\/diff\//);
  await look(page, 'comparison-of-patches');
  await lookPlain(page, 'comparison-of-patches');
  expect(/^Changes: /.test(await page.locator('h1').textContent()), 'what changed in one patch');
}
