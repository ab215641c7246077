//! The header block: where it ends, its fields, and the form in which it is kept (`mail.md §3`).

use super::limits::{Beyond, Limit, Limits};
use super::word;

/// One header field: its name and its raw value, folding included.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// The name as spelled in the mail, without the colon.
    pub name: &'a str,
    /// What follows the colon, without blanks around it.
    pub value: &'a [u8],
}

impl Field<'_> {
    /// Returns the text of the value: unfolded, decoded, white space normalised.
    pub fn text(&self) -> String {
        word::decode(self.value)
    }

    /// Tells whether the field has this name; case does not matter.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// A header block cut into fields, and the bytes after it.
#[derive(Debug)]
pub struct Block<'a> {
    fields: Vec<Field<'a>>,
    /// Everything after the empty line, or from the first line on that is no header line.
    pub body: &'a [u8],
}

impl<'a> Block<'a> {
    /// Cuts a mail into its header fields and its body; an envelope line in front is dropped.
    ///
    /// The first line that cannot be a header line begins the body, without complaint.
    pub fn split(raw: &'a [u8]) -> Self {
        let mut cutter = Cutter::new(raw);
        let fields = cutter.by_ref().collect();
        Block {
            fields,
            body: &raw[cutter.at..],
        }
    }

    /// Cuts a mail as [`Block::split`] does, but stops where its headers go beyond `limits`.
    pub fn split_within(raw: &'a [u8], limits: &Limits) -> Result<Self, Beyond> {
        let mut cutter = Cutter::new(raw);
        let mut fields = Vec::new();
        while let Some(field) = cutter.next() {
            fields.push(field);
            limits.check(Limit::Headers, fields.len())?;
            limits.check(Limit::HeaderBytes, field.value.len())?;
            limits.check(Limit::BlockBytes, cutter.at)?;
        }
        limits.check(Limit::BlockBytes, cutter.at)?;
        Ok(Block {
            fields,
            body: &raw[cutter.at..],
        })
    }

    /// Returns all fields in order.
    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// Returns the fields of this name in order.
    pub fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b Field<'a>> {
        self.fields.iter().filter(move |field| field.is(name))
    }

    /// Returns the first field of this name, which is the one meant by "the" header.
    pub fn first(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.is(name))
    }

    /// Returns the text of the first field of this name.
    pub fn text(&self, name: &str) -> Option<String> {
        self.first(name).map(Field::text)
    }

    /// Returns the block as it is stored: ASCII, one field after the other, folding kept.
    pub fn stored(&self) -> String {
        let mut out = String::new();
        for field in &self.fields {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(field.name);
            out.push_str(": ");
            // A folded line of blanks only would look like the end of the block to other programs.
            let value = word::to_ascii(field.value);
            let mut lines = value
                .split('\n')
                .filter(|line| !line.trim_ascii().is_empty());
            out.push_str(lines.next().unwrap_or_default());
            for line in lines {
                out.push('\n');
                out.push_str(line);
            }
        }
        out
    }
}

/// Returns the first field of this name without keeping the others.
pub fn find<'a>(raw: &'a [u8], name: &str) -> Option<Field<'a>> {
    Cutter::new(raw).find(|field| field.is(name))
}

/// An iterator over the fields of a block; when it has ended, the body begins where it stands.
struct Cutter<'a> {
    raw: &'a [u8],
    at: usize,
    ended: bool,
}

impl<'a> Cutter<'a> {
    fn new(raw: &'a [u8]) -> Self {
        Cutter {
            raw,
            at: 0,
            ended: false,
        }
    }
}

impl<'a> Iterator for Cutter<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        while !self.ended && self.at < self.raw.len() {
            let start = self.at;
            let line_end = start + line_length(&self.raw[start..]);
            let line = &self.raw[start..line_end];
            let Some(kind) = Line::of(line) else {
                let empty = matches!(line, b"\n" | b"\r\n");
                self.at = if empty { line_end } else { start };
                self.ended = true;
                break;
            };
            self.at = continued(self.raw, line_end);
            if let Line::Field(name) = kind {
                let value = self.raw[start + name.len() + 1..self.at].trim_ascii();
                return Some(Field { name, value });
            }
        }
        None
    }
}

/// What a line of the block is.
enum Line<'a> {
    Field(&'a str),
    /// An envelope line, a field without a name, a continuation of either: carries nothing.
    Noise,
}

impl<'a> Line<'a> {
    /// Returns none for a line that is not part of a header block.
    fn of(line: &'a [u8]) -> Option<Self> {
        if matches!(line.first(), Some(b' ' | b'\t')) || line.starts_with(b"From ") {
            return Some(Line::Noise);
        }
        let colon = line
            .iter()
            .position(|byte| !matches!(byte, b'!'..=b'9' | b';'..=b'~'))?;
        match (line[colon], std::str::from_utf8(&line[..colon])) {
            (b':', Ok("")) => Some(Line::Noise),
            (b':', Ok(name)) => Some(Line::Field(name)),
            _ => None,
        }
    }
}

/// Returns the length of the first line, its end included.
pub(super) fn line_length(text: &[u8]) -> usize {
    text.iter()
        .position(|byte| *byte == b'\n')
        .map_or(text.len(), |end| end + 1)
}

/// Returns where the folded lines that begin at `at` end.
fn continued(raw: &[u8], mut at: usize) -> usize {
    while matches!(raw.get(at), Some(b' ' | b'\t')) {
        at += line_length(&raw[at..]);
    }
    at
}

/// Returns the fields of a block as it is [stored](Block::stored): names and values, folding kept.
pub fn fields(stored: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = stored;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = end_of_field(rest);
            let (field, next) = rest.split_at(end);
            rest = next.trim_start_matches('\n');
            if let Some((name, value)) = field.split_once(':') {
                return Some((name.trim_end(), value.trim_matches([' ', '\t', '\n', '\r'])));
            }
        }
        None
    })
}

/// Returns where the first field ends: at a line end that no blank follows.
fn end_of_field(text: &str) -> usize {
    let ends = text.match_indices('\n').map(|(at, _)| at);
    let mut real = ends.filter(|at| !text[at + 1..].starts_with([' ', '\t']));
    real.next().unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<'a>(block: &Block<'a>) -> Vec<&'a str> {
        block.fields().iter().map(|field| field.name).collect()
    }

    #[test]
    fn the_block_ends_where_headers_end() {
        let raw = b"From x\nA: 1\r\n b\nA: 2\n: none\n more\nB:: x\n\nbody\n";
        let block = Block::split(raw);
        assert_eq!(names(&block), ["A", "A", "B"]);
        assert_eq!(
            block.first("a").map(|field| field.value),
            Some(&b"1\r\n b"[..])
        );
        assert_eq!(block.text("b").as_deref(), Some(": x"));
        assert_eq!(block.body, b"body\n");
        assert_eq!(
            Block::split(b"A: 1\nno header\nB: 2\n").body,
            b"no header\nB: 2\n"
        );
        assert_eq!(Block::split(b"A: 1").fields().len(), 1);
        assert_eq!(Block::split(b"").fields().len(), 0);
    }

    #[test]
    fn the_stored_block_is_ascii_and_keeps_folding() {
        let block =
            Block::split(b"To: a,\r\n\tb\nFrom: Rafa\xc5\x82 N <r@example.org>\nX: \0y\n \n z\n\n");
        assert_eq!(
            block.stored(),
            "To: a,\n\tb\nFrom: =?utf-8?b?UmFmYcWC?= N <r@example.org>\nX: y\n z"
        );
    }
}
