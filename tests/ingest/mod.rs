//! What becomes of mails: whole deliveries on both engines.
//!
//! The cases are scenes in `tests/data/ingest/`; `scene.rs` says how they are written and plays them.

mod comment;
mod crowd;
mod delegate;
mod depends;
mod duplicate;
mod event;
mod hostile;
mod order;
mod parallel;
mod person;
mod project;
mod revision;
mod rows;
mod scene;
mod series;
mod shuffle;
mod stage;
mod tag;
