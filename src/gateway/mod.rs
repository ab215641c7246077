//! One site, three doors: the same Rocket behind HTTP, FastCGI, or CGI.
//!
//! Each door hands its requests to Rocket inside the process, without a second socket or a second parse of HTTP. What the front server says about a request is an `Environment`; `request` makes Rocket's request
//! of it, `answer` writes what Rocket answers. Nothing here knows a page, a setting or a database.
//!
//! The rules of the house: route on `REQUEST_URI`, for `PATH_INFO` is decoded and differs per server; believe
//! the front server, never a client's header, about scheme and address; bound every body.

mod answer;
mod body;
mod cgi;
mod environment;
mod fastcgi;
mod forwarded;
mod http;
mod listen;
mod notify;
mod orders;
mod request;
mod server;
mod slow;
mod target;
#[cfg(test)]
mod tests;

use std::{io, os::fd::AsFd, time::Duration};

use rocket::{
    Build, Rocket,
    fairing::AdHoc,
    local::asynchronous::Client,
    tokio::runtime::{Builder, Runtime},
};

pub use self::{
    cgi::{arguments, away, cgi},
    forwarded::Trusted,
    listen::{Front, Listen, Listener, Socket},
    orders::Order,
    orders::told_to_stop,
    request::methods,
    server::{Ended, Plan, again, serve},
};

/// How long work that blocks may still hold up the end of the process.
const LAST_WORK: Duration = Duration::from_millis(500);

/// The ways requests come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// A server of our own.
    Http,
    /// Many requests from a front server, over a socket.
    FastCgi,
    /// One request from a front server, in the environment and standard input.
    Cgi,
}

impl Door {
    /// Returns the door that whoever started this process expects.
    pub fn detect() -> Door {
        Door::of(io::stdin(), std::env::var_os("GATEWAY_INTERFACE").is_some())
    }

    /// Tells by the standard input: mod_fcgid, spawn-fcgi and systemd leave a listening socket there.
    fn of(stdin: impl AsFd, is_gateway: bool) -> Door {
        // An error means that it is no socket.
        if rustix::net::sockopt::socket_acceptconn(stdin).unwrap_or(false) {
            Door::FastCgi
        } else if is_gateway {
            Door::Cgi
        } else {
            Door::Http
        }
    }
}

/// Bounds on what front servers pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body; it is held in memory.
    pub body: u64,
    /// FastCGI connections at a time; more than the front server keeps open unused.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body: 64 << 20,
            connections: 128,
        }
    }
}

/// Why a door stays closed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address to listen on makes no sense.
    #[error(
        "cannot listen on {0:?}: write http://ADDRESS:PORT, http+unix:PATH, fastcgi://ADDRESS:PORT or fastcgi+unix:PATH; every front server speaks HTTP or FastCGI"
    )]
    Address(String),
    /// The socket cannot be opened.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The socket.
        listen: Listen,
        /// What the system says.
        source: io::Error,
    },
    /// Rocket refuses to start, or its server failed.
    #[error("cannot serve: {0}")]
    Rocket(String),
    /// The system refuses something else.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<rocket::Error> for Error {
    fn from(error: rocket::Error) -> Self {
        // Its Display marks the error as seen; unseen, it would panic when dropped.
        let said = error.to_string();
        Error::Rocket(match error.kind() {
            rocket::error::ErrorKind::FailedFairings(failed) => {
                let names: Vec<_> = failed.iter().map(|fairing| fairing.name).collect();
                format!("{said}: {}", names.join(", "))
            }
            _ => said,
        })
    }
}

/// Starts Rocket without its server.
async fn start(rocket: Rocket<Build>) -> Result<Client, Error> {
    // What a front server says in its parameters counts, not what a client says in a header. Rocket's own
    // logger prints to standard output, which in CGI is the answer; it matters only if nobody set another.
    let figment = rocket
        .figment()
        .clone()
        .merge(("ip_header", false))
        .merge(("log_level", "off"));
    // Never `tracked`: that one shares a cookie jar among all users.
    Ok(Client::untracked(rocket.configure(figment).attach(lengths())).await?)
}

/// Finds out the length of files and other bodies of a known size, as Rocket's own server does.
fn lengths() -> AdHoc {
    AdHoc::on_response("Content-Length", |_, response| {
        Box::pin(async move {
            response.body_mut().size().await;
        })
    })
}

/// Makes the runtime of a long-running server, with as many threads as Rocket's settings say.
fn runtime(rocket: &Rocket<Build>) -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    // A wrong setting is Rocket's to report, when it starts.
    if let Ok(workers @ 1..) = rocket.figment().extract_inner::<usize>("workers") {
        builder.worker_threads(workers);
    }
    if let Ok(blocking @ 1..) = rocket.figment().extract_inner::<usize>("max_blocking") {
        builder.max_blocking_threads(blocking);
    }
    builder.thread_name("rocket-worker").enable_all().build()
}
