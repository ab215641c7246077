//! The real program: every command, the way it works and the ways it does not.

mod account;
mod admin;
mod archive;
mod check;
mod courier;
mod cron;
mod database;
mod demo;
mod dumparchive;
mod dumpdata;
mod handover;
mod hash;
mod ingest;
mod lmtp;
mod loaddata;
mod parsemail;
mod project;
mod quarantine;
mod relation;
mod sendtestemail;
mod serve;
mod settings;
mod usage;
mod walk;
mod watch;
