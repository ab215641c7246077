//! Many rows in as few statements as an engine likes.

use super::{Conn, Kind, Result, Value, sql, value::Many};

/// How many rows SQLite takes at once: its time to bind grows with the square of the values.
pub(super) const ROWS: usize = 8;

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
        Kind::Sqlite => insert_values(conn, into, rows, conflict).await,
    }
}

async fn insert_values(
    conn: &mut Conn,
    into: &'static str,
    rows: Vec<Vec<Value>>,
    conflict: &'static str,
) -> Result<u64> {
    let mut written = 0;
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut statement = sql("INSERT INTO ");
        statement.push(into).push(" VALUES ");
        for (index, row) in rows.by_ref().take(ROWS).enumerate() {
            statement.row(index == 0, row);
        }
        statement.push(" ").push(conflict);
        written += statement.run(conn).await?;
    }
    Ok(written)
}

async fn insert_columns(
    conn: &mut Conn,
    into: &'static str,
    rows: Vec<Vec<Value>>,
    conflict: &'static str,
) -> Result<u64> {
    let mut columns: Vec<Vec<Value>> = Vec::new();
    for row in rows {
        columns.resize_with(row.len(), Vec::new);
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    if columns.is_empty() {
        return Ok(0);
    }
    let mut statement = sql("INSERT INTO ");
    statement.push(into).push(" SELECT * FROM unnest");
    statement.list(columns.into_iter().map(Many::gather));
    statement.push(" ").push(conflict);
    statement.run(conn).await
}
