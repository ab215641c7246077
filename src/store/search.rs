//! The index of texts: what is said in patches, cover letters and comments, on both engines found by the same words.
//!
//! SQLite has it in a table of FTS5 that keeps no texts, PostgreSQL in a column with a GIN index. What a mail's words are is
//! decided in [`words`] alone, so both find the same. A mail is indexed in the transaction that writes it, or it is noted
//! there that it has to be, as triggers do of those whose texts change.

mod ask;
mod asked;
mod index;
mod read;
mod vector;

pub use ask::{Column, Expr, First, Hit, JUDGED, Of, hits};
pub(super) use ask::{among, of_patch};
pub use index::{
    Kind, NewDoc, Source, begin_anew, insert, is_behind, is_waiting, left, number, numbers_about,
    postpone, replace, settle, settle_now, step, waiting, write,
};

pub use asked::Asked;
pub(super) use asked::{Engine, Thing, also, push as of};
pub use read::{Ground, message_ids, of_having, projects, state};

#[cfg(doc)]
use crate::domain::search::words;
