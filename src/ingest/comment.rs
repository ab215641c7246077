//! Delivers a reply (`mail.md §12.6`).

use super::{
    Outcome, Why,
    delivery::{Delivery, Mail},
};
use crate::{
    domain::{comment::Parent, event::Event},
    store::{self, Result, comment::NewComment, thread::Known},
};

/// Stores a reply as a comment of the nearest patch or cover we know.
pub async fn deliver(d: &mut Delivery<'_>, mail: &Mail<'_>) -> Result<Outcome> {
    let (message, project) = (mail.message, mail.project);
    // A reply that came before its nearest ancestor hangs on a farther one: it is known all the same.
    if d.known(&message.id).iter().any(|known| known.is_comment) {
        return Ok(Outcome::Duplicate(message.id.clone()));
    }
    let Some(parent) = parent(d, mail) else {
        return Ok(Outcome::Ignored(Why::UnknownParent));
    };
    let submitter = d.submitter(&mail.author).await?;
    let new = NewComment {
        parent,
        submitter,
        date: message.date_or(d.now),
        msgid: &message.id,
        headers: &message.headers,
        content: &message.content.message,
        addressed: message.hints.action_required.then_some(false),
    };
    let id = store::comment::insert(d.tx, &new).await?;
    d.learn(&message.id, parent, true);
    if let Parent::Patch(patch) = parent {
        d.count_tags(project, patch, &message.content.message);
    }
    d.tell([Event::comment_created(project.id, parent, id, d.now)]);
    Ok(Outcome::Comment(id))
}

/// Returns what a reply answers: per reference, nearest first, a patch, a comment of one, a cover, a
/// comment of one.
fn parent(d: &Delivery<'_>, mail: &Mail<'_>) -> Option<Parent> {
    let rank = |known: &&Known| match (known.parent, known.is_comment) {
        (Parent::Patch(_), false) => 0,
        (Parent::Patch(_), true) => 1,
        (Parent::Cover(_), false) => 2,
        (Parent::Cover(_), true) => 3,
    };
    let mut references = mail
        .message
        .references
        .iter()
        .filter(|id| **id != mail.message.id);
    references
        .find_map(|id| d.known(id).iter().min_by_key(rank))
        .map(|known| known.parent)
}
