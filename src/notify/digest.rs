//! Tells submitters what became of their patches: one digest each, into the outbox (`domain.md §8`).

use crate::{
    domain::{
        Person, PersonId, Timestamp,
        notification::{self, Changed},
        person,
    },
    store::{self, Db, Result, Tx, notification::Waiting, outbox::NewMail},
};

/// How many submitters are looked up at once.
const PAGE: i64 = 100;

/// Returns what a digest says to mail programs: that it is one of many, and how to end them with one click (RFC 8058).
fn headers(site: &Site, key: Option<&str>) -> String {
    let Some(key) = key else {
        return "Precedence: bulk".to_owned();
    };
    let way = format!("{}/mail/unsubscribe/{key}/", site.url);
    // The standard has programs post to https only; elsewhere they open the page.
    let click = match way.starts_with("https:") {
        true => "\nList-Unsubscribe-Post: List-Unsubscribe=One-Click",
        false => "",
    };
    format!("Precedence: bulk\nList-Unsubscribe: <{way}>{click}")
}

/// Makes a key: 40 hex digits, as those in other mails. Without random numbers there is none, and the mail goes all the same.
fn new_key() -> Option<String> {
    let mut bytes = [0_u8; 20];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What a site puts into its digests.
#[derive(Clone, Debug)]
pub struct Site {
    /// The address of the site, without a slash at its end.
    pub url: String,
    /// Who writes.
    pub sender: String,
    /// How many minutes a state has to stay before it is told.
    pub delay: i64,
}

/// Writes a digest for every submitter all of whose changes have settled. Those who opted out get none; those
/// who cannot get one are told to `report` with the reason.
///
/// # Errors
/// When the database is away; the digests written so far stay.
pub async fn queue(
    db: &Db,
    site: &Site,
    now: Timestamp,
    mut report: impl FnMut(&str, &str),
) -> Result<()> {
    let limit = now.plus_minutes(-site.delay);
    let mut after = PersonId(0);
    loop {
        let mut conn = db.reader().await?;
        let submitters = store::notification::settled(&mut conn, limit, after, PAGE).await?;
        drop(conn);
        let Some(last) = submitters.last() else {
            return Ok(());
        };
        after = *last;
        for submitter in submitters {
            while one(db, site, submitter, now, limit, &mut report).await? {}
        }
    }
}

/// Writes a digest for a submitter, and says whether there may be more to tell.
async fn one(
    db: &Db,
    site: &Site,
    submitter: PersonId,
    now: Timestamp,
    limit: Timestamp,
    report: &mut impl FnMut(&str, &str),
) -> Result<bool> {
    let mut tx = db.begin().await?;
    let waiting = store::notification::of_submitter(&mut tx, submitter).await?;
    // One may have been changed again since they were looked up.
    if waiting.is_empty() || waiting.iter().any(|one| one.last_modified >= limit) {
        return Ok(false);
    }
    let is_there = settle(&mut tx, site, submitter, &waiting, now, report).await?;
    if is_there {
        tx.commit().await?;
    }
    Ok(is_there)
}

/// Writes what waits for a submitter, and forgets that it waited. Says whether there is that submitter.
async fn settle(
    tx: &mut Tx,
    site: &Site,
    submitter: PersonId,
    waiting: &[Waiting],
    now: Timestamp,
    report: &mut impl FnMut(&str, &str),
) -> Result<bool> {
    let Some(person) = store::person::by_id(tx, submitter).await? else {
        return Ok(false);
    };
    if !person::is_email(&person.email) {
        report(&person.email, "Invalid recipient");
    } else if !store::optout::contains(tx, &person.email).await? {
        write(tx, site, &person, waiting, now).await?;
    }
    store::notification::forget(tx, waiting).await?;
    Ok(true)
}

/// Writes at once what waits for a submitter, whether or not it has settled. Returns how many patches it tells of.
///
/// # Errors
/// When the database is away.
pub async fn at_once(
    tx: &mut Tx,
    site: &Site,
    submitter: PersonId,
    now: Timestamp,
) -> Result<usize> {
    let waiting = store::notification::of_submitter(tx, submitter).await?;
    if !waiting.is_empty() {
        settle(tx, site, submitter, &waiting, now, &mut |_, _| {}).await?;
    }
    Ok(waiting.len())
}

async fn write(
    tx: &mut Tx,
    site: &Site,
    to: &Person,
    waiting: &[Waiting],
    now: Timestamp,
) -> Result<()> {
    let changed: Vec<Changed> = waiting.iter().map(|one| changed(site, one)).collect();
    let key = new_key();
    if let Some(key) = &key {
        store::unsubscribe::insert(tx, key, &to.email, now).await?;
    }
    let mail = NewMail {
        sender: &site.sender,
        recipient: &to.email,
        subject: &notification::subject(&changed),
        headers: &headers(site, key.as_deref()),
        content: &notification::text(&changed, &format!("{}/mail/", site.url)),
        created: now,
    };
    store::outbox::insert(tx, &mail).await
}

fn changed(site: &Site, waiting: &Waiting) -> Changed {
    Changed {
        linkname: waiting.linkname.clone(),
        project: waiting.project.clone(),
        patch: waiting.patch.clone(),
        url: format!(
            "{}/project/{}/patch/{}/",
            site.url,
            encoded(&waiting.linkname),
            waiting.msgid.url()
        ),
        was: waiting.was.clone(),
        now: waiting.now.clone(),
    }
}

/// Returns a linkname as a part of an address: its letters may be of any script.
fn encoded(linkname: &str) -> String {
    let mut out = String::with_capacity(linkname.len());
    for byte in linkname.bytes() {
        match byte {
            0..=127 => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn linknames_of_any_script_make_addresses() {
        assert_eq!(super::encoded("tide-pool_2"), "tide-pool_2");
        assert_eq!(super::encoded("größe"), "gr%C3%B6%C3%9Fe");
    }
}
