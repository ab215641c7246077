//! Whether anything was written at all: so that a reader who has an answer can be told that it still holds, without
//! making the answer again.

use tokio::sync::Mutex;

use super::{Conn, Db, Kind, Result, sql};

/// Tells one state of a database from the next.
#[derive(Debug, Default)]
pub struct Watch {
    /// SQLite tells a connection what others have written since it last asked: always the same one has to ask.
    conn: Mutex<Option<Conn>>,
}

impl Watch {
    /// Returns a text that changes whenever something is committed. It may change without; it never stays the same with.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn stamp(&self, db: &Db) -> Result<String> {
        match db.kind() {
            Kind::Sqlite => self.sqlite(db).await,
            Kind::Postgres => postgres(db).await,
        }
    }

    async fn sqlite(&self, db: &Db) -> Result<String> {
        let mut held = self.conn.lock().await;
        // One that failed is not asked again: another would count from another number.
        let mut conn = match held.take() {
            Some(conn) => conn,
            None => db.kept_reader().await?,
        };
        let (version,): (i64,) = sql("PRAGMA data_version").one(&mut conn).await?;
        *held = Some(conn);
        Ok(version.to_string())
    }
}

/// Which transactions have ended: as long as these are the same, so is what can be read. A standby does not know which of those
/// that overlap have ended, but how far it has read the journal.
async fn postgres(db: &Db) -> Result<String> {
    let mut conn = db.reader().await?;
    let (stamp,): (String,) = sql("SELECT CASE WHEN pg_is_in_recovery() \
         THEN 'late ' || COALESCE(CAST(pg_last_wal_replay_lsn() AS TEXT), '') \
         ELSE CAST(pg_current_snapshot() AS TEXT) END")
    .one(&mut conn)
    .await?;
    Ok(stamp)
}
