//! `Depends-on:` lines: what has to be applied before a series (`mail.md §14`).

use crate::domain::MessageId;

/// How many dependencies of one mail are looked at.
const MAX_DEPENDENCIES: usize = 100;

/// Something a submission says it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// A submission, named by its message id.
    MessageId(MessageId),
    /// A page of some site, perhaps ours.
    Url(DependencyUrl),
}

impl Dependency {
    /// Returns the message id by which it names a submission; none when it calls a row of a site by its number.
    pub fn message_id(&self) -> Option<&MessageId> {
        match self {
            Dependency::MessageId(msgid) => Some(msgid),
            Dependency::Url(page) => match &page.target {
                DependencyTarget::Patch(msgid) | DependencyTarget::Cover(msgid) => Some(msgid),
                DependencyTarget::PatchId(_)
                | DependencyTarget::CoverId(_)
                | DependencyTarget::Series(_) => None,
            },
        }
    }
}

/// The address of a page that shows a submission or a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependencyUrl {
    /// Host and port in lower case; only pages of our own site count.
    pub host: String,
    /// What the page shows.
    pub target: DependencyTarget,
}

/// What a page of a site like ours shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DependencyTarget {
    /// `/project/…/patch/<message id>/`
    Patch(MessageId),
    /// `/project/…/cover/<message id>/`
    Cover(MessageId),
    /// `/patch/<id>/`
    PatchId(i64),
    /// `/cover/<id>/`
    CoverId(i64),
    /// `/series/<id>/` or `/project/…/list/?series=<id>`
    Series(i64),
}

/// Returns the dependencies that a cleaned message names, in text order.
pub fn dependencies(message: &str) -> Vec<Dependency> {
    message
        .split('\n')
        .filter_map(dependency)
        .take(MAX_DEPENDENCIES)
        .collect()
}

/// Reads a line: exactly one blank after the colon, nothing else on the line.
fn dependency(line: &str) -> Option<Dependency> {
    let (_, value) = line
        .split_once(": ")
        .filter(|(key, _)| key.eq_ignore_ascii_case("Depends-on"))?;
    let value = value.trim_end();
    if let Some(id) = value
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
    {
        let sound = !id.is_empty() && !id.contains('>');
        return sound.then(|| Dependency::MessageId(MessageId::new(value)));
    }
    parse_url(value).map(Dependency::Url)
}

fn parse_url(text: &str) -> Option<DependencyUrl> {
    let (scheme, rest) = text.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if !is_web || rest.contains(char::is_whitespace) {
        return None;
    }
    let rest = rest.split('#').next().unwrap_or_default();
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = address.split_once('/')?;
    Some(DependencyUrl {
        host: host.to_lowercase(),
        target: target(path, query)?,
    })
}

/// Finds out what a path shows; a site may live below a prefix, so it may begin at any segment.
fn target(path: &str, query: &str) -> Option<DependencyTarget> {
    let path = path.trim_end_matches('/');
    let path = path
        .strip_suffix("/mbox")
        .or_else(|| path.strip_suffix("/raw"))
        .unwrap_or(path);
    let segments: Vec<&str> = path.split('/').collect();
    (0..segments.len()).find_map(|at| page(&segments[at..], query))
}

fn page(segments: &[&str], query: &str) -> Option<DependencyTarget> {
    match segments {
        ["project", _, "patch", id @ ..] if !id.is_empty() => {
            Some(DependencyTarget::Patch(message_id(id)))
        }
        ["project", _, "cover", id @ ..] if !id.is_empty() => {
            Some(DependencyTarget::Cover(message_id(id)))
        }
        ["project", _, "list"] => Some(DependencyTarget::Series(series_of(query)?)),
        ["project", ..] => None,
        ["patch", id] => Some(DependencyTarget::PatchId(id.parse().ok()?)),
        ["cover", id] => Some(DependencyTarget::CoverId(id.parse().ok()?)),
        ["series", id] => Some(DependencyTarget::Series(id.parse().ok()?)),
        _ => None,
    }
}

fn series_of(query: &str) -> Option<i64> {
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("series="))?
        .parse()
        .ok()
}

/// Returns the id that path segments spell; a slash in it may be plain, `%2F` or `%252F`.
fn message_id(segments: &[&str]) -> MessageId {
    let id = percent_decoded(&segments.join("/"));
    MessageId::from_url(&id.replace("%2F", "/").replace("%2f", "/"))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        match super::transfer::hex_pair(after).filter(|_| byte == b'%') {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn dependencies_are_found_as_the_table_says() {
        let table: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/mail/depends.json"))
                .expect("valid table");
        for case in table {
            let found: Vec<String> = dependencies(case["message"].as_str().expect("message"))
                .iter()
                .map(spelled)
                .collect();
            assert_eq!(json!(found), case["depends"], "{case}");
        }
    }

    fn spelled(dependency: &Dependency) -> String {
        match dependency {
            Dependency::MessageId(id) => id.to_string(),
            Dependency::Url(DependencyUrl { host, target }) => match target {
                DependencyTarget::Patch(id) => format!("{host} patch {id}"),
                DependencyTarget::Cover(id) => format!("{host} cover {id}"),
                DependencyTarget::PatchId(id) => format!("{host} patch {id}"),
                DependencyTarget::CoverId(id) => format!("{host} cover {id}"),
                DependencyTarget::Series(id) => format!("{host} series {id}"),
            },
        }
    }
}
