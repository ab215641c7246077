//! What commands print, and how errors read.

use std::{
    borrow::Cow,
    io::{self, Write},
};

/// How many characters of a value are shown.
const LONGEST: usize = 200;

/// Prints a line of the result.
pub(super) fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.write_all(b"\n")
}

/// Prints a diagnostic; nobody can be told when even that fails.
pub(super) fn tell(line: &str) {
    let _ = writeln!(io::stderr().lock(), "patchwork: {line}");
}

/// Prints a diagnostic in a form that programs know, without our name before it.
pub(super) fn tell_plainly(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Prints a diagnostic after a status that a program reads.
pub(super) fn tell_as(status: &str, line: &str) {
    let _ = writeln!(io::stderr().lock(), "{status} patchwork: {line}");
}

/// Says whether the reader of our output went away.
pub(super) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Returns an error and its causes as one sentence, nothing said twice.
pub(super) fn sentence(error: &anyhow::Error) -> String {
    let mut out = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if out.contains(&text) {
            continue;
        }
        if !out.is_empty() {
            out.push_str(": ");
        }
        out.push_str(&text);
    }
    // Some libraries break their messages over lines; ours is one.
    plain(&out.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Returns the start of a text that may be of any length, as what came in mails may.
pub(super) fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Returns a text that came from elsewhere so that it does not move the cursor of a terminal.
pub(super) fn plain(text: &str) -> String {
    let shown = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(shown).collect()
}

/// Prints rows in columns, each as wide as its longest value.
pub(super) fn table(rows: &[Vec<String>]) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|value| value.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (value, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{value:width$}  "));
        }
        say(line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(cut(&"ä".repeat(200)), "ä".repeat(200));
        assert_eq!(cut(&"ä".repeat(201)), format!("{}…", "ä".repeat(200)));
    }

    #[test]
    fn nothing_is_said_twice() {
        let error = Err::<(), _>(io::Error::other("disk\n  full"))
            .context("cannot write: disk\n  full")
            .context("dump")
            .expect_err("an error");
        assert_eq!(sentence(&error), "dump: cannot write: disk full");
        let odd = anyhow::anyhow!("version \x1b[2J");
        assert_eq!(sentence(&odd), "version \u{fffd}[2J");
    }
}
