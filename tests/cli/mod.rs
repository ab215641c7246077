//! The real program: every command, the way it works and the ways it does not.

mod account;
mod archive;
mod check;
mod database;
mod demo;
mod dumpdata;
mod loaddata;
mod parsemail;
mod project;
mod sendtestemail;
mod serve;
mod settings;
mod usage;
