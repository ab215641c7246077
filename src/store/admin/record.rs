//! Single rows of the console: read, written, deleted; and other tables' rows by name.

use super::{Cells, Table};
use crate::store::{Conn, Kind, Result, Sql, Tx, Value, search, sql};

fn of(query: &mut Sql, table: &Table, id: Value) {
    query.push(" FROM ").push(table.base).push(" t WHERE ");
    query.push(table.key).push(" = ").arg(id).push(table.only);
}

/// Returns columns of a row. Within a transaction nobody else changes it until the end.
///
/// # Errors
/// When the database is away or refuses.
pub async fn read(
    conn: &mut Conn,
    table: &Table,
    columns: &[&'static str],
    id: Value,
    locked: bool,
) -> Result<Option<Cells>> {
    let mut query = sql("SELECT ");
    query.push(table.key);
    for column in columns {
        query.push(", ").push(column);
    }
    of(&mut query, table, id);
    if locked && conn.kind() == Kind::Postgres {
        query.push(" FOR NO KEY UPDATE OF t");
    }
    query.optional(conn).await
}

/// Returns what a row is called.
///
/// # Errors
/// When the database is away or refuses.
pub async fn label(conn: &mut Conn, table: &Table, id: Value) -> Result<Option<String>> {
    let mut query = sql("SELECT ");
    query.push(table.label);
    of(&mut query, table, id);
    let row: Option<Cells> = query.optional(conn).await?;
    Ok(row.map(|row| row.get(0).text()))
}

/// Returns ids, as addresses spell them, and what the rows are called, in no order.
///
/// # Errors
/// When the database is away or refuses.
pub async fn labels(
    conn: &mut Conn,
    table: &Table,
    ids: Vec<Value>,
) -> Result<Vec<(String, String)>> {
    let mut query = sql("SELECT ");
    query.push(table.key).push(", ").push(table.label);
    query.push(" FROM ").push(table.base).push(" t WHERE ");
    query.push(table.key).push(" IN ").list(ids);
    query.push(table.only);
    let rows: Vec<Cells> = query.all(conn).await?;
    let pair = |row: &Cells| (row.get(0).text(), row.get(1).text());
    Ok(rows.iter().map(pair).collect())
}

/// Makes a row and returns its id.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(
    tx: &mut Tx,
    base: &'static str,
    values: Vec<(&'static str, Value)>,
) -> Result<i64> {
    let mut query = sql("INSERT INTO ");
    query.push(base);
    let mut separator = " (";
    for (column, _) in &values {
        query.push(separator).push(column);
        separator = ", ";
    }
    query.push(") VALUES ");
    query.list(values.into_iter().map(|(_, value)| value));
    query.push(" RETURNING id");
    let (id,) = query.one(tx).await?;
    Ok(id)
}

/// Writes columns of a row.
///
/// # Errors
/// When the database is away or refuses.
pub async fn update(
    tx: &mut Tx,
    table: &Table,
    id: Value,
    values: Vec<(&'static str, Value)>,
) -> Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let mut query = sql("UPDATE ");
    query.push(table.base).push(" AS t");
    let mut separator = " SET ";
    for (column, value) in values {
        query.push(separator).push(column).push(" = ").arg(value);
        separator = ", ";
    }
    query.push(" WHERE ").push(table.key).push(" = ").arg(id);
    query.run(tx).await?;
    if matches!(table.base, "patch" | "cover" | "comment") {
        search::settle(tx).await?;
    }
    Ok(())
}

/// Deletes a row; says whether it was there.
///
/// # Errors
/// When the database is away or refuses.
pub async fn delete(tx: &mut Tx, table: &Table, id: Value) -> Result<bool> {
    let mut query = sql("DELETE FROM ");
    query.push(table.base).push(" AS t WHERE ");
    query.push(table.key).push(" = ").arg(id).push(table.only);
    Ok(query.run(tx).await? > 0)
}

/// Says whether another row has these values in these columns.
///
/// # Errors
/// When the database is away or refuses.
pub async fn clash(
    conn: &mut Conn,
    table: &Table,
    values: Vec<(&'static str, Value)>,
    but: Option<Value>,
) -> Result<bool> {
    let mut query = sql("SELECT count(*) FROM ");
    query.push(table.base).push(" t WHERE TRUE");
    for (column, value) in values {
        query.push(" AND ").push(column).push(" = ").arg(value);
    }
    if let Some(but) = but {
        query.push(" AND ").push(table.key).push(" <> ").arg(but);
    }
    let (count,): (i64,) = query.one(conn).await?;
    Ok(count > 0)
}

/// Returns a number that a statement counts for an id: `SELECT count(*) FROM patch WHERE project_id = `.
///
/// # Errors
/// When the database is away or refuses.
pub async fn count_of(conn: &mut Conn, statement: &'static str, id: Value) -> Result<i64> {
    let mut query = sql(statement);
    query.arg(id);
    let (count,) = query.one(conn).await?;
    Ok(count)
}

/// How rows of another table are named in a form.
#[derive(Debug)]
pub struct Lookup {
    /// Some rows to choose from, id and name, 51 at most; more than 50 are not offered. Empty: always typed.
    pub options: &'static str,
    /// The name of one: the id follows.
    pub shown: &'static str,
    /// The id of the one with a name, in lower case: the name follows.
    pub find: &'static str,
    /// What closes that statement.
    pub closed: &'static str,
}

/// Returns what there is to choose from; `None` when it is too much.
///
/// # Errors
/// When the database is away or refuses.
pub async fn options(conn: &mut Conn, lookup: &Lookup) -> Result<Option<Vec<(i64, String)>>> {
    if lookup.options.is_empty() {
        return Ok(None);
    }
    let found: Vec<(i64, String)> = sql(lookup.options).all(conn).await?;
    Ok((found.len() <= 50).then_some(found))
}

/// Returns the name of a row.
///
/// # Errors
/// When the database is away or refuses.
pub async fn shown(conn: &mut Conn, lookup: &Lookup, id: i64) -> Result<Option<String>> {
    let mut query = sql(lookup.shown);
    query.arg(id);
    let row: Option<(String,)> = query.optional(conn).await?;
    Ok(row.map(|(name,)| name))
}

/// Returns the id of the row that a text means: its number, or its name.
///
/// # Errors
/// When the database is away or refuses.
pub async fn find(conn: &mut Conn, lookup: &Lookup, text: &str) -> Result<Option<i64>> {
    if let Ok(id) = text.trim_start_matches('#').parse::<i64>()
        && shown(conn, lookup, id).await?.is_some()
    {
        return Ok(Some(id));
    }
    let mut query = sql(lookup.find);
    query.arg(text.to_lowercase()).push(lookup.closed);
    let found: Vec<(i64,)> = query.all(conn).await?;
    Ok(found.first().map(|(id,)| *id))
}
