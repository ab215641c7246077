//! One connection from its first request to its last.

use std::{
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{
    connection::Connection,
    record::{Outcome, kind},
    request::{Exchange, Request, Role},
    server::Config,
    stop::Stop,
};

/// Sent for a handler that panics before it has answered.
const PANICKED: &[u8] =
    b"Status: 500 Internal Server Error\r\nContent-Type: text/plain\r\n\r\nInternal Server Error\n";

/// A request that was begun.
struct Begun {
    id: u16,
    role: Role,
    keep: bool,
}

/// Answers the requests of a connection; an error is the end of it, without further words.
pub(crate) fn serve(
    connection: Connection,
    config: &Config,
    handler: &dyn Fn(Request),
) -> io::Result<()> {
    let mut connection = connection;
    while let Some(begun) = begin(&mut connection, config)? {
        let exchange = Exchange::read(connection, begun.id, begun.role, config.max_params)?;
        let exchange = answer(exchange, handler)?;
        connection = exchange.connection;
        let is_stopping = config.stop.as_ref().is_some_and(Stop::is_stopping);
        if begun.keep && !is_stopping {
            continue;
        }
        if !exchange.input.is_ended() {
            connection.close_gently(is_stopping);
        }
        break;
    }
    Ok(())
}

/// Waits for a request; `None` when the connection is done.
fn begin(connection: &mut Connection, config: &Config) -> io::Result<Option<Begun>> {
    while connection.wait(config.idle, config.stop.as_ref())? {
        let Some(record) = connection.next()? else {
            break;
        };
        if record.kind != kind::BEGIN_REQUEST || record.id == 0 {
            connection.manage(record, None)?;
            continue;
        }
        let begin = connection.begin()?;
        if let Some(role) = Role::of(begin.role) {
            return Ok(Some(Begun {
                id: record.id,
                role,
                keep: begin.keep,
            }));
        }
        connection.refuse(record.id, Outcome::UnknownRole)?;
        if !begin.keep {
            break;
        }
    }
    Ok(None)
}

/// Has a request answered, unless it was called off, and ends it.
fn answer(exchange: Exchange, handler: &dyn Fn(Request)) -> io::Result<Exchange> {
    let exchange = if exchange.aborted {
        exchange
    } else {
        handle(exchange, handler)?
    };
    if exchange.abandoned {
        return Err(io::Error::new(
            io::ErrorKind::ConnectionAborted,
            "answer broken off",
        ));
    }
    if exchange.complained {
        exchange.connection.send(kind::STDERR, exchange.id, &[])?;
    }
    exchange.connection.end(exchange.id, exchange.status)?;
    Ok(exchange)
}

/// Runs the handler; a panic becomes an answer of its own, or breaks off the one that was begun.
fn handle(exchange: Exchange, handler: &dyn Fn(Request)) -> io::Result<Exchange> {
    let (request, home) = Request::lend(exchange);
    let result = catch_unwind(AssertUnwindSafe(|| handler(request)));
    let mut exchange = home
        .take()
        .ok_or_else(|| io::Error::other("the handler kept the request"))?;
    if result.is_err() {
        exchange.status = 1;
        exchange.abandoned = exchange.wrote;
        if !exchange.wrote && !exchange.aborted {
            let (mut request, home) = Request::lend(exchange);
            let _ = request.stdout().write_all(PANICKED);
            drop(request);
            exchange = home.take().expect("dropped above");
        }
    }
    Ok(exchange)
}
