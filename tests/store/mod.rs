//! The database, on each engine.

mod constraint;
mod dump;
mod migrate;
mod transaction;
