//! A statement and its values: built from fixed text only, run on either engine.

use std::{borrow::Cow, fmt::Write};

use sqlx::{
    Arguments, AssertSqlSafe, FromRow,
    postgres::{PgArguments, PgRow},
    sqlite::{SqliteArguments, SqliteRow},
};

use super::{Conn, Kind, Result, Value, db::Native, value::Many};

/// A row that can be read from either engine; `#[derive(sqlx::FromRow)]` makes one.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{}

/// SQL text with `$n` for its values.
///
/// `sql("… $1 …").bind(x)` for fixed text; `.push(…)` and `.arg(…)` for text that depends on what is asked.
#[derive(Clone, Debug)]
pub struct Sql {
    text: Cow<'static, str>,
    values: Vec<Value>,
    is_kept: bool,
}

/// Begins a statement. Text is `'static`: nothing a user wrote can get into it.
pub fn sql(text: &'static str) -> Sql {
    Sql {
        text: text.into(),
        values: Vec::new(),
        is_kept: true,
    }
}

impl Sql {
    /// Has PostgreSQL choose the way anew each time: the best one depends much on the values.
    pub fn planned_anew(mut self) -> Self {
        self.is_kept = false;
        self
    }

    /// Returns how many rows PostgreSQL expects, by its statistics, without doing what is asked.
    pub(super) async fn expected(mut self, conn: &mut Conn) -> Result<Option<i64>> {
        self.text.to_mut().insert_str(0, "EXPLAIN ");
        let plan: Vec<(String,)> = self.planned_anew().all(conn).await?;
        Ok(plan.first().and_then(|(first,)| rows(first)))
    }

    /// Gives the next `$n` its value.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Appends fixed text.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// Appends a placeholder for a value.
    pub fn arg(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        let number = self.values.len();
        write!(self.text.to_mut(), "${number}").expect("a String takes any text");
        self
    }

    /// Appends `(…, …)` with a placeholder for each value; `(NULL)`, which nothing is in, for none.
    pub fn list<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        let mut separator = "(";
        for value in values {
            self.push(separator).arg(value);
            separator = ",";
        }
        self.push(if separator == "(" { "(NULL)" } else { ")" })
    }

    /// Appends the condition that what stands before is one of many texts. The statement's text stays the
    /// same however many there are; SQLite takes a long time to bind a long list.
    pub fn among(&mut self, kind: Kind, texts: impl IntoIterator<Item = String>) -> &mut Self {
        self.among_many(kind, Many::texts(texts))
    }

    /// Appends the condition that what stands before is one of many ids.
    pub fn among_ids(&mut self, kind: Kind, ids: impl IntoIterator<Item = i64>) -> &mut Self {
        self.among_many(kind, Many::ints(ids))
    }

    /// Appends the condition that what stands before is one of many values.
    pub(super) fn among_many(&mut self, kind: Kind, values: Many) -> &mut Self {
        match (kind, &values) {
            (Kind::Sqlite, Many::Blobs(_)) => self
                .push(" IN (SELECT unhex(value) FROM json_each(")
                .arg(values)
                .push("))"),
            (Kind::Sqlite, _) => self
                .push(" IN (SELECT value FROM json_each(")
                .arg(values)
                .push("))"),
            (Kind::Postgres, _) => self.push(" = ANY (").arg(values).push(")"),
        }
    }

    /// Appends a table of one column, `asked (value)`, that holds these texts.
    pub(super) fn table(&mut self, kind: Kind, texts: Many) -> &mut Self {
        match kind {
            Kind::Sqlite => self.push("json_each(").arg(texts).push(") AS asked"),
            Kind::Postgres => self.push("unnest(").arg(texts).push(") AS asked (value)"),
        }
    }

    /// Appends one row of `VALUES`, comma included when it is not the first.
    pub fn row(&mut self, first: bool, values: Vec<Value>) -> &mut Self {
        if !first {
            self.push(",");
        }
        self.list(values)
    }

    /// Appends one row as [`Sql::row`] does, for SQLite and a statement without other values. Its places have no
    /// numbers: to look one up takes as long as there are places, and there may be a thousand.
    pub(super) fn unnumbered_row(&mut self, first: bool, values: Vec<Value>) -> &mut Self {
        let mut separator = if first { "(" } else { ",(" };
        for value in values {
            self.push(separator).push("?");
            self.values.push(value);
            separator = ",";
        }
        self.push(")")
    }

    /// Returns the text, for tests and logs; values are not in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Runs it and returns every row.
    ///
    /// # Errors
    /// When the database is away or refuses.
    pub async fn all<T: Row>(self, conn: &mut Conn) -> Result<Vec<T>> {
        let (text, values) = (AssertSqlSafe(self.text), self.values);
        Ok(match conn.native() {
            Native::Sqlite(c) => {
                sqlx::query_as_with(text, sqlite(values)?)
                    .fetch_all(c)
                    .await?
            }
            Native::Postgres(c) => {
                sqlx::query_as_with(text, postgres(values)?)
                    .persistent(self.is_kept)
                    .fetch_all(c)
                    .await?
            }
        })
    }

    /// Runs it and returns its one row.
    ///
    /// # Errors
    /// When the database is away or refuses, or there is no row.
    pub async fn one<T: Row>(self, conn: &mut Conn) -> Result<T> {
        match self.optional(conn).await? {
            Some(row) => Ok(row),
            None => Err(sqlx::Error::RowNotFound.into()),
        }
    }

    /// Runs it and returns its row, if there is one.
    ///
    /// # Errors
    /// When the database is away or refuses.
    pub async fn optional<T: Row>(self, conn: &mut Conn) -> Result<Option<T>> {
        let (text, values) = (AssertSqlSafe(self.text), self.values);
        Ok(match conn.native() {
            Native::Sqlite(c) => {
                sqlx::query_as_with(text, sqlite(values)?)
                    .fetch_optional(c)
                    .await?
            }
            Native::Postgres(c) => {
                sqlx::query_as_with(text, postgres(values)?)
                    .persistent(self.is_kept)
                    .fetch_optional(c)
                    .await?
            }
        })
    }

    /// Runs it and returns how many rows it touched.
    ///
    /// # Errors
    /// When the database is away or refuses.
    pub async fn run(self, conn: &mut Conn) -> Result<u64> {
        let (text, values) = (AssertSqlSafe(self.text), self.values);
        Ok(match conn.native() {
            Native::Sqlite(c) => {
                let query = sqlx::query_with(text, sqlite(values)?);
                query.execute(c).await?.rows_affected()
            }
            Native::Postgres(c) => {
                let query = sqlx::query_with(text, postgres(values)?);
                query.execute(c).await?.rows_affected()
            }
        })
    }
}

fn sqlite(values: Vec<Value>) -> Result<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Value::Bool(value) => arguments.add(value),
            Value::Int(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
            Value::Time(value) => arguments.add(value),
            Value::Words(value) => arguments.add(value.map(|words| words.0)),
            Value::Many(values) => arguments.add(values.json()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn postgres(values: Vec<Value>) -> Result<PgArguments> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Bool(value) => arguments.add(value),
            Value::Int(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
            Value::Time(value) => arguments.add(value),
            Value::Words(value) => arguments.add(value),
            Value::Many(Many::Bools(values)) => arguments.add(values),
            Value::Many(Many::Ints(values)) => arguments.add(values),
            Value::Many(Many::Texts(values)) => arguments.add(values),
            Value::Many(Many::Blobs(values)) => arguments.add(values),
            Value::Many(Many::Times(values)) => arguments.add(values),
            Value::Many(Many::Words(values)) => arguments.add(values),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// Reads how many rows a plan expects: `Seq Scan on patch p  (cost=0.03..22756.03 rows=81218 width=4)`.
fn rows(plan: &str) -> Option<i64> {
    let rows = plan.split_once(" rows=")?.1;
    rows.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_is_read() {
        let said = "Bitmap Heap Scan on patch p  (cost=188.43..13587.79 rows=10255 width=4)";
        assert_eq!(rows(said), Some(10_255));
        assert_eq!(rows("Result"), None);
    }
}
