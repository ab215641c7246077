//! Cuts an mbox archive into mails, one after the other, without holding more than one.

use std::io::{self, BufRead};
use std::ops::ControlFlow;

/// How much of a line is looked at together; an envelope line is far shorter.
const MAX_PIECE: usize = 4096;

/// Why a mail of an archive could not be handed out.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The mail is larger than allowed; it was passed over.
    #[error(
        "mail {number}, which begins at byte {position}, has more than the {limit} bytes allowed"
    )]
    TooLarge {
        /// Which mail of the archive it is, from 1.
        number: u64,
        /// Where its envelope line begins.
        position: u64,
        /// The bytes allowed.
        limit: usize,
    },
    /// The archive could not be read further.
    #[error("cannot read the archive: {0}")]
    Io(#[from] io::Error),
}

/// An iterator over the mails of an mbox, each without its envelope line and as it was before it was
/// put there: `>From ` at the start of a line loses one `>`, the blank line behind it is gone.
///
/// A mail begins at a line `From …` with a sender and a date, at the start of the archive or after a
/// blank line; `From here on, …` in a text is no such line.
pub struct Splitter<R> {
    input: R,
    limit: usize,
    /// Where the next byte of the input stands.
    position: u64,
    number: u64,
    /// Where the mail being collected began.
    begun_at: u64,
    /// The mail being collected; what exceeds the limit is not kept.
    mail: Vec<u8>,
    too_large: bool,
    /// Whether anything of a mail was seen since the last one was handed out.
    in_mail: bool,
    after_blank: bool,
    /// Whether the next piece begins a line.
    at_line_start: bool,
    done: bool,
}

impl<R: BufRead> Splitter<R> {
    /// Reads from `input`; mails of more than `limit` bytes are passed over.
    pub fn new(input: R, limit: usize) -> Self {
        Splitter {
            input,
            limit,
            position: 0,
            number: 0,
            begun_at: 0,
            mail: Vec::new(),
            too_large: false,
            in_mail: false,
            after_blank: true,
            at_line_start: true,
            done: false,
        }
    }

    /// Returns how many bytes of the archive have been read.
    pub fn position(&self) -> u64 {
        self.position
    }

    fn advance(&mut self) -> io::Result<Option<Result<Vec<u8>, Broken>>> {
        let mut piece = Vec::new();
        loop {
            let starts_at = self.position;
            self.read_piece(&mut piece)?;
            if piece.is_empty() {
                self.done = true;
                return Ok(self.finish());
            }
            if let ControlFlow::Break(finished) = self.take(&piece, starts_at) {
                return Ok(Some(finished));
            }
        }
    }

    /// Reads a line, or as much of it as is looked at together.
    fn read_piece(&mut self, piece: &mut Vec<u8>) -> io::Result<()> {
        piece.clear();
        let read = io::Read::take(&mut self.input, MAX_PIECE as u64).read_until(b'\n', piece)?;
        self.position += read as u64;
        Ok(())
    }

    /// Takes in a piece; breaks with the mail before it if it is an envelope line.
    fn take(&mut self, piece: &[u8], starts_at: u64) -> ControlFlow<Result<Vec<u8>, Broken>> {
        let line_start = std::mem::replace(&mut self.at_line_start, piece.ends_with(b"\n"));
        if line_start && self.after_blank && is_envelope(piece) {
            let finished = self.finish();
            self.begin(starts_at);
            return finished.map_or(ControlFlow::Continue(()), ControlFlow::Break);
        }
        let blank = matches!(piece, b"\n" | b"\r\n");
        if !self.in_mail && !blank {
            self.begin(starts_at);
        }
        if self.in_mail {
            self.keep(if line_start { unquoted(piece) } else { piece });
        }
        self.after_blank = line_start && blank;
        ControlFlow::Continue(())
    }

    fn begin(&mut self, at: u64) {
        self.number += 1;
        self.begun_at = at;
        self.in_mail = true;
        self.after_blank = false;
    }

    fn keep(&mut self, piece: &[u8]) {
        // The blank line behind a mail does not count, hence two bytes more.
        self.too_large |= self.mail.len() + piece.len() > self.limit.saturating_add(2);
        if self.too_large {
            self.mail = Vec::new();
        } else {
            self.mail.extend_from_slice(piece);
        }
    }

    /// Hands out the mail collected so far, if there is one.
    fn finish(&mut self) -> Option<Result<Vec<u8>, Broken>> {
        if !std::mem::take(&mut self.in_mail) {
            return None;
        }
        let mut mail = std::mem::take(&mut self.mail);
        if self.after_blank {
            let line_end = if mail.ends_with(b"\r\n") { 2 } else { 1 };
            mail.truncate(mail.len().saturating_sub(line_end));
        }
        if std::mem::take(&mut self.too_large) || mail.len() > self.limit {
            return Some(Err(Broken::TooLarge {
                number: self.number,
                position: self.begun_at,
                limit: self.limit,
            }));
        }
        Some(Ok(mail))
    }
}

impl<R: BufRead> Iterator for Splitter<R> {
    type Item = Result<Vec<u8>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        self.advance().unwrap_or_else(|error| {
            self.done = true;
            Some(Err(error.into()))
        })
    }
}

/// Returns a line without the `>` that keeps it from looking like an envelope line.
fn unquoted(line: &[u8]) -> &[u8] {
    let marks = line.iter().take_while(|byte| **byte == b'>').count();
    if marks > 0 && line[marks..].starts_with(b"From ") {
        &line[1..]
    } else {
        line
    }
}

/// Tells whether a line separates mails: `From `, a sender, a date as C's `ctime` or RFC 5322 has it.
pub fn is_envelope(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else {
        return false;
    };
    let words: Vec<&[u8]> = rest
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .collect();
    words.windows(4).skip(1).any(is_date)
}

/// Tells whether four words are `Mar 5 06:07:08 2024`, with a zone before the year, or `5 Mar 2024 06:07:08`.
fn is_date(words: &[&[u8]]) -> bool {
    let [first, second, third, fourth] = words else {
        return false;
    };
    let is_number =
        |word: &[u8], length| word.len() <= length && word.iter().all(u8::is_ascii_digit);
    let is_year = |word: &[u8]| word.len() == 4 && is_number(word, 4);
    let ctime = is_month(first) && is_number(second, 2) && is_clock(third);
    let rfc = is_number(first, 2) && is_month(second) && is_year(third) && is_clock(fourth);
    ctime && (is_year(fourth) || is_zone(fourth)) || rfc
}

fn is_month(word: &[u8]) -> bool {
    const MONTHS: [&[u8]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    MONTHS.contains(&word)
}

fn is_clock(word: &[u8]) -> bool {
    let fields: Vec<&[u8]> = word.split(|byte| *byte == b':').collect();
    (2..=3).contains(&fields.len())
        && fields
            .iter()
            .all(|field| (1..=2).contains(&field.len()) && field.iter().all(u8::is_ascii_digit))
}

fn is_zone(word: &[u8]) -> bool {
    let digits = word.strip_prefix(b"+").or_else(|| word.strip_prefix(b"-"));
    digits.unwrap_or(word).len() <= 5
        && word
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || b"+-0123456789".contains(byte))
}

#[cfg(test)]
mod tests;
