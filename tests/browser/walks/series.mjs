// A series: its revisions by pointer and by keys, what is taken along with it, where it leads.
import { expect, login, look, lookPlain, notice, open, origin, press } from '../walker.mjs';

/// The paths of all revisions of a series, the earliest first.
export async function revisions(page, name) {
  const answer = await page.request.get(`${origin}/api/series/?q=${encodeURIComponent(name)}&per_page=100`);
  const found = (await answer.json()).filter((one) => one.name === name);
  return found.sort((a, b) => a.version - b.version).map(({ id }) => `/project/tidepool/series/${id}/`);
}

/// Goes to another revision: by its key, or where there are no scripts by its link.
async function turn(page, key, label) {
  const { href } = await page.locator(`[data-key="${key}"]`).evaluate(({ href }) => ({ href }));
  expect(await page.locator('#revisions li', { hasText: label }).locator(`[data-key="${key}"]`).count() === 1, key, 'is', label);
  if (page.noscript) await page.locator(`[data-key="${key}"]`).click();
  else await page.keyboard.press(key);
  await page.waitForURL(href);
  return new URL(href).pathname;
}

/// Somebody without an account goes through the revisions of a series and of a patch, and to what builds on them.
export async function follower(page) {
  const [first, second, third] = await revisions(page, 'ring: no more divisions');
  await open(page, third);
  await lookPlain(page, 'series');
  expect(await page.locator('#revisions li').count() === 3, 'three revisions');
  expect(/this one/.test(await page.locator('#revisions [aria-current]').textContent()), 'this one is told');
  expect(await page.locator('[data-key="}"]').count() === 0, 'none is newer than the newest');
  expect(await turn(page, '{', 'v2') === second, 'the second is before the third');
  expect(await turn(page, '{', 'v1') === first, 'the first is before the second');
  expect(await page.locator('[data-key="{"]').count() === 0, 'none is older than the oldest');
  expect(await turn(page, '}', 'v2') === second, 'and back');
  await open(page, third);
  await page.locator('#patches td.c-name a').first().click();
  await page.waitForURL(/\/patch\//);
  await turn(page, '{', 'v2');
  expect(/^\[v2,1\/2\]/.test(await page.locator('h1').textContent()), 'the same patch of v2', await page.locator('h1').textContent());
  await turn(page, '}', 'v3');
  expect(/^\[v3,1\/2\]/.test(await page.locator('h1').textContent()), 'the same patch of v3', await page.locator('h1').textContent());
  await open(page, third);
  await page.locator('aside section', { hasText: 'Needed by' }).getByRole('link', { name: /ring: snapshots/ }).click();
  await page.locator('aside section', { hasText: 'Depends on' }).getByRole('link', { name: /no more divisions/ }).click();
  await page.waitForURL(origin + third);
}

/// A maintainer sees which trailers come along, takes the series, and thanks for it.
export async function taker(page) {
  await login(page, 'mara');
  const path = (await revisions(page, 'Give errors a type')).pop();
  await open(page, path);
  await look(page, 'series');
  const total = await page.locator('#patches tr[data-patch-id]').count();
  const given = (text) => page.locator('#trailers li', { hasText: text });
  expect(await given('Acked-by: Tobias Renner').filter({ hasText: `onto all ${total}` }).count() === 1, 'given to the cover letter, so to all');
  expect(await given('Acked-by: Priya Venkatanarayan').filter({ hasText: 'onto 3' }).count() === 1, 'given to one patch');
  const [apply, shazam] = await page.locator('aside .command code').allTextContents();
  expect(/^curl -s .*\| git am$/.test(apply) && shazam.startsWith('b4 shazam '), 'lines for a terminal', apply, shazam);
  const mbox = await (await page.request.get(apply.match(/https?:[^' ]+/)[0])).text();
  const count = (text) => mbox.split(`\n${text}`).length - 1;
  expect(count('Acked-by: Tobias Renner') === total && count('Acked-by: Priya Venkatanarayan') === 1, 'the line takes all trailers');
  expect(await page.locator('aside .copy').first().isVisible() === !page.noscript, 'a button copies where there are scripts');
  const mail = decodeURIComponent(await page.getByRole('link', { name: 'Reply by mail' }).getAttribute('href'));
  expect(/^mailto:.*@.*In-Reply-To=/i.test(mail), 'a reply knows what it answers', mail.slice(0, 120));
  const thanks = page.getByRole('link', { name: 'Applied, thanks' });
  expect(await thanks.count() === 0, 'no thanks before anything is applied');
  await page.setViewportSize({ width: 390, height: 844 });
  const bar = () => page.locator('#patches .act').evaluate((one) => getComputedStyle(one).position);
  expect(await bar() === 'static', 'on a phone the bar waits below the patches', await bar());
  await page.locator('#patches td.c-box input').first().uncheck();
  expect(await bar() === 'sticky', 'until some of them are picked', await bar());
  await page.locator('#patches td.c-box input').first().check();
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.locator('.act [name=commit_ref]').fill('abcdef0123');
  await press(page, 'Update');
  await notice(page, `${total} patches`);
  expect(decodeURIComponent(await thanks.getAttribute('href')).includes('abcdef0123'), 'thanks name the commit');
  await press(page, 'Undo');
  await notice(page, 'as before');
  await open(page, path);
  expect(await thanks.count() === 0, 'and are taken back');
}

/// A maintainer puts right which revision is before another.
export async function corrector(page) {
  await login(page, 'mara');
  const path = (await revisions(page, 'Give errors a type')).pop();
  const correct = async (text) => {
    await open(page, path);
    await page.getByText('Put revisions right').click();
    await page.locator('[name=earlier]').fill(text);
    await press(page, 'Save');
  };
  await correct('no-such@example.org');
  expect(await page.locator('[name=earlier]').inputValue() === 'no-such@example.org', 'what was entered is kept');
  expect(/no series/.test(await page.locator('#earlier-error').textContent()), 'a wrong one is told beside its field');
  await look(page, 'series-wrong');
  await correct('');
  await notice(page, 'follows no other');
  expect(await page.locator('#revisions').count() === 0, 'it stands alone');
  await page.getByText('Put revisions right').click();
  await press(page, 'Find it anew');
  await notice(page, 'Give errors a type');
  expect(await page.locator('#revisions li').count() === 2, 'it is found anew');
}

/// On a patch n and p go from hunk to hunk, N and P from file to file.
export async function stepper(page) {
  const patches = await (await page.request.get(`${origin}/api/patches/?per_page=100`)).json();
  const details = await Promise.all(patches.map(async ({ id }) => (await page.request.get(`${origin}/api/patches/${id}/`)).json()));
  const parts = ({ diff }, mark) => (diff.match(mark) ?? []).length;
  const many = details.find((one) => parts(one, /^diff --git/gm) > 1 && parts(one, /^@@ /gm) > 2);
  await open(page, new URL(many.web_url).pathname);
  const at = () => page.evaluate(() => document.activeElement.textContent.trim());
  const stops = async (keys) => {
    const seen = [];
    for (const key of keys) {
      await page.keyboard.press(key);
      seen.push(await at());
    }
    return seen;
  };
  const [one, two, back] = await stops(['n', 'n', 'p']);
  expect(one.startsWith('@@') && two.startsWith('@@') && one === back, 'n and p go from hunk to hunk', one, two, back);
  await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
  const paths = await page.locator('details.file > summary .path').allTextContents();
  const files = await stops(['N', 'N', 'P']);
  const expected = [paths[0], paths[1], paths[0]];
  expect(files.every((file, index) => file.startsWith(expected[index])), 'N and P go from file to file', files.join(' | '));
}
