//! How much a mail may ask of us: bounds that are looked at before the work they save is done.
//!
//! Nothing within them takes more than linear time; a mail beyond them is kept, but not read.

use std::fmt;

/// The bounds of one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of the mail.
    pub bytes: usize,
    /// The header fields of the mail.
    pub headers: usize,
    /// The bytes of one header field's value, folding included.
    pub header_bytes: usize,
    /// The bytes of all its header lines together.
    pub block_bytes: usize,
    /// The MIME parts, at whatever depth; a mail that is no multipart has one.
    pub parts: usize,
    /// How deep parts may lie in parts; the mail itself is level 0.
    pub depth: usize,
    /// The ids the mail answers, each counted once.
    pub references: usize,
    /// The bytes of all text parts together, in UTF-8: some charsets become three times as long.
    pub text_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            bytes: 16 << 20,
            headers: 1000,
            header_bytes: 256 << 10,
            block_bytes: 1 << 20,
            parts: 500,
            depth: 20,
            references: 500,
            text_bytes: 32 << 20,
        }
    }
}

/// What there can be too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::bytes`]
    Bytes,
    /// [`Limits::headers`]
    Headers,
    /// [`Limits::header_bytes`]
    HeaderBytes,
    /// [`Limits::block_bytes`]
    BlockBytes,
    /// [`Limits::parts`]
    Parts,
    /// [`Limits::depth`]
    Depth,
    /// [`Limits::references`]
    References,
    /// [`Limits::text_bytes`]
    TextBytes,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Bytes => "bytes",
            Limit::Headers => "headers",
            Limit::HeaderBytes => "bytes in one header",
            Limit::BlockBytes => "bytes of headers",
            Limit::Parts => "MIME parts",
            Limit::Depth => "levels of MIME parts",
            Limit::References => "references",
            Limit::TextBytes => "bytes of decoded text",
        })
    }
}

/// A bound that a mail goes beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mail has {found} {limit}, more than the {allowed} allowed")]
pub struct Beyond {
    /// Which bound.
    pub limit: Limit,
    /// How much was found before reading stopped, so at least that much is there.
    pub found: usize,
    /// How much is allowed.
    pub allowed: usize,
}

impl Limits {
    /// Returns the usual bounds for a mail whose size has been judged before.
    pub fn for_any_size() -> Self {
        Limits {
            bytes: usize::MAX,
            ..Limits::default()
        }
    }

    /// Refuses `found` if it is more than this bound allows.
    pub(super) fn check(&self, limit: Limit, found: usize) -> Result<(), Beyond> {
        let allowed = self.of(limit);
        match found > allowed {
            true => Err(Beyond {
                limit,
                found,
                allowed,
            }),
            false => Ok(()),
        }
    }

    fn of(&self, limit: Limit) -> usize {
        match limit {
            Limit::Bytes => self.bytes,
            Limit::Headers => self.headers,
            Limit::HeaderBytes => self.header_bytes,
            Limit::BlockBytes => self.block_bytes,
            Limit::Parts => self.parts,
            Limit::Depth => self.depth,
            Limit::References => self.references,
            Limit::TextBytes => self.text_bytes,
        }
    }
}
