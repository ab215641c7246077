//! Characters that are not seen, or that turn round what is: in a name or a diff they can make code look like other code.
//! Pages show them by their number (`U+202E`).

use std::{borrow::Cow, fmt::Write};

/// Says whether a character between two others has to be made visible.
fn is_odd(before: Option<char>, c: char, after: Option<char>) -> bool {
    match c {
        // Embeddings, overrides, isolates and marks of direction.
        '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{061c}' => true,
        // Blanks without width, the soft hyphen, invisible operators, the interlinear marks, tags.
        '\u{200b}'
        | '\u{00ad}'
        | '\u{180e}'
        | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}' => true,
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        // Joiners belong into many scripts and into emoji, not between letters of ours.
        '\u{200c}' | '\u{200d}' => {
            let is_plain = |c: Option<char>| c.is_none_or(|c| c.is_ascii());
            is_plain(before) || is_plain(after)
        }
        _ => c.is_control() && !matches!(c, '\t' | '\n' | '\r'),
    }
}

/// Returns the places of characters that have to be made visible.
pub fn places(text: &str) -> Vec<(usize, char)> {
    // Most texts have none, and that is found out fast.
    if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_control()) {
        return Vec::new();
    }
    let mut places = Vec::new();
    let mut before = None;
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if is_odd(before, c, rest.peek().map(|(_, c)| *c)) {
            places.push((at, c));
        }
        before = Some(c);
    }
    places
}

/// Returns a name with such characters written by their number.
pub fn shown(text: &str) -> Cow<'_, str> {
    let places = places(text);
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8 * places.len());
    let mut from = 0;
    for (at, c) in places {
        out.push_str(&text[from..at]);
        // A String takes any text.
        let _ = write!(out, "⟨U+{:04X}⟩", u32::from(c));
        from = at + c.len_utf8();
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_named() {
        for (text, expected) in [
            ("net: fix a leak", "net: fix a leak"),
            ("käse 日本 – ok", "käse 日本 – ok"),
            ("a\u{202e}b", "a⟨U+202E⟩b"),
            ("a\u{2066}b\u{2069}", "a⟨U+2066⟩b⟨U+2069⟩"),
            ("ad\u{200b}min", "ad⟨U+200B⟩min"),
            ("\u{feff}x", "⟨U+FEFF⟩x"),
            ("a\u{200d}b", "a⟨U+200D⟩b"),
            ("نمی\u{200c}خواهم", "نمی\u{200c}خواهم"),
            ("👩\u{200d}🔬", "👩\u{200d}🔬"),
            ("a\u{1}b", "a⟨U+0001⟩b"),
            ("a\tb", "a\tb"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }
}
