//! Delivers a reply (`mail.md §12.6`).

use super::{
    Outcome, Why,
    delivery::{Delivery, Mail},
    ledger::Ledger,
};
use crate::{
    domain::{comment::Parent, event::Event},
    store::{comment::NewComment, thread::Known},
};

/// Stores a reply as a comment of the nearest patch or cover we know.
pub fn deliver(d: &mut Delivery<'_>, mail: &Mail<'_>) -> Outcome {
    let (message, project) = (mail.message, mail.project.id);
    let known = d.ledger(project).known(&message.id);
    // A reply that came before its nearest ancestor hangs on a farther one: it is known all the same.
    if known.iter().any(|known| known.is_comment) {
        return Outcome::Duplicate(message.id.clone());
    }
    let Some(parent) = parent(d.ledger(project), mail) else {
        return Outcome::Ignored(Why::UnknownParent);
    };
    let submitter = d.submitter(&mail.author);
    let id = d.pending.next_comment();
    d.pending.comments.push(NewComment {
        id,
        parent,
        submitter,
        date: message.date_or(d.now),
        msgid: message.id.clone(),
        headers: message.headers.clone(),
        content: message.content.message.clone(),
        addressed: message.hints.action_required.then_some(false),
    });
    d.ledger(project).learn(&message.id, parent, true);
    if let Parent::Patch(patch) = parent {
        d.count_tags(&mail.project, patch, &message.content.message);
    }
    d.tell([Event::comment_created(project, parent, id, d.now)]);
    Outcome::Comment(id)
}

/// Returns what a reply answers: per reference, nearest first, a patch, a comment of one, a cover, a
/// comment of one.
fn parent(ledger: &Ledger, mail: &Mail<'_>) -> Option<Parent> {
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
        .find_map(|id| ledger.known(id).iter().min_by_key(rank))
        .map(|known| known.parent)
}
