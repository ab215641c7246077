//! Tags: trailers that are counted, such as `Reviewed-by`.

use regex::Regex;

use super::{TagId, pattern};

/// A trailer that is counted.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Tag {
    /// Its id.
    pub id: TagId,
    /// The name, such as `Reviewed-by`.
    pub name: String,
    /// What to look for: a regular expression, applied per line, ignoring case.
    pub pattern: String,
    /// One or two letters for narrow columns.
    pub abbrev: String,
    /// Whether lists show it.
    pub show_column: bool,
}

/// The tags that are a review, whatever else a site counts.
const APPROVING: [&str; 2] = ["Reviewed-by", "Acked-by"];

impl Tag {
    /// Says whether it tells that somebody has reviewed or acknowledged a patch.
    pub fn approves(&self) -> bool {
        APPROVING
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&self.name))
    }
}

/// Returns everything that is wrong with a tag beside the others, one sentence each.
pub fn faults(wanted: &Tag, tags: &[Tag]) -> Vec<String> {
    let mut faults = Vec::new();
    for (what, text, most) in [
        ("name", &wanted.name, 20),
        ("pattern", &wanted.pattern, 50),
        ("abbreviation", &wanted.abbrev, 2),
    ] {
        if text.trim().is_empty() || text.chars().count() > most {
            faults.push(format!("the {what} has 1 to {most} characters"));
        }
    }
    if let Err(fault) = pattern::compile(&wanted.pattern) {
        faults.push(format!(
            "the pattern '{}' is no regular expression: {fault}",
            wanted.pattern
        ));
    }
    let mut others = tags.iter().filter(|other| other.id != wanted.id);
    if let Some(other) = others.find(|other| other.abbrev == wanted.abbrev) {
        faults.push(format!(
            "the tag '{}' has the abbreviation '{}'",
            other.name, other.abbrev
        ));
    }
    faults
}

/// How the lines of a tag are found.
#[derive(Clone, Debug)]
enum Finder {
    /// Lines that begin so, in any case: nearly every tag is `^Some-words:`, and compiling an expression takes longer
    /// than storing a mail.
    Beginning(String),
    /// Whatever else was typed.
    Expression(Regex),
}

impl Finder {
    fn new(pattern: &str) -> Option<Finder> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | ' ');
        match pattern.strip_prefix('^') {
            Some(rest) if rest.chars().all(is_plain) => Some(Finder::Beginning(rest.to_owned())),
            _ => pattern::compile(pattern).ok().map(Finder::Expression),
        }
    }

    fn count(&self, text: &str) -> usize {
        match self {
            Finder::Beginning(word) => text.split('\n').filter(|line| begins(line, word)).count(),
            Finder::Expression(expression) => expression.find_iter(text).count(),
        }
    }
}

fn begins(line: &str, word: &str) -> bool {
    line.get(..word.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(word))
}

/// Tags ready to be counted; one whose pattern does not compile is not among them.
#[derive(Clone, Debug)]
pub struct Counter(Vec<(TagId, Finder)>);

impl Counter {
    /// Takes the tags of a site.
    pub fn new(tags: &[Tag]) -> Self {
        let ready = |tag: &Tag| Some((tag.id, Finder::new(&tag.pattern)?));
        Counter(tags.iter().filter_map(ready).collect())
    }

    /// Returns how often each tag occurs in a text; those that do not occur are left out.
    pub fn count(&self, text: &str) -> impl Iterator<Item = (TagId, i64)> {
        let counts = self
            .0
            .iter()
            .map(|(tag, finder)| (*tag, finder.count(text) as i64));
        counts.filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_does_not_compile_counts_nothing() {
        let tag = |id, pattern: &str| Tag {
            id: TagId(id),
            name: "Acked-by".to_owned(),
            pattern: pattern.to_owned(),
            abbrev: "A".to_owned(),
            show_column: true,
        };
        let counter = Counter::new(&[tag(1, "^Acked-by:"), tag(2, "("), tag(3, "^Nacked-by:")]);
        let counts: Vec<_> = counter
            .count("Acked-by: a\n> Acked-by: b\nacked-by: c")
            .collect();
        assert_eq!(counts, [(TagId(1), 2)]);
    }

    #[test]
    fn plain_words_count_as_their_expression_does() {
        let texts = [
            "",
            "Acked-by: a",
            "x\nacked-BY: a\nAcked-by: b",
            " Acked-by: a",
            "Acked-by",
            "Ackéd-by: a",
            "\n\nAcked-by:\r\nAcked-by: a\n",
        ];
        for text in texts {
            let plain = Finder::new("^Acked-by:").expect("a finder");
            let expression = Finder::new("^(?:Acked-by:)").expect("a finder");
            assert!(matches!(plain, Finder::Beginning(_)));
            assert!(matches!(expression, Finder::Expression(_)));
            assert_eq!(plain.count(text), expression.count(text), "{text:?}");
        }
    }
}
