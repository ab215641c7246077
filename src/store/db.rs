//! Connections: pools of either engine, a connection, a transaction.

use std::{
    io,
    ops::{Deref, DerefMut},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use sqlx::{
    Connection, Postgres, Sqlite, Transaction,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSslMode},
    sqlite::{
        SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
        SqliteSynchronous,
    },
};

use super::{Error, Result, sql};

/// Which engine it is; only where their SQL differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The embedded database.
    Sqlite,
    /// The database server.
    Postgres,
}

/// How to reach a database.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many connections at most.
    pub max_connections: u32,
    /// Whether all is read and written on one connection: for programs that do one thing.
    pub alone: bool,
    /// How long to wait for a free connection, or for another process's write.
    pub timeout: Duration,
    /// How long one statement may take on PostgreSQL.
    pub statement_timeout: Option<Duration>,
    /// Whether much is written that can be written again: no commit waits for the disk, and more memory is used.
    pub bulk: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            max_connections: 8,
            alone: false,
            timeout: Duration::from_secs(10),
            statement_timeout: Some(Duration::from_secs(30)),
            bulk: false,
        }
    }
}

/// A database. Cloning it shares the pools; making it does no I/O.
#[derive(Clone, Debug)]
pub enum Db {
    /// One writer and several readers on one file: no task of this process waits for another's lock.
    Sqlite {
        /// The readers.
        read: SqlitePool,
        /// The one writer.
        write: SqlitePool,
    },
    /// A pool on a server.
    Postgres(PgPool),
}

impl Db {
    /// Takes `sqlite:PATH`, `sqlite::memory:` is refused, or `postgres://…`.
    ///
    /// # Errors
    /// [`Error::Address`] when it is none of these.
    pub fn open(url: &str, options: &Options) -> Result<Db> {
        let scheme = url.split(':').next().unwrap_or_default();
        match scheme {
            "postgres" | "postgresql" => open_postgres(url, options),
            "sqlite" => open_sqlite(url, options),
            "mysql" | "mariadb" => Err(Error::Address(
                "MySQL is not a backend: move the data to PostgreSQL or SQLite".into(),
            )),
            other => Err(Error::Address(format!(
                "'{other}' is no database we know; write sqlite:FILE or postgres://USER@HOST/NAME"
            ))),
        }
    }

    /// Asks a server for one connection, at once and only once: a pool tries until its timeout and then no
    /// longer knows why it failed.
    ///
    /// # Errors
    /// When the server is not there, does not answer within `limit`, or refuses.
    pub async fn probe(url: &str, limit: Duration) -> Result<()> {
        if !url.starts_with("postgres") {
            return Ok(());
        }
        let options = server(url)?;
        match tokio::time::timeout(limit, PgConnection::connect_with(&options)).await {
            Ok(Ok(conn)) => Ok(conn.close().await?),
            // It starts, or is full for the moment: worth a pool's patience.
            Ok(Err(sqlx::Error::Database(error)))
                if matches!(error.code().as_deref(), Some("57P03" | "53300")) =>
            {
                Ok(())
            }
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(Error::Away(sqlx::Error::Io(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no answer within {} s", limit.as_secs()),
            )))),
        }
    }

    /// Returns which engine it is.
    pub fn kind(&self) -> Kind {
        match self {
            Db::Sqlite { .. } => Kind::Sqlite,
            Db::Postgres(_) => Kind::Postgres,
        }
    }

    /// Returns a connection to read with.
    ///
    /// # Errors
    /// [`Error::Away`] when there is none within the timeout.
    pub async fn reader(&self) -> Result<Conn> {
        Ok(Conn::new(match self {
            Db::Sqlite { read, .. } => Link::Sqlite(read.acquire().await?),
            Db::Postgres(pool) => Link::Postgres(pool.acquire().await?),
        }))
    }

    /// Returns a connection to read with that may be kept: closing the pool does not wait for it.
    ///
    /// # Errors
    /// [`Error::Away`] when there is none within the timeout.
    pub async fn kept_reader(&self) -> Result<Conn> {
        Ok(Conn::new(match self {
            Db::Sqlite { read, .. } => Link::KeptSqlite(read.acquire().await?.detach()),
            Db::Postgres(pool) => Link::KeptPostgres(pool.acquire().await?.detach()),
        }))
    }

    /// Returns one more connection, which no pool counts.
    ///
    /// # Errors
    /// When there can be none.
    pub async fn one_more(&self) -> Result<Conn> {
        let limit = match self {
            Db::Sqlite { write, .. } => write.options().get_acquire_timeout(),
            Db::Postgres(pool) => pool.options().get_acquire_timeout(),
        };
        let link = async {
            Ok(match self {
                Db::Sqlite { write, .. } => Link::KeptSqlite(
                    SqliteConnection::connect_with(&write.connect_options()).await?,
                ),
                Db::Postgres(pool) => {
                    Link::KeptPostgres(PgConnection::connect_with(&pool.connect_options()).await?)
                }
            })
        };
        match tokio::time::timeout(limit, link).await {
            Ok(link) => link.map(Conn::new),
            Err(_) => Err(sqlx::Error::PoolTimedOut.into()),
        }
    }

    /// Begins to write. Without [`Tx::commit`] nothing of it stays.
    ///
    /// # Errors
    /// [`Error::Away`] when there is no connection, or another process writes for longer than the timeout.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx(Conn::new(match self {
            // A deferred transaction that turns to writing fails at once when somebody else wrote meanwhile.
            Db::Sqlite { write, .. } => Link::SqliteTx(write.begin_with("BEGIN IMMEDIATE").await?),
            Db::Postgres(pool) => Link::PostgresTx(pool.begin().await?),
        })))
    }

    /// Begins to read one state of everything, whatever is written meanwhile. Nothing can be written with it.
    ///
    /// # Errors
    /// [`Error::Away`] when there is no connection.
    pub async fn snapshot(&self) -> Result<Tx> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        Ok(Tx(Conn::new(match self {
            Db::Sqlite { read, .. } => Link::SqliteTx(read.begin().await?),
            Db::Postgres(pool) => Link::PostgresTx(pool.begin_with(BEGIN).await?),
        })))
    }

    /// Writes nothing, but with all that it takes: an embedded database may be a file that can only be read.
    ///
    /// # Errors
    /// When it cannot be written. Somebody else who is writing proves that it can.
    pub async fn try_writing(&self) -> Result<()> {
        if self.kind() == Kind::Postgres {
            return Ok(());
        }
        let tried = async {
            let mut tx = self.begin().await?;
            // BEGIN IMMEDIATE alone only reads when the file can only be read.
            sql("UPDATE project SET name = name WHERE id = -1")
                .run(&mut tx)
                .await
        };
        match tried.await {
            Err(error) if !error.is_contention() => Err(error),
            _ => Ok(()),
        }
    }

    /// Waits until all that was committed is on the disk, also what was committed without waiting, on a connection of its own: what was
    /// interrupted may still have those of the pool. SQLite sees to that when it is closed.
    ///
    /// # Errors
    /// When the server is away.
    pub async fn settle(&self) -> Result<()> {
        if self.kind() == Kind::Sqlite {
            return Ok(());
        }
        let mut conn = self.one_more().await?;
        sql("SET synchronous_commit = on").run(&mut conn).await?;
        // A transaction that has a number is written to the journal, and with it all before.
        sql("SELECT pg_current_xact_id()").run(&mut conn).await?;
        conn.close().await;
        Ok(())
    }

    /// Returns how many connections are lent and how many wait to be.
    pub fn connections(&self) -> (u32, u32) {
        let (size, idle) = match self {
            Db::Sqlite { read, .. } => (read.size(), read.num_idle()),
            Db::Postgres(pool) => (pool.size(), pool.num_idle()),
        };
        let idle = u32::try_from(idle).unwrap_or(u32::MAX);
        (size.saturating_sub(idle), idle)
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match self {
            Db::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

fn open_sqlite(url: &str, options: &Options) -> Result<Db> {
    if url.contains(":memory:") {
        return Err(Error::Address(
            "a database in memory is lost with the process; name a file".into(),
        ));
    }
    // Message ids and digests come in no order, so each mail touches pages all over its indexes: the more of them
    // are at hand, and the more mails change them before they are folded into the file, the less is written twice.
    let (synchronous, cache, checkpoint) = match options.bulk {
        true => (SqliteSynchronous::Normal, "-64000", "12000"),
        false => (SqliteSynchronous::Full, "-16000", "1000"),
    };
    let connect = SqliteConnectOptions::from_str(url)
        .map_err(|error| Error::Address(error.to_string()))?
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(options.timeout)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .statement_cache_capacity(256)
        .pragma("cache_size", cache)
        .pragma("wal_autocheckpoint", checkpoint)
        .pragma("journal_size_limit", "67108864")
        .pragma("temp_store", "memory");
    let write = SqlitePoolOptions::new()
        // A full disk makes SQLite roll back by itself, and sqlx's own account of the transaction is wrong
        // from then on: such a connection is not used again.
        .after_release(|conn, _| {
            let is_sound = !conn.is_in_transaction();
            Box::pin(async move { Ok(is_sound) })
        })
        .max_connections(1)
        .acquire_timeout(options.timeout)
        .connect_lazy_with(connect.clone());
    let read = match options.alone {
        true => write.clone(),
        false => SqlitePoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.timeout)
            .connect_lazy_with(connect.pragma("query_only", "on")),
    };
    Ok(Db::Sqlite { read, write })
}

fn open_postgres(url: &str, options: &Options) -> Result<Db> {
    // What is asked is answered in milliseconds: compiling a statement, or sharing it out among processes, takes longer than that.
    let mut settings = vec![
        ("timezone", "UTC".to_owned()),
        ("jit", "off".to_owned()),
        ("max_parallel_workers_per_gather", "0".to_owned()),
    ];
    if let Some(limit) = options.statement_timeout {
        settings.push(("statement_timeout", limit.as_millis().to_string()));
    }
    if options.bulk {
        settings.push(("synchronous_commit", "off".to_owned()));
    }
    let connect = server(url)?
        .application_name("patchwork")
        .options(settings)
        .statement_cache_capacity(256);
    let connections = match options.alone {
        true => 1,
        false => options.max_connections,
    };
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(options.timeout)
        // One connection that does one thing is new; asking whether it still lives costs a way to the server and back.
        .test_before_acquire(!options.alone || options.bulk)
        .connect_lazy_with(connect);
    Ok(Db::Postgres(pool))
}

/// Reads a server's address.
fn server(url: &str) -> Result<PgConnectOptions> {
    // libpq takes an empty host when ?host= names a socket's folder; be as kind.
    let options = PgConnectOptions::from_str(&url.replacen("@/", "@localhost/", 1))
        .map_err(|error| Error::Address(error.to_string()))?;
    // A socket of this machine needs no encryption, nor the question whether there is any.
    Ok(match options.get_socket() {
        Some(_) => options.ssl_mode(PgSslMode::Disable),
        None => options,
    })
}

#[derive(Debug)]
enum Link {
    Sqlite(PoolConnection<Sqlite>),
    KeptSqlite(SqliteConnection),
    SqliteTx(Transaction<'static, Sqlite>),
    Postgres(PoolConnection<Postgres>),
    KeptPostgres(PgConnection),
    PostgresTx(Transaction<'static, Postgres>),
}

/// One connection, within a transaction or not: what every function of this room takes first.
#[derive(Debug)]
pub struct Conn {
    link: Link,
    statements: u32,
    /// Who else counts them.
    counter: Option<Arc<AtomicU32>>,
}

/// The native connection under a [`Conn`].
pub(super) enum Native<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl Conn {
    fn new(link: Link) -> Self {
        Conn {
            link,
            statements: 0,
            counter: None,
        }
    }

    /// Gives it back, or closes it where no pool has it.
    pub async fn close(self) {
        let closed = match self.link {
            Link::KeptSqlite(link) => link.close().await,
            Link::KeptPostgres(link) => link.close().await,
            _ => Ok(()),
        };
        if let Err(error) = closed {
            tracing::debug!("a connection was not closed: {error}");
        }
    }

    /// Adds each statement to a count, too: of all connections that a request uses.
    pub fn counted(self, counter: &Arc<AtomicU32>) -> Self {
        Conn {
            counter: Some(counter.clone()),
            ..self
        }
    }

    /// Returns which engine it is.
    pub fn kind(&self) -> Kind {
        match self.link {
            Link::Sqlite(_) | Link::KeptSqlite(_) | Link::SqliteTx(_) => Kind::Sqlite,
            Link::Postgres(_) | Link::KeptPostgres(_) | Link::PostgresTx(_) => Kind::Postgres,
        }
    }

    /// Returns how many statements it has run.
    pub fn statements(&self) -> u32 {
        self.statements
    }

    /// Returns the connection itself and counts the statement it is wanted for.
    pub(super) fn native(&mut self) -> Native<'_> {
        self.statements += 1;
        if let Some(counter) = &self.counter {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        match &mut self.link {
            Link::Sqlite(link) => Native::Sqlite(link),
            Link::KeptSqlite(link) => Native::Sqlite(link),
            Link::KeptPostgres(link) => Native::Postgres(link),
            Link::SqliteTx(link) => Native::Sqlite(link),
            Link::Postgres(link) => Native::Postgres(link),
            Link::PostgresTx(link) => Native::Postgres(link),
        }
    }
}

/// A transaction: a connection on which nothing stays before [`Tx::commit`].
pub struct Tx(Conn);

impl Tx {
    /// Adds each statement to a count, too.
    pub fn counted(self, counter: &Arc<AtomicU32>) -> Self {
        Tx(self.0.counted(counter))
    }

    /// Makes all that was written stay.
    ///
    /// # Errors
    /// When the database cannot promise it; nothing stays then.
    pub async fn commit(self) -> Result<()> {
        match self.0.link {
            Link::SqliteTx(link) => link.commit().await?,
            Link::PostgresTx(link) => link.commit().await?,
            Link::Sqlite(_) | Link::KeptSqlite(_) | Link::Postgres(_) | Link::KeptPostgres(_) => {}
        }
        Ok(())
    }
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}
