//! Trailers: the lines by which people respond to a patch, `Reviewed-by: …` (`domain.md §4`).

/// The responses that the mbox output carries along; independent of the tags a site counts.
const RESPONSES: [&str; 6] = [
    "tested",
    "reviewed",
    "acked",
    "signed-off",
    "nacked",
    "reported",
];

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
    use crate::domain::{Tag, TagId, tag::Counter};
    use serde_json::{Value, json};

    fn counter() -> Counter {
        let names = ["Acked-by", "Reviewed-by", "Tested-by"];
        let tag = |(id, name): (i64, &&str)| Tag {
            id: TagId(id),
            name: (*name).to_owned(),
            pattern: format!("^{name}:"),
            abbrev: name[..1].to_owned(),
            show_column: true,
        };
        let tags: Vec<Tag> = (0..).zip(&names).map(tag).collect();
        Counter::new(&tags)
    }

    #[test]
    fn tags_are_counted_as_the_table_says() {
        let counter = counter();
        let table: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/mail/trailer.json"))
                .expect("valid table");
        for case in table {
            let text = case["text"].as_str().expect("text");
            let mut counts = [0; 3];
            for (tag, count) in counter.count(text) {
                counts[tag.0 as usize] = count;
            }
            assert_eq!(json!(counts), case["counts"], "{case}");
            assert_eq!(
                json!(responses(text).collect::<Vec<_>>()),
                case["responses"],
                "{case}"
            );
        }
    }
}
