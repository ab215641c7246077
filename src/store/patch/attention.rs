//! What says whose turn it is, for the patches of a page: read with their marks, put together for `domain::attention`.

use std::collections::HashMap;

use super::super::{Kind, Sql, state::Vocabulary};
use super::list::{Marks, Row};
use crate::domain::{
    PatchId, StateId, Timestamp, UserId,
    attention::{self, Attention, Facts, LastWord, Standing},
    check::CheckState,
    patch::Patch,
};

/// What is read beside what lists count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// The newest reply.
    pub last_word: Option<LastWord>,
    /// When the newest promise of a review was made that still holds.
    pub claimed: Option<Timestamp>,
    /// Whether there is a newer revision.
    pub is_replaced: bool,
    /// Whether patches of the series have not come.
    pub is_incomplete: bool,
}

/// The numbers under which the parts of [`push`] stand in the statement of the marks.
const REPLY: i64 = 3;
const REVIEW: i64 = 4;
const CLAIM: i64 = 5;
const REPLACED: i64 = 6;
const INCOMPLETE: i64 = 7;

impl Signs {
    /// Takes what a row of the statement says.
    pub(super) fn take(&mut self, kind: i64, is_authors: bool, at: Option<Timestamp>) {
        match (kind, at) {
            (REPLY | REVIEW, Some(at)) => {
                let word = LastWord {
                    at,
                    is_authors,
                    approves: kind == REVIEW,
                };
                if self.last_word.is_none_or(|known| known.at <= at) {
                    self.last_word = Some(word);
                }
            }
            (CLAIM, at) => self.claimed = self.claimed.max(at),
            (REPLACED, _) => self.is_replaced = true,
            (INCOMPLETE, _) => self.is_incomplete = true,
            _ => {}
        }
    }
}

/// What the statement asks of the patches `page` for the newest reply: what it is, whose, and when. Trailers are looked for where a
/// line begins: what is quoted was said before. Only Latin letters are made small, which PostgreSQL does six times as fast.
macro_rules! last_word {
    ($collation:literal, $of:literal, $newest:literal, $end:literal) => {
        concat!(
            " UNION ALL SELECT p.id,
                CAST(CASE WHEN ('\n' || lower(c.content",
            $collation,
            ")) LIKE '%\nreviewed-by:%' OR ('\n' || lower(c.content",
            $collation,
            ")) LIKE '%\nacked-by:%' THEN 4 ELSE 3 END AS BIGINT),
                CAST(CASE WHEN c.submitter_id = p.submitter_id
                            OR (SELECT w.account_id FROM person w WHERE w.id = c.submitter_id) = p.account_id
                          THEN 1 ELSE 0 END AS BIGINT),
                CAST(0 AS BIGINT), c.date FROM page p CROSS JOIN ",
            $newest,
            $of,
            " ORDER BY l.date DESC, l.id DESC LIMIT 1)",
            $end
        )
    };
}

/// The newest reply to each patch, and to the cover letter of its series. SQLite knows no LATERAL, but looks a row up by its id at once.
macro_rules! last_words {
    ($collation:literal, $newest:literal, $end:literal) => {
        concat!(
            last_word!($collation, "l.patch_id = p.id", $newest, $end),
            last_word!($collation, "l.cover_id = p.cover_id", $newest, $end),
        )
    };
}

/// Appends to the statement of the marks, which begins with the patches as `page`, what says whose turn it is. SQLite takes tables
/// that are crossed in the order in which they stand: from the patches on. PostgreSQL would rather read all of a table that is no longer
/// than a few thousand rows than look up those of a page: a query within the row does not let it.
pub(super) fn push(query: &mut Sql, kind: Kind, now: Timestamp) {
    query
        .push(match kind {
            Kind::Sqlite => last_words!("", "comment c ON c.id = (SELECT l.id FROM comment l WHERE ", ""),
            Kind::Postgres => last_words!(" COLLATE \"C\"", "LATERAL (SELECT * FROM comment l WHERE ", " c"),
        })
        .push(
            " UNION ALL SELECT p.id, CAST(5 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), r.made
                FROM page p CROSS JOIN review_claim r WHERE r.patch_id = p.id AND r.ends > ",
        )
        .arg(now)
        .push(
            " UNION ALL SELECT p.id, CAST(5 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), r.made
                FROM page p CROSS JOIN review_claim r WHERE r.series_id = p.series_id AND r.ends > ",
        )
        .arg(now)
        // One patch sent again replaces no series of many; v5.1 replaces of v5 what it has.
        .push(
            " UNION ALL SELECT p.id, CAST(6 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(NULL AS TIMESTAMPTZ)
                FROM page p
               WHERE (SELECT count(*) FROM revision_link l JOIN series n ON n.id = l.series_id
                       WHERE l.earlier_id = p.series_id AND l.claimed = FALSE
                         AND ((n.minor = 0 AND (n.total > 1 OR p.total <= 1)) OR (n.minor > 0 AND EXISTS
                             (SELECT 1 FROM patch m WHERE m.series_id = n.id AND m.number = p.number)))) > 0
              UNION ALL SELECT p.id, CAST(7 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(NULL AS TIMESTAMPTZ)
                FROM page p JOIN (
                     SELECT s.series_id FROM (SELECT DISTINCT series_id, total FROM page WHERE minor = 0 AND total > 1) s
                      WHERE (SELECT count(*) FROM patch q WHERE q.series_id = s.series_id) < s.total
                     ) incomplete ON incomplete.series_id = p.series_id",
        );
}

/// What a patch itself says of whose turn it is.
#[derive(Clone, Copy, Debug)]
pub struct Stands {
    /// Where it stands.
    pub state: StateId,
    /// Whether it is put away.
    pub is_archived: bool,
    /// Who has it on the desk.
    pub delegate: Option<UserId>,
}

impl From<&Row> for Stands {
    fn from(row: &Row) -> Stands {
        Stands {
            state: row.state_id,
            is_archived: row.archived,
            delegate: row.delegate_id,
        }
    }
}

impl From<&Patch> for Stands {
    fn from(patch: &Patch) -> Stands {
        Stands {
            state: patch.state_id,
            is_archived: patch.archived,
            delegate: patch.delegate_id,
        }
    }
}

/// Returns whose turn a patch is.
pub fn of(stands: impl Into<Stands>, marks: &Marks, vocabulary: &Vocabulary) -> Attention {
    let stands = stands.into();
    let standing = vocabulary.state(stands.state).map(Standing::of);
    let mut tags = vocabulary.tags.iter();
    let signs = &marks.signs;
    attention::of(&Facts {
        standing: standing.unwrap_or_default(),
        is_archived: stands.is_archived,
        is_replaced: signs.is_replaced,
        is_incomplete: signs.is_incomplete,
        is_asked: marks.unaddressed > 0,
        fails: marks.checks.of(CheckState::Fail) > 0,
        last_word: signs.last_word,
        claimed: signs.claimed,
        is_approved: tags.any(|tag| tag.approves() && marks.tags.contains_key(&tag.id)),
        has_delegate: stands.delegate.is_some(),
    })
}

/// Returns whose turn patches that go together are.
pub fn of_rows<'a>(
    rows: impl IntoIterator<Item = &'a Row>,
    marks: &HashMap<PatchId, Marks>,
    vocabulary: &Vocabulary,
) -> Option<Attention> {
    let none = Marks::default();
    attention::of_all(
        rows.into_iter()
            .map(|row| of(row, marks.get(&row.id).unwrap_or(&none), vocabulary)),
    )
}
