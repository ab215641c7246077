//! File names in the header lines of a diff: quoted or not, with a side in front, a date behind.

/// Returns the name on a line `--- name` or `+++ name`, given what follows the mark.
///
/// A tab ends it. Where none does, git's names reach to the end of the line; other programs put a
/// date there, and mailers have been seen to turn the tab into blanks.
pub fn marked(rest: &str, git: bool) -> String {
    let rest = rest.trim_end_matches(['\r', '\n']);
    if let Some((name, _)) = unquoted(rest) {
        return name;
    }
    let end = rest
        .find('\t')
        .or_else(|| if git { None } else { rest.find(' ') });
    rest[..end.unwrap_or(rest.len())].to_owned()
}

/// Returns a name that is all of `rest`, quoted or not, as on `rename from name`.
pub fn whole(rest: &str) -> String {
    let rest = rest.trim_end_matches(['\r', '\n']);
    unquoted(rest).map_or_else(|| rest.to_owned(), |(name, _)| name)
}

/// Returns both names of `diff --git old new`, if it is clear where the first ends.
///
/// Without quotes it is clear if both are the same but for their side.
pub fn git_pair(rest: &str) -> Option<(String, String)> {
    let rest = rest.trim_end_matches(['\r', '\n']);
    if let Some((old, rest)) = unquoted(rest) {
        return Some((old, whole(rest.strip_prefix(' ')?)));
    }
    if rest.ends_with('"') {
        let (old, _) = rest.split_once(" \"")?;
        return Some((old.to_owned(), whole(&rest[old.len() + 1..])));
    }
    let same = |old: &str, new: &str| without_first(old) == without_first(new);
    let halves = rest
        .split_at_checked(rest.len() / 2)
        .and_then(|(old, new)| Some((old, new.strip_prefix(' ')?)));
    let (old, new) = halves
        .filter(|(old, new)| same(old, new))
        .or_else(|| rest.split_once(' ').filter(|(_, new)| !new.contains(' ')))?;
    Some((old.to_owned(), new.to_owned()))
}

/// Returns a name without `a/` or `b/`, or another of the single letters by which git names sides.
pub fn without_side(name: &str) -> &str {
    match name.split_at_checked(2) {
        Some((side, rest))
            if ["a/", "b/", "c/", "i/", "o/", "w/"].contains(&side) && !rest.is_empty() =>
        {
            rest
        }
        _ => name,
    }
}

/// Returns a name without its first folder, whatever that is called; a bare name stays.
pub fn without_first(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, rest)| rest)
}

/// Tells whether a name stands for "no such file".
pub fn is_nothing(name: &str) -> bool {
    name.starts_with("/dev/null")
}

/// Reads a name in quotes with C's escapes at the start of `text`; returns it and what follows.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut bytes = Vec::new();
    let mut at = 0;
    loop {
        match inner.as_bytes().get(at)? {
            b'"' => break,
            b'\\' => at += escape(&inner.as_bytes()[at + 1..], &mut bytes)?,
            byte => bytes.push(*byte),
        }
        at += 1;
    }
    Some((
        String::from_utf8_lossy(&bytes).into_owned(),
        &inner[at + 1..],
    ))
}

/// Reads what follows a backslash; returns its length.
fn escape(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let octal = |byte: u8| matches!(byte, b'0'..=b'7').then(|| u32::from(byte - b'0'));
    if let Some(digits) = text.get(..3)
        && let (Some(a), Some(b), Some(c)) = (octal(digits[0]), octal(digits[1]), octal(digits[2]))
    {
        out.push((a << 6 | b << 3 | c) as u8);
        return Some(3);
    }
    out.push(match text.first()? {
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        other => *other,
    });
    Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_with_blanks_quotes_and_dates() {
        for (rest, git, name) in [
            ("a/f.c\n", true, "a/f.c"),
            ("a/my file\t\n", true, "a/my file"),
            ("a/my file\r\n", true, "a/my file"),
            ("f.c\t2020-01-01 10:00\n", false, "f.c"),
            ("f.c  2020-01-01 10:00\n", false, "f.c"),
            ("\"a/caf\\303\\251 \\\"x\\\".c\"\n", true, "a/café \"x\".c"),
            ("\"a/open\n", true, "\"a/open"),
        ] {
            assert_eq!(marked(rest, git), name);
        }
    }

    #[test]
    fn pairs_are_cut_where_that_is_clear() {
        for (rest, pair) in [
            ("a/f b/f\n", Some(("a/f", "b/f"))),
            ("a/my file b/my file", Some(("a/my file", "b/my file"))),
            ("a/old b/new", Some(("a/old", "b/new"))),
            ("a/old name b/new name", None),
            ("\"a/\\t\" b/x", Some(("a/\t", "b/x"))),
            ("a/x \"b/\\t\"", Some(("a/x", "b/\t"))),
            ("x", None),
        ] {
            let found = git_pair(rest);
            assert_eq!(
                found
                    .as_ref()
                    .map(|(old, new)| (old.as_str(), new.as_str())),
                pair
            );
        }
    }
}
