// News: a page that is looked at says what came since, and moves nothing; a stream tells it at once.
import { expect, look, open, origin } from '../walker.mjs';

/// Hands a mail in as a mail service does.
async function send(head, body) {
  const mail = `From: Ilse Brandt <ilse@example.org>\nList-Id: <tidepool.lists.example.org>\n${head}\n\n${body}\n`;
  const answer = await fetch(`${origin}/inbound/mail/`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${process.env.INBOUND_SECRET}`, 'Content-Type': 'message/rfc822' },
    body: mail,
  });
  expect(answer.ok, 'the mail is taken', answer.status, await answer.text());
}

/// The page looks for news once a minute, and whenever it is turned to again.
const turnTo = (page) => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
const told = (page, text) => page.locator('.live a', { hasText: text }).waitFor();
const places = (page) => page.evaluate(() => [...document.querySelectorAll('h1, tr, section')].map((part) => part.getBoundingClientRect().top));

/// Somebody who leaves pages open.
export async function watcher(page, number) {
  const [id, diff] = [`news-${number}@example.org`, '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b'];
  await open(page, '/project/tidepool/list/?view=flat');
  // A stream tells what comes after it was opened.
  await page.evaluate(() => new Promise((done) => {
    window.heard = [];
    const stream = new EventSource('/events/stream?project=tidepool');
    stream.onmessage = (event) => window.heard.push(JSON.parse(event.data).category);
    stream.onopen = () => done();
  }));
  await turnTo(page);
  expect(await page.locator('.live a').count() === 0, 'there is no news yet');
  const before = await places(page);
  await send(`Subject: [PATCH] buoy: news ${number}\nMessage-Id: <${id}>`, `words\n---\n${diff}`);
  await turnTo(page);
  await told(page, '1 new patch – load');
  expect(String(await places(page)) === String(before), 'nothing has moved');
  await look(page, 'list-with-news');
  await page.waitForFunction(() => window.heard.includes('patch-created'), null, { timeout: 10_000 });
  await page.locator('.live a').click();
  await page.getByRole('link', { name: `buoy: news ${number}` }).waitFor();
  expect(await page.locator('.live a').count() === 0, 'what is shown is no news');

  await open(page, `/project/tidepool/patch/${id}/#replies`);
  await send(`Subject: Re: [PATCH] buoy: news ${number}\nMessage-Id: <re-${id}>\nIn-Reply-To: <${id}>`, 'Fine with me.');
  await turnTo(page);
  await told(page, '1 new reply – load');
  await look(page, 'patch-with-news');
  await page.locator('.live a').focus();
  await page.keyboard.press('Enter');
  await page.locator('.reply', { hasText: 'Fine with me.' }).waitFor();
  await turnTo(page);
  expect(await page.locator('.live a').count() === 0, 'what is shown is no news');
}
