//! The real program: every command, the way it works and the ways it does not.

mod account;
mod admin;
mod archive;
mod backup;
mod check;
mod collectstatic;
mod courier;
mod cron;
mod database;
mod demo;
mod dumparchive;
mod dumpdata;
mod grants;
mod handover;
mod hash;
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
