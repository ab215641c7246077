//! Parts of long sorted lists: by number of rows, or by the row before, which costs the same however far it is.

use super::{Sql, Value};

/// A key to sort by, as SQL.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The value of a row of the list.
    pub row: &'static str,
    /// The same value of the row with the id that follows: a query in parentheses that is still open.
    pub anchor: &'static str,
    /// Whether large values come first.
    pub descending: bool,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many rows at most.
    pub limit: i64,
    /// How many rows are left out first.
    pub offset: i64,
    /// The row after which it begins, instead of `offset`.
    pub after: Option<i64>,
}

/// Appends what leaves out the rows before the window, the order, and the limit. `id` is the id of a row: where all
/// keys are equal it decides, so that no row is on two pages or on none.
pub(super) fn apply(query: &mut Sql, id: &'static str, keys: &[Key], window: Window) {
    if let Some(after) = window.after {
        begin(query, id, keys, after);
    }
    order(query, id, keys);
    query.push(" LIMIT ").arg(window.limit);
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

fn begin(query: &mut Sql, id: &'static str, keys: &[Key], after: i64) {
    let last = is_descending(keys);
    if keys.iter().all(|key| key.descending == last) {
        return begin_at(query, id, keys, after, last);
    }
    // Directions differ: equal in the first keys, beyond in the next.
    query.push(" AND (");
    for place in 0..=keys.len() {
        query.push(if place == 0 { "(" } else { " OR (" });
        for key in &keys[..place] {
            query.push(key.row).push(" = ").push(key.anchor);
            query.arg(after).push(") AND ");
        }
        match keys.get(place) {
            Some(key) => {
                query.push(key.row).push(beyond(key.descending));
                query.push(key.anchor).arg(after).push("))");
            }
            None => {
                query.push(id).push(beyond(last)).arg(after).push(")");
            }
        }
    }
    query.push(")");
}

/// All keys run the same way: one comparison of rows, which an index can answer.
fn begin_at(query: &mut Sql, id: &'static str, keys: &[Key], after: i64, descending: bool) {
    query.push(" AND (");
    for key in keys {
        query.push(key.row).push(", ");
    }
    query.push(id).push(")").push(beyond(descending)).push("(");
    for key in keys {
        query.push(key.anchor).arg(after).push("), ");
    }
    query.arg(after).push(")");
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

/// Appends the condition that each word is somewhere in these columns, which are in lower case.
pub(super) fn words(query: &mut Sql, columns: &[&'static str], words: &[String]) {
    for word in words {
        let mut separator = " AND (";
        for column in columns {
            query.push(separator).push(column).push(" LIKE ");
            query.arg(super::containing(word)).push(" ESCAPE '\\'");
            separator = " OR ";
        }
        query.push(")");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql;

    const DATE: Key = Key {
        row: "p.date",
        anchor: "(SELECT date FROM patch WHERE id = ",
        descending: false,
    };

    fn text(keys: &[Key], after: Option<i64>) -> String {
        let mut query = sql("WHERE TRUE");
        let window = Window {
            limit: 2,
            offset: 4,
            after,
        };
        apply(&mut query, "p.id", keys, window);
        query.text().to_owned()
    }

    #[test]
    fn windows_begin_after_a_row_or_after_some_rows() {
        assert_eq!(
            text(&[DATE], None),
            "WHERE TRUE ORDER BY p.date, p.id LIMIT $1 OFFSET $2"
        );
        assert_eq!(
            text(&[], Some(7)),
            "WHERE TRUE AND (p.id) > ($1) ORDER BY p.id LIMIT $2"
        );
        let down = Key {
            descending: true,
            ..DATE
        };
        assert_eq!(
            text(&[down], Some(7)),
            "WHERE TRUE AND (p.date, p.id) < ((SELECT date FROM patch WHERE id = $1), $2) \
             ORDER BY p.date DESC, p.id DESC LIMIT $3"
        );
        assert_eq!(
            text(&[DATE, down], Some(7)),
            "WHERE TRUE AND ((p.date > (SELECT date FROM patch WHERE id = $1)) \
             OR (p.date = (SELECT date FROM patch WHERE id = $2) AND p.date < (SELECT date FROM patch WHERE id = $3)) \
             OR (p.date = (SELECT date FROM patch WHERE id = $4) AND p.date = (SELECT date FROM patch WHERE id = $5) AND p.id < $6)) \
             ORDER BY p.date, p.date DESC, p.id DESC LIMIT $7"
        );
    }
}
