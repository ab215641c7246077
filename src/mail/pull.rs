//! Pull requests: the address that `git request-pull` puts into a mail (`mail.md §10.4`).

use super::space::is_space;
use crate::domain::id::MAX_CHARS;

const BEGIN: &str = "The following changes since commit";
const OFFER: &str = "are available in the git repository at:";

/// Returns repository and reference of the last pull request in a message; none if it is longer than
/// a column holds.
pub fn pull_url(message: &str) -> Option<String> {
    let begin = line_starts(message).find(|start| begins(&message[*start..], BEGIN))?;
    let offers: Vec<usize> = line_starts(message)
        .filter(|start| *start > begin && begins(&message[*start..], OFFER))
        .collect();
    let url = offers
        .iter()
        .rev()
        .find_map(|start| address(&message[start + OFFER.len()..]))?;
    (url.chars().count() <= MAX_CHARS).then_some(url)
}

fn line_starts(text: &str) -> impl Iterator<Item = usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1))
}

fn begins(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// Reads what follows the offer: an address on a line of its own, perhaps with a reference.
fn address(text: &str) -> Option<String> {
    let rest = text.trim_start_matches(is_space);
    if !text[..text.len() - rest.len()].contains('\n') {
        return None;
    }
    let (url, rest) = rest.split_at(url_length(rest)?);
    let (gap, reference, after) = reference(rest)?;
    // One line end or a blank line further on, a lone word may be that of the next paragraph.
    let apart = gap.matches('\n').count() > 1
        && !begins(after.trim_start_matches(is_space), "for you to fetch");
    if reference.is_empty() || apart {
        return ends_line(rest).then(|| url.to_owned());
    }
    Some(format!("{url} {reference}"))
}

/// Returns the length of `scheme://…` or `user@host…`.
fn url_length(text: &str) -> Option<usize> {
    let head = text
        .find(|c| !(is_word(c) || c == '+' || c == '-'))
        .filter(|head| *head > 0)?;
    let mark = ["://", "@"]
        .into_iter()
        .find(|mark| text[head..].starts_with(mark))?;
    let path = &text[head + mark.len()..];
    let length = path
        .find(|c| !(is_word(c) || "/.@:~-".contains(c)))
        .unwrap_or(path.len());
    (length > 0).then_some(head + mark.len() + length)
}

/// Returns the gap after an address, the reference after the gap, and what follows the reference.
///
/// The reference is empty where none can stand; none if something else stands on the address's line.
fn reference(text: &str) -> Option<(&str, &str, &str)> {
    let rest = text.trim_start_matches(|c| is_space(c) || c == '\\');
    let gap = &text[..text.len() - rest.len()];
    let length = rest
        .find(|c| !(is_word(c) || "/.-+#".contains(c)))
        .unwrap_or(rest.len());
    let (reference, after) = rest.split_at(length);
    match !gap.is_empty() && ends_line(after) {
        true => Some((gap, reference, after)),
        false => ends_line(text.trim_start_matches('\\')).then_some((gap, "", after)),
    }
}

/// Tells whether nothing but white space follows on the line.
fn ends_line(text: &str) -> bool {
    text.chars()
        .take_while(|c| *c != '\n')
        .all(|c| is_space(c) || c == '\\')
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn pull_requests_are_found_as_the_table_says() {
        let table: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/mail/pull.json"))
                .expect("valid table");
        for case in table {
            let found = pull_url(case["message"].as_str().expect("message"));
            assert_eq!(json!(found), case["url"], "{case}");
        }
    }
}
