//! Mails that a page causes: written in its transaction, counted by whom they go to and who asks for them.

use super::{Error, error::Result, guard::View};
use crate::{
    domain::Timestamp,
    notify::{
        address,
        letter::{HEADERS, Letter},
    },
    store::{self, Conn, Tx, outbox::NewMail, throttle},
};

/// How many mails an address gets within [`MINUTES`], whoever asks for them.
const MOST_TO_ADDRESS: i64 = 5;
/// How many mails may be asked for from one network address: many people may share it.
const MOST_FROM_ADDRESS: i64 = 30;
const MINUTES: i64 = 60;

/// Counts a mail that somebody asks for. To be called whether or not one is written: how often it may be asked tells
/// nobody which accounts there are.
///
/// # Errors
/// When there were too many of late.
pub async fn count(view: &View<'_>, tx: &mut Tx, to: &str, now: Timestamp) -> Result<()> {
    let to = to.to_lowercase();
    let mut counters = vec![(format!("mail to {to}"), MOST_TO_ADDRESS)];
    // Where nobody's address is known, everybody would be one.
    match view.address().as_str() {
        "" => {}
        from => counters.push((format!("mails from {from}"), MOST_FROM_ADDRESS)),
    }
    for (counter, most) in counters {
        if throttle::count(tx, &counter, MINUTES, now).await? > most {
            return Err(Error::TooOften);
        }
    }
    Ok(())
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
