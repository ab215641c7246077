//! Brings the schema up to date: numbered SQL, embedded, one folder per engine.

use std::time::Duration;

use sqlx::migrate::Migrator;

use super::{Conn, Db, Error, Kind, Result, db::Native, sql};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Where a database's schema stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// As this program knows it.
    Current,
    /// So many migrations are missing.
    Behind(usize),
    /// It was migrated by a newer program.
    Ahead,
}

/// Returns the migrations of an engine: number and name.
pub fn known(kind: Kind) -> Vec<(i64, String)> {
    let migrator = match kind {
        Kind::Sqlite => &SQLITE,
        Kind::Postgres => &POSTGRES,
    };
    migrator
        .iter()
        .map(|migration| (migration.version, migration.description.to_string()))
        .collect()
}

/// One migration, and whether this database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub version: i64,
    /// What it does, in the words of its file name.
    pub name: String,
    /// Whether it was applied.
    pub is_applied: bool,
}

/// Returns every migration in order.
///
/// # Errors
/// When the database is away.
pub async fn plan(conn: &mut Conn) -> Result<Vec<Step>> {
    let applied = applied(conn).await?;
    Ok(steps(conn.kind(), &applied))
}

/// Returns every migration in order, as a database that is not there yet has them before it.
pub fn plan_of_none(kind: Kind) -> Vec<Step> {
    steps(kind, &[])
}

fn steps(kind: Kind, applied: &[i64]) -> Vec<Step> {
    let step = |(version, name)| Step {
        is_applied: applied.contains(&version),
        version,
        name,
    };
    known(kind).into_iter().map(step).collect()
}

/// Returns where the schema stands.
///
/// # Errors
/// When the database is away.
pub async fn status(conn: &mut Conn) -> Result<Status> {
    let applied = applied(conn).await?;
    let known = known(conn.kind());
    let missing = known
        .iter()
        .filter(|(version, _)| !applied.contains(version))
        .count();
    Ok(match missing {
        _ if applied
            .iter()
            .any(|version| known.iter().all(|(number, _)| number != version)) =>
        {
            Status::Ahead
        }
        0 => Status::Current,
        missing => Status::Behind(missing),
    })
}

async fn applied(conn: &mut Conn) -> Result<Vec<i64>> {
    let rows: Result<Vec<(i64,)>> = sql("SELECT version FROM _sqlx_migrations WHERE success")
        .all(conn)
        .await;
    match rows {
        Err(error) if error.is_missing_table() => Ok(Vec::new()),
        rows => Ok(rows?.into_iter().map(|(version,)| version).collect()),
    }
}

/// Says whether anything was ever migrated here. Asks carefully: a statement that fails would end a transaction.
async fn is_begun(conn: &mut Conn) -> Result<bool> {
    let table = match conn.kind() {
        Kind::Sqlite => "SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'",
        Kind::Postgres => {
            "SELECT count(*) FROM (SELECT 1) one WHERE to_regclass('_sqlx_migrations') IS NOT NULL"
        }
    };
    let (tables,): (i64,) = sql(table).one(conn).await?;
    Ok(tables > 0)
}

/// Applies what is missing and returns how many migrations that were. Two processes may do it at once:
/// the second waits for the first and finds nothing left to do.
///
/// # Errors
/// When the database is away, a migration fails (nothing of it stays), or a newer program was here.
pub async fn run(db: &Db) -> Result<usize> {
    let mut tries = 1;
    loop {
        match run_once(db).await {
            // Two who make one SQLite file do not always wait for each other: changing its journal is refused at once.
            Err(error) if error.is_contention() && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

/// How often, and after which pause, a migration is tried while another process is at it.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

async fn run_once(db: &Db) -> Result<usize> {
    let mut tx = db.begin().await?;
    lock(&mut tx).await?;
    let status = match is_begun(&mut tx).await? {
        true => status(&mut tx).await?,
        false => Status::Behind(known(tx.kind()).len()),
    };
    let missing = match status {
        Status::Current => return Ok(0),
        Status::Ahead => return Err(ahead()),
        Status::Behind(missing) => missing,
    };
    let done = match tx.native() {
        Native::Sqlite(conn) => SQLITE.run_direct(None, conn, false).await,
        Native::Postgres(conn) => POSTGRES.run_direct(None, conn, false).await,
    };
    done.map_err(|error| Error::Schema(format!("a migration failed: {error}")))?;
    tx.commit().await?;
    Ok(missing)
}

/// Returns the error for a database that a newer program has migrated.
pub fn ahead() -> Error {
    Error::Schema(
        "the database was migrated by a newer patchwork; install that version here too".into(),
    )
}

/// SQLite's immediate transaction is the lock; PostgreSQL gets one that ends with the transaction. A migration takes as long as it
/// takes, and who comes second waits for it: no statement is too long here.
async fn lock(conn: &mut Conn) -> Result<()> {
    if conn.kind() == Kind::Postgres {
        sql("SET LOCAL statement_timeout = 0").run(conn).await?;
        sql("SELECT pg_advisory_xact_lock(7241998030561)")
            .run(conn)
            .await?;
    }
    Ok(())
}
