//! What a handler sees of a request.

use std::{cell::Cell, fmt, io, rc::Rc};

use crate::{
    connection::Connection,
    pairs::Pairs,
    record::{Header, kind},
    streams::{Input, Stderr, Stdin, Stdout},
};

/// What the web server wants to know (specification, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// An answer, as from a CGI program: the usual one.
    Responder,
    /// Whether a request is allowed.
    Authorizer,
    /// An answer made of a file, which follows the standard input.
    Filter,
}

impl Role {
    /// Returns the role of that number.
    pub(crate) fn of(number: u16) -> Option<Role> {
        match number {
            1 => Some(Role::Responder),
            2 => Some(Role::Authorizer),
            3 => Some(Role::Filter),
            _ => None,
        }
    }
}

/// Iterates over parameters that are UTF-8.
pub type Params<'a> = Box<dyn Iterator<Item = (String, String)> + 'a>;

/// A request and the way to answer it, which is complete when the request is dropped.
///
/// It stays in the thread of its connection. Whoever leaks it leaves the web server waiting.
pub struct Request {
    // Empty only while it is dropped.
    exchange: Option<Exchange>,
    home: Home,
}

/// Where the server finds a request when the handler is done with it.
type Home = Rc<Cell<Option<Exchange>>>;

/// A request as the server keeps it.
pub(crate) struct Exchange {
    pub(crate) connection: Connection,
    pub(crate) id: u16,
    pub(crate) role: Role,
    pub(crate) input: Input,
    pub(crate) params: Pairs,
    pub(crate) status: i32,
    pub(crate) aborted: bool,
    /// Output was sent: it is too late for another answer.
    pub(crate) wrote: bool,
    /// Something was sent for the log.
    pub(crate) complained: bool,
    /// The answer is broken off.
    pub(crate) abandoned: bool,
}

impl Request {
    /// Returns what the web server wants to know.
    pub fn role(&self) -> Role {
        self.exchange().role
    }

    /// Returns the parameter of that name if it is UTF-8; the last one if there are several.
    pub fn param(&self, key: &str) -> Option<String> {
        String::from_utf8(self.param_bytes(key)?.to_vec()).ok()
    }

    /// Returns the bytes of the parameter of that name; the last one if there are several.
    pub fn param_bytes(&self, key: &str) -> Option<&[u8]> {
        self.exchange().params.last(key.as_bytes())
    }

    /// Iterates over the parameters in the order they were sent.
    ///
    /// One that is not UTF-8 is left out alone, and a repeated name appears repeatedly.
    pub fn params(&self) -> Params<'_> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        Box::new(
            self.params_bytes()
                .filter_map(move |(name, value)| Some((text(name)?, text(value)?))),
        )
    }

    /// Iterates over the bytes of the parameters in the order they were sent.
    pub fn params_bytes(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.exchange().params.iter()
    }

    /// Returns the body of the request.
    pub fn stdin(&mut self) -> Stdin<'_> {
        Stdin::new(self.exchange_mut())
    }

    /// Returns the way for the answer: a CGI header, an empty line, the body.
    pub fn stdout(&mut self) -> Stdout<'_> {
        Stdout::new(self.exchange_mut())
    }

    /// Returns the way to the web server's log.
    pub fn stderr(&mut self) -> Stderr<'_> {
        Stderr::new(self.exchange_mut())
    }

    /// Returns whether the web server has called the request off.
    ///
    /// Known only from reading the standard input; a web server that just closes the connection, as nginx
    /// and Apache do, shows in errors of the streams.
    pub fn is_aborted(&self) -> bool {
        self.exchange().aborted
    }

    /// Ends the request and tells the web server the exit code, which is 0 otherwise.
    pub fn exit(mut self, code: i32) {
        self.exchange_mut().status = code;
    }

    /// Drops the connection without ending the answer, so that the web server sees it is cut short.
    ///
    /// Apache tells the client in any case, nginx 1.22 only if the answer came with a Content-Length.
    pub fn abandon(mut self) {
        self.exchange_mut().abandoned = true;
    }

    /// Lends a request to a handler; it is at the home again when the handler has dropped it.
    pub(crate) fn lend(exchange: Exchange) -> (Request, Home) {
        let home = Home::default();
        (
            Request {
                exchange: Some(exchange),
                home: home.clone(),
            },
            home,
        )
    }

    fn exchange(&self) -> &Exchange {
        self.exchange.as_ref().expect("only drop empties it")
    }

    fn exchange_mut(&mut self) -> &mut Exchange {
        self.exchange.as_mut().expect("only drop empties it")
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.home.set(self.exchange.take());
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No parameters: they contain passwords and cookies.
        f.debug_struct("Request")
            .field("role", &self.role())
            .finish_non_exhaustive()
    }
}

impl Exchange {
    /// Reads the parameters of the request `id`, at most `max_params` bytes.
    pub(crate) fn read(
        mut connection: Connection,
        id: u16,
        role: Role,
        max_params: usize,
    ) -> io::Result<Exchange> {
        let mut raw = Vec::new();
        let mut aborted = false;
        while !aborted {
            let record = connection.expect()?;
            match own(record, id) {
                Some(kind::PARAMS) if record.content == 0 => break,
                Some(kind::PARAMS) if raw.len() + connection.content().len() > max_params => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "too many parameters",
                    ));
                }
                Some(kind::PARAMS) => raw.extend_from_slice(connection.content()),
                Some(kind::ABORT_REQUEST) => aborted = true,
                _ => connection.manage(record, Some(id))?,
            }
        }
        connection.clear();
        let params = if aborted {
            Pairs::default()
        } else {
            Pairs::new(raw)?
        };
        Ok(Exchange {
            connection,
            id,
            role,
            input: Input::of(role),
            params,
            status: 0,
            aborted,
            wrote: false,
            complained: false,
            abandoned: false,
        })
    }
}

/// Returns the type of a record if it belongs to the request `id`.
pub(crate) fn own(record: Header, id: u16) -> Option<u8> {
    (record.id == id).then_some(record.kind)
}
