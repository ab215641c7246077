//! A hot standby: another server's copy of the database, a moment behind. Whoever only looks may be answered from it.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};

use super::{Conn, Db, Error, Result, sql};

/// How often it is compared with the database.
const OFTEN: Duration = Duration::from_secs(1);
/// How long either has to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// A standby, and whether it is asked.
#[derive(Debug)]
pub struct Standby {
    db: Db,
    is_fit: Arc<AtomicBool>,
    watch: AbortHandle,
}

impl Standby {
    /// Watches a standby of `main` from now on, and has it asked as long as it is at most `lag` behind.
    pub fn watched(main: Db, standby: Db, lag: Duration) -> Standby {
        let is_fit = Arc::new(AtomicBool::new(false));
        let watch = Watch {
            main,
            standby: standby.clone(),
            is_fit: is_fit.clone(),
            lag,
            marks: VecDeque::new(),
            why: String::new(),
        };
        Standby {
            db: standby,
            is_fit,
            watch: tokio::spawn(watch.run()).abort_handle(),
        }
    }

    /// Returns it as long as it may be asked.
    pub fn fit(&self) -> Option<&Db> {
        self.is_fit.load(Ordering::Relaxed).then_some(&self.db)
    }

    /// Returns a connection as long as it may be asked; without one, nobody asks it until it has been looked at again.
    pub async fn reader(&self) -> Option<Conn> {
        let db = self.fit()?;
        match timeout(PATIENCE, db.reader()).await {
            Ok(Ok(conn)) => Some(conn),
            Ok(Err(_)) | Err(_) => {
                self.is_fit.store(false, Ordering::Relaxed);
                None
            }
        }
    }

    /// Closes all connections and watches no longer.
    pub async fn close(&self) {
        self.watch.abort();
        self.db.close().await;
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// How a standby stands.
enum Stand {
    Fit,
    /// Not to be asked, and why.
    Unfit(String),
}

struct Watch {
    main: Db,
    standby: Db,
    is_fit: Arc<AtomicBool>,
    lag: Duration,
    /// How far the journal of the database was, and when: the first of those still of interest is `lag` old.
    marks: VecDeque<(Instant, String)>,
    /// What the log was told last.
    why: String,
}

impl Watch {
    async fn run(mut self) {
        loop {
            let stand = self.look().await;
            self.tell(&stand);
            self.is_fit
                .store(matches!(stand, Stand::Fit), Ordering::Relaxed);
            sleep(OFTEN).await;
        }
    }

    /// Compares the two. While the database does not answer, a standby that does is asked on: better a little late than not at all.
    async fn look(&mut self) -> Stand {
        let was_fit = self.is_fit.load(Ordering::Relaxed);
        match within(position(&self.main)).await {
            Ok(position) => self.mark(position),
            Err(_) if was_fit => {}
            Err(error) => return Stand::Unfit(format!("the database is away: {error}")),
        }
        let mark = self.marks.front().map_or("", |(_, mark)| mark);
        match within(has_reached(&self.standby, mark)).await {
            Ok((false, _)) => Stand::Unfit("it is no standby".to_owned()),
            Ok((true, true)) => Stand::Fit,
            Ok((true, false)) => {
                let seconds = self.lag.as_secs();
                Stand::Unfit(format!("it is more than {seconds} s behind"))
            }
            Err(error) => Stand::Unfit(error.to_string()),
        }
    }

    /// Notes how far the database is, and forgets what is of no interest any longer.
    fn mark(&mut self, position: String) {
        let now = Instant::now();
        self.marks.push_back((now, position));
        let is_old = |mark: Option<&(Instant, String)>| {
            mark.is_some_and(|(at, _)| now.duration_since(*at) >= self.lag)
        };
        while is_old(self.marks.get(1)) {
            self.marks.pop_front();
        }
    }

    /// Tells the log what has changed.
    fn tell(&mut self, stand: &Stand) {
        let why = match stand {
            Stand::Fit => "",
            Stand::Unfit(why) => why,
        };
        let was_fit = self.is_fit.load(Ordering::Relaxed);
        match stand {
            Stand::Fit if !was_fit => tracing::info!("the standby answers visitors"),
            Stand::Unfit(_) if self.why != why => {
                tracing::warn!("the standby is not asked, the database answers everybody: {why}");
            }
            _ => {}
        }
        why.clone_into(&mut self.why);
    }
}

async fn within<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    match timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => Err(Error::Away(sqlx::Error::PoolTimedOut)),
    }
}

/// Returns how far the journal of a database is.
async fn position(db: &Db) -> Result<String> {
    let mut conn = db.reader().await?;
    let (position,): (String,) = sql("SELECT CAST(pg_current_wal_lsn() AS TEXT)")
        .one(&mut conn)
        .await?;
    Ok(position)
}

/// Says whether a server is a standby, and whether it holds what the database held at a position.
async fn has_reached(db: &Db, position: &str) -> Result<(bool, bool)> {
    let mut conn = db.reader().await?;
    sql("SELECT pg_is_in_recovery(), COALESCE(pg_last_wal_replay_lsn() >= CAST(CAST($1 AS TEXT) AS pg_lsn), FALSE)")
        .bind(position)
        .one(&mut conn)
        .await
}

/// Says whether a server is a standby, for who sets one up.
///
/// # Errors
/// When it does not answer.
pub async fn is_standby(db: &Db) -> Result<bool> {
    let mut conn = db.reader().await?;
    let (is_standby,): (bool,) = sql("SELECT pg_is_in_recovery()").one(&mut conn).await?;
    Ok(is_standby)
}
