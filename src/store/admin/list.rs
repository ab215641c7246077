//! Lists of the console: words, filters, order, a page of rows.

use super::{Cell, Cells, Table};
use crate::store::{Conn, Result, Sql, Value, containing, sql};

/// A condition on the rows of a list: fixed text around a value.
#[derive(Clone, Debug)]
pub struct Condition {
    /// What stands before the value: ` AND t.project_id = `.
    pub before: &'static str,
    /// The value, if the condition has one.
    pub value: Option<Value>,
    /// What closes it.
    pub after: &'static str,
}

/// What is asked of a list.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// All of these are somewhere in a row, ignoring case.
    pub words: Vec<String>,
    /// All of these hold.
    pub conditions: Vec<Condition>,
    /// What rows are sorted by, instead of the table's own order.
    pub order: Option<&'static str>,
    /// Whether small values come first.
    pub ascending: bool,
}

fn conditions(query: &mut Sql, table: &Table, asked: &Query) {
    query.push(" WHERE TRUE").push(table.only);
    for word in &asked.words {
        if table.words.is_empty() {
            query.push(" AND FALSE");
        }
        let mut separator = " AND (";
        for (before, after) in table.words {
            query.push(separator).push(before).push(" LIKE ");
            query.arg(containing(word)).push(" ESCAPE '\\'").push(after);
            separator = " OR ";
        }
        if !table.words.is_empty() {
            query.push(")");
        }
    }
    for condition in &asked.conditions {
        query.push(condition.before);
        if let Some(value) = &condition.value {
            query.arg(value.clone());
        }
        query.push(condition.after);
    }
}

fn order(query: &mut Sql, table: &Table, asked: &Query) {
    let down = if asked.ascending { "" } else { " DESC" };
    let by = asked.order.unwrap_or(table.order);
    query.push(" ORDER BY ").push(by).push(down);
    if by != table.key {
        query.push(", ").push(table.key).push(down);
    }
}

fn ids_of(table: &Table, asked: &Query, limit: i64, offset: i64) -> Sql {
    let mut query = sql("SELECT ");
    query.push(table.key).push(" AS page_key FROM ");
    query.push(table.base).push(" t");
    conditions(&mut query, table, asked);
    order(&mut query, table, asked);
    query.push(" LIMIT ").arg(limit);
    if offset > 0 {
        query.push(" OFFSET ").arg(offset);
    }
    query
}

/// Returns some rows of a list: id and columns.
///
/// # Errors
/// When the database is away or refuses.
pub async fn page(
    conn: &mut Conn,
    table: &Table,
    asked: &Query,
    limit: i64,
    offset: i64,
) -> Result<Vec<Cells>> {
    let keys: Vec<Cells> = ids_of(table, asked, limit, offset).all(conn).await?;
    // What the columns cost is paid for the rows of the page only.
    let mut query = sql("SELECT ");
    query.push(table.key).push(", ").push(table.columns);
    query.push(" FROM ").push(table.base).push(" t");
    query.push(table.joins).push(" WHERE ").push(table.key);
    query
        .push(" IN ")
        .list(keys.iter().map(|key| value(key.get(0))));
    let mut rows: Vec<Cells> = query.all(conn).await?;
    let place = |row: &Cells| keys.iter().position(|key| key.get(0) == row.get(0));
    rows.sort_by_key(place);
    Ok(rows)
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) => text.as_str().into(),
        Cell::Bytes(bytes) => bytes.as_slice().into(),
        cell => cell.int().into(),
    }
}

/// Returns how many rows a list has, `most` at most.
///
/// # Errors
/// When the database is away or refuses.
pub async fn count(conn: &mut Conn, table: &Table, asked: &Query, most: i64) -> Result<i64> {
    let mut query = sql("SELECT count(*) FROM (SELECT 1 AS one FROM ");
    query.push(table.base).push(" t");
    conditions(&mut query, table, asked);
    query.push(" LIMIT ").arg(most).push(") some_rows");
    let (count,) = query.one(conn).await?;
    Ok(count)
}

/// Returns the ids of the rows of a list, as addresses spell them, `most` at most.
///
/// # Errors
/// When the database is away or refuses.
pub async fn ids(conn: &mut Conn, table: &Table, asked: &Query, most: i64) -> Result<Vec<String>> {
    let rows: Vec<Cells> = ids_of(table, asked, most, 0).all(conn).await?;
    Ok(rows.iter().map(|row| row.get(0).text()).collect())
}
