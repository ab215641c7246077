//! What a mail says of the revisions of its series: an id they share, mails of earlier ones.

use super::{Limits, Message, header::Block, reference};
use crate::domain::{MessageId, id::cut, revision::Sign};

/// How many mails one mail may name as earlier ones.
const MOST: usize = 20;

/// How many of the mails that it answers are looked at, the nearest first.
const MOST_ANSWERED: usize = 10;

/// Returns what a mail that opens a series says of its revisions. `is_later` says whether it calls itself a later one than the
/// first: what a first revision answers is none.
pub fn signs(message: &Message, is_later: bool) -> Vec<(Sign, String)> {
    said(&message.content.message, &message.references, is_later)
}

/// Returns what [`signs`] does of a mail as it is stored: its headers and its text.
pub fn signs_of_stored(headers: &str, content: &str, is_later: bool) -> Vec<(Sign, String)> {
    let block = Block::split(headers.as_bytes());
    let references = reference::references(&block, &Limits::for_any_size()).unwrap_or_default();
    said(content, &references, is_later)
}

fn said(text: &str, references: &[MessageId], is_later: bool) -> Vec<(Sign, String)> {
    let mut signs: Vec<(Sign, String)> = Vec::new();
    let lines = text.lines();
    for line in lines.filter(|line| !line.starts_with('>')) {
        if let Some(sign) = sign(line).filter(|(sign, _)| is_later || *sign == Sign::ChangeId)
            && signs.len() < MOST
        {
            signs.push(sign);
        }
    }
    if is_later {
        let answered = references.iter().take(MOST_ANSWERED);
        signs.extend(answered.map(|id| (Sign::Reply, id.as_str().to_owned())));
    }
    signs.sort();
    signs.dedup();
    signs
}

/// Reads a line such as `change-id: …`, `Supersedes: <…>`, `- Link to v1: https://…/…`.
fn sign(line: &str) -> Option<(Sign, String)> {
    let line = line.trim().trim_start_matches(['-', '*', '+', ' ']);
    let (key, value) = line.split_once(':')?;
    let value = value.trim();
    let sign = match key.trim().to_lowercase().as_str() {
        "change-id" => return change_id(value).map(|id| (Sign::ChangeId, id)),
        "supersedes" | "obsoletes" | "replaces" => Sign::Supersedes,
        key if is_link(key) => Sign::Link,
        _ => return None,
    };
    // A bare id is all there is; within a sentence it is somebody's address.
    let is_marked = |word: &str| word.contains("://") || word.starts_with(['<', '(', '[']);
    let mut words = value.split_whitespace().enumerate();
    let id = words.find_map(|(at, word)| {
        let may_be = at == 0 || is_marked(word);
        may_be.then(|| message_id(word)).flatten()
    })?;
    Some((sign, id.as_str().to_owned()))
}

/// An id is one word and not a short one.
fn change_id(value: &str) -> Option<String> {
    let is_word = value.len() >= 8 && !value.contains(char::is_whitespace);
    is_word.then(|| cut(value).to_owned())
}

/// Says whether a word names an earlier revision: `v1`, `link to v1`, `previous version`.
fn is_link(key: &str) -> bool {
    let rest = key.strip_prefix("link to ").unwrap_or(key);
    let rest = rest.strip_prefix("patch ").unwrap_or(rest);
    let digits = rest.strip_prefix('v').map(str::as_bytes);
    let is_version = digits.is_some_and(|digits| {
        (1..=3).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
    });
    is_version
        || matches!(
            rest,
            "previous version" | "previous series" | "previous revision" | "rfc" | "old version"
        )
}

/// Reads a message id: in angle brackets, bare, or as part of an address of an archive.
fn message_id(word: &str) -> Option<MessageId> {
    let word = word.trim_matches(['<', '>', '(', ')', '[', ']', ',', '.', '"']);
    let id = match word.split_once("://") {
        Some((_, address)) => {
            let path = address.split(['?', '#']).next().unwrap_or_default();
            let mut segments = path.split('/').skip(1);
            let segment = segments.find(|segment| segment.contains('@') || segment.contains("%40"));
            decoded(segment?)
        }
        None => word.to_owned(),
    };
    let (left, right) = id.split_once('@')?;
    let is_sound = !left.is_empty() && right.contains(|c: char| c.is_alphanumeric());
    let is_plain = !id.contains(|c: char| c.is_whitespace() || c == '<' || c == '>');
    (is_sound && is_plain).then(|| MessageId::new(&format!("<{id}>")))
}

/// Replaces `%40` and the like.
fn decoded(segment: &str) -> String {
    let form = format!("a={}", segment.replace('+', "%2B"));
    let mut pairs = form_urlencoded::parse(form.as_bytes());
    pairs
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_earlier_revisions() {
        let cases: [(&str, Option<(Sign, &str)>); 16] = [
            (
                "change-id: 20240102-fix-it-0123456789ab",
                Some((Sign::ChangeId, "20240102-fix-it-0123456789ab")),
            ),
            (
                "Change-Id: I0123456789",
                Some((Sign::ChangeId, "I0123456789")),
            ),
            ("change-id: two words", None),
            (
                "Supersedes: <1@example.org>",
                Some((Sign::Supersedes, "<1@example.org>")),
            ),
            (
                "Obsoletes: 1@example.org",
                Some((Sign::Supersedes, "<1@example.org>")),
            ),
            (
                "- Link to v1: https://lists.example.org/r/1-2@example.org",
                Some((Sign::Link, "<1-2@example.org>")),
            ),
            (
                "v2: https://lists.example.org/all/a%40b+c@example.org/T/#u",
                Some((Sign::Link, "<a@b+c@example.org>")),
            ),
            (
                "  v10: <1@example.org> (last week)",
                Some((Sign::Link, "<1@example.org>")),
            ),
            (
                "Previous version: https://lists.example.org/1@example.org/",
                Some((Sign::Link, "<1@example.org>")),
            ),
            ("v1: fix the thing that somebody@example.org saw", None),
            ("v1: https://example.org/no-id/", None),
            ("v2:", None),
            ("vim: set ts=4 a@b:", None),
            ("Link: https://lists.example.org/r/1@example.org", None),
            ("Supersedes: nothing", None),
            ("Cc: v1 <1@example.org>", None),
        ];
        for (line, expected) in cases {
            let found = sign(line);
            let found = found.as_ref().map(|(sign, value)| (*sign, value.as_str()));
            assert_eq!(found, expected, "{line}");
        }
    }
}
