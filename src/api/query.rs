//! The query string: filters and what they mean, pages, orders (`rest.md §6 and §7`).

use super::input::pairs;
use crate::domain::{MessageId, Timestamp};

/// The pairs of a query string, decoded, in order.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

/// What a filter that refers to things says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<T> {
    /// It is not there, or empty.
    Any,
    /// These.
    These(T),
    /// A value means nothing here, so nothing can be found.
    Nothing,
}

impl Query {
    /// Reads a query string.
    pub fn read(text: &str) -> Query {
        Query(pairs(text.as_bytes()))
    }

    /// Returns the last value of a key, unless it is empty.
    pub fn last(&self, key: &str) -> Option<&str> {
        self.given(key).filter(|value| !value.is_empty())
    }

    /// Returns the last value of a key, also an empty one.
    pub fn given(&self, key: &str) -> Option<&str> {
        let of_it = self.0.iter().rev().find(|(name, _)| name == key);
        of_it.map(|(_, value)| value.as_str())
    }

    /// Returns all values of a key that are not empty.
    pub fn all(&self, key: &str) -> Vec<&str> {
        let of_it = self
            .0
            .iter()
            .filter(|(name, value)| name == key && !value.is_empty());
        of_it.map(|(_, value)| value.as_str()).collect()
    }

    /// Says whether nothing can match: no row has a NUL.
    pub fn has_nul(&self) -> bool {
        self.0.iter().any(|(_, value)| value.contains('\0'))
    }

    /// Returns the ids that a key names.
    pub fn ids<T>(&self, key: &str, id: impl Fn(i64) -> T) -> Wanted<Vec<T>> {
        let values = self.all(key);
        if values.is_empty() {
            return Wanted::Any;
        }
        let read: Option<Vec<T>> = values.iter().map(|text| number(text).map(&id)).collect();
        read.map_or(Wanted::Nothing, Wanted::These)
    }

    /// Returns yes or no; what is neither is as good as absent.
    pub fn bool(&self, key: &str) -> Option<bool> {
        match self.last(key)?.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    /// Returns a moment.
    pub fn moment(&self, key: &str) -> Wanted<Timestamp> {
        match self.last(key) {
            None => Wanted::Any,
            Some(text) => moment(text).map_or(Wanted::Nothing, Wanted::These),
        }
    }

    /// Returns the terms of `q`: split at blanks and commas, unless they are quoted.
    pub fn words(&self) -> Vec<String> {
        words(self.last("q").unwrap_or_default())
    }

    /// Returns the fields to sort by, each with whether it runs downwards. Unknown ones are left out.
    pub fn order<T: Copy>(&self, fields: &[(&str, T)]) -> Vec<(T, bool)> {
        let wanted = self.last("order").unwrap_or_default().split(',');
        let known = wanted.filter_map(|word| {
            let word = word.trim();
            let name = word.strip_prefix('-').unwrap_or(word);
            let (_, field) = fields.iter().find(|(known, _)| *known == name)?;
            Some((*field, name.len() < word.len()))
        });
        known.collect()
    }

    /// Returns the query string with other values for some keys; `None` takes a key out. Keys are sorted, as clients have
    /// known it for years, the values of one key keep their order.
    pub fn with(&self, changes: &[(&str, Option<String>)]) -> String {
        let is_changed = |key: &str| changes.iter().any(|(name, _)| *name == key);
        let mut pairs: Vec<(&str, &str)> = self
            .0
            .iter()
            .filter(|(key, _)| !is_changed(key))
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let new = changes
            .iter()
            .filter_map(|(key, value)| Some((*key, value.as_deref()?)));
        pairs.extend(new);
        pairs.sort_by_key(|(key, _)| *key);
        let mut out = form_urlencoded::Serializer::new(String::new());
        out.extend_pairs(pairs);
        out.finish()
    }
}

/// Takes a message id with or without its brackets.
pub fn msgid(text: &str) -> MessageId {
    MessageId::from_url(text.trim_matches(['<', '>']))
}

/// Returns what a filter asks for, as a list in which nothing means anything; `None` when nothing can match.
pub fn some<T>(wanted: Wanted<Vec<T>>) -> Option<Vec<T>> {
    match wanted {
        Wanted::Any => Some(Vec::new()),
        Wanted::These(some) => Some(some),
        Wanted::Nothing => None,
    }
}

/// Returns what a filter asks for, if it does; the outer `None` when nothing can match.
pub fn one<T>(wanted: Wanted<T>) -> Option<Option<T>> {
    match wanted {
        Wanted::Any => Some(None),
        Wanted::These(one) => Some(Some(one)),
        Wanted::Nothing => None,
    }
}

/// Reads a number as ids are written: ASCII digits.
pub fn number(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(i64::MAX))
}

/// Reads a date with or without a time, a fraction and a zone; without a zone it is UTC.
pub fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let text = match text.contains('T') {
        true => text.to_owned(),
        false => text.replacen(' ', "T", 1),
    };
    // Another blank is the plus sign of a zone that nobody encoded.
    let text = text.replace(' ', "+");
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp(moment.as_microsecond()));
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Timestamp(zoned.timestamp().as_microsecond()))
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut is_quoted = false;
    for c in text.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            c if !is_quoted && (c.is_whitespace() || c == ',') => {
                words.push(std::mem::take(&mut word))
            }
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_split_at_blanks_and_commas_or_quoted() {
        for (text, expected) in [
            ("a b", vec!["a", "b"]),
            ("a,b", vec!["a", "b"]),
            ("\"a b\" c", vec!["a b", "c"]),
            ("\"a", vec!["a"]),
            (" , ", vec![]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn moments_have_many_forms() {
        let at = |text| moment(text).map(|moment| moment.0);
        let noon = 1_704_103_380_000_000;
        for text in [
            "2024-01-01T10:03",
            "2024-01-01 10:03",
            "2024-01-01T10:03:00Z",
            "2024-01-01T11:03:00+01:00",
            "2024-01-01T11:03:00 01:00",
        ] {
            assert_eq!(at(text), Some(noon), "{text}");
        }
        assert_eq!(at("2024-01-01T10:03:00.5"), Some(noon + 500_000));
        assert_eq!(at("2024-01-01"), Some(1_704_067_200_000_000));
        assert_eq!(at("garbage"), None);
        assert_eq!(at("2024-13-01"), None);
    }

    #[test]
    fn links_keep_the_query() {
        let query = Query::read("state=new&q=&per_page=10&page=2&state=a%40b+c");
        assert_eq!(
            query.with(&[("page", Some("3".into()))]),
            "page=3&per_page=10&q=&state=new&state=a%40b+c"
        );
        assert_eq!(
            query.with(&[("page", None)]),
            "per_page=10&q=&state=new&state=a%40b+c"
        );
    }

    #[test]
    fn orders_know_their_fields() {
        let fields = [("id", 1), ("name", 2)];
        assert_eq!(
            Query::read("order=-name,bogus,id").order(&fields),
            [(2, true), (1, false)]
        );
        assert!(Query::read("order=bogus").order(&fields).is_empty());
    }

    #[test]
    fn ids_are_digits() {
        let ids = |text: &str| Query::read(text).ids("a", |id| id);
        assert_eq!(ids("a=1&a=2"), Wanted::These(vec![1, 2]));
        assert_eq!(ids("a=1&a=x"), Wanted::Nothing);
        assert_eq!(ids("a="), Wanted::Any);
        assert_eq!(ids("a=-1"), Wanted::Nothing);
    }
}
