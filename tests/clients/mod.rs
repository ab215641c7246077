//! Programs that talk to Patchwork servers today, unmodified, against the real program.
//!
//! `mails.rs` and `site.rs` make what the sessions know, `session.rs` plays what somebody types: the tables in `sessions/`.
//! A client has a file with its settings. What is no program one can install sends its requests through `http.rs`.
//! `../setup.sh` installs the clients from the lists beside this file; without them the sessions are skipped.

mod b4;
mod git_pw;
mod http;
mod mails;
mod pwclient;
mod robots;
mod session;
mod site;
mod xmlrpc;
