//! Tables as the admin console sees them: lists, forms and deletes of what `web/admin` describes.
//!
//! A [`Table`] is fixed text, so nothing that somebody typed becomes SQL. What needs more than writing columns has its
//! function in the noun's own file, here or beside this folder.

mod list;
pub mod lookup;
pub mod member;
pub mod mend;
pub mod overview;
mod record;

use sqlx::{
    Column, FromRow, Row, TypeInfo, ValueRef,
    postgres::{PgRow, Postgres},
    sqlite::{Sqlite, SqliteRow},
};

use super::Value;
use crate::domain::Timestamp;

pub use list::{Condition, Query, count, ids, page};
pub use record::{
    Lookup, clash, count_of, delete, find, insert, label, labels, options, read, shown, update,
};

/// What the ids of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Numbers.
    Number,
    /// Texts.
    Text,
    /// Bytes, in addresses their hexadecimal digits.
    Bytes,
}

/// A table the console shows. In all texts the table is called `t`.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub base: &'static str,
    /// What its ids are.
    pub kind: Key,
    /// The id of a row: `t.id`.
    pub key: &'static str,
    /// What a row is called: an expression.
    pub label: &'static str,
    /// What lists show: expressions after the id.
    pub columns: &'static str,
    /// What those expressions need besides the table.
    pub joins: &'static str,
    /// Which rows there are at all: a condition that begins with ` AND `, or nothing.
    pub only: &'static str,
    /// What words are looked for in: a lower-case expression, and what closes it.
    pub words: &'static [(&'static str, &'static str)],
    /// What rows are sorted by if nobody says: usually the id; the newest first.
    pub order: &'static str,
}

impl Table {
    /// Returns an id of an address as a value; `None` when it cannot be one.
    pub fn id(&self, text: &str) -> Option<Value> {
        match self.kind {
            Key::Number => text.parse::<i64>().ok().map(Value::from),
            Key::Text => Some(Value::from(text)),
            Key::Bytes => bytes(text).map(Value::from),
        }
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    (0..hex.len()).step_by(2).map(digits).collect()
}

/// A value of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cell {
    /// None.
    #[default]
    Null,
    /// A number; on SQLite also yes, no and moments.
    Int(i64),
    /// Yes or no.
    Bool(bool),
    /// A text.
    Text(String),
    /// A moment.
    Time(Timestamp),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Cell {
    /// Returns it as a number; 0 for none.
    pub fn int(&self) -> i64 {
        match self {
            Cell::Int(value) => *value,
            Cell::Bool(value) => i64::from(*value),
            _ => 0,
        }
    }

    /// Says whether it is yes.
    pub fn is_yes(&self) -> bool {
        self.int() != 0
    }

    /// Returns it as a moment.
    pub fn time(&self) -> Option<Timestamp> {
        match self {
            Cell::Time(at) => Some(*at),
            Cell::Int(at) => Some(Timestamp(*at)),
            _ => None,
        }
    }

    /// Says whether there is nothing.
    pub fn is_null(&self) -> bool {
        *self == Cell::Null
    }

    /// Returns it as text, whatever it is.
    pub fn text(&self) -> String {
        match self {
            Cell::Null => String::new(),
            Cell::Int(value) => value.to_string(),
            Cell::Bool(true) => "1".to_owned(),
            Cell::Bool(false) => "0".to_owned(),
            Cell::Text(text) => text.clone(),
            Cell::Time(at) => at.iso(),
            Cell::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

/// A row of whatever was selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells(pub Vec<Cell>);

impl Cells {
    /// Returns a value; none where the row ends.
    pub fn get(&self, at: usize) -> &Cell {
        static NOTHING: Cell = Cell::Null;
        self.0.get(at).unwrap_or(&NOTHING)
    }
}

impl<'r> FromRow<'r, SqliteRow> for Cells {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        let cell = |column: &sqlx::sqlite::SqliteColumn| {
            let at = column.ordinal();
            let raw = row.try_get_raw(at)?;
            if raw.is_null() {
                return Ok(Cell::Null);
            }
            let kind = raw.type_info().name().to_owned();
            fn decoded<'r, T: sqlx::Decode<'r, Sqlite>>(
                row: &'r SqliteRow,
                at: usize,
            ) -> sqlx::Result<T> {
                row.try_get_unchecked(at)
            }
            Ok(match kind.as_str() {
                "TEXT" => Cell::Text(decoded(row, at)?),
                "BLOB" => Cell::Bytes(decoded(row, at)?),
                _ => Cell::Int(decoded(row, at)?),
            })
        };
        let cells: sqlx::Result<Vec<Cell>> = row.columns().iter().map(cell).collect();
        cells.map(Cells)
    }
}

impl<'r> FromRow<'r, PgRow> for Cells {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        let cell = |column: &sqlx::postgres::PgColumn| {
            let at = column.ordinal();
            if row.try_get_raw(at)?.is_null() {
                return Ok(Cell::Null);
            }
            fn decoded<'r, T: sqlx::Decode<'r, Postgres>>(
                row: &'r PgRow,
                at: usize,
            ) -> sqlx::Result<T> {
                row.try_get_unchecked(at)
            }
            Ok(match column.type_info().name() {
                "INT8" => Cell::Int(decoded(row, at)?),
                "INT4" => Cell::Int(decoded::<i32>(row, at)?.into()),
                "BOOL" => Cell::Bool(decoded(row, at)?),
                "TIMESTAMPTZ" => Cell::Time(decoded(row, at)?),
                "BYTEA" => Cell::Bytes(decoded(row, at)?),
                _ => Cell::Text(decoded(row, at)?),
            })
        };
        let cells: sqlx::Result<Vec<Cell>> = row.columns().iter().map(cell).collect();
        cells.map(Cells)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_in_addresses_are_read() {
        assert_eq!(bytes("00ff"), Some(vec![0, 255]));
        assert_eq!(bytes("0"), None);
        assert_eq!(bytes("zz"), None);
        assert_eq!(bytes("é0"), None);
    }
}
