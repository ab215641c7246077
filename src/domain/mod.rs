//! The words and rules of the field: plain types, no I/O.
//!
//! Everything above speaks in these types; nothing here knows of mail syntax, SQL or HTML.

pub mod attention;
pub mod bundle;
pub mod change;
pub mod check;
pub mod comment;
pub mod confirmation;
pub mod cover;
pub mod event;
pub mod filter;
pub mod id;
pub mod link;
pub mod notice;
pub mod notification;
pub mod patch;
pub mod pattern;
pub mod permission;
pub mod person;
pub mod project;
pub mod relation;
pub mod review;
pub mod revision;
pub mod search;
pub mod series;
pub mod site;
pub mod state;
pub mod tag;
pub mod time;
pub mod undo;
pub mod user;
pub mod webhook;

pub use id::{
    BundleId, CheckId, CommentId, CoverId, DeliveryId, DiffHash, EventId, ListId, MailId,
    MessageId, OutboxId, PatchId, PersonId, ProjectId, QuarantineId, RelationId, SeriesId, StateId,
    TagId, UserId, WebhookId,
};
pub use patch::{Patch, PatchBody};
pub use person::Person;
pub use project::Project;
pub use series::Series;
pub use state::State;
pub use tag::Tag;
pub use time::Timestamp;
pub use user::User;
