//! Trailers: the lines by which people respond to a patch, `Reviewed-by: …` (`domain.md §4`), and which of them the
//! patches of a series gain.

use std::collections::HashSet;

use super::{address::Mailbox, render, space::strip};

/// The responses that the mbox output carries along; independent of the tags a site counts.
const RESPONSES: [&str; 6] = [
    "tested",
    "reviewed",
    "acked",
    "signed-off",
    "nacked",
    "reported",
];

/// Nobody responds in more lines of one mail; whoever sends more wants to keep us busy.
const MOST_OF_ONE: usize = 200;

/// So many lines are looked at in all, each as often as there are patches to which it is given.
const MOST: usize = 5000;

/// Returns the lines of a text that respond to a patch, as they are, the first [`MOST_OF_ONE`] of them.
pub fn responses(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split('\n').filter(|line| is_response(line));
    lines.take(MOST_OF_ONE)
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

/// What somebody said about a patch, or about all of a series.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// The place of the patch among those of the series; none for an answer to the cover letter, which is meant for all.
    pub about: Option<usize>,
    /// The text.
    pub text: &'a str,
}

/// A trailer that patches of a series gain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<'a> {
    /// The line as it was written.
    pub line: &'a str,
    /// Who said it: the place among what was said.
    pub said: usize,
    /// The places of the patches that gain it. None where all have it already.
    pub onto: Vec<usize>,
}

impl Given<'_> {
    /// Returns the address that the trailer names.
    pub fn address(&self) -> String {
        let (_, value) = self.line.split_once(':').unwrap_or_default();
        Mailbox::read(value).address
    }
}

/// Returns what is given to the patches whose messages these are: what stands in the mailbox of the series, and with
/// what was said of the cover letter after it. Of more than anybody says, the first.
pub fn collect<'a>(messages: &[&str], said: &[Said<'a>]) -> Vec<Given<'a>> {
    let mut there: Vec<HashSet<String>> = messages
        .iter()
        .map(|message| render::committed(message).lines().map(key).collect())
        .collect();
    let mut given = Vec::new();
    let mut room = MOST;
    let own = said
        .iter()
        .enumerate()
        .filter(|(_, one)| one.about.is_some());
    let all = said
        .iter()
        .enumerate()
        .filter(|(_, one)| one.about.is_none());
    for (at, one) in own.chain(all) {
        let places = match one.about {
            Some(place) => place..place + 1,
            None => 0..messages.len(),
        };
        for line in responses(one.text) {
            let Some(left) = room.checked_sub(places.len().max(1)) else {
                return given;
            };
            room = left;
            let gains = |place: &usize| {
                let there = there.get_mut(*place);
                there.is_some_and(|there| there.insert(key(line)))
            };
            given.push(Given {
                line: strip(line),
                said: at,
                onto: places.clone().filter(gains).collect(),
            });
        }
    }
    given
}

/// Two lines with the same key are the same trailer.
pub(super) fn key(line: &str) -> String {
    strip(line).to_lowercase()
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

    #[test]
    fn patches_gain_what_they_do_not_have() {
        let messages = [
            "One.\n\nAcked-by: Ann <ann@example.org>\n---\nTested-by: Notes <n@example.org>\n",
            "Two.",
        ];
        let said = |about, text| Said { about, text };
        let said = [
            said(None, "Whole series:\nReviewed-by: Bo <bo@example.org>\n"),
            said(
                Some(0),
                "> quoted\nacked-by: ann <ANN@example.org>\nTested-by: Notes <n@example.org>",
            ),
            said(Some(1), "Reviewed-by: Bo <bo@example.org> "),
            said(Some(7), "Acked-by: Nobody <x@example.org>"),
        ];
        let given = collect(&messages, &said);
        let seen: Vec<_> = given
            .iter()
            .map(|one| (one.line, one.said, one.onto.as_slice()))
            .collect();
        let expected: [(&str, usize, &[usize]); 5] = [
            ("acked-by: ann <ANN@example.org>", 1, &[]),
            ("Tested-by: Notes <n@example.org>", 1, &[0]),
            ("Reviewed-by: Bo <bo@example.org>", 2, &[1]),
            ("Acked-by: Nobody <x@example.org>", 3, &[]),
            ("Reviewed-by: Bo <bo@example.org>", 0, &[0]),
        ];
        assert_eq!(seen, expected);
        assert_eq!(given[0].address(), "ANN@example.org");
    }

    #[test]
    fn a_flood_of_trailers_is_bounded() {
        let flood: String = (0..40_000)
            .map(|n| format!("Acked-by: A <a{n}@example.org>\n"))
            .collect();
        assert_eq!(responses(&flood).count(), MOST_OF_ONE);
        let said = [Said {
            about: None,
            text: &flood,
        }; 10];
        let given = collect(&["one"; 100], &said);
        assert_eq!(given.len(), MOST / 100);
    }
}
