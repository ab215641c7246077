//! The one test program. Its folders mirror `src/`; `listed.rs` fails when a file is not named here.

#[macro_use]
mod support;

mod api;
mod browser;
mod cli;
mod clients;
mod config;
mod corpus;
mod faults;
mod ingest;
mod listed;
mod mail;
mod schema;
mod store;
mod web;
mod xmlrpc;
