//! FastCGI 1.0 for programs behind nginx, Apache and their kin: blocking sockets, one thread a connection.
//!
//! Offers the functions and types of the registry's `fastcgi` 1.0.0, so it can stand in for it, and adds
//! what a long-running server needs: parameters as bytes, bounds, an orderly stop ([`run_with`]).
//!
//! ```no_run
//! use std::io::Write;
//!
//! fastcgi::run(|mut request| {
//!     let _ = request.stdout().write_all(b"Content-Type: text/plain\r\n\r\nHello, world!\n");
//! });
//! ```
//!
//! From the wire up: `record` and `pairs` are the encoding, `socket` and `connection` carry records,
//! `request` and `streams` are what a handler sees, `serve` answers one connection, `server` accepts them,
//! `places` counts them.
//! Specification: <https://fastcgi-archives.github.io/FastCGI_Specification.html>.

mod connection;
mod heir;
mod pairs;
mod places;
mod record;
mod request;
mod serve;
mod server;
mod socket;
mod stop;
mod streams;
#[cfg(test)]
mod tests;

pub use heir::ignore_hangups;
pub use request::{Params, Request, Role};
pub use server::{Config, descriptor, inherited, leave_open, run, run_raw, run_tcp, run_with};
pub use stop::Stop;
pub use streams::{Stderr, Stdin, Stdout};
