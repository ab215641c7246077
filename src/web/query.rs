//! The query string of a list: read once, and written back into every link (`web.md §6.1`).

use super::link;

/// The keys we know, in the order links write them.
const KEYS: [&str; 14] = [
    "series",
    "submitter",
    "state",
    "q",
    "archive",
    "delegate",
    "since",
    "before",
    "checks",
    "tag",
    "comments",
    "order",
    "view",
    "page",
];

/// No link repeats more than this of what a reader asked: a page has hundreds of links.
const MOST_STATES: usize = 40;

/// Cuts off what is longer than anybody asks.
fn cut(key: &str, value: String) -> String {
    let most = if key == "q" { 500 } else { 200 };
    match value.char_indices().nth(most) {
        Some((end, _)) => value[..end].to_owned(),
        None => value,
    }
}

/// The value of `state` that says what no value says, where no value means something else.
pub const ACTION_REQUIRED: &str = "action-required";

/// The pairs of a list's query string that we know, without empty ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pairs: Vec<(&'static str, String)>,
}

impl Query {
    /// Takes what we know: of a repeated key the last value, of `state` every one. Control characters go.
    pub fn read(given: &[(String, String)]) -> Query {
        let mut pairs: Vec<(&'static str, String)> = Vec::new();
        for key in KEYS {
            let mut values = given
                .iter()
                .filter(|(k, _)| k == key)
                .map(|(_, value)| printable(value))
                .map(|value| cut(key, value));
            if key == "state" {
                let values = values.filter(|value| !value.is_empty());
                for value in values.take(MOST_STATES) {
                    if !pairs.contains(&(key, value.clone())) {
                        pairs.push((key, value));
                    }
                }
            } else if let Some(value) = values.next_back().filter(|value| !value.is_empty()) {
                pairs.push((key, value));
            }
        }
        Query { pairs }
    }

    /// Returns the first value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(k, _)| *k == key)
            .map(|(_, value)| value.as_str())
    }

    /// Returns all values of a key.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs
            .iter()
            .filter(move |(k, _)| *k == key)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the query with a key set to one value, on its first page.
    pub fn with(&self, key: &'static str, value: &str) -> Query {
        let mut given = self.given(|k, _| k != key && (k != "page" || key == "page"));
        given.push((key.to_owned(), value.to_owned()));
        Query::read(&given)
    }

    /// Returns the query without a key, on its first page.
    pub fn without(&self, key: &str) -> Query {
        Query::read(&self.given(|k, _| k != key && k != "page"))
    }

    /// Returns the query without one value of a key, on its first page.
    pub fn without_value(&self, key: &str, value: &str) -> Query {
        Query::read(&self.given(|k, v| (k, v) != (key, value) && k != "page"))
    }

    fn given(&self, keep: impl Fn(&str, &str) -> bool) -> Vec<(String, String)> {
        let kept = self.pairs.iter().filter(|(key, value)| keep(key, value));
        kept.map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect()
    }

    /// Returns the address of the same as a feed, relative to the list.
    pub fn feed(&self) -> String {
        match self.without("page").href() {
            href if href == "./" => "?format=atom".to_owned(),
            href => href + "&format=atom",
        }
    }

    /// Returns the address of the list relative to itself.
    pub fn href(&self) -> String {
        if self.pairs.is_empty() {
            return "./".into();
        }
        let pairs = self
            .pairs
            .iter()
            .map(|(key, value)| format!("{key}={}", link::encoded(value)));
        format!("?{}", pairs.collect::<Vec<_>>().join("&"))
    }

    /// Says whether it asks for a series and nothing narrower: all of it is shown then, in its own order.
    pub fn is_series(&self) -> bool {
        self.get("series")
            .is_some_and(|id| id.parse::<i64>().is_ok())
            && self.get("state").is_none()
            && self.get("archive").is_none()
    }
}

/// Returns a value as somebody could have typed it: without control characters, which PostgreSQL refuses.
fn printable(value: &str) -> String {
    let typed = value.chars().filter_map(|c| match c {
        c if c.is_whitespace() => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    });
    typed.collect::<String>().trim().to_owned()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Reads a query string as it stands in an address, but for its escapes.
    pub fn query(text: &str) -> Query {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key.to_owned(), value.to_owned())
        });
        Query::read(&pairs.collect::<Vec<_>>())
    }

    #[test]
    fn control_characters_are_dropped() {
        assert_eq!(query("q=\0a\tb\u{1b}c\0").get("q"), Some("a bc"));
        assert_eq!(query("submitter=\0"), Query::default());
    }

    #[test]
    fn links_keep_the_rest_and_go_to_the_first_page() {
        let query = query("q=a b&state=1&state=2&order=name&page=3");
        assert_eq!(query.href(), "?state=1&state=2&q=a%20b&order=name&page=3");
        assert_eq!(
            query.with("state", "*").href(),
            "?state=*&q=a%20b&order=name"
        );
        assert_eq!(
            query.without_value("state", "1").href(),
            "?state=2&q=a%20b&order=name"
        );
        assert_eq!(query.with("page", "4").get("page"), Some("4"));
        assert_eq!(Query::default().href(), "./");
        assert_eq!(Query::default().with("q", "a&b=c").href(), "?q=a%26b%3Dc");
    }
}
