//! Promises to review: who looks at what, until when.

use super::{PatchId, SeriesId, Timestamp, UserId};

/// What somebody has promised to review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A patch.
    Patch(PatchId),
    /// A whole series.
    Series(SeriesId),
}

impl Subject {
    /// Returns it as two columns hold it.
    pub fn split(self) -> (Option<PatchId>, Option<SeriesId>) {
        match self {
            Subject::Patch(id) => (Some(id), None),
            Subject::Series(id) => (None, Some(id)),
        }
    }
}

/// A promise to review something.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Claim {
    /// Its id.
    pub id: i64,
    /// The patch, if it is about one alone.
    pub patch_id: Option<PatchId>,
    /// The series, if it is about all of it.
    pub series_id: Option<SeriesId>,
    /// Whose it is.
    #[sqlx(rename = "account_id")]
    pub user_id: UserId,
    /// The login name of whose it is.
    pub username: String,
    /// When it was made.
    pub made: Timestamp,
    /// When it ends by itself.
    pub ends: Timestamp,
}

/// For how many days a review can be promised, and what that is called.
pub const TERMS: [(i64, &str); 3] = [(3, "3 days"), (7, "a week"), (14, "2 weeks")];
/// For how many days it is promised unless something else is chosen.
pub const USUAL: i64 = 7;

/// Reads for how many days a review is promised: one of [`TERMS`], the usual one for nothing.
pub fn term(text: &str) -> Option<i64> {
    match text {
        "" => Some(USUAL),
        _ => TERMS
            .into_iter()
            .map(|(days, _)| days)
            .find(|days| days.to_string() == text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_review_is_promised_for_one_of_three_terms() {
        for (text, days) in [
            ("", Some(7)),
            ("3", Some(3)),
            ("14", Some(14)),
            ("15", None),
            ("-3", None),
            ("for ever", None),
        ] {
            assert_eq!(term(text), days, "{text}");
        }
    }
}
