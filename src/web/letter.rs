//! Mails that a page causes: written in its transaction, counted by whom they go to and who asks for them.

use super::{Error, error::Result, guard::View};
use crate::{
    domain::{Timestamp, User},
    notify::{
        self, address,
        letter::{Grave, HEADERS, Letter},
    },
    store::{self, Conn, Tx, outbox::NewMail, throttle},
};

/// How many mails an address gets within [`MINUTES`], whoever asks for them.
const MOST_TO_ADDRESS: i64 = 5;
/// How many mails may be asked for from one network: many people may share it.
const MOST_FROM_NETWORK: i64 = 30;
const MINUTES: i64 = 60;

/// Counts a mail that somebody asks for. To be called whether or not one is written: how often it may be asked tells
/// nobody which accounts there are.
///
/// # Errors
/// When there were too many of late.
pub async fn count(view: &View<'_>, tx: &mut Tx, to: &str, now: Timestamp) -> Result<()> {
    let to = to.to_lowercase();
    count_one(tx, &format!("mail to {to}"), MOST_TO_ADDRESS, now).await?;
    match view.counted_from() {
        Some(from) => count_one(tx, &format!("mails from {from}"), MOST_FROM_NETWORK, now).await,
        None => Ok(()),
    }
}

/// Counts that somebody registers, whatever comes of it: it tells which login names are taken.
///
/// # Errors
/// When it was tried too often of late from this network.
pub async fn count_registration(view: &View<'_>, tx: &mut Tx, now: Timestamp) -> Result<()> {
    match view.counted_from() {
        Some(from) => {
            let counter = format!("registrations from {from}");
            count_one(tx, &counter, MOST_FROM_NETWORK, now).await
        }
        None => Ok(()),
    }
}

async fn count_one(tx: &mut Tx, counter: &str, most: i64, now: Timestamp) -> Result<()> {
    let tries = throttle::count(tx, counter, MINUTES, now).await?;
    match tries.count > most {
        true => Err(Error::TooOften(tries.seconds_left)),
        false => Ok(()),
    }
}

/// Tells the owner of an account what was done to it: it may have been somebody else.
///
/// # Errors
/// When the database is away or refuses.
pub async fn tell(
    view: &View<'_>,
    tx: &mut Tx,
    user: &User,
    what: Grave,
    now: Timestamp,
) -> Result<()> {
    let write = |site: &str, username: &str| notify::letter::grave(site, username, what);
    inform(view, tx, user, write, now).await
}

/// Mails an account's address what `write` makes of the site and the account's name, if mail can reach it.
///
/// # Errors
/// When the database is away or refuses.
pub async fn inform(
    view: &View<'_>,
    tx: &mut Tx,
    user: &User,
    write: impl Fn(&str, &str) -> Letter,
    now: Timestamp,
) -> Result<()> {
    if !notify::is_deliverable(&user.email) {
        return Ok(());
    }
    let site = site(view, tx).await?;
    let letter = write(&site, &user.username);
    send(view, tx, &user.email, &letter, now).await
}

/// Writes a mail; it leaves after the commit.
pub async fn send(
    view: &View<'_>,
    tx: &mut Tx,
    to: &str,
    letter: &Letter,
    now: Timestamp,
) -> Result<()> {
    let mail = NewMail {
        sender: &view.options().mail_from,
        recipient: to,
        subject: &letter.subject,
        headers: HEADERS,
        content: &letter.text,
        created: now,
    };
    Ok(store::outbox::insert(tx, &mail).await?)
}

/// Returns the address of the site as mails name it, without a slash at its end.
pub async fn site(view: &View<'_>, conn: &mut Conn) -> Result<String> {
    let options = view.options();
    let url = options.site_url.as_deref();
    let base = view.links().base();
    Ok(address::of_site(conn, url, options.force_https, base).await?)
}
