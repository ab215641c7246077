//! The parts of a mail that hold text, whatever MIME wraps around them (`mail.md §9.1`).
//!
//! The only file that knows the mail-parser crate. It reads `Content-Type`, comments, continuations
//! and all. The structure is walked here: a boundary counts only as a whole line, else a part that
//! mentions one is torn and its diff with it.

use std::borrow::Cow;

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use super::charset;
use super::header::{Block, line_length};
use super::limits::{Beyond, Limit, Limits};
use super::transfer::Encoding;

/// How much of a `Content-Type` value is read; some of what the crate does with it is quadratic.
const MAX_CONTENT_TYPE: usize = 4096;

/// A part whose main type is `text`.
#[derive(Debug)]
pub struct TextPart<'a> {
    /// The subtype in lower case: `plain`, `x-patch`, `html`, …
    pub subtype: String,
    /// The text, decoded.
    pub text: Cow<'a, str>,
}

/// Returns the text parts of a mail in order, attached messages included.
///
/// The tree is walked with a stack of our own: the mail decides how deep it is. Each level reads its
/// bytes once more, so there must be an end; what lies beyond it is refused, not passed over.
pub fn text_parts<'a>(mail: &Block<'a>, limits: &Limits) -> Result<Vec<TextPart<'a>>, Beyond> {
    let mut parts = Vec::new();
    let (mut entities, mut bytes) = (1, 0);
    let mut waiting = vec![Entity::of(mail, "text/plain", 0)];
    while let Some(entity) = waiting.pop() {
        let children = entity.children(limits.parts);
        if !children.is_empty() {
            limits.check(Limit::Depth, entity.depth + 1)?;
        }
        entities += children.len();
        limits.check(Limit::Parts, entities)?;
        let (default, depth) = (entity.inside(), entity.depth + 1);
        let children = children.into_iter().rev().map(Block::split);
        waiting.extend(children.map(|block| Entity::of(&block, default, depth)));
        if let Some(part) = entity.text_part() {
            bytes += part.text.len();
            limits.check(Limit::TextBytes, bytes)?;
            parts.push(part);
        }
    }
    Ok(parts)
}

/// One node of the MIME tree.
struct Entity<'a> {
    kind: ContentType,
    encoding: Encoding,
    body: &'a [u8],
    depth: usize,
}

impl<'a> Entity<'a> {
    fn of(block: &Block<'a>, default: &str, depth: usize) -> Self {
        let value = block
            .first("Content-Type")
            .map_or(default.as_bytes(), |field| field.value);
        let encoding = block.text("Content-Transfer-Encoding");
        Entity {
            kind: ContentType::read(value),
            encoding: encoding.map_or(Encoding::Identity, |value| Encoding::named(&value)),
            body: block.body,
            depth,
        }
    }

    /// Returns the bytes of what lies inside a multipart or an attached message; of more than `most`
    /// parts one more than that.
    fn children(&self, most: usize) -> Vec<&'a [u8]> {
        match (self.kind.main.as_str(), self.kind.sub.as_str()) {
            ("multipart", _) => self.pieces(most.saturating_add(1)),
            ("message", "rfc822" | "global") => vec![self.body],
            _ => Vec::new(),
        }
    }

    /// Returns the type of the parts inside that do not tell theirs.
    fn inside(&self) -> &'static str {
        match (self.kind.main.as_str(), self.kind.sub.as_str()) {
            ("multipart", "digest") => "message/rfc822",
            _ => "text/plain",
        }
    }

    fn pieces(&self, most: usize) -> Vec<&'a [u8]> {
        let boundary = self.kind.boundary.as_deref();
        boundary.map_or(Vec::new(), |boundary| {
            between_boundaries(self.body, boundary.as_bytes(), most)
        })
    }

    fn text_part(self) -> Option<TextPart<'a>> {
        if self.kind.main != "text" {
            return None;
        }
        let charset = self.kind.charset.as_deref();
        let text = match self.encoding.decode(self.body) {
            Cow::Borrowed(bytes) => charset::decode(bytes, charset),
            Cow::Owned(bytes) => Cow::Owned(charset::decode(&bytes, charset).into_owned()),
        };
        Some(TextPart {
            subtype: self.kind.sub,
            text: with_plain_line_ends(text),
        })
    }
}

/// Turns CRLF into LF if every line ends so; single ones may be the content of a patch.
fn with_plain_line_ends(text: Cow<'_, str>) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let bare = |at: usize| bytes[at] == b'\n' && (at == 0 || bytes[at - 1] != b'\r');
    match bytes.contains(&b'\r') && !(0..bytes.len()).any(bare) {
        true => Cow::Owned(text.replace("\r\n", "\n")),
        false => text,
    }
}

/// Cuts a multipart body at the lines that are its boundary; what stands before the first and after
/// the closing one is nothing. Without a closing one the last piece goes to the end. Stops at `most`.
fn between_boundaries<'a>(body: &'a [u8], boundary: &[u8], most: usize) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let (mut at, mut start) = (0, None);
    while at < body.len() {
        let line = &body[at..at + line_length(&body[at..])];
        if let Some(closing) = boundary_line(line, boundary) {
            pieces.extend(start.map(|start| without_line_end(&body[start..at])));
            if closing || pieces.len() >= most {
                return pieces;
            }
            start = Some(at + line.len());
        }
        at += line.len();
    }
    pieces.extend(start.map(|start| &body[start..]));
    pieces
}

/// Tells whether a line is a boundary and, if so, whether it is the closing one.
fn boundary_line(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line
        .strip_prefix(b"--")?
        .strip_prefix(boundary)?
        .trim_ascii_end();
    match rest {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// The line end in front of a boundary belongs to the boundary.
fn without_line_end(piece: &[u8]) -> &[u8] {
    let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
    piece.strip_suffix(b"\r").unwrap_or(piece)
}

/// What a `Content-Type` says, as far as anybody here asks.
struct ContentType {
    main: String,
    sub: String,
    charset: Option<String>,
    boundary: Option<String>,
}

impl ContentType {
    /// Reads a raw header value; anything malformed is `text/plain`.
    fn read(value: &[u8]) -> Self {
        let mut value = value[..value.len().min(MAX_CONTENT_TYPE)].to_vec();
        value.push(b'\n');
        let HeaderValue::ContentType(found) = MessageStream::new(&value).parse_content_type()
        else {
            return ContentType::plain();
        };
        let Some(sub) = found
            .subtype()
            .filter(|sub| !sub.is_empty() && !found.ctype().is_empty())
        else {
            return ContentType::plain();
        };
        let attribute = |name| {
            found
                .attribute(name)
                .map(str::to_owned)
                .filter(|value| !value.is_empty())
        };
        ContentType {
            main: found.ctype().to_ascii_lowercase(),
            sub: sub.to_ascii_lowercase(),
            charset: attribute("charset"),
            boundary: attribute("boundary").map(|boundary| boundary.trim_end().to_owned()),
        }
    }

    fn plain() -> Self {
        ContentType {
            main: "text".into(),
            sub: "plain".into(),
            charset: None,
            boundary: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn parts_are_found_as_the_table_says() {
        let table: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/mail/mime.json"))
                .expect("valid table");
        for case in table {
            let raw: Vec<u8> = case["mail"]
                .as_str()
                .expect("mail")
                .chars()
                .map(|c| c as u8)
                .collect();
            let found: Vec<Value> = text_parts(&Block::split(&raw), &Limits::default())
                .expect("within limits")
                .iter()
                .map(|part| json!([part.subtype, part.text]))
                .collect();
            assert_eq!(json!(found), case["parts"], "{case}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_where_it_begins() {
        let nested = |levels: usize| -> String {
            let part =
                |depth| format!("Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\n");
            (0..levels).map(part).collect::<String>() + "\nx"
        };
        for (levels, found) in [(20, Ok(1)), (21, Err(21)), (20_000, Err(21))] {
            let mail = nested(levels);
            let parts = text_parts(&Block::split(mail.as_bytes()), &Limits::default());
            let parts = parts
                .map(|parts| parts.len())
                .map_err(|beyond| beyond.found);
            assert_eq!(parts, found);
        }
    }
}
