//! The lines of a mail that a search has found, with marks where it stands.

use std::ops::Range;

use maud::{Markup, html};

use crate::{
    domain::search::{Node, Place, Query, What, words},
    store::search::Hit,
};

/// How many characters of a line are shown.
const MOST_CHARS: usize = 200;
/// How many characters stand before the first mark of a line that is cut.
const BEFORE: usize = 40;

/// The texts that a search looks for.
pub(super) struct Terms(Vec<Text>);

struct Text {
    words: Vec<String>,
    is_open: bool,
}

impl Terms {
    /// Returns those of a query that are to occur.
    pub(super) fn of(query: &Query) -> Terms {
        let mut texts = Vec::new();
        if let Some(root) = &query.root {
            collect(root, &mut texts);
        }
        Terms(texts)
    }

    /// Draws a text with marks.
    pub(super) fn marked(&self, text: &str) -> Markup {
        let marks = joined(self.found(text).into_iter().map(|(_, at)| at).collect());
        let mut parts = Vec::new();
        let mut after = 0;
        for mark in marks {
            parts.push((&text[after..mark.start], &text[mark.start..mark.end]));
            after = mark.end;
        }
        html! {
            @for (plain, marked) in parts { (plain) mark { (marked) } }
            (&text[after..])
        }
    }

    /// Draws the best line of the message, and of the diff.
    pub(super) fn lines(&self, hit: &Hit) -> Vec<Markup> {
        let is_own = |line: &&str| hit.comment_id.is_none() || !line.starts_with('>');
        let message = hit.message.as_deref().unwrap_or_default();
        let message = self.best(message.lines().filter(is_own));
        let is_name = |line: &str| line.starts_with("+++ ") || line.starts_with("--- ");
        let is_changed = |line: &&str| line.starts_with(['+', '-', '@']) && !is_name(line);
        let diff = hit.diff.as_deref().unwrap_or_default();
        let changed = self.best(diff.lines().filter(is_changed));
        let diff = changed.or_else(|| self.best(diff.lines().filter(|line| is_name(line))));
        let lines = message.into_iter().chain(diff);
        lines.map(|line| self.marked(self.cut(line))).collect()
    }

    /// Returns the first of the lines with the most terms; none without any.
    fn best<'a>(&self, lines: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        let mut best = (0, None);
        for line in lines {
            let mut terms: Vec<usize> =
                self.found(line).into_iter().map(|(term, _)| term).collect();
            terms.dedup();
            if terms.len() > best.0 {
                best = (terms.len(), Some(line));
            }
            if best.0 == self.0.len() {
                break;
            }
        }
        best.1
    }

    /// Returns the part of a line around the first mark.
    fn cut<'a>(&self, line: &'a str) -> &'a str {
        let first = self.found(line).into_iter().map(|(_, at)| at.start).min();
        let first = first.unwrap_or_default();
        let mut begin = 0;
        if line.chars().count() > MOST_CHARS {
            let mut before = line[..first].char_indices().rev();
            begin = before.nth(BEFORE).map_or(0, |(at, _)| at);
        }
        let rest = &line[begin..];
        let end = rest.char_indices().nth(MOST_CHARS);
        &rest[..end.map_or(rest.len(), |(at, _)| at)]
    }

    /// Returns which terms occur in a text, in their order, and where.
    fn found(&self, text: &str) -> Vec<(usize, Range<usize>)> {
        let mut standing: Vec<(String, Range<usize>)> = Vec::new();
        words::each(text, |word, at| {
            standing.push((word.to_owned(), at));
            true
        });
        let mut found = Vec::new();
        for (index, term) in self.0.iter().enumerate() {
            for window in standing.windows(term.words.len()) {
                if term.is_here(window) {
                    let end = window[window.len() - 1].1.end;
                    found.push((index, window[0].1.start..end));
                }
            }
        }
        found
    }
}

impl Text {
    fn is_here(&self, window: &[(String, Range<usize>)]) -> bool {
        let last = self.words.len() - 1;
        self.words
            .iter()
            .zip(window)
            .enumerate()
            .all(|(index, (asked, (word, _)))| {
                word == asked || self.is_open && index == last && word.starts_with(asked.as_str())
            })
    }
}

fn collect(node: &Node, texts: &mut Vec<Text>) {
    match node {
        Node::All(parts) | Node::Any(parts) => parts.iter().for_each(|part| collect(part, texts)),
        Node::Not(_) => {}
        Node::Term(term) => {
            let (is_text, is_name) = match term.what {
                What::Text(Place::File) => (true, true),
                What::Text(_) => (true, false),
                What::By(_) => (true, true),
                _ => (false, false),
            };
            let words = words::of(&term.text);
            if is_text && !words.is_empty() {
                let is_open = is_name || term.text.ends_with('*');
                texts.push(Text { words, is_open });
            }
        }
    }
}

/// Joins what overlaps.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut out: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Terms {
        Terms::of(&Query::parse(text).expect("a query"))
    }

    #[test]
    fn what_was_found_is_marked() {
        for (asked, text, expected) in [
            ("leak", "Fix a Leak.", "Fix a <mark>Leak</mark>."),
            ("leak -fix", "fix <leak>", "fix &lt;<mark>leak</mark>&gt;"),
            ("foo_bar", "x foo_bar(foo)", "x <mark>foo_bar</mark>(foo)"),
            ("fo* \"foo bar\"", "foo bar", "<mark>foo bar</mark>"),
            ("lea", "leak", "leak"),
            ("from:ann", "ann", "ann"),
        ] {
            assert_eq!(terms(asked).marked(text).into_string(), expected, "{asked}");
        }
    }

    #[test]
    fn the_line_with_most_terms_is_shown_and_cut() {
        let lines = ["a", "b c", "b a"];
        assert_eq!(terms("a b").best(lines.into_iter()), Some("b a"));
        assert_eq!(terms("d").best(lines.into_iter()), None);
        let long = format!("{}leak{}", "ä ".repeat(300), " ö".repeat(300));
        let terms = terms("leak");
        let cut = terms.cut(&long);
        assert!(
            cut.contains("leak") && cut.chars().count() == MOST_CHARS,
            "{cut}"
        );
    }
}
