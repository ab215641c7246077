//! A connection: records in, records out, and the records that concern the connection itself.

use std::{
    io::{self, BufRead, BufReader, IoSlice, Read},
    time::Duration,
};

use crate::{
    pairs::{self, Pairs},
    record::{Begin, HEADER_LEN, Header, MANAGEMENT, Outcome, end_request, garbage, kind},
    socket::{Socket, Waited},
    stop::Stop,
};

/// A connection and the content of the record read last.
#[derive(Debug)]
pub(crate) struct Connection {
    input: BufReader<Socket>,
    content: Vec<u8>,
    max_connections: usize,
}

impl Connection {
    /// Takes over a socket; `max_connections` is what the peer hears when it asks.
    pub(crate) fn new(socket: Socket, max_connections: usize) -> Connection {
        Connection {
            input: BufReader::with_capacity(16 << 10, socket),
            content: Vec::new(),
            max_connections,
        }
    }

    /// Waits for the next record; false when none came in time or the server stops.
    pub(crate) fn wait(&self, idle: Option<Duration>, stop: Option<&Stop>) -> io::Result<bool> {
        Ok(!self.input.buffer().is_empty()
            || self.input.get_ref().wait(idle, stop)? == Waited::Ready)
    }

    /// Reads the next record; its content is then in [`content`](Self::content). `None` at the peer's end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Header>> {
        self.content.clear();
        if self.fill()?.is_empty() {
            return Ok(None);
        }
        let mut header = [0; HEADER_LEN];
        self.input.read_exact(&mut header)?;
        let header = Header::decode(header)?;
        self.content.resize(usize::from(header.content), 0);
        self.input.read_exact(&mut self.content)?;
        self.input
            .read_exact(&mut [0; 255][..usize::from(header.padding)])?;
        Ok(Some(header))
    }

    /// Reads the next record of a request that is under way: the peer may not leave now.
    pub(crate) fn expect(&mut self) -> io::Result<Header> {
        self.next()?
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Returns the content of the record read last.
    pub(crate) fn content(&self) -> &[u8] {
        &self.content
    }

    /// Forgets the content of the record read last.
    pub(crate) fn clear(&mut self) {
        self.content.clear();
    }

    /// Sends a record with up to 65,535 bytes of content.
    pub(crate) fn send(&self, kind: u8, id: u16, content: &[u8]) -> io::Result<()> {
        let length = u16::try_from(content.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let header = Header::new(kind, id, length);
        let padding = &[0; 7][..usize::from(header.padding)];
        self.socket().send(&mut [
            IoSlice::new(&header.encode()),
            IoSlice::new(content),
            IoSlice::new(padding),
        ])
    }

    /// Ends the answer of a request, and with it the request.
    pub(crate) fn end(&self, id: u16, status: i32) -> io::Result<()> {
        let (end, content) = (
            Header::new(kind::END_REQUEST, id, 8),
            end_request(status, Outcome::Complete),
        );
        self.socket().send(&mut [
            IoSlice::new(&Header::new(kind::STDOUT, id, 0).encode()),
            IoSlice::new(&end.encode()),
            IoSlice::new(&content),
        ])
    }

    /// Ends a request that was never begun.
    pub(crate) fn refuse(&self, id: u16, outcome: Outcome) -> io::Result<()> {
        self.send(kind::END_REQUEST, id, &end_request(0, outcome))
    }

    /// Deals with a record read last that does not belong to the request `current`.
    pub(crate) fn manage(&mut self, record: Header, current: Option<u16>) -> io::Result<()> {
        let taken = match (record.kind, record.id) {
            (kind::GET_VALUES, MANAGEMENT) => self.tell_values(),
            (kind::BEGIN_REQUEST, id) if id == MANAGEMENT || Some(id) == current => {
                Err(garbage("request id in use"))
            }
            (kind::BEGIN_REQUEST, id) => self.refuse(id, Outcome::CantMultiplex),
            (unknown, MANAGEMENT) => self.send(
                kind::UNKNOWN_TYPE,
                MANAGEMENT,
                &[unknown, 0, 0, 0, 0, 0, 0, 0],
            ),
            // The rest of a request that was refused or answered early.
            _ => Ok(()),
        };
        self.clear();
        taken
    }

    /// Reads the content read last as the begin of a request.
    pub(crate) fn begin(&self) -> io::Result<Begin> {
        Begin::decode(&self.content)
    }

    /// Closes once the peer has taken what was sent, though it may still be sending.
    pub(crate) fn close_gently(self, is_stopping: bool) {
        self.input.into_inner().close_gently(is_stopping);
    }

    /// Answers the question for our limits.
    fn tell_values(&mut self) -> io::Result<()> {
        let asked = Pairs::new(std::mem::take(&mut self.content))?;
        let most = self.max_connections.to_string();
        let mut told = Vec::new();
        for (name, _) in asked.iter().take(16) {
            let value = match name {
                b"FCGI_MAX_CONNS" | b"FCGI_MAX_REQS" => most.as_str(),
                b"FCGI_MPXS_CONNS" => "0",
                _ => continue,
            };
            pairs::put(&mut told, (name, value.as_bytes()));
        }
        self.send(kind::GET_VALUES_RESULT, MANAGEMENT, &told)
    }

    /// Reads until there is something in the buffer; empty at the peer's end.
    fn fill(&mut self) -> io::Result<&[u8]> {
        while let Err(error) = self.input.fill_buf() {
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        Ok(self.input.buffer())
    }

    fn socket(&self) -> &Socket {
        self.input.get_ref()
    }
}
