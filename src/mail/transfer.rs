//! Transfer encodings, undone without ever failing: what cannot be decoded stays or is dropped.

use std::borrow::Cow;

/// How the bytes of a part were made fit for the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As they are: `7bit`, `8bit`, `binary`, and anything unknown.
    Identity,
    /// RFC 2045 base64.
    Base64,
    /// RFC 2045 quoted-printable.
    QuotedPrintable,
    /// `x-uuencode`, older than MIME.
    Uuencode,
}

impl Encoding {
    /// Reads the value of a `Content-Transfer-Encoding` header.
    pub fn named(value: &str) -> Self {
        match value.trim().to_ascii_lowercase().as_str() {
            "base64" => Encoding::Base64,
            "quoted-printable" => Encoding::QuotedPrintable,
            "x-uuencode" | "uuencode" | "uue" | "x-uue" => Encoding::Uuencode,
            _ => Encoding::Identity,
        }
    }

    /// Returns the bytes behind `body`; a body that holds nothing of the encoding stays as it is.
    pub fn decode(self, body: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Encoding::Identity => Cow::Borrowed(body),
            Encoding::Base64 => base64(body).map_or(Cow::Borrowed(body), Cow::Owned),
            Encoding::QuotedPrintable => Cow::Owned(quoted_printable(body)),
            Encoding::Uuencode => uuencoded(body).map_or(Cow::Borrowed(body), Cow::Owned),
        }
    }
}

/// Decodes base64: foreign characters are dropped, missing padding does not matter.
///
/// A single character left over encodes no byte: then the text was not base64, or is damaged.
pub fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0u32, 0u8);
    for &byte in text {
        match sextet(byte) {
            Some(value) => {
                bits = bits << 6 | u32::from(value);
                held += 1;
                if held == 4 {
                    out.extend_from_slice(&bits.to_be_bytes()[1..]);
                    (bits, held) = (0, 0);
                }
            }
            // Padding ends a run; signatures of list managers may follow as a second one.
            None if byte == b'=' && held > 1 => {
                flush(&mut out, bits, held);
                (bits, held) = (0, 0);
            }
            None => {}
        }
    }
    flush(&mut out, bits, held);
    (held != 1).then_some(out)
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

fn flush(out: &mut Vec<u8>, bits: u32, held: u8) {
    match held {
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&((bits >> 2) as u16).to_be_bytes()),
        _ => {}
    }
}

/// Encodes as base64 with padding.
pub fn to_base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) as usize & 63;
            out.push(if digit > chunk.len() {
                '='
            } else {
                DIGITS[index] as char
            });
        }
    }
    out
}

/// Decodes quoted-printable; a `=` that starts nothing stays.
///
/// White space at the end of a line stays too, against RFC 2045: in a diff it may be a context line.
pub fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'=') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(byte) = hex_pair(rest) {
            out.push(byte);
            rest = &rest[2..];
        } else if let Some(length) = line_end(rest) {
            rest = &rest[length..];
        } else {
            out.push(b'=');
        }
    }
    out.extend_from_slice(rest);
    out
}

/// Returns the byte that two hex digits at the start of `text` stand for.
pub fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| text.get(at).and_then(|byte| (*byte as char).to_digit(16));
    Some((digit(0)? << 4 | digit(1)?) as u8)
}

/// Returns the length of a line end at the start of `text`, blanks before it included.
fn line_end(text: &[u8]) -> Option<usize> {
    let blanks = text
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
        .count();
    match text.get(blanks) {
        Some(b'\n') => Some(blanks + 1),
        None => Some(blanks),
        Some(_) => None,
    }
}

/// Decodes uuencode: everything between the `begin` and the `end` line.
fn uuencoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut lines = text
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end);
    lines.find(|line| line.starts_with(b"begin "))?;
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    for line in lines.take_while(|line| *line != b"end") {
        uuencoded_line(line, &mut out);
    }
    Some(out)
}

fn uuencoded_line(line: &[u8], out: &mut Vec<u8>) {
    let value = |byte: u8| u32::from(byte.wrapping_sub(b' ') & 63);
    let Some((length, data)) = line.split_first() else {
        return;
    };
    let end = out.len() + value(*length) as usize;
    for group in data.chunks(4) {
        let bits =
            group.iter().fold(0, |bits, byte| bits << 6 | value(*byte)) << (6 * (4 - group.len()));
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    out.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_leniently() {
        for (text, bytes) in [
            ("aGVsbG8=", Some("hello")),
            ("aGVs\r\nbG8", Some("hello")),
            ("aG!Vs bG8=", Some("hello")),
            ("aGVsbG8=\nd29ybGQ=", Some("helloworld")),
            ("", Some("")),
            ("aGVsb", None),
        ] {
            assert_eq!(
                base64(text.as_bytes()).as_deref(),
                bytes.map(str::as_bytes),
                "{text:?}"
            );
        }
        for text in ["", "a", "ab", "abc", "abcd"] {
            assert_eq!(
                base64(to_base64(text.as_bytes()).as_bytes()).as_deref(),
                Some(text.as_bytes())
            );
        }
    }

    #[test]
    fn quoted_printable_keeps_what_it_cannot_read() {
        for (text, bytes) in [
            ("a=3Db", "a=b"),
            ("a=\nb=\r\nc= \nd", "abcd"),
            ("a=zz=", "a=zz"),
            (" \n+x \n", " \n+x \n"),
            ("==3D", "=="),
        ] {
            assert_eq!(
                quoted_printable(text.as_bytes()),
                bytes.as_bytes(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn uuencode_is_read_between_begin_and_end() {
        let body = b"prose\nbegin 644 f\n%:&5L;&\\\n`\nend\nmore";
        assert_eq!(&*Encoding::Uuencode.decode(body), b"hello");
        assert_eq!(&*Encoding::Uuencode.decode(b"plain"), b"plain");
    }
}
