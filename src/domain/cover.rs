//! Cover letters: the text that opens a series.

use super::{CoverId, MessageId, PersonId, ProjectId, SeriesId, Timestamp};

/// A cover letter with its texts.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Cover {
    /// Its id.
    pub id: CoverId,
    /// The project of the list it came to.
    pub project_id: ProjectId,
    /// The message id.
    pub msgid: MessageId,
    /// When it was written.
    pub date: Timestamp,
    /// The cleaned subject.
    pub name: String,
    /// Who wrote it.
    pub submitter_id: PersonId,
    /// The writer's name, if known.
    pub submitter_name: Option<String>,
    /// The writer's address.
    pub submitter_email: String,
    /// The series it opens, if it opens one.
    pub series_id: Option<SeriesId>,
    /// All received headers, one per line, folding kept.
    pub headers: String,
    /// The text.
    pub content: Option<String>,
}
