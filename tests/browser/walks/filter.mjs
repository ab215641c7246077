// Saved filters: somebody's own, and a project's that everybody sees.
import { expect, login, look, lookPlain, notice, open, origin, press } from '../walker.mjs';

const list = '/project/tidepool/list/';
const query = '?state=*&q=ring';
/// What somebody without an account gets.
const anonymous = async (path) => (await fetch(origin + path)).text();
const above = (page, name) => page.locator('nav.saved').getByRole('link', { name, exact: true });

/// Saves what the list shows.
async function save(page, name, isProjects) {
  await open(page, list + query);
  await page.getByRole('link', { name: 'Save this filter' }).click();
  await page.waitForURL(/\/filter\//);
  await page.getByLabel('Name').fill(name);
  if (isProjects) await page.getByLabel('Whose').selectOption('project');
  await look(page, isProjects ? 'filter-of-project' : 'filter');
  await lookPlain(page, isProjects ? 'filter-of-project' : 'filter');
  await press(page, 'Save');
  await notice(page, `“${name}” is saved`);
  expect(await above(page, name).getAttribute('aria-current') === 'true', 'it is above the list, and is what is shown');
}

/// Opens it from its page, and its feed.
async function use(page, name) {
  await open(page, '/project/tidepool/filter/');
  await look(page, 'filters');
  await lookPlain(page, 'filters');
  const feed = await page.getByRole('link', { name: `Atom feed of ${name}` }).getAttribute('href');
  const answer = await fetch(new URL(feed, page.url()));
  const text = await answer.text();
  expect(/atom\+xml/.test(answer.headers.get('content-type')) && /<entry>/.test(text), 'its feed needs no account', text.slice(0, 120));
  await page.locator('table.own').getByRole('link', { name, exact: true }).click();
  await page.waitForURL((url) => url.pathname === list && url.searchParams.get('q') === 'ring');
  expect(await page.getByLabel('Search', { exact: true }).inputValue() === 'ring', 'the list is what was saved');
}

async function remove(page, path, name) {
  await open(page, path);
  await page.getByRole('button', { name: `Delete ${name}` }).click();
  await notice(page, `“${name}” is deleted`);
  await open(page, list + query);
  expect(await above(page, name).count() === 0, 'it is gone');
}

/// Somebody who maintains nothing saves a filter, saves it again, follows it, and deletes it in the profile.
export async function keeper(page, name) {
  await login(page, 'ci');
  await open(page, `/project/tidepool/filter/${query}`);
  expect(await page.getByLabel('Whose').count() === 0, 'it can only be their own');
  await save(page, name, false);
  await save(page, name, false);
  expect(!(await anonymous(list)).includes(name), 'others do not see it');
  await use(page, name);
  await open(page, '/user/');
  expect(await page.locator('#filters tbody tr').count() === 1, 'one of the same name was replaced');
  await look(page, 'profile-with-filter');
  await remove(page, '/user/', name);
}

/// A maintainer saves a filter for the project: it is there for everybody, and only maintainers delete it.
export async function curator(page, name) {
  await login(page, 'mara');
  await save(page, name, true);
  expect((await anonymous(list)).includes(name), 'everybody sees it');
  await page.context().clearCookies();
  await login(page, 'ci');
  await use(page, name);
  await open(page, '/project/tidepool/filter/');
  expect(await page.getByRole('button', { name: `Delete ${name}` }).count() === 0, 'others cannot delete it');
  await page.context().clearCookies();
  await login(page, 'mara');
  await remove(page, '/project/tidepool/filter/', name);
}
