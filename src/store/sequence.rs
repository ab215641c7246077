//! Ids taken before their rows are written, so that rows that name each other can be written together.

use super::{Conn, Kind, Result, sql};

/// What ids are taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// People.
    People,
    /// Cover letters.
    Covers,
    /// Series.
    Series,
    /// Patches.
    Patches,
    /// Comments.
    Comments,
}

/// How many kinds of ids there are.
pub const KINDS: usize = 5;

/// The tables, in the order of [`Of`].
const TABLES: [&str; KINDS] = ["person", "cover", "series", "patch", "comment"];

/// Takes as many ids as asked of each kind, in the order of [`Of`]; they rise. Ids that are not used after
/// all are lost on PostgreSQL, which costs nothing.
///
/// # Errors
/// When the database is away or refuses.
pub async fn take(conn: &mut Conn, wanted: [usize; KINDS]) -> Result<[Vec<i64>; KINDS]> {
    match conn.kind() {
        Kind::Sqlite => next_of_sqlite(conn, wanted).await,
        Kind::Postgres => next_of_postgres(conn, wanted).await,
    }
}

/// Whoever writes to SQLite writes alone: what follows the last id is free.
async fn next_of_sqlite(conn: &mut Conn, wanted: [usize; KINDS]) -> Result<[Vec<i64>; KINDS]> {
    let last: Vec<(String, i64)> = sql("SELECT name, seq FROM sqlite_sequence")
        .all(conn)
        .await?;
    let mut taken: [Vec<i64>; KINDS] = Default::default();
    for ((table, count), ids) in TABLES.iter().zip(wanted).zip(&mut taken) {
        let used = last.iter().find(|(name, _)| name == table);
        let first = used.map_or(0, |(_, last)| *last) + 1;
        ids.extend((first..).take(count));
    }
    Ok(taken)
}

async fn next_of_postgres(conn: &mut Conn, wanted: [usize; KINDS]) -> Result<[Vec<i64>; KINDS]> {
    let [people, covers, series, patches, comments] = wanted.map(|count| count as i64);
    let rows: Vec<(i64, i64)> = sql(
        "SELECT CAST(0 AS BIGINT), nextval(pg_get_serial_sequence('person', 'id')) FROM generate_series(1, $1) \
         UNION ALL SELECT 1, nextval(pg_get_serial_sequence('cover', 'id')) FROM generate_series(1, $2) \
         UNION ALL SELECT 2, nextval(pg_get_serial_sequence('series', 'id')) FROM generate_series(1, $3) \
         UNION ALL SELECT 3, nextval(pg_get_serial_sequence('patch', 'id')) FROM generate_series(1, $4) \
         UNION ALL SELECT 4, nextval(pg_get_serial_sequence('comment', 'id')) FROM generate_series(1, $5)",
    )
    .bind(people)
    .bind(covers)
    .bind(series)
    .bind(patches)
    .bind(comments)
    .all(conn)
    .await?;
    let mut taken: [Vec<i64>; KINDS] = Default::default();
    for (kind, id) in rows {
        taken[kind as usize].push(id);
    }
    taken.iter_mut().for_each(|ids| ids.sort_unstable());
    Ok(taken)
}
