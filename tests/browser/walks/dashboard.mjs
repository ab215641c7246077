// The dashboard: what waits, what was said, what was decided and can be taken back; and a promise to review.
import { expect, login, look, lookPlain, notice, open, press } from '../walker.mjs';

const dashboard = '/user/todo/?all=1';

/// Marks the new replies as seen.
async function read(page) {
  const button = page.getByRole('button', { name: 'Mark all as seen' });
  if (await button.count()) await button.click();
  await page.locator('#replies', { hasText: 'You have seen every reply.' }).waitFor();
}

/// Promises to review the first series that nobody has on the desk, finds it among what waits, and ends the promise.
async function promise(page) {
  const link = page.locator('#unassigned a[href*="/series/"]').first();
  const [name, path] = [await link.textContent(), await link.getAttribute('href')];
  await link.click();
  await page.locator('.review select[name=days]').selectOption({ label: '2 weeks' });
  await press(page, 'I will review');
  await page.locator('.claim', { hasText: 'mara reviews this until' }).waitFor();
  await look(page, 'series-promised');
  await open(page, dashboard);
  expect(await page.locator('#waiting', { hasText: name.trim() }).count() === 1, 'what was promised waits', name);
  await open(page, path);
  await press(page, 'End the review of mara');
  await page.locator('.claim').waitFor({ state: 'detached' });
}

/// Decides on a patch, and takes that back.
async function decide(page) {
  await open(page, dashboard);
  const link = page.locator('#unassigned td.c-name a').first();
  const name = (await link.textContent()).trim();
  await link.click();
  await page.locator('.editor select[name=state]').selectOption({ label: 'Rejected' });
  await page.locator('.editor').getByRole('button', { name: 'Update' }).click();
  await notice(page, 'updated');
  await open(page, dashboard);
  await look(page, 'dashboard-decided');
  await lookPlain(page, 'dashboard-decided');
  const decided = page.locator('#decided li', { hasText: name });
  await decided.getByRole('button', { name: 'Undo' }).click();
  await page.waitForLoadState('load');
  await decided.waitFor({ state: 'detached' });
  expect(await page.locator('#unassigned td.c-name a', { hasText: name }).count() > 0, 'it waits again', name);
}

export async function attentive(page) {
  await login(page, 'mara');
  await open(page, dashboard);
  await look(page, 'dashboard');
  await read(page);
  await promise(page);
  await decide(page);
}
