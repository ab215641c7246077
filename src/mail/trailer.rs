//! Trailers: the lines by which people respond to a patch, `Reviewed-by: …` (`domain.md §4`).

use regex::{Regex, RegexBuilder};

/// The responses that the mbox output carries along; independent of the tags a site counts.
const RESPONSES: [&str; 6] = [
    "tested",
    "reviewed",
    "acked",
    "signed-off",
    "nacked",
    "reported",
];

/// Returns the pattern of a tag, ready for use: `^` is the start of a line, case does not matter.
pub fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .multi_line(true)
        .case_insensitive(true)
        .size_limit(1 << 20)
        .build()
}

/// Returns how often the pattern of a tag occurs in a text.
pub fn count(pattern: &Regex, text: &str) -> usize {
    pattern.find_iter(text).count()
}

/// Returns the lines of a text that respond to a patch, as they are.
pub fn responses(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').filter(|line| is_response(line))
}

fn is_response(line: &str) -> bool {
    RESPONSES.iter().any(|word| {
        let parts = line.split_at_checked(word.len());
        parts.is_some_and(|(head, rest)| {
            let by = rest.get(.."-by:".len());
            head.eq_ignore_ascii_case(word) && by.is_some_and(|by| by.eq_ignore_ascii_case("-by:"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn tags_are_counted_as_the_table_says() {
        let tags = ["^Acked-by:", "^Reviewed-by:", "^Tested-by:"]
            .map(|tag| compile(tag).expect("a pattern"));
        let table: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/mail/trailer.json"))
                .expect("valid table");
        for case in table {
            let text = case["text"].as_str().expect("text");
            let counts: Vec<usize> = tags.iter().map(|tag| count(tag, text)).collect();
            assert_eq!(json!(counts), case["counts"], "{case}");
            assert_eq!(
                json!(responses(text).collect::<Vec<_>>()),
                case["responses"],
                "{case}"
            );
        }
    }
}
