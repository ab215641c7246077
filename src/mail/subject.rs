//! The subject: reply or not, prefixes, place in the series, version (`mail.md §8`).

use super::space::{is_space, squeeze};
use crate::domain::id::cut;

/// What a subject says about a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The name under which the submission is listed, kept prefixes in front.
    pub name: String,
    /// The kept prefixes.
    pub prefixes: Vec<String>,
    /// The place in the series, if the prefixes name one.
    pub place: Option<Place>,
    /// The revision of the series, 1 unless stated.
    pub version: i32,
}

/// A place in a series, the `m/n` of a subject; 0 is the cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The `m`, at most 32767.
    pub number: i32,
    /// The `n`.
    pub total: i32,
}

/// Tells whether a decoded subject is that of a reply.
///
/// Compatibility: forwards, `Aw:` and `[list] Re:` are not replies.
pub fn is_reply(subject: &str) -> bool {
    marker(subject, &["re"]).is_some()
}

/// Reads a decoded subject; prefixes named in `drop` (lower case) are left out.
pub fn heading(subject: &str, drop: &[&str]) -> Heading {
    let subject = squeeze(marker(subject, &["re", "fwd", "fw"]).unwrap_or(subject));
    let (mut prefixes, mut rest) = (Vec::new(), subject.as_str());
    while let Some((group, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let kept = tokens(group)
            .into_iter()
            .filter(|token| !drop.contains(&token.to_lowercase().as_str()));
        prefixes.extend(kept.map(str::to_owned));
        rest = after.trim_start_matches(is_space);
    }
    let name = if prefixes.is_empty() {
        rest.to_owned()
    } else {
        format!("[{}] {rest}", prefixes.join(","))
    };
    let name = cut(name.trim_end()).to_owned();
    let version = version(&prefixes, &name);
    Heading {
        place: place(&prefixes),
        version,
        prefixes,
        name,
    }
}

/// Returns what follows one of the `words` and a colon or white space, if the subject begins so.
fn marker<'a>(subject: &'a str, words: &[&str]) -> Option<&'a str> {
    words.iter().find_map(|word| {
        let (head, rest) = subject.split_at_checked(word.len())?;
        let after = rest.strip_prefix(|c| c == ':' || is_space(c))?;
        head.eq_ignore_ascii_case(word).then_some(after)
    })
}

/// Cuts the text between square brackets into prefixes.
///
/// Mercurial writes `PATCH 1 of 2`: there the place is one prefix, blanks and all.
pub fn tokens(group: &str) -> Vec<&str> {
    let (mut tokens, rest) = match group.strip_prefix("PATCH ").and_then(split_place) {
        Some((place, rest)) => (vec!["PATCH", place], rest),
        None => (Vec::new(), group),
    };
    tokens.extend(
        rest.split(|c| c == ',' || is_space(c))
            .filter(|token| !token.is_empty()),
    );
    tokens
}

/// Splits off `1 of 2` at the start of `text`.
fn split_place(text: &str) -> Option<(&str, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let first = digits(text);
    let total = text[first..].strip_prefix(" of ")?;
    let second = digits(total);
    (first > 0 && second > 0).then(|| text.split_at(first + " of ".len() + second))
}

/// Returns the place in the series that the first prefix with a place names.
///
/// Text may stand before the number: `PATCH1/8` has been seen in the wild. A number no column can
/// hold is no place.
pub fn place(prefixes: &[String]) -> Option<Place> {
    let (number, total) = prefixes.iter().find_map(|prefix| {
        let (head, total) = split_digits(prefix)?;
        let head = head
            .strip_suffix('/')
            .or_else(|| head.strip_suffix(" of "))?;
        Some((split_digits(head)?.1, total))
    })?;
    let number = number.parse::<i16>().ok()?;
    Some(Place {
        number: number.into(),
        total: total.parse().ok()?,
    })
}

/// Splits off the digits at the end of `text`, if there are any.
fn split_digits(text: &str) -> Option<(&str, &str)> {
    let head = text.trim_end_matches(|c: char| c.is_ascii_digit());
    (head.len() < text.len()).then(|| text.split_at(head.len()))
}

/// Returns the revision that the prefixes or else the name state, 1 if neither does.
pub fn version(prefixes: &[String], name: &str) -> i32 {
    let digits = prefixes
        .iter()
        .find_map(|prefix| version_prefix(prefix))
        .or_else(|| version_in_name(name));
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(1)
}

/// Returns the digits of `v2`, also when glued to one of the words that mean a patch: `PATCHv2`. Of `v5.1`, some patches of v5
/// sent again, those before the dot.
///
/// No other word counts: `ipv6` and `nfsv4` are common prefixes.
fn version_prefix(prefix: &str) -> Option<&str> {
    let (head, digits) = split_digits(prefix)?;
    let (head, digits) = match head.strip_suffix('.').and_then(split_digits) {
        Some(whole) => whole,
        None => (head, digits),
    };
    let mut words = head.strip_suffix(['v', 'V'])?;
    while !words.is_empty() {
        words = ["PATCH", "RFC", "RESEND"].iter().find_map(|word| {
            let (front, end) = words.split_at_checked(words.len().checked_sub(word.len())?)?;
            end.eq_ignore_ascii_case(word).then_some(front)
        })?;
    }
    Some(digits)
}

/// Returns the digits of the first `(v2)` in a name.
fn version_in_name(name: &str) -> Option<&str> {
    name.split('(').skip(1).find_map(|rest| {
        let (digits, _) = rest.strip_prefix(['v', 'V'])?.split_once(')')?;
        (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn table(text: &str) -> Vec<Value> {
        serde_json::from_str(text).expect("valid table")
    }

    #[test]
    fn subjects_are_read_as_the_table_says() {
        for case in table(include_str!("../../tests/data/mail/subject.json")) {
            let drop: Vec<&str> = match case.get("drop") {
                Some(list) => list
                    .as_array()
                    .expect("list")
                    .iter()
                    .filter_map(Value::as_str)
                    .collect(),
                None => vec!["patch", "myproj"],
            };
            let subject = squeeze(case["subject"].as_str().expect("subject"));
            let heading = heading(&subject, &drop);
            assert_eq!(heading.name, case["name"].as_str().expect("name"), "{case}");
            let place = heading
                .place
                .map(|place| format!("{}/{}", place.number, place.total));
            assert_eq!(
                json!(place),
                case.get("place").cloned().unwrap_or_default(),
                "{case}"
            );
            assert_eq!(
                json!(heading.version),
                case.get("version").cloned().unwrap_or(json!(1)),
                "{case}"
            );
            assert_eq!(
                json!(is_reply(&subject)),
                case.get("reply").cloned().unwrap_or(json!(false)),
                "{case}"
            );
        }
    }

    #[test]
    fn prefixes_are_read_as_the_table_says() {
        for case in table(include_str!("../../tests/data/mail/prefix.json")) {
            // A row gives the text between brackets, or prefixes that no such text yields.
            let found: Vec<String> = match case["group"].as_str() {
                Some(group) => tokens(group).into_iter().map(str::to_owned).collect(),
                None => serde_json::from_value(case["prefixes"].clone()).expect("prefixes"),
            };
            let expected = case.get("tokens").or(case.get("prefixes"));
            assert_eq!(Some(&json!(found)), expected, "{case}");
            let place = place(&found).map(|place| format!("{}/{}", place.number, place.total));
            assert_eq!(
                json!(place),
                case.get("place").cloned().unwrap_or_default(),
                "{case}"
            );
            assert_eq!(
                json!(version(&found, "")),
                case.get("version").cloned().unwrap_or(json!(1)),
                "{case}"
            );
        }
    }
}
