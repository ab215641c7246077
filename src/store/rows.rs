//! Many rows in as few statements as an engine likes.

use std::iter;

use futures_util::future;

use super::{
    Conn, Kind, Result, Sql, Value, sql,
    tally::{self, Differences, What},
    value::Many,
};

/// How many values SQLite takes at once.
const VALUES: usize = 1_300;

/// Inserts rows `into` a table, such as `patch_tag (patch_id, tag_id, count)`. The statement ends with
/// `conflict`: what is done with a row that is there already. Returns how many rows were written.
///
/// PostgreSQL takes each column as one array, so that its way to the server and back is paid once.
pub(super) async fn insert(
    conn: &mut Conn,
    into: &'static str,
    rows: Vec<Vec<Value>>,
    conflict: &'static str,
) -> Result<u64> {
    match conn.kind() {
        Kind::Postgres => insert_columns(conn, into, rows, conflict).await,
        Kind::Sqlite => run_all(conn, values(into, rows, conflict)).await,
    }
}

/// Runs statements one after the other: while the database is busy with one, the next is made. Returns how many rows they wrote.
async fn run_all(conn: &mut Conn, mut statements: impl Iterator<Item = Sql>) -> Result<u64> {
    let (mut written, mut next) = (0, statements.next());
    while let Some(statement) = next {
        let making = async { statements.next() };
        let (rows, made) = future::join(statement.run(conn), making).await;
        written += rows?;
        next = made;
    }
    Ok(written)
}

/// Returns the statements by which SQLite inserts rows.
fn values(
    into: &'static str,
    rows: Vec<Vec<Value>>,
    conflict: &'static str,
) -> impl Iterator<Item = Sql> {
    let most = VALUES / rows.first().map_or(1, |row| row.len().max(1));
    let mut rows = rows.into_iter();
    iter::from_fn(move || {
        if rows.len() == 0 {
            return None;
        }
        let count = at_once(rows.len(), most);
        let mut statement = sql("INSERT INTO ");
        statement.push(into).push(" VALUES ");
        for (index, row) in rows.by_ref().take(count).enumerate() {
            statement.unnumbered_row(index == 0, row);
        }
        statement.push(" ").push(conflict);
        Some(statement)
    })
}

/// Returns how many of `rows` to write together, `most` at most: powers of two, so that a table needs few different statements, all of
/// which are kept ready.
fn at_once(rows: usize, most: usize) -> usize {
    1 << rows.min(most).max(1).ilog2()
}

async fn insert_columns(
    conn: &mut Conn,
    into: &'static str,
    rows: Vec<Vec<Value>>,
    conflict: &'static str,
) -> Result<u64> {
    if rows.is_empty() {
        return Ok(0);
    }
    let mut statement = sql("");
    let insert = Insert {
        into,
        source: PLAIN,
        rows,
        conflict,
    };
    push_columns(&mut statement, insert);
    statement.run(conn).await
}

fn push_columns(statement: &mut Sql, insert: Insert) {
    statement.push("INSERT INTO ").push(insert.into);
    statement.push(insert.source);
    list_columns(statement, insert.rows);
    statement.push(" AS r ").push(insert.conflict);
}

/// Appends rows as what PostgreSQL's `unnest` takes: each column as one array.
pub(super) fn list_columns(statement: &mut Sql, rows: impl IntoIterator<Item = Vec<Value>>) {
    let mut columns: Vec<Vec<Value>> = Vec::new();
    for row in rows {
        columns.resize_with(row.len(), Vec::new);
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    statement.list(columns.into_iter().map(Many::gather));
}

/// Rows of several tables that are written together. They may refer to each other.
#[derive(Debug, Default)]
pub struct Batch {
    inserts: Vec<Insert>,
    counted: Differences,
}

#[derive(Debug)]
struct Insert {
    into: &'static str,
    /// What the rows come from on PostgreSQL, before the columns as arrays.
    source: &'static str,
    rows: Vec<Vec<Value>>,
    conflict: &'static str,
}

const PLAIN: &str = " SELECT * FROM unnest";

/// Takes a lock before the first row gets its id, and holds it until the transaction ends: whoever writes next gets larger
/// ids and ends later. That the lock is asked for although nobody wants its value is sure, as it is volatile.
const IN_TURN: &str = " SELECT r.* FROM (SELECT pg_advisory_xact_lock(7238914)) turn, unnest";

impl Batch {
    /// Adds rows of a table, as [`insert`] takes them. What they refer to has been added before.
    pub(super) fn add(
        &mut self,
        into: &'static str,
        rows: Vec<Vec<Value>>,
        conflict: &'static str,
    ) {
        self.push(into, PLAIN, rows, conflict);
    }

    /// Adds rows whose ids rise in the order in which transactions end.
    pub(super) fn add_in_turn(&mut self, into: &'static str, rows: Vec<Vec<Value>>) {
        self.push(into, IN_TURN, rows, "");
    }

    fn push(
        &mut self,
        into: &'static str,
        source: &'static str,
        rows: Vec<Vec<Value>>,
        conflict: &'static str,
    ) {
        if !rows.is_empty() {
            self.inserts.push(Insert {
                into,
                source,
                rows,
                conflict,
            });
        }
    }

    /// Adds to a count.
    pub(super) fn count(&mut self, what: What, difference: i64) {
        *self.counted.entry(what).or_default() += difference;
    }

    /// Writes all rows: on PostgreSQL in one statement, which looks at references when it has written everything.
    ///
    /// # Errors
    /// When the database is away or refuses.
    pub async fn write(mut self, conn: &mut Conn) -> Result<()> {
        let counted = std::mem::take(&mut self.counted);
        self.add(tally::INTO, tally::rows(counted), tally::CONFLICT);
        if conn.kind() == Kind::Sqlite {
            let inserts = self.inserts.into_iter();
            let all = inserts.flat_map(|one| values(one.into, one.rows, one.conflict));
            run_all(conn, all).await?;
            return Ok(());
        }
        let mut inserts = self.inserts.into_iter().peekable();
        while inserts.peek().is_some() {
            let mut statement = sql("");
            for name in NAMES {
                let Some(one) = inserts.next() else { break };
                statement.push(name);
                push_columns(&mut statement, one);
                statement.push(")");
            }
            statement.push(" SELECT 1");
            statement.run(conn).await?;
        }
        Ok(())
    }
}

/// How the parts of a statement begin; what is more goes into another one.
const NAMES: [&str; 13] = [
    "WITH a AS (",
    ", b AS (",
    ", c AS (",
    ", d AS (",
    ", e AS (",
    ", f AS (",
    ", g AS (",
    ", h AS (",
    ", i AS (",
    ", j AS (",
    ", k AS (",
    ", l AS (",
    ", m AS (",
];
