//! Searches that name one thing: a patch's number, a message id, a commit, an address that was pasted (`web.md §6.1`).

use rocket::http::RawStr;

use super::{Db, comment, error::Result, guard::View, query::Query};
use crate::{
    domain::{MessageId, PatchId},
    store::{self, submission},
};

/// Returns where a search that names one thing leads: a patch's number, a message id, the id of a commit, an address of ours.
pub async fn jump(db: &mut Db<'_>, view: &View<'_>, text: &str) -> Result<Option<String>> {
    let text = text.trim();
    let number = text.strip_prefix("id:").unwrap_or(text);
    if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        let Ok(id) = number.parse() else {
            return Ok(None);
        };
        let place = submission::patch(db, PatchId(id)).await?;
        return Ok(place.map(|place| comment::address(view, &place, "")));
    }
    if let Some((linkname, query)) = list_address(text)
        && let Some(project) = store::project::by_linkname(db, linkname).await?
    {
        let list = view.links().list(&project.linkname);
        return Ok(Some(list + query.href().trim_start_matches("./")));
    }
    if is_commit(text)
        && let Some(place) = submission::by_commit(db, text).await?
    {
        return Ok(Some(comment::address(view, &place, "")));
    }
    let Some(ids) = message_ids(text) else {
        return Ok(None);
    };
    let places = submission::by_message_id(db, &ids).await?;
    Ok(places
        .first()
        .map(|place| comment::address(view, place, "")))
}

/// Says whether a text may be the id of a commit, or its beginning.
fn is_commit(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns the project and the query of a list whose address was pasted: `https://host/project/x/list/?series=3`.
fn list_address(text: &str) -> Option<(&str, Query)> {
    let (_, rest) = text.split_once("://")?;
    let rest = rest.split('#').next()?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut parts = path.trim_end_matches('/').rsplit('/');
    let (list, linkname, project) = (parts.next()?, parts.next()?, parts.next()?);
    if (list, project) != ("list", "project") {
        return None;
    }
    let decoded = |text: &str| RawStr::new(text).url_decode_lossy().into_owned();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let pairs: Vec<_> = pairs
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect();
    Some((linkname, Query::read(&pairs)))
}

/// Returns the message ids a search may mean, if it looks like one or like the address of one.
pub fn message_ids(text: &str) -> Option<Vec<MessageId>> {
    let text = text.strip_prefix("msgid:").unwrap_or(text);
    if text.contains(char::is_whitespace) || !text.contains('@') || text.starts_with("from:") {
        return None;
    }
    let mut parts = vec![text];
    if text.contains("://") {
        // `https://host/project/x/patch/<id>/` of ours, `https://archive/list/<id>/` of others.
        parts = text
            .split(['/', '#', '?'])
            .filter(|part| part.contains('@'))
            .collect();
    }
    let ids = parts
        .into_iter()
        .flat_map(|part| super::id::Asked::read(part).ids());
    Some(ids.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_lists_are_seen() {
        let read = |text| list_address(text).map(|(linkname, query)| (linkname, query.href()));
        for (text, expected) in [
            (
                "https://h/project/x/list/?series=3&y=1",
                Some(("x", "?series=3")),
            ),
            (
                "http://h:1/pw/project/x/list/?q=a%26b+c#top",
                Some(("x", "?q=a%26b%20c")),
            ),
            ("http://h/project/x/list", Some(("x", "./"))),
            ("http://h/project/x/", None),
            ("project/x/list/", None),
        ] {
            let expected = expected.map(|(linkname, href)| (linkname, href.to_owned()));
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn searches_for_one_mail_are_seen() {
        let first = |text| message_ids(text).map(|ids| ids[0].as_str().to_owned());
        assert_eq!(first("a@b"), Some("<a@b>".into()));
        assert_eq!(first("<a@b>"), Some("<a@b>".into()));
        assert_eq!(first("msgid:a@b"), Some("<a@b>".into()));
        assert_eq!(
            first("https://lore.example/list/a@b/T/#u"),
            Some("<a@b>".into())
        );
        assert_eq!(first("from:a@b"), None);
        assert_eq!(first("fix a@b leak"), None);
        assert_eq!(first("leak"), None);
    }
}
