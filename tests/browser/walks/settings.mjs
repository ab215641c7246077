// The settings of a project, for those who maintain it.
import { expect, login, look, lookPlain, notice, open, origin, press } from '../walker.mjs';

const settings = '/project/tidepool/settings/';

/// A maintainer corrects an address, lets newer revisions supersede older ones, and gives patches of some files to somebody.
export async function settler(page) {
  await login(page, 'mara');
  await open(page, '/project/tidepool/');
  await page.getByRole('link', { name: 'Settings of this project' }).click();
  await page.waitForURL(origin + settings);
  await look(page, 'project-settings');
  await lookPlain(page, 'project-settings');
  const website = page.getByLabel('Website');
  const before = await website.inputValue();
  const supersede = page.getByLabel('Make older revisions superseded');
  await website.fill('nowhere');
  await supersede.check();
  await press(page, 'Save');
  expect(await website.getAttribute('aria-invalid') === 'true' && await website.inputValue() === 'nowhere', 'a wrong address is told, and kept');
  await look(page, 'project-settings-wrong');
  await website.fill(before);
  await press(page, 'Save');
  await notice(page, 'The settings were saved');
  expect(await supersede.isChecked(), 'newer revisions supersede');
  await supersede.uncheck();
  await press(page, 'Save');
  await notice(page, 'The settings were saved');
  await page.getByLabel('Path of rule 1').fill('src/*');
  await page.getByLabel('Account of rule 1').selectOption({ label: 'tobias' });
  await press(page, 'Save rules');
  await notice(page, 'rule');
  await page.getByLabel('Who would get these?').fill('src/ring.c');
  await press(page, 'Test the stored rules');
  await notice(page, 'tobias');
  await page.locator('.rules td.gone input').first().check();
  await press(page, 'Save rules');
  await notice(page, 'rule');
  expect(await page.getByLabel('Path of rule 1').inputValue() === '', 'the rule is gone');
}
