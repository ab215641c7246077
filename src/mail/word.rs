//! Encoded words (RFC 2047): header values to text, text to header values (`mail.md §3.2, §3.3`).

use std::borrow::Cow;

use super::charset;
use super::space::squeeze;
use super::transfer::{base64, hex_pair, to_base64};

/// How many words a single character is looked for in.
const MAX_JOINED: usize = 4;

/// How many characters go into one encoded word, so that the word stays within a line.
const WORD_CHARS: usize = 12;

/// A stretch of a header value.
enum Piece<'a> {
    /// Text as it stands.
    Plain(&'a [u8]),
    /// An encoded word: its spelling and the bytes it stands for.
    Word {
        source: &'a [u8],
        charset: &'a str,
        bytes: Vec<u8>,
    },
}

/// Returns the text of a raw header value: unfolded, encoded words read, white space normalised.
///
/// Between an encoded word and plain text there is always a space, even if the mail has none.
pub fn decode(value: &[u8]) -> String {
    let value = plain(value);
    let pieces = pieces(&value);
    let mut out = String::with_capacity(value.len());
    let mut at = 0;
    while at < pieces.len() {
        match &pieces[at] {
            Piece::Plain(text) => {
                out.push_str(&charset::decode(text, None));
                at += 1;
            }
            Piece::Word { .. } => {
                out.push(' ');
                at += decode_words(&pieces[at..], &mut out);
                out.push(' ');
            }
        }
    }
    squeeze(&out)
}

/// Returns a raw value without NUL and with line ends as LF; a CR elsewhere is a blank.
fn plain(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.iter().any(|byte| matches!(byte, 0 | b'\r')) {
        return Cow::Borrowed(value);
    }
    let mut out: Vec<u8> = value.iter().copied().filter(|byte| *byte != 0).collect();
    let line_end = |at: usize| out.get(at + 1) == Some(&b'\n');
    let kept = (0..out.len()).filter(|at| out[*at] != b'\r' || !line_end(*at));
    out = kept
        .map(|at| if out[at] == b'\r' { b' ' } else { out[at] })
        .collect();
    Cow::Owned(out)
}

/// Appends the text of the encoded words at the start of `pieces`; returns how many pieces they are.
fn decode_words(pieces: &[Piece], out: &mut String) -> usize {
    let mut run: (&str, Vec<&[u8]>) = ("", Vec::new());
    let mut used = 0;
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Plain(text) if text.trim_ascii().is_empty() => continue,
            Piece::Plain(_) => break,
            Piece::Word { charset, bytes, .. } => {
                if !charset.eq_ignore_ascii_case(run.0) {
                    decode_run(run.0, &run.1, out);
                    run = (charset, Vec::new());
                }
                run.1.push(bytes);
                used = at + 1;
            }
        }
    }
    decode_run(run.0, &run.1, out);
    used
}

/// Appends the text of words of one charset.
///
/// A character may be split across words, so they are decoded together. If that fails, one of them
/// is broken; then each is joined with as many of the next as it takes, so that one spoils no other.
fn decode_run(charset: &str, words: &[&[u8]], out: &mut String) {
    if let Some(text) = charset::decode_strictly(&words.concat(), Some(charset)) {
        out.push_str(&text);
        return;
    }
    let mut at = 0;
    while at < words.len() {
        let rest = &words[at..];
        let joined = (1..=rest.len().min(MAX_JOINED)).find_map(|length| {
            let bytes = rest[..length].concat();
            let text = charset::decode_strictly(&bytes, Some(charset))?.into_owned();
            Some((length, text))
        });
        let (length, text) =
            joined.unwrap_or_else(|| (1, charset::decode(rest[0], Some(charset)).into_owned()));
        out.push_str(&text);
        at += length;
    }
}

/// Cuts a value into plain text and encoded words; neighbouring plain pieces are one.
fn pieces(value: &[u8]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut plain_from, mut at) = (0, 0);
    while let Some(found) = find(&value[at..], b"=?") {
        let start = at + found;
        let (length, word) = match spot_word(&value[start..]) {
            Spot::Word(source, word) => (source, word),
            Spot::Nothing => (2, None),
            Spot::NeverAgain => break,
        };
        at = start + length;
        if let Some((charset, bytes)) = word {
            if plain_from < start {
                pieces.push(Piece::Plain(&value[plain_from..start]));
            }
            pieces.push(Piece::Word {
                source: &value[start..at],
                charset,
                bytes,
            });
            plain_from = at;
        }
    }
    if plain_from < value.len() {
        pieces.push(Piece::Plain(&value[plain_from..]));
    }
    pieces
}

/// What stands where `=?` was seen.
enum Spot<'a> {
    /// Something of this length in the form of a word, and its meaning unless it is broken.
    Word(usize, Option<(&'a str, Vec<u8>)>),
    Nothing,
    /// No end of a word follows anywhere: no need to look for starts, which hostile mail has many of.
    NeverAgain,
}

fn spot_word(text: &[u8]) -> Spot<'_> {
    let charset_length = text[2..]
        .iter()
        .take_while(|byte| byte.is_ascii_graphic() && **byte != b'?')
        .count();
    let charset = &text[2..2 + charset_length];
    let [b'?', kind @ (b'q' | b'Q' | b'b' | b'B'), b'?', rest @ ..] = &text[2 + charset_length..]
    else {
        return Spot::Nothing;
    };
    let Some(end) = find(rest, b"?=") else {
        return Spot::NeverAgain;
    };
    let encoded = &rest[..end];
    let bytes = match kind {
        b'q' | b'Q' => Some(q_decode(encoded)),
        _ => base64(encoded),
    };
    // RFC 2231 lets a language follow the charset.
    let charset = std::str::from_utf8(charset)
        .unwrap_or_default()
        .split('*')
        .next()
        .unwrap_or_default();
    let word = bytes
        .filter(|_| encoded.is_ascii())
        .map(|bytes| (charset, bytes));
    Spot::Word(2 + charset_length + 3 + end + 2, word)
}

fn q_decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let byte = match text[at] {
            b'_' => b' ',
            b'=' => match hex_pair(&text[at + 1..]) {
                Some(byte) => {
                    at += 2;
                    byte
                }
                None => b'=',
            },
            other => other,
        };
        out.push(byte);
        at += 1;
    }
    out.retain(|byte| *byte != b'\n');
    out
}

fn find(text: &[u8], what: &[u8; 2]) -> Option<usize> {
    text.windows(2).position(|pair| pair == what)
}

/// Returns `text` as one encoded word in UTF-8: base64 or Q, whichever is shorter, Q on a tie.
pub fn encode(text: &str) -> String {
    let q = q_encode(text);
    let b = to_base64(text.as_bytes());
    if q.len() <= b.len() {
        format!("=?utf-8?q?{q}?=")
    } else {
        format!("=?utf-8?b?{b}?=")
    }
}

fn q_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('_'),
            b'-' | b'!' | b'*' | b'+' | b'/' => out.push(byte as char),
            _ if byte.is_ascii_alphanumeric() => out.push(byte as char),
            _ => out.push_str(&format!("={byte:02X}")),
        }
    }
    out
}

/// Returns a raw header value in ASCII: folding stays as newline and blank, raw 8-bit text becomes
/// encoded words. Reading the result gives the same text as reading the raw value.
pub fn to_ascii(value: &[u8]) -> String {
    let value = plain(value);
    let mut out = String::with_capacity(value.len());
    if value.is_ascii() {
        push_ascii(&value, &mut out);
    } else {
        encode_pieces(&pieces(&value), &mut out);
    }
    out
}

fn encode_pieces(pieces: &[Piece], out: &mut String) {
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Word { source, .. } => push_ascii(source, out),
            Piece::Plain(text) if text.is_ascii() => push_ascii(text, out),
            Piece::Plain(text) => {
                let text = charset::decode(text, None);
                encode_plain(&text, at > 0, at + 1 < pieces.len(), out);
            }
        }
    }
}

/// Encodes those words of `text` that are not ASCII.
///
/// Blanks between encoded words do not count, so the blank goes into the word where both sides are
/// encoded.
fn encode_plain(text: &str, mut after_word: bool, before_word: bool, out: &mut String) {
    let mut rest = text;
    while !rest.is_empty() {
        let blanks = rest.len() - rest.trim_start_matches(is_blank).len();
        let word_end = rest[blanks..]
            .find(is_blank)
            .map_or(rest.len(), |end| blanks + end);
        let (gap, word) = (&rest[..blanks], &rest[blanks..word_end]);
        rest = &rest[word_end..];
        push_ascii(gap.as_bytes(), out);
        // Literal text that looks like the start of a word would swallow the words written after it.
        if word.is_ascii() && !word.contains("=?") {
            push_ascii(word.as_bytes(), out);
            after_word &= word.is_empty();
            continue;
        }
        if after_word && gap.is_empty() {
            out.push(' ');
        }
        let touches = before_word && rest.chars().all(is_blank);
        let padded = format!(
            "{}{word}{}",
            if after_word { " " } else { "" },
            if touches { " " } else { "" }
        );
        encode_long(&padded, out);
        if touches && rest.is_empty() {
            out.push(' ');
        }
        after_word = true;
    }
}

/// Blanks as they do not count between encoded words; other white space is part of a word.
fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace()
}

fn encode_long(text: &str, out: &mut String) {
    let chars: Vec<char> = text.chars().collect();
    for (at, chunk) in chars.chunks(WORD_CHARS).enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(&encode(&chunk.iter().collect::<String>()));
    }
}

fn push_ascii(bytes: &[u8], out: &mut String) {
    out.extend(bytes.iter().map(|byte| *byte as char));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn values_are_read_as_the_table_says() {
        let table: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/mail/word.json"))
                .expect("valid table");
        for case in table {
            let raw = latin1(case["raw"].as_str().expect("raw"));
            let text = case["text"].as_str().expect("text");
            assert_eq!(decode(&raw), text, "{case}");
            let stored = to_ascii(&raw);
            assert!(stored.is_ascii(), "{stored}");
            assert_eq!(decode(stored.as_bytes()), text, "stored as {stored}");
        }
    }

    /// The tables hold raw bytes as the characters of the same number.
    fn latin1(text: &str) -> Vec<u8> {
        text.chars()
            .map(|c| u8::try_from(c as u32).expect("a byte"))
            .collect()
    }

    #[test]
    fn the_shorter_encoding_is_taken() {
        assert_eq!(encode("Zoë Smith"), "=?utf-8?q?Zo=C3=AB_Smith?=");
        assert_eq!(encode("日本語"), "=?utf-8?b?5pel5pys6Kqe?=");
    }
}
