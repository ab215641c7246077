//! The database, on each engine.

mod attention;
mod change;
mod constraint;
mod domain;
mod dump;
mod list;
mod mark;
mod migrate;
mod outbox;
mod play;
pub mod search;
mod standby;
mod transaction;
