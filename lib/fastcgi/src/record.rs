//! The record: eight bytes of header, content, padding (specification, section 3.3).

use std::io;

/// Length of a record's header.
pub(crate) const HEADER_LEN: usize = 8;

/// Most content sent in one record: the largest multiple of 8, so that full records need no padding.
pub(crate) const MAX_CONTENT: usize = 65_528;

/// Id of records that concern the connection, not a request.
pub(crate) const MANAGEMENT: u16 = 0;

/// Types of records.
pub(crate) mod kind {
    pub(crate) const BEGIN_REQUEST: u8 = 1;
    pub(crate) const ABORT_REQUEST: u8 = 2;
    pub(crate) const END_REQUEST: u8 = 3;
    pub(crate) const PARAMS: u8 = 4;
    pub(crate) const STDIN: u8 = 5;
    pub(crate) const STDOUT: u8 = 6;
    pub(crate) const STDERR: u8 = 7;
    pub(crate) const DATA: u8 = 8;
    pub(crate) const GET_VALUES: u8 = 9;
    pub(crate) const GET_VALUES_RESULT: u8 = 10;
    pub(crate) const UNKNOWN_TYPE: u8 = 11;
}

/// How the protocol, not the program, sees the end of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Complete = 0,
    CantMultiplex = 1,
    UnknownRole = 3,
}

/// A record's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: u8,
    pub(crate) id: u16,
    pub(crate) content: u16,
    pub(crate) padding: u8,
}

impl Header {
    /// Returns the header of a record with `content` bytes, padded to a multiple of 8.
    pub(crate) fn new(kind: u8, id: u16, content: u16) -> Header {
        let padding = (content.wrapping_neg() & 7) as u8;
        Header {
            kind,
            id,
            content,
            padding,
        }
    }

    /// Reads a header; an error means that the peer does not speak FastCGI.
    pub(crate) fn decode(bytes: [u8; HEADER_LEN]) -> io::Result<Header> {
        let [
            version,
            kind,
            id1,
            id0,
            content1,
            content0,
            padding,
            _reserved,
        ] = bytes;
        if version != 1 {
            return Err(garbage("not FastCGI 1.0"));
        }
        Ok(Header {
            kind,
            id: u16::from_be_bytes([id1, id0]),
            content: u16::from_be_bytes([content1, content0]),
            padding,
        })
    }

    /// Writes the header.
    pub(crate) fn encode(self) -> [u8; HEADER_LEN] {
        let ([id1, id0], [content1, content0]) =
            (self.id.to_be_bytes(), self.content.to_be_bytes());
        [1, self.kind, id1, id0, content1, content0, self.padding, 0]
    }
}

/// Content of a record that begins a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Begin {
    pub(crate) role: u16,
    pub(crate) keep: bool,
}

impl Begin {
    /// Reads the content; its last five bytes are reserved, and some peers leave them out.
    pub(crate) fn decode(content: &[u8]) -> io::Result<Begin> {
        let Some(&[role1, role0, flags]) = content.first_chunk::<3>() else {
            return Err(garbage("short BeginRequest"));
        };
        Ok(Begin {
            role: u16::from_be_bytes([role1, role0]),
            keep: flags & 1 == 1,
        })
    }
}

/// Writes the content of a record that ends a request.
pub(crate) fn end_request(status: i32, outcome: Outcome) -> [u8; 8] {
    let [a, b, c, d] = status.to_be_bytes();
    [a, b, c, d, outcome as u8, 0, 0, 0]
}

/// Returns the error of a peer that breaks the protocol.
pub(crate) fn garbage(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_survive_the_wire() {
        for content in [0, 1, 7, 8, 9, 65_528, 65_535] {
            let header = Header::new(kind::STDOUT, 0x1234, content);
            assert_eq!((usize::from(content) + usize::from(header.padding)) % 8, 0);
            assert_eq!(Header::decode(header.encode()).expect("own header"), header);
        }
    }

    #[test]
    fn other_protocols_are_refused() {
        assert!(Header::decode(*b"GET / HT").is_err());
        assert!(Begin::decode(&[0, 1]).is_err());
        assert_eq!(
            Begin::decode(&[0, 1, 1]).expect("three bytes"),
            Begin {
                role: 1,
                keep: true
            }
        );
    }
}
