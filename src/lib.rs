//! Patchwork: picks the patches out of a project's mailing lists and shows what became of them.
//!
//! The rooms, in the order a mail flows through them. Imports only point down (`docs/architecture.md`).

pub mod auth;
pub mod cli;
pub mod config;
pub mod domain;
pub mod gateway;
pub mod ingest;
pub mod mail;
pub mod notify;
pub mod store;
pub mod web;
