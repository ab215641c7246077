//! White space as the field counts it, and what is done with it.
//!
//! Compatibility: Unicode's set plus the separators U+001C to U+001F. Diff hashes and stored names
//! depend on exactly this set.

/// Tells whether `c` is white space.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Returns `text` without white space at both ends.
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Returns `text` without NUL, every run of white space as one space, none at the ends.
pub fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.chars().filter(|c| *c != '\0') {
        if is_space(c) {
            gap = true;
            continue;
        }
        if gap && !out.is_empty() {
            out.push(' ');
        }
        gap = false;
        out.push(c);
    }
    out
}

/// Returns `text` without the characters no line of ours may hold, for logs and header values.
pub fn printable(text: &str) -> String {
    squeeze(text).replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_become_one_space() {
        assert_eq!(squeeze(" a\u{a0}\t b\0c\u{1f}d "), "a bc d");
        assert_eq!(strip("\u{3000} a b\u{1c}"), "a b");
        assert_eq!(printable("a\u{1b}[0m\r\nb"), "a\u{fffd}[0m b");
    }
}
