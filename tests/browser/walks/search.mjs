// The search over all mails: what it finds, what it says of a mistake, its help, and where it leads at once.
import { expect, look, lookPlain, open, origin, press } from '../walker.mjs';

const field = (page) => page.locator('form.look-for input[name=q]');

async function ask(page, text) {
  await field(page).fill(text);
  await press(page, 'Search');
  await page.waitForLoadState();
}

/// Somebody looks for a word, for less, for more, and makes a mistake.
export async function seeker(page) {
  await open(page, '/search/');
  await look(page, 'search');
  await lookPlain(page, 'search');
  await ask(page, 'ring');
  await page.locator('ol.hits li').first().waitFor();
  expect(await page.locator('ol.hits li mark').count() > 0, 'what was found is marked');
  await look(page, 'search-found');
  await lookPlain(page, 'search-found');
  const top = await page.locator('ol.hits .title').first().textContent();
  await page.getByRole('link', { name: 'Older' }).click();
  await page.waitForURL(/after=/);
  expect(await page.locator('ol.hits .title').first().textContent() !== top, 'older mails are on another page');
  await page.getByRole('link', { name: 'Newest', exact: false }).last().click();
  await page.getByRole('link', { name: 'Best first' }).click();
  await page.waitForURL(/order=best/);
  await ask(page, 'ring -is:comment');
  expect(await page.locator('ol.hits .facts', { hasText: 'Comment' }).count() === 0, 'comments are left out');
  await page.getByRole('link', { name: 'Drop: -is:comment' }).click();
  await page.waitForURL((url) => url.searchParams.get('q') === 'ring');
  await ask(page, 'zzyzx');
  expect(await page.getByText('Nothing was found.').count() === 1, 'nothing is told');
  await ask(page, 'ring is:shut');
  expect(await page.locator('#fault mark').textContent() === 'is:shut', 'the mistake is shown in its place');
  expect(await field(page).getAttribute('aria-describedby') === 'fault' && await field(page).inputValue() === 'ring is:shut', 'and told at the field');
  await look(page, 'search-fault');
  await lookPlain(page, 'search-fault');
}

/// Somebody reads what can be asked, and tries an example.
export async function learner(page) {
  await open(page, '/search/');
  await page.getByRole('link', { name: 'What can be asked' }).first().click();
  await page.waitForURL(/\/search\/help\//);
  await look(page, 'search-help');
  await lookPlain(page, 'search-help');
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    const spill = await page.locator('.prose dt').evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth).length);
    expect(spill === 0, 'no example lies over its explanation', width, spill);
  }
  if (!page.noscript) {
    await page.keyboard.press('/');
    expect(await page.evaluate(() => document.activeElement.name) === 'q', '/ leads to the search');
    await page.evaluate(() => document.activeElement.blur());
  }
  await page.getByRole('link', { name: 'leak OR overflow', exact: true }).click();
  await page.waitForURL(/\/search\/\?q=/);
  expect(await field(page).inputValue() === 'leak OR overflow', 'an example is a search');
}

/// Somebody pastes what names one mail, and is there.
export async function jumper(page) {
  const [patch] = await (await page.request.get(`${origin}/api/patches/?per_page=1`)).json();
  const path = new URL(patch.web_url).pathname;
  const bare = patch.msgid.replace(/[<>]/g, '');
  for (const text of [patch.msgid, `msgid:${bare}`, `https://lists.example.org/tidepool/${bare}/`, String(patch.id)]) {
    await open(page, '/search/');
    await ask(page, text);
    expect(new URL(page.url()).pathname === path, 'leads to its patch:', text, page.url());
  }
  await open(page, '/project/tidepool/');
  await page.locator('.bar .find input[name=q]').fill(bare);
  await page.keyboard.press('Enter');
  await page.waitForURL(origin + path);
}
