//! Parts of long sorted lists: by number of rows, or by the row before, which costs the same however far it is.

use sqlx::{ColumnIndex, Decode, FromRow, Type};

use super::{Conn, Kind, Result, Sql, Value, sql::Row};
use crate::domain::Timestamp;

/// A key to sort by, as SQL.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The value of a row of the list.
    pub row: &'static str,
    /// The same value of the row with the id that follows: a query in parentheses that is still open.
    pub anchor: &'static str,
    /// What its values are.
    pub holds: Holds,
    /// Whether large values come first.
    pub descending: bool,
}

/// What the values of a key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Yes or no.
    Bool,
    /// Numbers or ids.
    Int,
    /// Texts.
    Text,
    /// Moments.
    Time,
}

impl Holds {
    /// Takes a value from where a row was remembered; whoever asks may have written something else there.
    fn value(self, value: &serde_json::Value) -> Option<Value> {
        Some(match self {
            Holds::Bool => match value.as_bool() {
                Some(yes) => yes.into(),
                // SQLite has numbers for it.
                None => (value.as_i64()? != 0).into(),
            },
            Holds::Int => value.as_i64()?.into(),
            Holds::Text => value.as_str()?.into(),
            Holds::Time => Timestamp(value.as_i64()?).into(),
        })
    }
}

/// The place of a row in a sorted list: what it was sorted by when it was read, so that it may change or go meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// The values of the keys. Without any, those that the row has now.
    pub keys: Vec<serde_json::Value>,
    /// Its id.
    pub id: i64,
}

/// Which part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many rows at most.
    pub limit: i64,
    /// How many rows are left out first.
    pub offset: i64,
    /// The row after which it begins, instead of `offset`.
    pub after: Option<After>,
}

/// The rows in a window.
#[derive(Clone, Debug)]
pub struct Part<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// The place of the last one, if there are more behind it.
    pub next: Option<After>,
}

impl<T> Part<T> {
    /// Makes something else of each row.
    pub fn map<U>(self, one: impl FnMut(T) -> U) -> Part<U> {
        Part {
            rows: self.rows.into_iter().map(one).collect(),
            next: self.next,
        }
    }
}

/// A row and its place, as [`place`] has it.
struct Placed<T> {
    row: T,
    place: String,
}

impl<'r, R: sqlx::Row, T: FromRow<'r, R>> FromRow<'r, R> for Placed<T>
where
    &'static str: ColumnIndex<R>,
    String: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Placed {
            row: T::from_row(row)?,
            place: row.try_get("place")?,
        })
    }
}

/// Appends a column: the place of the row. It is read with the row, so that nothing comes between.
pub(super) fn place(query: &mut Sql, kind: Kind, id: &'static str, keys: &[Key]) {
    query.push(match kind {
        Kind::Sqlite => ", json_array(",
        Kind::Postgres => ", CAST(json_build_array(",
    });
    for key in keys {
        match (kind, key.holds) {
            (Kind::Postgres, Holds::Time) => query
                .push("CAST(EXTRACT(EPOCH FROM ")
                .push(key.row)
                .push(") * 1000000 AS BIGINT)"),
            _ => query.push(key.row),
        };
        query.push(", ");
    }
    query.push(id);
    query.push(match kind {
        Kind::Sqlite => ") AS place",
        Kind::Postgres => ") AS TEXT) AS place",
    });
}

/// Reads the rows of a query that [`place`] and [`apply`] have been at.
pub(super) async fn read<T: Row>(conn: &mut Conn, query: Sql, window: &Window) -> Result<Part<T>> {
    let mut found: Vec<Placed<T>> = query.all(conn).await?;
    let is_more = found.len() as i64 > window.limit;
    found.truncate(usize::try_from(window.limit).unwrap_or(usize::MAX));
    let last = found.last().filter(|_| is_more);
    Ok(Part {
        next: last.and_then(|last| after(&last.place)),
        rows: found.into_iter().map(|it| it.row).collect(),
    })
}

/// Reads what [`place`] wrote.
fn after(place: &str) -> Option<After> {
    let mut keys: Vec<serde_json::Value> = serde_json::from_str(place).ok()?;
    let id = keys.pop()?.as_i64()?;
    Some(After { keys, id })
}

/// Appends what leaves out the rows before the window, the order, and the limit; one row more tells that there are
/// more. `id` is the id of a row: where all keys are equal it decides, so that no row is on two pages or on none.
pub(super) fn apply(query: &mut Sql, id: &'static str, keys: &[Key], window: &Window) {
    if let Some(after) = &window.after {
        begin(query, id, keys, after);
    }
    order(query, id, keys);
    query.push(" LIMIT ").arg(window.limit.saturating_add(1));
    if window.after.is_none() && window.offset > 0 {
        query.push(" OFFSET ").arg(window.offset);
    }
}

/// Appends the order.
pub(super) fn order(query: &mut Sql, id: &'static str, keys: &[Key]) {
    query.push(" ORDER BY ");
    for key in keys {
        query.push(key.row);
        query.push(if key.descending { " DESC, " } else { ", " });
    }
    query.push(id);
    query.push(if is_descending(keys) { " DESC" } else { "" });
}

/// The id runs as the last key does, so that one index may serve both.
fn is_descending(keys: &[Key]) -> bool {
    keys.last().is_some_and(|key| key.descending)
}

/// The row that a window begins after, as a statement names the values of its keys.
struct Anchor<'a> {
    keys: &'a [Key],
    values: Vec<Value>,
    id: i64,
}

impl<'a> Anchor<'a> {
    /// `None` when the place is one of another list, or of none.
    fn new(keys: &'a [Key], after: &After) -> Option<Anchor<'a>> {
        let is_whole = after.keys.is_empty() || after.keys.len() == keys.len();
        let values = keys.iter().zip(&after.keys);
        let values: Option<Vec<Value>> = values.map(|(key, it)| key.holds.value(it)).collect();
        Some(Anchor {
            keys,
            values: values.filter(|_| is_whole)?,
            id: after.id,
        })
    }

    fn push(&self, query: &mut Sql, place: usize) {
        match self.values.get(place) {
            Some(value) => query.arg(value.clone()),
            None => query.push(self.keys[place].anchor).arg(self.id).push(")"),
        };
    }
}

fn begin(query: &mut Sql, id: &'static str, keys: &[Key], after: &After) {
    let Some(anchor) = Anchor::new(keys, after) else {
        query.push(" AND FALSE");
        return;
    };
    let last = is_descending(keys);
    if keys.iter().all(|key| key.descending == last) {
        return begin_at(query, id, &anchor, last);
    }
    // Directions differ: equal in the first keys, beyond in the next.
    query.push(" AND (");
    for place in 0..=keys.len() {
        query.push(if place == 0 { "(" } else { " OR (" });
        for (equal, key) in keys[..place].iter().enumerate() {
            query.push(key.row).push(" = ");
            anchor.push(query, equal);
            query.push(" AND ");
        }
        match keys.get(place) {
            Some(key) => {
                query.push(key.row).push(beyond(key.descending));
                anchor.push(query, place);
            }
            None => {
                query.push(id).push(beyond(last)).arg(anchor.id);
            }
        }
        query.push(")");
    }
    query.push(")");
}

/// All keys run the same way: one comparison of rows, which an index can answer.
fn begin_at(query: &mut Sql, id: &'static str, anchor: &Anchor<'_>, descending: bool) {
    query.push(" AND (");
    for key in anchor.keys {
        query.push(key.row).push(", ");
    }
    query.push(id).push(")").push(beyond(descending)).push("(");
    for place in 0..anchor.keys.len() {
        anchor.push(query, place);
        query.push(", ");
    }
    query.arg(anchor.id).push(")");
}

fn beyond(descending: bool) -> &'static str {
    if descending { " < " } else { " > " }
}

/// Appends the condition that `column` is one of `values`; nothing when there are none.
pub(super) fn among<V: Into<Value> + Copy>(query: &mut Sql, column: &'static str, values: &[V]) {
    match values {
        [] => {}
        [one] => {
            query.push(column).push(" = ").arg(*one);
        }
        many => {
            query.push(column).push(" IN ").list(many.iter().copied());
        }
    }
}

/// Appends the condition that each word is somewhere in these columns, in which letters of ASCII are in lower case.
pub(super) fn words(query: &mut Sql, kind: Kind, columns: &[&'static str], words: &[String]) {
    for word in words {
        let mut separator = " AND (";
        for column in columns {
            query.push(separator).push(column);
            contains(query, kind, word);
            separator = " OR ";
        }
        query.push(")");
    }
}

/// Appends the condition that what stands before contains a word. `lower` of SQLite, and of PostgreSQL in some locales,
/// leaves letters beyond ASCII as they are: for those the pattern takes either case.
pub(super) fn contains(query: &mut Sql, kind: Kind, word: &str) {
    match kind {
        _ if word.is_ascii() => query
            .push(" LIKE ")
            .arg(super::containing(word))
            .push(" ESCAPE '\\'"),
        Kind::Sqlite => query
            .push(" GLOB ")
            .arg(format!("*{}*", either_case(word, ""))),
        Kind::Postgres => query.push(" ~ ").arg(either_case(word, "\\")),
    };
}

/// Returns a pattern for a word. SQLite's GLOB and PostgreSQL's regular expressions read it alike, but for what stands
/// before a character that brackets cannot take.
fn either_case(word: &str, escape: &str) -> String {
    let mut pattern = String::with_capacity(word.len() * 2);
    for c in word.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' => pattern.push(c.to_ascii_lowercase()),
            '^' | '\\' => pattern.extend(escape.chars().chain([c])),
            c => {
                pattern.push('[');
                pattern.extend(cases(c));
                pattern.push(']');
            }
        }
    }
    pattern
}

/// Returns a character in either case; a case of several characters is left out.
fn cases(c: char) -> Vec<char> {
    let mut cases = vec![c];
    for mut other in [
        c.to_lowercase().collect::<Vec<_>>(),
        c.to_uppercase().collect(),
    ] {
        if other.len() == 1 && !cases.contains(&other[0]) {
            cases.append(&mut other);
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql;

    const DATE: Key = Key {
        row: "p.date",
        anchor: "(SELECT date FROM patch WHERE id = ",
        holds: Holds::Time,
        descending: false,
    };

    fn text(keys: &[Key], after: Option<After>) -> String {
        let mut query = sql("WHERE TRUE");
        let window = Window {
            limit: 2,
            offset: 4,
            after,
        };
        apply(&mut query, "p.id", keys, &window);
        query.text().to_owned()
    }

    #[test]
    fn windows_begin_after_a_row_or_after_some_rows() {
        assert_eq!(
            text(&[DATE], None),
            "WHERE TRUE ORDER BY p.date, p.id LIMIT $1 OFFSET $2"
        );
        assert_eq!(
            text(&[], after("[7]")),
            "WHERE TRUE AND (p.id) > ($1) ORDER BY p.id LIMIT $2"
        );
        let down = Key {
            descending: true,
            ..DATE
        };
        assert_eq!(
            text(&[down], after("[7]")),
            "WHERE TRUE AND (p.date, p.id) < ((SELECT date FROM patch WHERE id = $1), $2) \
             ORDER BY p.date DESC, p.id DESC LIMIT $3"
        );
        assert_eq!(
            text(&[DATE, down], after("[7]")),
            "WHERE TRUE AND ((p.date > (SELECT date FROM patch WHERE id = $1)) \
             OR (p.date = (SELECT date FROM patch WHERE id = $2) AND p.date < (SELECT date FROM patch WHERE id = $3)) \
             OR (p.date = (SELECT date FROM patch WHERE id = $4) AND p.date = (SELECT date FROM patch WHERE id = $5) AND p.id < $6)) \
             ORDER BY p.date, p.date DESC, p.id DESC LIMIT $7"
        );
    }

    #[test]
    fn rows_are_remembered_by_what_they_were_sorted_by() {
        assert_eq!(
            text(&[DATE], after("[1700000000000000, 7]")),
            "WHERE TRUE AND (p.date, p.id) > ($1, $2) ORDER BY p.date, p.id LIMIT $3"
        );
        for other in ["[\"x\", 7]", "[1, 2, 7]", "[null, 7]"] {
            let text = text(&[DATE], after(other));
            assert!(text.starts_with("WHERE TRUE AND FALSE ORDER"), "{text}");
        }
    }

    #[test]
    fn words_are_found_in_either_case() {
        for (word, glob, regex) in [
            (
                "\u{dc}ber Ma",
                "[\u{dc}\u{fc}]ber ma",
                "[\u{dc}\u{fc}]ber ma",
            ),
            ("\u{df}*[].", "[\u{df}][*][[][]][.]", "[\u{df}][*][[][]][.]"),
            ("^\\\u{4e2d}", "^\\[\u{4e2d}]", "\\^\\\\[\u{4e2d}]"),
        ] {
            assert_eq!(either_case(word, ""), glob, "{word}");
            assert_eq!(either_case(word, "\\"), regex, "{word}");
        }
    }
}
