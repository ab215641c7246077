//! Conditions on a column, in every way XML-RPC's filters compare (`xmlrpc.md §3.1`), and lists from either end.

use super::{Kind, Result, Sql, Value, value::Many};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Number,
    Text,
    Moment,
}

/// A column to be compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    name: &'static str,
    holds: Holds,
    /// The column with the same text in lower case, if there is one.
    key: Option<&'static str>,
}

impl Column {
    /// A column of numbers or ids.
    pub const fn number(name: &'static str) -> Self {
        Column {
            name,
            holds: Holds::Number,
            key: None,
        }
    }

    /// A column of texts.
    pub const fn text(name: &'static str) -> Self {
        Column {
            name,
            holds: Holds::Text,
            key: None,
        }
    }

    /// A column of texts that has another beside it, with the same in lower case.
    pub const fn keyed(name: &'static str, key: &'static str) -> Self {
        Column {
            name,
            holds: Holds::Text,
            key: Some(key),
        }
    }

    /// A column of moments.
    pub const fn moment(name: &'static str) -> Self {
        Column {
            name,
            holds: Holds::Moment,
            key: None,
        }
    }
}

/// Where in a text another one has to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is all of it.
    Whole,
    /// Anywhere.
    Anywhere,
    /// At the beginning.
    Start,
    /// At the end.
    End,
}

/// A part of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The year.
    Year,
    /// The month, from 1.
    Month,
    /// The day of the month.
    Day,
}

/// How what a column holds has to be. Values are of the column's kind.
#[derive(Clone, Debug)]
pub enum Test {
    /// Exactly this.
    Is(Value),
    /// More than this; texts are compared by code point.
    Above(Value),
    /// This or more.
    AtLeast(Value),
    /// Less than this.
    Below(Value),
    /// Neither less than the first nor more than the second.
    Between(Value, Value),
    /// One of these.
    Among(Vec<Value>),
    /// Nothing at all, or anything.
    Empty(bool),
    /// Read as a text, with another one in it.
    Like {
        /// Where it has to stand.
        place: Place,
        /// What has to stand there.
        text: String,
        /// Whether upper and lower case are the same.
        ignore_case: bool,
    },
    /// With this year, month or day, in UTC.
    On(Part, i64),
}

/// Appends the condition that a column passes a test.
pub(super) fn push(query: &mut Sql, kind: Kind, column: Column, test: Test) {
    match test {
        Test::Is(value) => {
            query.push(column.name).push(" = ").arg(value);
        }
        Test::Above(value) => compare(query, kind, column, " > ", value),
        Test::AtLeast(value) => compare(query, kind, column, " >= ", value),
        Test::Below(value) => compare(query, kind, column, " < ", value),
        Test::Between(least, most) => {
            compare(query, kind, column, " >= ", least);
            query.push(" AND ");
            compare(query, kind, column, " <= ", most);
        }
        Test::Among(values) if values.is_empty() => {
            query.push("1 = 0");
        }
        Test::Among(values) => {
            query
                .push(column.name)
                .among_many(kind, Many::gather(values));
        }
        Test::Empty(true) => {
            query.push(column.name).push(" IS NULL");
        }
        Test::Empty(false) => {
            query.push(column.name).push(" IS NOT NULL");
        }
        Test::Like {
            place,
            text,
            ignore_case,
        } => like(query, kind, column, place, (&text, ignore_case)),
        Test::On(part, number) => on(query, kind, column, (part, number)),
    }
}

fn compare(query: &mut Sql, kind: Kind, column: Column, sign: &'static str, value: Value) {
    query.push(column.name);
    if (kind, column.holds) == (Kind::Postgres, Holds::Text) {
        query.push(" COLLATE \"C\"");
    }
    query.push(sign).arg(value);
}

/// Not by LIKE: SQLite's ignores case, always.
fn like(
    query: &mut Sql,
    kind: Kind,
    column: Column,
    place: Place,
    (text, ignore_case): (&str, bool),
) {
    // The key was put into lower case by us; what `lower()` makes of other letters than ASCII depends on the engine.
    let (column, text, lower) = match (ignore_case, column.key) {
        (true, Some(key)) => (Column::text(key), text.to_lowercase(), false),
        _ => (column, text.to_owned(), ignore_case),
    };
    let here = |query: &mut Sql| in_case(query, lower, |query| as_text(query, kind, column));
    let there = |query: &mut Sql| {
        in_case(query, lower, |query| {
            query.arg(text.as_str());
        });
    };
    match place {
        Place::Whole => here(query),
        Place::Anywhere => {
            query.push(match kind {
                Kind::Sqlite => "instr(",
                Kind::Postgres => "strpos(",
            });
            here(query);
            query.push(", ");
            there(query);
            query.push(") > 0");
            return;
        }
        Place::Start => {
            query.push("substr(");
            here(query);
            query.push(", 1, length(");
            there(query);
            query.push("))");
        }
        Place::End => {
            query.push("substr(");
            here(query);
            query.push(", length(");
            here(query);
            query.push(") - length(");
            there(query);
            query.push(") + 1)");
        }
    }
    query.push(" = ");
    there(query);
}

fn in_case(query: &mut Sql, lower: bool, what: impl FnOnce(&mut Sql)) {
    if lower {
        query.push("lower(");
    }
    what(query);
    if lower {
        query.push(")");
    }
}

/// Appends what a column holds as a text: a moment as `2024-03-05 06:07:08`.
fn as_text(query: &mut Sql, kind: Kind, column: Column) {
    let (before, after) = match (column.holds, kind) {
        (Holds::Text, _) => ("", ""),
        (Holds::Number, _) => ("CAST(", " AS TEXT)"),
        (Holds::Moment, Kind::Sqlite) => {
            ("strftime('%Y-%m-%d %H:%M:%S', ", " / 1000000, 'unixepoch')")
        }
        (Holds::Moment, Kind::Postgres) => {
            ("to_char(", " AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')")
        }
    };
    query.push(before).push(column.name).push(after);
}

fn on(query: &mut Sql, kind: Kind, column: Column, (part, number): (Part, i64)) {
    let (before, after) = match kind {
        Kind::Sqlite => (
            match part {
                Part::Year => "CAST(strftime('%Y', ",
                Part::Month => "CAST(strftime('%m', ",
                Part::Day => "CAST(strftime('%d', ",
            },
            " / 1000000, 'unixepoch') AS BIGINT) = ",
        ),
        Kind::Postgres => (
            match part {
                Part::Year => "EXTRACT(YEAR FROM ",
                Part::Month => "EXTRACT(MONTH FROM ",
                Part::Day => "EXTRACT(DAY FROM ",
            },
            " AT TIME ZONE 'UTC')::BIGINT = ",
        ),
    };
    query.push(before).push(column.name).push(after).arg(number);
}

/// A list from either end: so many from its beginning; all for 0; below 0, so many from its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Most(pub i64);

impl Most {
    /// Appends the order of a list and its limit. `forwards` and `backwards` are the same order from either end.
    pub(super) fn push(self, query: &mut Sql, forwards: &'static str, backwards: &'static str) {
        let order = if self.0 < 0 { backwards } else { forwards };
        query.push(" ORDER BY ").push(order);
        if self.0 != 0 {
            query.push(" LIMIT ").arg(self.0.saturating_abs());
        }
    }

    /// Returns so many of a list that was read whole.
    pub fn of<T>(self, mut all: Vec<T>) -> Vec<T> {
        let count = usize::try_from(self.0.unsigned_abs()).unwrap_or(usize::MAX);
        match self.0 {
            0 => {}
            1.. => all.truncate(count),
            _ => drop(all.drain(..all.len().saturating_sub(count))),
        }
        all
    }

    /// Returns rows in the order of the list, whichever end they were read from.
    pub(super) fn in_order<T>(self, rows: Result<Vec<T>>) -> Result<Vec<T>> {
        let mut rows = rows?;
        if self.0 < 0 {
            rows.reverse();
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_from_either_end() {
        let cases: [(i64, &[i32]); 6] = [
            (0, &[1, 2, 3, 4]),
            (2, &[1, 2]),
            (9, &[1, 2, 3, 4]),
            (-2, &[3, 4]),
            (-9, &[1, 2, 3, 4]),
            (i64::MIN, &[1, 2, 3, 4]),
        ];
        for (most, expected) in cases {
            assert_eq!(Most(most).of(vec![1, 2, 3, 4]), expected, "{most}");
        }
    }
}
