//! A whole database as lines of JSON, and back: the same from both engines, so one can be moved to the other.
//!
//! The first line says what it is, one line for each row follows as [`dump`](super::dump) writes it, and the last counts
//! them. The command line packs them and checks that nothing is missing before anything is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    Conn, Db, Error, Kind, Result, Tx, Value,
    dump::{Column, Holds, Options, Place, TABLES, Table},
    migrate, rows, search, sql,
};
use crate::domain::Timestamp;

/// The number of the form in which backups are written.
pub const FORM: u32 = 1;

/// The first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// The number of the form.
    pub patchwork_backup: u32,
    /// Which program wrote it.
    pub version: String,
    /// The last migration of the database.
    pub migration: i64,
    /// When.
    pub created: String,
    /// The last id that each table has handed out.
    pub last_ids: BTreeMap<String, i64>,
}

/// The last line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// How many rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// The SHA-256 of all lines before, line ends included.
    pub sha256: String,
}

const WHOLE: Options = Options {
    stable: false,
    secrets: true,
    whole: true,
};

/// Returns the first line.
///
/// # Errors
/// When the database is away.
pub async fn head(conn: &mut Conn, now: Timestamp) -> Result<Head> {
    Ok(Head {
        patchwork_backup: FORM,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        migration: last_migration(conn.kind()),
        created: now.iso(),
        last_ids: last_ids(conn).await?,
    })
}

/// Returns the number of the newest migration that this program knows.
pub fn last_migration(kind: Kind) -> i64 {
    let known = migrate::known(kind);
    known.last().map_or(0, |(number, _)| *number)
}

/// Returns the last id that each table has handed out, as far as it is known.
async fn last_ids(conn: &mut Conn) -> Result<BTreeMap<String, i64>> {
    let text = match conn.kind() {
        Kind::Sqlite => "SELECT name, seq FROM sqlite_sequence",
        Kind::Postgres => {
            "SELECT replace(sequencename::text, '_id_seq', ''), last_value FROM pg_sequences \
             WHERE schemaname = current_schema() AND last_value IS NOT NULL"
        }
    };
    let rows: Vec<(String, i64)> = sql(text).all(conn).await?;
    let is_known = |(name, _): &(String, i64)| super::dump::table(name).is_some();
    Ok(rows.into_iter().filter(is_known).collect())
}

/// Returns roughly how many rows there are, for a bar.
///
/// # Errors
/// When the database is away.
pub async fn estimate(conn: &mut Conn) -> Result<i64> {
    let mut total = 0;
    for table in TABLES {
        total += count(conn, table).await?;
    }
    Ok(total)
}

async fn count(conn: &mut Conn, table: &Table) -> Result<i64> {
    let mut query = sql("SELECT count(*) FROM ");
    query.push(table.name);
    let (rows,): (i64,) = query.one(conn).await?;
    Ok(rows)
}

/// Returns the next rows of a table as lines; none: that was all.
///
/// # Errors
/// When the database is away.
pub async fn page(conn: &mut Conn, table: &Table, place: &mut Place) -> Result<Vec<String>> {
    table.page(conn, place, WHOLE).await
}

/// Tables that a migrated database has rows in before anybody used it.
const BEGUN: &[&str] = &["site", "state", "tag", "pulse"];

/// A database that rows are put back into.
pub struct Restore {
    tx: Tx,
    is_bytes: BTreeMap<(String, String), bool>,
    /// How many rows of each table were written.
    rows: BTreeMap<String, u64>,
}

/// The largest id that is believed: what reads JSON elsewhere may keep numbers as floating point.
const MOST_ID: i64 = 1 << 53;

/// How many rows are written together.
pub const ROWS: usize = 200;

impl Restore {
    /// Begins, in one transaction, and forgets the rows that every new database has.
    ///
    /// # Errors
    /// When the database is away, or something is in it.
    pub async fn begin(db: &Db) -> Result<Restore> {
        let mut tx = db.begin().await?;
        for table in TABLES.iter().filter(|table| !BEGUN.contains(&table.name)) {
            if count(&mut tx, table).await? > 0 {
                return Err(Error::Schema(format!(
                    "the database is not empty: there are rows in {}; make a new one with `patchwork migrate`",
                    table.name
                )));
            }
        }
        for name in BEGUN {
            let mut query = sql("DELETE FROM ");
            query.push(name);
            query.run(&mut tx).await?;
        }
        let is_bytes = columns_of_bytes(&mut tx).await?;
        Ok(Restore {
            tx,
            is_bytes,
            rows: BTreeMap::new(),
        })
    }

    /// Writes rows of one table.
    ///
    /// # Errors
    /// When the database is away or refuses, or a row is not one of this table.
    pub async fn write(&mut self, table: &'static Table, lines: &[Json]) -> Result<()> {
        let mut rows = Vec::with_capacity(lines.len());
        for line in lines {
            let mut row = Vec::with_capacity(table.columns.len());
            for column in table.columns {
                let holds = self.holds(table, column);
                let value = line.get(column.name).and_then(|json| value(holds, json));
                row.push(value.ok_or_else(|| odd(table, column))?);
            }
            rows.push(row);
        }
        // One text for each table of the program: it is kept as long as the program runs.
        *self.rows.entry(table.name.to_owned()).or_default() += rows.len() as u64;
        rows::insert(&mut self.tx, into(table), rows, "").await?;
        Ok(())
    }

    fn holds(&self, table: &Table, column: &Column) -> Holds {
        let key = (table.name.to_owned(), column.name.to_owned());
        match column.holds {
            Holds::Secret if self.is_bytes.get(&key).copied().unwrap_or(false) => Holds::Bytes,
            Holds::Secret => Holds::Text,
            holds => holds,
        }
    }

    /// Lets new ids go on after those that the old database has handed out, and makes it stay.
    ///
    /// # Errors
    /// When the database is away or refuses, rows are missing or too many, or ids cannot go on as the head says.
    pub async fn finish(mut self, head: &Head, tail: &Tail) -> Result<()> {
        self.has_all(tail)?;
        for name in head.last_ids.keys() {
            if !super::dump::table(name).is_some_and(Table::has_ids) {
                let told = format!("the backup has a last id of '{name}', which has no ids here");
                return Err(Error::Schema(told));
            }
        }
        for table in TABLES.iter().filter(|table| table.has_ids()) {
            let given = head.last_ids.get(table.name).copied();
            let present = largest_id(&mut self.tx, table).await?;
            if let Some(last) = last_id(table, given, present)? {
                move_sequence(&mut self.tx, table, last).await?;
            }
        }
        search::begin_anew(&mut self.tx).await?;
        self.tx.commit().await
    }

    /// Compares what was written with what the last line counts.
    fn has_all(&self, tail: &Tail) -> Result<()> {
        let count = |rows: &BTreeMap<String, u64>, name| rows.get(name).copied().unwrap_or(0);
        for name in tail.rows.keys().chain(self.rows.keys()) {
            let (counted, written) = (count(&tail.rows, name), count(&self.rows, name));
            if counted != written {
                return Err(Error::Schema(format!(
                    "the backup counts {counted} rows of '{name}' and holds {written}"
                )));
            }
        }
        Ok(())
    }
}

/// Returns after which id a table goes on: what the head gives, if that can be true of the rows that are present.
fn last_id(table: &Table, given: Option<i64>, present: Option<i64>) -> Result<Option<i64>> {
    let last = given.or(present);
    match last {
        Some(last) if last < present.unwrap_or(1).max(1) => Err(Error::Schema(format!(
            "the backup has {last} as the last id of {}, and a row with {}",
            table.name,
            present.unwrap_or_default(),
        ))),
        Some(last) if last > MOST_ID => Err(Error::Schema(format!(
            "the backup has {last} as the last id of {}, after which there are too few ids",
            table.name
        ))),
        last => Ok(last),
    }
}

async fn largest_id(conn: &mut Conn, table: &Table) -> Result<Option<i64>> {
    let mut query = sql("SELECT max(id) FROM ");
    query.push(table.name);
    let (largest,): (Option<i64>,) = query.one(conn).await?;
    Ok(largest)
}

fn odd(table: &Table, column: &Column) -> Error {
    Error::Schema(format!(
        "a row of {} has no {} as this database takes it",
        table.name, column.name
    ))
}

fn into(table: &'static Table) -> &'static str {
    static TEXTS: std::sync::LazyLock<Vec<(&'static str, String)>> =
        std::sync::LazyLock::new(|| {
            let text = |table: &'static Table| {
                let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
                (
                    table.name,
                    format!("{} ({})", table.name, columns.join(", ")),
                )
            };
            TABLES.iter().map(text).collect()
        });
    TEXTS
        .iter()
        .find(|(name, _)| *name == table.name)
        .map_or("", |(_, text)| text)
}

async fn columns_of_bytes(conn: &mut Conn) -> Result<BTreeMap<(String, String), bool>> {
    let text = match conn.kind() {
        Kind::Sqlite => {
            "SELECT t.name, c.name, c.type = 'BLOB' FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
             WHERE t.type = 'table'"
        }
        Kind::Postgres => {
            "SELECT table_name::text, column_name::text, data_type = 'bytea' FROM information_schema.columns \
             WHERE table_schema = current_schema()"
        }
    };
    let rows: Vec<(String, String, bool)> = sql(text).all(conn).await?;
    let entry = |(table, column, is_bytes)| ((table, column), is_bytes);
    Ok(rows.into_iter().map(entry).collect())
}

async fn move_sequence(conn: &mut Conn, table: &'static Table, last: i64) -> Result<()> {
    match conn.kind() {
        Kind::Postgres => {
            sql("SELECT setval(pg_get_serial_sequence($1, 'id'), $2)")
                .bind(table.name)
                .bind(last)
                .run(conn)
                .await?;
        }
        Kind::Sqlite => {
            sql("DELETE FROM sqlite_sequence WHERE name = $1")
                .bind(table.name)
                .run(conn)
                .await?;
            sql("INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)")
                .bind(table.name)
                .bind(last)
                .run(conn)
                .await?;
        }
    }
    Ok(())
}

/// Reads a value as [`dump`](super::dump) has written it.
fn value(holds: Holds, json: &Json) -> Option<Value> {
    if json.is_null() {
        return Some(match holds {
            Holds::Number => Value::Int(None),
            Holds::Truth => Value::Bool(None),
            Holds::Text | Holds::Secret => Value::Text(None),
            Holds::Moment | Holds::Loading => Value::Time(None),
            Holds::Bytes | Holds::Packed => Value::Bytes(None),
        });
    }
    Some(match holds {
        Holds::Number => Value::Int(Some(json.as_i64()?)),
        Holds::Truth => Value::Bool(Some(json.as_bool()?)),
        Holds::Text | Holds::Secret => Value::from(json.as_str()?),
        Holds::Moment | Holds::Loading => Value::Time(Some(moment(json.as_str()?)?)),
        Holds::Bytes | Holds::Packed => Value::Bytes(Some(unhex(json.as_str()?)?)),
    })
}

fn moment(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp(at.as_microsecond()))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    digits
        .chunks_exact(2)
        .map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_ids_are_believed_when_they_can_be_true() {
        let table = super::super::dump::table("patch").expect("a table");
        for (given, present, expected) in [
            (None, None, Some(None)),
            (None, Some(7), Some(Some(7))),
            (Some(7), Some(7), Some(Some(7))),
            (Some(9), None, Some(Some(9))),
            (Some(6), Some(7), None),
            (Some(0), None, None),
            (Some(-3), None, None),
            (Some(MOST_ID), Some(7), Some(Some(MOST_ID))),
            (Some(MOST_ID + 1), Some(7), None),
            (None, Some(i64::MAX), None),
        ] {
            assert_eq!(
                last_id(table, given, present).ok(),
                expected,
                "{given:?} {present:?}"
            );
        }
    }

    #[test]
    fn values_are_read_as_they_were_written() {
        assert_eq!(unhex("00ff1a"), Some(vec![0, 255, 26]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("zz"), None);
        assert_eq!(
            moment("1970-01-01T00:00:01.000005Z"),
            Some(Timestamp(1_000_005))
        );
    }
}
