// People walk through the site with a real browser: node walk.mjs ORIGIN MAILDIR [--shots DIR | --only NAME,NAME]
//
// Each walk is told below or in walks/, once as it is with scripts, most also without. A walk that cannot go on is a fault.
// --only takes some of them, and looks at nothing on the way.
// On the way every page is looked at by axe in both themes. Ends with `N steps, M faults` and exit 1 when M is not 0.
import { createHmac } from 'node:crypto';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, finish, link, login, look, mail, notice, open, origin, password, press, walked } from './walker.mjs';
import { chooser, comparer } from './walks/comparison.mjs';
import { attentive } from './walks/dashboard.mjs';
import { curator, keeper } from './walks/filter.mjs';
import { watcher } from './walks/news.mjs';
import { jumper, learner, seeker } from './walks/search.mjs';
import { corrector, follower, stepper, taker } from './walks/series.mjs';
import { settler } from './walks/settings.mjs';

/// Register, confirm by the mail, log in.
async function newcomer(page, name) {
  const address = `${name}@example.com`;
  await open(page, '/register/');
  await look(page, 'register');
  await page.getByLabel('Login name').fill(name);
  await page.getByLabel('Mail address').fill(address);
  await page.getByLabel('Password', { exact: true }).fill('low');
  await press(page, 'Register');
  expect(await page.locator('[aria-invalid="true"]').count() > 0, 'a short password is refused beside its field');
  expect(await page.getByLabel('Login name').inputValue() === name, 'what was entered is kept');
  await look(page, 'register-again');
  await page.getByLabel('Password', { exact: true }).fill('neap tide and spring tide');
  await press(page, 'Register');
  await open(page, link(await mail(address, /\/confirm\//), '/confirm/'));
  await look(page, 'confirm');
  await page.locator('main form button').first().click();
  await page.waitForLoadState();
  await login(page, name, 'neap tide and spring tide');
  await open(page, '/user/');
  await look(page, 'profile');
  await settled(page, name);
}

/// What a device shows of a secret in base 32 (RFC 6238).
function code(secret) {
  const bits = [...secret].map((digit) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(digit).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac('sha1', key).update(step).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/// The sections of somebody's own pages, a token, a second factor and its end.
async function settled(page, name) {
  const secret = 'neap tide and spring tide';
  const section = async (label, shot) => {
    await page.locator('.settings nav a', { hasText: label }).click();
    await page.locator('.settings nav a[aria-current=page]', { hasText: label }).waitFor();
    await look(page, shot);
  };
  await section('Addresses', 'addresses');
  await page.getByLabel('New address').fill(`${name}@example.org`);
  await page.locator('#primary').getByLabel('Your password').fill(secret);
  await page.locator('#primary button[type=submit]').click();
  await notice(page, `A mail is on its way to ${name}@example.org`);
  await look(page, 'addresses-pending');
  await section('Display', 'display');
  await page.getByLabel('Time zone').fill('Europe/Atlantis');
  await press(page, 'Save');
  expect(await page.locator('#time_zone-error').count() === 1, 'a wrong time zone is told beside its field');
  await look(page, 'display-wrong');
  await page.getByLabel('Time zone').fill('Europe/Berlin');
  await page.getByLabel('Colours').selectOption('dark');
  await press(page, 'Save');
  await notice(page, 'Your settings are saved.');
  expect(await page.locator('html').getAttribute('data-theme') === 'dark', 'colours are as chosen');
  await page.getByLabel('Colours').selectOption('');
  await press(page, 'Save');
  await page.locator('html:not([data-theme])').waitFor();
  await section('Tokens', 'tokens');
  await press(page, 'Make a token');
  await page.locator('code.secret').waitFor();
  await look(page, 'token-made');
  await section('Account', 'account');
  await open(page, '/user/delete/');
  await look(page, 'delete');
  await open(page, '/user/second-factor/');
  await look(page, 'second-factor');
  await page.getByLabel('Code').fill(code(await page.locator('input[name=secret]').inputValue()));
  await page.getByLabel('Your password').fill(secret);
  await press(page, 'Turn it on');
  const kept = await page.locator('.codes code').allTextContents();
  expect(kept.length === 10, 'ten codes for a lost device', kept.length);
  await look(page, 'second-factor-codes');
  await page.context().clearCookies();
  await open(page, '/user/login/');
  await page.getByLabel('Login name or address').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(secret);
  await press(page, 'Log in');
  await look(page, 'login-code');
  await page.getByLabel('Code').fill('000000');
  await press(page, 'Log in');
  await page.locator('#code-error').waitFor();
  await page.getByLabel('Code').fill(kept[0]);
  await press(page, 'Log in');
  await page.locator('.menu summary', { hasText: name }).waitFor();
  await open(page, '/user/second-factor/');
  await look(page, 'second-factor-on');
  await page.getByLabel('Your password').fill(secret);
  await page.getByLabel('Code').fill(kept[1]);
  await press(page, 'End the second factor');
  await notice(page, 'The second factor is off');
}

/// A maintainer searches, changes several patches at once, and takes it back.
async function maintainer(page) {
  await login(page, 'mara');
  await open(page, '/project/tidepool/list/?view=flat');
  await look(page, 'list');
  await page.getByLabel('Search', { exact: true }).fill('parse');
  if (page.noscript) await press(page, 'Filter');
  else await page.waitForURL(/q=parse/);
  await page.locator('tr[data-patch-id]').first().waitFor();
  const boxes = page.locator('td.c-box input');
  const ids = await page.locator('tr[data-patch-id]').evaluateAll((rows) => rows.slice(0, 2).map((row) => row.dataset.patchId));
  expect(ids.length === 2, 'two patches are found');
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await page.locator('.act select[name=state]').selectOption({ label: 'Changes Requested' });
  await press(page, 'Update');
  await notice(page, '2 patches');
  await look(page, 'list-changed');
  const state = async (id) => {
    const answer = await page.request.get(`${origin}/api/patches/${id}/`);
    return (await answer.json()).state;
  };
  for (const id of ids) expect(await state(id) === 'changes-requested', 'the state is changed', id);
  await press(page, 'Undo');
  await page.locator('#notices .notice').first().waitFor();
  for (const id of ids) expect(await state(id) !== 'changes-requested', 'the state is as before', id);
}

/// A bundle is made, put in another order, and deleted.
async function bundler(page, name) {
  await login(page, 'mara');
  await open(page, '/project/tidepool/list/?view=flat&state=*&order=name');
  const boxes = page.locator('td.c-box input');
  for (const at of [0, 1, 2]) await boxes.nth(at).check();
  await page.locator('.more-acts summary').first().click();
  await page.locator('.act input[name=name]').fill(name);
  await press(page, 'Create');
  await notice(page, name);
  await open(page, `/bundle/mara/${encodeURIComponent(name)}/`);
  await look(page, 'bundle');
  const order = () => page.locator('tr[data-patch-id]').evaluateAll((rows) => rows.map((row) => row.dataset.patchId));
  const before = await order();
  expect(before.length === 3, 'three patches are in it');
  await page.locator('tr[data-patch-id]').nth(1).getByRole('button', { name: /up/i }).click();
  await page.waitForLoadState();
  await page.waitForFunction((first) => document.querySelector('tr[data-patch-id]').dataset.patchId !== first, before[0]).catch(() => {});
  const after = await order();
  expect(after.join() === [before[1], before[0], before[2]].join(), 'the second is the first now', before.join(), after.join());
  await open(page, '/user/bundles/');
  await look(page, 'bundles');
}

/// Somebody has forgotten the password.
async function forgetful(page, name) {
  await open(page, '/user/password-reset/');
  await look(page, 'password-reset');
  await page.getByLabel(/address/i).first().fill(`${name}@example.com`);
  await page.locator('main form button').first().click();
  await page.waitForLoadState();
  await open(page, link(await mail(`${name}@example.com`, /password-reset/), '/user/password-reset/'));
  await look(page, 'password-set');
  await page.locator('input[name=new_password1]').fill('an ebb and a flow');
  await page.locator('input[name=new_password2]').fill('an ebb and a flow');
  await page.locator('main form button').first().click();
  await page.waitForLoadState();
  await login(page, name, 'an ebb and a flow');
}

/// An administrator sets a site up from nothing: its domain, a project, who gets its patches, a tag.
async function administrator(page, name) {
  await login(page, 'admin');
  await open(page, '/admin/');
  await look(page, 'admin');
  const domain = `${name}.patches.example.org`;
  await open(page, '/admin/sites/site/1/change/');
  await page.locator('[name=domain]').fill(domain);
  await press(page, 'Save');
  await notice(page, 'was changed');
  await open(page, '/admin/patchwork/project/');
  await look(page, 'admin-projects');
  await open(page, '/admin/patchwork/project/add/');
  await look(page, 'admin-project');
  await page.locator('[name=linkname]').fill(name);
  await page.locator('[name=name]').fill(`The ${name} project`);
  await page.locator('[name=list_id]').fill(`${name}.lists.example.org`);
  await page.locator('[name=list_email]').fill(`${name}@lists.example.org`);
  await press(page, 'Save and continue');
  await notice(page, name);
  await page.getByLabel('Path of rule 1').fill('src/*');
  await page.getByLabel('Account of rule 1').selectOption({ label: 'admin (no maintainer)' });
  await press(page, 'Save rules');
  await notice(page, 'rule');
  await page.getByLabel('Who would get these?').fill('src/tide.c');
  await press(page, 'Test the stored rules');
  await notice(page, 'admin');
  await open(page, '/admin/patchwork/tag/add/');
  const abbrev = name.slice(0, 2).toUpperCase();
  await page.locator('[name=name]').fill(`Seen by ${name.slice(0, 4)}`);
  await page.locator('[name=pattern]').fill(`^Seen-by-${name}:`);
  await page.locator('[name=abbrev]').fill(abbrev);
  await press(page, 'Save');
  await notice(page, `Seen by ${name.slice(0, 4)}`);
  const settings = await page.request.get(`${origin}/project/${name}/pwclientrc/`);
  expect((await settings.text()).includes(`url = http://${domain}/api/`), 'settings for clients name the domain', await settings.text());
  await open(page, `/project/${name}/list/`);
  expect(await page.locator('h1').count() === 1, 'the project is there');
  await open(page, '/user/todo/');
  await look(page, 'todo');
}

/// Everything by keyboard: log in, find the list, select a patch, change it, take it back.
async function typist(page) {
  await open(page, '/user/login/');
  for (let at = 0; at < 12 && await page.evaluate(() => document.activeElement.id) !== 'id_username'; at += 1) await page.keyboard.press('Tab');
  await page.keyboard.type('mara');
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await page.locator('.menu summary').waitFor();
  await open(page, '/project/tidepool/list/?view=flat');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  const at = () => page.evaluate(() => document.activeElement.closest('tr')?.dataset.patchId ?? '');
  const id = await at();
  expect(id !== '', 'j goes into the list');
  await page.keyboard.press('x');
  expect(await page.locator(`tr[data-patch-id="${id}"] td.c-box input`).isChecked(), 'x selects');
  await page.keyboard.press('s');
  expect(await page.evaluate(() => document.activeElement.name) === 'state', 's goes to the states');
  await page.keyboard.type('Deferred');
  await page.keyboard.press('Enter');
  if (!(await page.locator('#notices .notice').count())) {
    for (let at = 0; at < 6; at += 1) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(() => document.activeElement.textContent.trim()) === 'Update') break;
    }
    await page.keyboard.press('Enter');
  }
  await notice(page, '1 patch');
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('z');
  await page.waitForFunction(() => !document.querySelector('#notices form'));
  await open(page, '/project/tidepool/list/?view=flat');
  expect(await page.locator(`tr[data-patch-id="${id}"]`).count() === 1, 'it is back');
  await page.keyboard.press('?');
  await page.locator('#keys[open]').waitFor();
  await look(page, 'keys');
  await page.keyboard.press('Escape');
}

/// Selecting with Shift, a series in the flat list, over pages of the list; the bar covers no link by half.
async function selector(page) {
  await login(page, 'mara');
  await open(page, '/user/');
  await page.locator('input[name=items_per_page]').fill('20');
  await page.locator('form:has(input[name=items_per_page]) button[type=submit]').first().click();
  await page.waitForLoadState();
  const list = '/project/tidepool/list/?view=flat&state=*';
  await open(page, list);
  const boxes = page.locator('td.c-box input');
  const told = () => page.locator('.picked output').textContent();
  await boxes.nth(1).click();
  await boxes.nth(4).click({ modifiers: ['Shift'] });
  expect(await told() === '4 selected', 'Shift selects a range', await told());
  await page.keyboard.press('Escape');
  await page.locator('td.c-name a').nth(6).focus();
  await page.keyboard.press('Shift+X');
  expect(await told() === '6 selected', 'X selects as far as here', await told());
  for (const y of [0, 40, 95, 150, 171]) {
    await page.evaluate((top) => scrollTo(0, top), y);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const { violations } = await new AxeBuilder({ page }).withRules(['target-size']).analyze();
    expect(violations.length === 0, 'no link is half under the bar', y, violations[0]?.nodes[0].html.slice(0, 120));
  }
  await look(page, 'list-selected');
  await page.locator('.pager a[rel=next], .pager a').last().click();
  await page.waitForURL(/page=2/);
  expect(await told() === '6 selected, 6 on other pages', 'what is selected stays so on other pages', await told());
  await boxes.nth(0).check();
  expect(await told() === '7 selected, 6 on other pages', 'and is added to', await told());
  const sent = await page.evaluate(() => [...new FormData(document.querySelector('form.bulk')).keys()].filter((name) => name.startsWith('patch_id:')).length);
  expect(sent === 7, 'all of them are sent', sent);
  await page.locator('.act select[name=delegate]').selectOption({ label: 'mara' });
  await press(page, 'Update');
  await page.locator('#notices .notice').first().waitFor();
  expect(/ updated/.test(await page.locator('#notices .notice').first().textContent()), 'they are changed');
  expect(!(await page.locator('.act').isVisible()), 'nothing is selected afterwards');
  await press(page, 'Undo');
  await page.locator('#notices .notice', { hasText: 'as before' }).waitFor();
  await open(page, list);
  const row = page.locator('tr[data-patch-id]:has(.c-series a)').first();
  const series = await row.locator('.c-series a').getAttribute('href');
  await row.locator('td.c-name a').focus();
  await page.keyboard.press('v');
  const shown = await page.locator(`tr[data-patch-id]:has(.c-series a[href="${series}"])`).count();
  expect(await told() === `${shown} selected`, 'v selects the series', await told(), shown);
  await page.keyboard.press('a');
  expect(await page.locator('td.c-box input:checked').count() === await boxes.count(), 'a selects all shown');
  await page.keyboard.press('a');
  expect(await told() === 'All selected', 'a again: all that is found', await told());
  await page.locator('.clear').click();
  expect(!(await page.locator('.act').isVisible()), 'and nothing any more');
  await page.locator('td.c-name a').first().focus();
  await page.keyboard.press('s');
  expect(await page.evaluate(() => document.activeElement.name) === 'state', 's selects the row in hand');
  await page.keyboard.press('3');
  expect(await page.evaluate(() => document.activeElement.selectedIndex) === 3, 'a number chooses a state');
  await page.locator('.clear').click();
}

/// A patch is read side by side, file by file, and changed in its panel without the page being loaded anew.
async function reviewer(page) {
  await login(page, 'mara');
  const patches = await (await page.request.get(`${origin}/api/patches/?per_page=100`)).json();
  const details = await Promise.all(patches.slice(0, 40).map(async ({ url }) => (await page.request.get(url.replace(/^https?:..[^/]+/, origin))).json()));
  const many = details.find(({ diff }) => (diff.match(/^diff --git/gm) ?? []).length > 1) ?? details[0];
  const path = new URL(many.web_url).pathname;
  await open(page, path);
  await look(page, 'patch');
  await page.getByRole('link', { name: 'Split' }).click();
  await page.locator('pre.split').first().waitFor();
  await look(page, 'patch-split');
  const wrap = page.locator('#wrap');
  const space = () => page.locator('pre.split').first().evaluate((lines) => getComputedStyle(lines).whiteSpace);
  expect(await wrap.isChecked() && await space() === 'pre-wrap', 'two columns wrap their lines', await space());
  await wrap.uncheck();
  expect(await space() === 'pre', 'or leave them long', await space());
  await page.emulateMedia({ colorScheme: 'dark' });
  const grounds = await page.evaluate(() => ['#wrap', 'body'].map((one) => getComputedStyle(document.querySelector(one)).backgroundColor));
  expect(grounds[0] === grounds[1], 'an empty box is empty in the dark', grounds.join());
  await page.emulateMedia({ colorScheme: null });
  await wrap.check();
  const copied = await page.evaluate(() => {
    getSelection().removeAllRanges();
    const range = document.createRange();
    const body = document.querySelector('#f1 pre');
    range.selectNodeContents(body);
    getSelection().addRange(range);
    return getSelection().toString();
  });
  const plain = (text) => text.split('\n').map((line) => line.trimEnd()).filter((line) => line).join('\n');
  const file = many.diff.split(/^(?=diff --git)/m).filter((part) => part)[0];
  expect(plain(copied) === plain(file), 'a copy is the plain diff', JSON.stringify([plain(copied).slice(0, 300), plain(file).slice(0, 300)]));
  if (!page.noscript) {
    const side = (name) => page.locator(name).first().boundingBox();
    const [gone, come] = [await side('pre.split .d'), await side('pre.split .a')];
    if (gone && come) expect(come.x > gone.x + 100, 'what comes is at the right', JSON.stringify([gone, come]));
    const viewed = page.locator('.boxed:has(#f1) .viewed input');
    if (await viewed.count()) {
      await viewed.check();
      expect(!(await page.locator('#f1').getAttribute('open').then((open) => open !== null)), 'a viewed file is folded');
      await page.reload();
      expect(await viewed.isChecked() && await page.locator('#f1').getAttribute('open') === null, 'and stays so');
      await viewed.uncheck();
    }
    await page.evaluate(() => { window.here = true; });
  }
  await page.locator('#id_state').selectOption({ label: 'Under Review' });
  await page.locator('.editor input[name=commit_ref]').fill(page.noscript ? 'abc' : 'abcdef0123');
  await page.locator('.editor button.primary').click();
  await notice(page, 'Patch updated');
  expect(await page.locator('#standing .state', { hasText: 'Under Review' }).count() === 1, 'the heading tells the state');
  if (!page.noscript) {
    expect(await page.evaluate(() => window.here && document.activeElement.id) === 'update', 'the page stayed, and the keyboard where it was');
    await page.route('**/patch/**', (route) => (route.request().method() === 'POST' ? route.abort() : route.continue()));
    await page.locator('.editor button.primary').click();
    await notice(page, 'could not be reached');
    await page.unroute('**/patch/**');
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press('i');
    await page.locator('pre.diff:not(.split)').first().waitFor();
  }
  await open(page, '/project/tidepool/list/');
}

/// What lies on the way of readers who have no account.
async function reader(page) {
  for (const [path, name] of [['/', 'front'], ['/project/tidepool/', 'about-project'], ['/project/tidepool/list/', 'queue'],
    ['/about/', 'about'], ['/mail/', 'mail'], ['/user/login/', 'login'], ['/no-such/', 'missing']]) {
    await open(page, path);
    await look(page, name);
    expect(await page.locator('h1').count() === 1, path, 'has one heading');
  }
}

for (const [how, options] of [['', {}], [' without scripts', { javaScriptEnabled: false }]]) {
  const one = how ? 'nell' : 'otto';
  await walked('administrator', how, options, (page) => administrator(page, `${one}-project`));
  await walked('newcomer', how, options, (page) => newcomer(page, one));
  await walked('maintainer', how, options, maintainer);
  await walked('bundler', how, options, (page) => bundler(page, `for ${one}`));
  await walked('reviewer', how, options, reviewer);
  await walked('forgetful', how, options, (page) => forgetful(page, one));
  await walked('keeper', how, options, (page) => keeper(page, `rings of ${one}`));
  await walked('curator', how, options, (page) => curator(page, `rings for ${one}`));
  for (const walk of [follower, taker, corrector, comparer, chooser, seeker, learner, jumper, settler, attentive]) await walked(walk.name, how, options, walk);
}
await walked('watcher', '', {}, (page) => watcher(page, 1));
await walked('stepper', '', {}, stepper);
await walked('typist', '', {}, typist);
await walked('selector', '', {}, selector);
await walked('reader', '', {}, reader);
await finish();
