//! The pool as Rocket keeps it: opened with the site, one connection lent to each request that asks.

use std::{
    sync::{Arc, atomic::AtomicU32},
    time::Duration,
};

use rocket::figment::Figment;
use rocket_db_pools::{Config, Error as PoolError};

use super::{Conn, Db, Error, Options, Result, standby::Standby};

/// How many statements a request has run so far, for `Server-Timing`: tests count with it.
#[derive(Debug, Default)]
pub struct Statements(pub AtomicU32);

/// How long a request waits for a connection: longer, and who asked has gone or asks again.
const PATIENCE: Duration = Duration::from_secs(2);

/// A [`Db`] in the shape `rocket_db_pools` wants, and its standby if there is one.
#[derive(Clone, Debug)]
pub struct Pool(pub Db, Option<Arc<Standby>>);

impl From<Db> for Pool {
    fn from(db: Db) -> Pool {
        Pool(db, None)
    }
}

impl Pool {
    /// Adds a standby, which is asked as long as it is at most `lag` behind.
    #[must_use]
    pub fn with_standby(self, standby: Db, lag: Duration) -> Pool {
        let standby = Standby::watched(self.0.clone(), standby, lag);
        Pool(self.0, Some(Arc::new(standby)))
    }

    /// Returns what answers who may be answered a moment late.
    pub fn or_standby(&self) -> &Db {
        let standby = self.1.as_ref().and_then(|standby| standby.fit());
        standby.unwrap_or(&self.0)
    }

    /// Returns whether visitors are answered by a standby; nothing where there is none.
    pub fn is_standby_asked(&self) -> Option<bool> {
        self.1.as_ref().map(|standby| standby.fit().is_some())
    }

    /// Returns a connection to read with, of a standby for who may be answered a moment late.
    ///
    /// # Errors
    /// [`Error::Away`] when there is none while somebody waits for an answer.
    pub async fn lend(&self, may_be_late: bool) -> Result<Conn> {
        if let Some(standby) = self.1.as_ref().filter(|_| may_be_late)
            && let Some(conn) = standby.reader().await
        {
            return Ok(conn);
        }
        match tokio::time::timeout(PATIENCE, self.0.reader()).await {
            Ok(conn) => conn,
            Err(_) => Err(Error::from(sqlx::Error::PoolTimedOut)),
        }
    }
}

/// The site's database, set up under `databases.patchwork`.
#[derive(rocket_db_pools::Database)]
#[database("patchwork")]
pub struct Database(Pool);

#[rocket::async_trait]
impl rocket_db_pools::Pool for Pool {
    type Connection = Conn;
    type Error = PoolError<Error>;

    async fn init(figment: &Figment) -> std::result::Result<Self, Self::Error> {
        let config: Config = figment.extract().map_err(PoolError::Config)?;
        // Not a word of rocket_db_pools, so its own Config leaves it out.
        let statement_timeout = match figment.extract_inner::<u64>("statement_timeout") {
            Ok(0) => None,
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => Options::default().statement_timeout,
        };
        let options = Options {
            statement_timeout,
            max_connections: u32::try_from(config.max_connections).unwrap_or(u32::MAX),
            timeout: Duration::from_secs(config.connect_timeout),
            ..Options::default()
        };
        let pool = Pool::from(Db::open(&config.url, &options).map_err(PoolError::Init)?);
        let Ok(replica) = figment.extract_inner::<String>("replica_url") else {
            return Ok(pool);
        };
        let standby = Db::open(&replica, &options).map_err(PoolError::Init)?;
        let lag = figment
            .extract_inner("replica_max_lag")
            .map_err(PoolError::Config)?;
        Ok(pool.with_standby(standby, Duration::from_secs(lag)))
    }

    async fn get(&self) -> std::result::Result<Conn, Self::Error> {
        self.lend(false).await.map_err(PoolError::Get)
    }

    async fn close(&self) {
        if let Some(standby) = &self.1 {
            standby.close().await;
        }
        self.0.close().await;
    }
}
