//! Delivers a reply (`mail.md §12.6`).

use super::{
    Outcome, Why,
    delivery::{Delivery, Mail},
    ledger::Digest,
};
use crate::{
    domain::{CommentId, MessageId, comment::Parent, event::Event},
    store::{comment::NewComment, thread::Known},
};

/// Stores a reply as a comment of the nearest patch or cover we know. It waits for what is nearer and unknown, and
/// moves there when that comes.
pub fn deliver(d: &mut Delivery<'_>, mail: &Mail<'_>, digest: &Digest) -> Outcome {
    let (message, project) = (mail.message, mail.project.id);
    let known = d.ledger(project).known(&message.id);
    if known.iter().any(|known| known.is_comment) {
        return Outcome::Duplicate(message.id.clone());
    }
    let Some(parent) = hang(d, mail, digest) else {
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

/// Returns what a reply answers, and lets it wait for what is nearer.
fn hang(d: &mut Delivery<'_>, mail: &Mail<'_>, digest: &Digest) -> Option<Parent> {
    let project = mail.project.id;
    let references = mail.message.references.iter();
    let mut unknown: Vec<&MessageId> = Vec::new();
    let mut found = None;
    for id in references.filter(|id| **id != mail.message.id) {
        found = parent(d.ledger(project).known(id));
        match found {
            Some(_) => break,
            None => unknown.push(id),
        }
    }
    d.wait(project, unknown.into_iter(), digest);
    found
}

/// Hangs a comment that came before a nearer ancestor on that one. Returns where it was before, if it moved.
pub fn rehang(
    d: &mut Delivery<'_>,
    mail: &Mail<'_>,
    id: CommentId,
    digest: &Digest,
) -> Option<Parent> {
    let to = hang(d, mail, digest)?;
    let known = d.ledger(mail.project.id).known(&mail.message.id).iter();
    let from = known
        .filter(|known| known.is_comment)
        .map(|known| known.parent)
        .next()?;
    if from == to {
        return None;
    }
    d.rehang(mail, id, digest, (from, to));
    Some(from)
}

/// Returns what a reply to a mail is a comment of: a patch, that of a comment, a cover, that of a comment.
fn parent(known: &[Known]) -> Option<Parent> {
    let rank = |known: &&Known| match (known.parent, known.is_comment) {
        (Parent::Patch(_), false) => 0,
        (Parent::Patch(_), true) => 1,
        (Parent::Cover(_), false) => 2,
        (Parent::Cover(_), true) => 3,
    };
    known.iter().min_by_key(rank).map(|known| known.parent)
}
