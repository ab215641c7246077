//! The words and rules of the field: plain types, no I/O.
//!
//! Everything above speaks in these types; nothing here knows of mail syntax, SQL or HTML.

pub mod id;
pub mod time;

pub use id::{DiffHash, ListId, MessageId};
pub use time::Timestamp;
