//! Comments: replies to a patch or a cover.

use super::{CommentId, CoverId, MessageId, PatchId, PersonId, Timestamp};

/// What a comment answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parent {
    /// A patch.
    Patch(PatchId),
    /// A cover letter.
    Cover(CoverId),
}

impl Parent {
    /// Says whether it has a row of its own; one that is about to get it has an id below 0.
    pub fn is_stored(self) -> bool {
        match self {
            Parent::Patch(id) => id.0 > 0,
            Parent::Cover(id) => id.0 > 0,
        }
    }

    /// Returns the patch, or the cover.
    pub fn split(self) -> (Option<PatchId>, Option<CoverId>) {
        match self {
            Parent::Patch(id) => (Some(id), None),
            Parent::Cover(id) => (None, Some(id)),
        }
    }
}

/// A comment as pages and downloads need it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Comment {
    /// Its id; patch and cover comments share one sequence.
    pub id: CommentId,
    /// The message id.
    pub msgid: MessageId,
    /// When it was written.
    pub date: Timestamp,
    /// Who wrote it.
    pub submitter_id: PersonId,
    /// The writer's name, if known.
    pub submitter_name: Option<String>,
    /// The writer's address.
    pub submitter_email: String,
    /// `None`: nothing is asked for; `false`: action required; `true`: done.
    pub addressed: Option<bool>,
    /// The text.
    pub content: Option<String>,
}
