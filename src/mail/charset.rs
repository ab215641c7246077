//! Bytes to text: the charset a mail declares, and what to do when that is wrong (`mail.md §9.1`).

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Returns the text of `bytes`, whatever they are: windows-1252, if nothing else fits, fits everything.
pub fn decode<'a>(bytes: &'a [u8], label: Option<&str>) -> Cow<'a, str> {
    decode_strictly(bytes, label)
        .unwrap_or_else(|| WINDOWS_1252.decode_without_bom_handling(bytes).0)
}

/// Returns the text of `bytes` in the charset of that label or in UTF-8, if it fits without error.
///
/// UTF-8 wins over single-byte charsets: such labels lie often (`us-ascii` above all), and text in
/// them is practically never valid UTF-8 by chance.
pub fn decode_strictly<'a>(bytes: &'a [u8], label: Option<&str>) -> Option<Cow<'a, str>> {
    let declared = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    let candidates = match declared {
        Some(wide) if !wide.is_single_byte() => [wide, UTF_8],
        Some(narrow) => [UTF_8, narrow],
        None => [UTF_8, UTF_8],
    };
    candidates
        .into_iter()
        .find_map(|encoding| fits(encoding, bytes))
}

fn fits<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    if encoding == UTF_8 {
        return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
    }
    encoding.decode_without_bom_handling_and_without_replacement(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_is_believed_as_far_as_it_fits() {
        for (bytes, label, text) in [
            (&b"caf\xe9"[..], Some("iso-8859-1"), "café"),
            (b"caf\xc3\xa9", Some("us-ascii"), "café"),
            (b"caf\xe9", Some("us-ascii"), "café"),
            (b"caf\xe9", None, "café"),
            (b"caf\xe9", Some("base64"), "café"),
            (b"\xc4\xe3", Some("gb2312"), "你"),
            (b"\x1b$BF|\x1b(B", Some("ISO-2022-JP"), "日"),
            (b"\xff", Some("utf-8"), "ÿ"),
            (b"\xb1", Some("iso-8859-2"), "ą"),
        ] {
            assert_eq!(decode(bytes, label), text, "{label:?}");
        }
    }
}
