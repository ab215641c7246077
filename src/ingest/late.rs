//! Replies that came before a mail they answer: when that comes, they are shown after all, or move to it.

use std::{
    collections::{HashSet, VecDeque},
    rc::Rc,
};

use super::{
    Judged, Outcome, comment, deliver_mail,
    delivery::{Delivery, Mail},
    evidence, judge_for,
    ledger::Digest,
};
use crate::{
    domain::{CommentId, Project},
    mail,
    store::{self, mail::Became},
};

/// How many comments one mail may move. Whoever sends mails that want more leaves them where they are.
const MOVES: usize = 500;

/// Settles the replies that have been waiting for the mail just delivered, those that waited for them, and those
/// that follow a reply which moves.
pub async fn settle(d: &mut Delivery<'_>, project: &Rc<Project>) -> store::Result<()> {
    let mut follow = Follow::default();
    loop {
        let found = d.ledger(project.id).next_found();
        let Some(digest) = found.or_else(|| follow.next()) else {
            return Ok(());
        };
        let Some((raw, comment)) = d.reply(project.id, &digest).await? else {
            continue;
        };
        if comment.is_some() && !follow.may_go_on() {
            tracing::warn!(
                "more than {MOVES} comments follow one mail; the rest stays where it is"
            );
            continue;
        }
        d.end_wait(project.id, &digest);
        let Ok(message) = mail::read(&raw) else {
            continue;
        };
        let Judged::Deliverable(reply) = judge_for(&message, project) else {
            continue;
        };
        d.learn(&[&reply]).await?;
        match comment {
            Some(id) => follow.add(rehang(d, &reply, id, &digest).await?),
            None => show(d, &reply, digest).await?,
        }
    }
}

/// Comments that may have to follow one that moved.
#[derive(Default)]
struct Follow {
    queue: VecDeque<Digest>,
    queued: HashSet<Digest>,
    steps: usize,
}

impl Follow {
    fn add(&mut self, digests: Vec<Digest>) {
        for digest in digests {
            if self.queued.insert(digest.clone()) {
                self.queue.push_back(digest);
            }
        }
    }

    fn next(&mut self) -> Option<Digest> {
        let next = self.queue.pop_front()?;
        self.queued.remove(&next);
        Some(next)
    }

    fn may_go_on(&mut self) -> bool {
        self.steps += 1;
        self.steps <= MOVES
    }
}

/// Shows a reply that had nothing to answer so far.
async fn show(d: &mut Delivery<'_>, reply: &Mail<'_>, digest: Digest) -> store::Result<()> {
    let project = reply.project.id;
    match deliver_mail(d, reply, &digest).await? {
        Outcome::Comment(id) => d.became(project, &digest, Became::Comment(id)),
        // Two copies waited; the first is shown.
        Outcome::Duplicate(_) => d.became(project, &digest, Became::Nothing(evidence::WORD)),
        _ => {}
    }
    Ok(())
}

/// Moves a comment to a nearer ancestor. Returns the comments that hang where it was and may have to follow it.
async fn rehang(
    d: &mut Delivery<'_>,
    reply: &Mail<'_>,
    id: CommentId,
    digest: &Digest,
) -> store::Result<Vec<Digest>> {
    let (project, msgid) = (reply.project.id, &reply.message.id);
    match comment::rehang(d, reply, id, digest) {
        Some(from) => d.comments_that_name(project, from, msgid).await,
        None => Ok(Vec::new()),
    }
}
