//! Patch, cover or reply (`mail.md §11`).

use super::delivery::{Delivery, Mail};
use crate::{
    domain::comment::Parent,
    store::{self, Result},
};

/// What kind of thing a mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A diff, or something to pull.
    Patch,
    /// The letter that opens a series.
    Cover,
    /// An answer.
    Reply,
}

/// Returns what kind of thing a mail is.
pub async fn kind(d: &mut Delivery<'_>, mail: &Mail<'_>) -> Result<Kind> {
    Ok(match guess(mail) {
        Kind::Cover if answers_a_cover(d, mail).await? => Kind::Reply,
        kind => kind,
    })
}

fn guess(mail: &Mail<'_>) -> Kind {
    let content = &mail.message.content;
    let opens_series = mail.heading.place.is_some_and(|place| place.number == 0);
    match () {
        () if mail.message.is_reply => Kind::Reply,
        () if content.diff.is_some() || content.pull_url.is_some() => Kind::Patch,
        () if opens_series => Kind::Cover,
        () => Kind::Reply,
    }
}

/// Somebody else's mail under the name of a cover it refers to is an answer that lost its `Re:`.
async fn answers_a_cover(d: &mut Delivery<'_>, mail: &Mail<'_>) -> Result<bool> {
    let is_cover = |parent| matches!(parent, Parent::Cover(_));
    let mut covers = mail.message.references.clone();
    let ledger = d.ledger(mail.project.id);
    covers.retain(|id| ledger.knows_submission(id, is_cover));
    if covers.is_empty() {
        return Ok(false);
    }
    let (name, email) = (&mail.heading.name, &mail.author.email);
    let submitter = d.known_submitter(email);
    let mut new = d.pending.covers.iter();
    if new.any(|cover| {
        covers.contains(&cover.msgid) && cover.name == *name && Some(cover.submitter) != submitter
    }) {
        return Ok(true);
    }
    store::cover::is_answered_by(d.tx, mail.project.id, &covers, name, email).await
}
