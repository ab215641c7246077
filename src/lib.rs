//! Patchwork: picks the patches out of a project's mailing lists and shows what became of them.
//!
//! The rooms, in the order a mail flows through them; imports only point down (`docs/architecture.md`):
//!
//! - `config`: every setting, and where its value came from.
//! - `domain`: the words and rules of the field; plain types.
//! - `mail`: bytes to message and back; pure.
//! - `ingest`: message to stored submission: which project, what kind, which series.
//! - `store`: all SQL, for SQLite and PostgreSQL.
//! - `auth`: who asks: passwords, tokens, credentials.
//! - `mailbox`: stored patches as mails again.
//! - `comparison`: revisions compared, kept for a while.
//! - `notify`: mail that goes out.
//! - `web`: pages.
//! - `api`: the REST API.
//! - `xmlrpc`: XML-RPC, for old clients and scripts.
//! - `gateway`: one site, three doors: HTTP, FastCGI, CGI.
//! - `cli`: one file per command; what starts everything.

pub mod api;
pub mod auth;
pub mod cli;
pub mod comparison;
pub mod config;
pub mod domain;
pub mod gateway;
pub mod ingest;
pub mod mail;
pub mod mailbox;
pub mod notify;
pub mod store;
pub mod web;
pub mod xmlrpc;
