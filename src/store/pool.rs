//! The pool as Rocket keeps it: opened with the site, one connection lent to each request that asks.

use std::{sync::atomic::AtomicU32, time::Duration};

use rocket::figment::Figment;
use rocket_db_pools::{Config, Error as PoolError};

use super::{Conn, Db, Error, Options};

/// How many statements a request has run so far, for `Server-Timing`: tests count with it.
#[derive(Debug, Default)]
pub struct Statements(pub AtomicU32);

/// How long a request waits for a connection: longer, and who asked has gone or asks again.
const PATIENCE: Duration = Duration::from_secs(2);

/// A [`Db`] in the shape `rocket_db_pools` wants.
#[derive(Clone, Debug)]
pub struct Pool(pub Db);

/// The site's database, set up under `databases.patchwork`.
#[derive(rocket_db_pools::Database)]
#[database("patchwork")]
pub struct Database(Pool);

#[rocket::async_trait]
impl rocket_db_pools::Pool for Pool {
    type Connection = Conn;
    type Error = PoolError<Error>;

    async fn init(figment: &Figment) -> Result<Self, Self::Error> {
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
        let db = Db::open(&config.url, &options).map_err(PoolError::Init)?;
        Ok(Pool(db))
    }

    async fn get(&self) -> Result<Conn, Self::Error> {
        match tokio::time::timeout(PATIENCE, self.0.reader()).await {
            Ok(conn) => conn.map_err(PoolError::Get),
            Err(_) => Err(PoolError::Get(Error::from(sqlx::Error::PoolTimedOut))),
        }
    }

    async fn close(&self) {
        self.0.close().await;
    }
}
