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

/// Tags ready to be counted; one whose pattern does not compile is not among them.
#[derive(Clone, Debug)]
pub struct Counter(Vec<(TagId, Regex)>);

impl Counter {
    /// Takes the tags of a site.
    pub fn new(tags: &[Tag]) -> Self {
        let ready = |tag: &Tag| Some((tag.id, pattern::compile(&tag.pattern).ok()?));
        Counter(tags.iter().filter_map(ready).collect())
    }

    /// Returns how often each tag occurs in a text; those that do not occur are left out.
    pub fn count(&self, text: &str) -> impl Iterator<Item = (TagId, i64)> {
        let counts = self
            .0
            .iter()
            .map(|(tag, pattern)| (*tag, pattern.find_iter(text).count() as i64));
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
}
