//! The streams of a request.

use std::io::{self, BufRead, Read, Write};

use crate::{
    record::{MAX_CONTENT, kind},
    request::{Exchange, Role, own},
};

/// How far the input of a request has been read.
#[derive(Debug)]
pub(crate) struct Input {
    /// Type of the records that are read: standard input, then a filter's file.
    kind: u8,
    /// Place in the content of the record read last.
    position: usize,
    ended: bool,
}

impl Input {
    /// Returns the unread input of a request; an authorizer has none.
    pub(crate) fn of(role: Role) -> Input {
        Input {
            kind: kind::STDIN,
            position: 0,
            ended: role == Role::Authorizer,
        }
    }

    /// Returns whether the peer has nothing left to send.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }
}

/// The body of a request.
///
/// Records are read as they are asked for. A web server that leaves in mid-body is an error, never a short body.
pub struct Stdin<'a>(&'a mut Exchange);

impl<'a> Stdin<'a> {
    pub(crate) fn new(exchange: &'a mut Exchange) -> Stdin<'a> {
        Stdin(exchange)
    }

    /// Goes on with the file that a [filter](Role::Filter) works on.
    ///
    /// # Panics
    ///
    /// If the standard input has not been read to its end.
    pub fn start_filter_data(&mut self) {
        assert!(
            self.0.input.ended,
            "the standard input must be read to its end first"
        );
        if self.0.role == Role::Filter && self.0.input.kind == kind::STDIN {
            self.0.input = Input {
                kind: kind::DATA,
                position: 0,
                ended: false,
            };
            self.0.connection.clear();
        }
    }

    /// Reads the next record, of whatever type.
    fn advance(&mut self) -> io::Result<()> {
        let Exchange {
            connection,
            id,
            input,
            aborted,
            ..
        } = &mut *self.0;
        let record = connection.expect()?;
        input.position = 0;
        match own(record, *id) {
            Some(kind) if kind == input.kind => input.ended = record.content == 0,
            Some(kind::ABORT_REQUEST) => *aborted = true,
            _ => connection.manage(record, Some(*id))?,
        }
        Ok(())
    }
}

impl BufRead for Stdin<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.0.input.position == self.0.connection.content().len() && !self.0.input.ended {
            check_aborted(self.0)?;
            self.advance()?;
        }
        check_aborted(self.0)?;
        Ok(&self.0.connection.content()[self.0.input.position..])
    }

    fn consume(&mut self, amount: usize) {
        let read = self.0.input.position + amount;
        self.0.input.position = read.min(self.0.connection.content().len());
    }
}

impl Read for Stdin<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

/// The answer to a request. Each write is sent at once; small ones are better gathered first.
pub struct Stdout<'a>(&'a mut Exchange);

impl<'a> Stdout<'a> {
    pub(crate) fn new(exchange: &'a mut Exchange) -> Stdout<'a> {
        Stdout(exchange)
    }
}

impl Write for Stdout<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = send(self.0, kind::STDOUT, bytes)?;
        self.0.wrote |= sent > 0;
        Ok(sent)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lines for the web server's log. Each write is sent at once.
pub struct Stderr<'a>(&'a mut Exchange);

impl<'a> Stderr<'a> {
    pub(crate) fn new(exchange: &'a mut Exchange) -> Stderr<'a> {
        Stderr(exchange)
    }
}

impl Write for Stderr<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = send(self.0, kind::STDERR, bytes)?;
        self.0.complained |= sent > 0;
        Ok(sent)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends one record with the first bytes; none for no bytes, which would end the stream.
fn send(exchange: &Exchange, kind: u8, bytes: &[u8]) -> io::Result<usize> {
    check_aborted(exchange)?;
    let now = &bytes[..bytes.len().min(MAX_CONTENT)];
    if !now.is_empty() {
        exchange.connection.send(kind, exchange.id, now)?;
    }
    Ok(now.len())
}

/// Fails when the web server has called the request off.
fn check_aborted(exchange: &Exchange) -> io::Result<()> {
    if exchange.aborted {
        return Err(io::Error::new(
            io::ErrorKind::ConnectionAborted,
            "the web server aborted the request",
        ));
    }
    Ok(())
}
