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
use super::transfer::Encoding;

/// How deep parts may lie in parts; each level reads its text once more, so there must be an end.
const MAX_DEPTH: usize = 32;

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
pub fn text_parts<'a>(mail: &Block<'a>) -> Vec<TextPart<'a>> {
    let mut parts = Vec::new();
    let mut waiting = vec![Entity::of(mail, "text/plain", 0)];
    while let Some(entity) = waiting.pop() {
        let children = entity.children();
        waiting.extend(children.into_iter().rev());
        parts.extend(entity.text_part());
    }
    parts
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

    /// Returns what lies inside a multipart or an attached message.
    fn children(&self) -> Vec<Entity<'a>> {
        let (bodies, default) = match (self.kind.main.as_str(), self.kind.sub.as_str()) {
            _ if self.depth == MAX_DEPTH => return Vec::new(),
            ("multipart", "digest") => (self.pieces(), "message/rfc822"),
            ("multipart", _) => (self.pieces(), "text/plain"),
            ("message", "rfc822" | "global") => (vec![self.body], "text/plain"),
            _ => return Vec::new(),
        };
        bodies
            .into_iter()
            .map(|body| Entity::of(&Block::split(body), default, self.depth + 1))
            .collect()
    }

    fn pieces(&self) -> Vec<&'a [u8]> {
        self.kind
            .boundary
            .as_deref()
            .map_or(Vec::new(), |boundary| {
                between_boundaries(self.body, boundary.as_bytes())
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
/// the closing one is nothing. Without a closing one the last piece goes to the end.
fn between_boundaries<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let (mut at, mut start) = (0, None);
    while at < body.len() {
        let line = &body[at..at + line_length(&body[at..])];
        if let Some(closing) = boundary_line(line, boundary) {
            pieces.extend(start.map(|start| without_line_end(&body[start..at])));
            if closing {
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
            let found: Vec<Value> = text_parts(&Block::split(&raw))
                .iter()
                .map(|part| json!([part.subtype, part.text]))
                .collect();
            assert_eq!(json!(found), case["parts"], "{case}");
        }
    }

    #[test]
    fn deep_nesting_ends() {
        let mut mail = String::new();
        for depth in 0..20_000 {
            mail += &format!("Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\n");
        }
        assert!(text_parts(&Block::split(mail.as_bytes())).is_empty());
    }
}
