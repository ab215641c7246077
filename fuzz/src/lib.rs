//! The rooms that read mail, and the targets that feed them whatever a fuzzer thinks of.

#[path = "../../src/domain/mod.rs"]
pub mod domain;
#[path = "../../src/mail/mod.rs"]
pub mod mail;
pub mod targets;
