//! Webhooks: events go out by HTTP, signed, tried again when they are not taken.
//!
//! Nobody who writes an event waits for that or pays for it. A webhook remembers the last event it was asked of; since ids are
//! given in the order in which transactions end, what lies behind it is what is new. [`round`] queues that as deliveries and sends what is due.
//! A webhook that fails rests, ever longer, and keeps nobody else waiting.

mod post;
mod public;
pub mod sign;

use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, join_all};

use self::post::Client;
pub use self::post::is_private;
use crate::{
    config::Webhooks,
    domain::{
        Timestamp, WebhookId,
        webhook::{MAX_TRIES, Webhook, pause, rest},
    },
    store::{
        self, Conn, Db, Result,
        event::{Row, Search},
        webhook::{Delivery, NewDelivery, Tried},
    },
};

/// How often new events are looked for.
const PAUSE: Duration = Duration::from_secs(2);

/// How often the log is cleared of what is old.
const TIDY: Duration = Duration::from_secs(3600);

/// How many events are queued at a time, and how many may wait for a webhook before the rest stays where it is.
const MOST: i64 = 100;
const MOST_WAITING: i64 = 1000;

/// How many webhooks are told at the same time.
const AT_ONCE: usize = 4;

/// How long one is told before others have their turn.
const TURN: Duration = Duration::from_secs(30);

/// How long sending goes on at most before it is looked at anew.
const ROUND: Duration = Duration::from_secs(240);

/// How many old deliveries are forgotten in one transaction.
const MOST_FORGOTTEN: i64 = 1000;

/// Who writes events as they are sent: as JSON.
pub trait Payload: Send + Sync {
    /// Writes events.
    ///
    /// # Errors
    /// When the database is away.
    fn written<'a>(
        &'a self,
        conn: &'a mut Conn,
        rows: Vec<Row>,
    ) -> BoxFuture<'a, Result<Vec<NewDelivery>>>;
}

/// What is told, and how.
pub struct Teller {
    db: Db,
    payload: Box<dyn Payload>,
    client: Client,
    keep_days: i64,
}

impl Teller {
    /// Prepares to tell what settings say.
    ///
    /// # Errors
    /// When the system has no certificates to trust.
    pub fn new(
        db: Db,
        payload: Box<dyn Payload>,
        settings: &Webhooks,
    ) -> Result<Teller, super::Error> {
        Ok(Teller {
            db,
            payload,
            client: Client::new(
                settings.allow_private,
                Duration::from_secs(settings.timeout),
            )?,
            keep_days: i64::from(settings.keep_days),
        })
    }
}

/// Tells webhooks what happens, for ever. Whoever is slow to take deliveries holds up no event on its way into the queue.
pub async fn serve(teller: Teller) {
    tokio::join!(queue_on(&teller), send_on(&teller));
}

async fn queue_on(teller: &Teller) {
    let mut tidied: Option<Instant> = None;
    loop {
        if let Err(error) = queue_new(teller).await {
            tracing::error!("events could not be queued for webhooks: {error}");
        }
        if tidied.is_none_or(|at| at.elapsed() >= TIDY) {
            tidied = Some(Instant::now());
            if let Err(error) = tidy(teller).await {
                tracing::error!("old deliveries could not be forgotten: {error}");
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn send_on(teller: &Teller) {
    loop {
        if let Err(error) = send_due(teller, Instant::now() + ROUND).await {
            tracing::error!("webhooks could not be told: {error}");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Queues what is new and sends what is due, for a few minutes at most. Two may do this at once, in one process or many: each event is
/// queued once, and nobody works on a webhook that another one works on.
///
/// # Errors
/// When the database is away.
pub async fn round(teller: &Teller) -> Result<()> {
    queue_new(teller).await?;
    send_due(teller, Instant::now() + ROUND).await
}

async fn queue_new(teller: &Teller) -> Result<()> {
    let mut conn = teller.db.reader().await?;
    let hooks = store::webhook::active(&mut conn).await?;
    if hooks.is_empty() {
        return Ok(());
    }
    let newest = store::event::last_id(&mut conn).await?;
    drop(conn);
    for hook in hooks.iter().filter(|hook| hook.last_event < newest) {
        queue(teller, hook, newest).await?;
    }
    Ok(())
}

/// Queues what a webhook is to be told, as far as there is room.
async fn queue(teller: &Teller, hook: &Webhook, newest: i64) -> Result<()> {
    let search = Search {
        projects: vec![hook.project],
        categories: hook.categories.clone(),
        ..Search::default()
    };
    let mut hook = hook.clone();
    while hook.last_event < newest {
        let mut conn = teller.db.reader().await?;
        if store::webhook::is_full(&mut conn, hook.id, MOST_WAITING).await? {
            break;
        }
        let found = store::event::behind(&mut conn, &search, hook.last_event, newest, MOST).await?;
        let news = teller.payload.written(&mut conn, found.rows).await?;
        // A pool may have no more than one.
        drop(conn);
        let mut tx = teller.db.begin().await?;
        let is_first =
            store::webhook::queue(&mut tx, &hook, &news, found.reached, Timestamp::now()).await?;
        tx.commit().await?;
        if !is_first {
            break;
        }
        hook.last_event = found.reached;
    }
    Ok(())
}

/// Returns an event that tells of nothing, to see whether a webhook works.
pub fn test() -> NewDelivery {
    NewDelivery {
        event: 0,
        category: "test".to_owned(),
        body: r#"{"id":0,"category":"test","payload":{}}"#.to_owned(),
    }
}

async fn send_due(teller: &Teller, until: Instant) -> Result<()> {
    let mut conn = teller.db.reader().await?;
    let is_due = store::webhook::is_due(&mut conn, Timestamp::now()).await?;
    drop(conn);
    if !is_due {
        return Ok(());
    }
    // Each takes the next webhook when it is done with one, so a slow one keeps nobody else waiting.
    let workers = (0..AT_ONCE).map(|_| work(teller, until));
    join_all(workers).await.into_iter().collect()
}

async fn work(teller: &Teller, until: Instant) -> Result<()> {
    while Instant::now() < until
        && let Some((id, claim)) = claim(teller).await?
    {
        tell(teller, id, claim).await?;
    }
    Ok(())
}

/// Claims a webhook; returns it with the moment at which the claim ends.
async fn claim(teller: &Teller) -> Result<Option<(WebhookId, Timestamp)>> {
    let now = Timestamp::now();
    let longest = TURN + 2 * teller.client.patience;
    let minutes = i64::try_from(longest.as_secs() / 60).unwrap_or(1) + 1;
    let mut tx = teller.db.begin().await?;
    let until = now.plus_minutes(minutes);
    let claimed = store::webhook::claim(&mut tx, now, until).await?;
    tx.commit().await?;
    Ok(claimed.map(|id| (id, until)))
}

/// Tells a webhook what is due until something fails, or it has had its turn.
async fn tell(teller: &Teller, id: WebhookId, claim: Timestamp) -> Result<()> {
    let mut conn = teller.db.reader().await?;
    let due = store::webhook::due(&mut conn, id, Timestamp::now(), MOST).await?;
    let hook = store::webhook::by_id(&mut conn, id).await?;
    let before = hook.map_or(0, |hook| hook.failures);
    drop(conn);
    let (began, mut failures) = (Instant::now(), before);
    for delivery in &due {
        // Somebody may have switched it off meanwhile, or given it another address.
        let mut conn = teller.db.reader().await?;
        let hook = store::webhook::claimed(&mut conn, id, claim).await?;
        drop(conn);
        let Some(hook) = hook.filter(|_| began.elapsed() <= TURN) else {
            break;
        };
        let tried = attempt(teller, &hook, delivery).await;
        failures = if tried.is_delivered { 0 } else { failures + 1 };
        let mut tx = teller.db.begin().await?;
        store::webhook::tried(&mut tx, delivery.id, &tried).await?;
        tx.commit().await?;
        if failures > 0 {
            break;
        }
    }
    let now = Timestamp::now();
    let mut tx = teller.db.begin().await?;
    if before > 0 && failures == 0 {
        // It is back: what failed while it was away comes before what is newer.
        store::webhook::hurry(&mut tx, id, now).await?;
    }
    let rests_until = match failures {
        0 => now,
        failures => now.plus_minutes(rest(failures)),
    };
    store::webhook::release(&mut tx, id, claim, failures, rests_until).await?;
    tx.commit().await
}

async fn attempt(teller: &Teller, hook: &Webhook, delivery: &Delivery) -> Tried {
    let began = Instant::now();
    let answered = teller.client.post(hook, delivery, Timestamp::now()).await;
    let at = Timestamp::now();
    let is_delivered = answered
        .status
        .is_some_and(|status| (200..300).contains(&status));
    let tries = delivery.tries + 1;
    if !is_delivered {
        tracing::warn!(
            "webhook {} was not told (try {tries} of {MAX_TRIES}): {}",
            hook.id,
            match answered.status {
                // What somebody else's server says does not belong into our log.
                Some(status) => format!("it answered {status}"),
                None => answered.said.clone(),
            }
        );
    }
    Tried {
        at,
        is_delivered,
        status: answered.status,
        answer: answered.said,
        took: i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX),
        next_try: (!is_delivered && tries < MAX_TRIES).then(|| at.plus_minutes(pause(tries))),
    }
}

/// Forgets what has been in the log for long enough.
///
/// # Errors
/// When the database is away.
pub async fn tidy(teller: &Teller) -> Result<()> {
    let before = Timestamp::now().plus_minutes(-teller.keep_days * 24 * 60);
    loop {
        let mut tx = teller.db.begin().await?;
        let gone = store::webhook::expire(&mut tx, before, MOST_FORGOTTEN).await?;
        tx.commit().await?;
        if (gone as i64) < MOST_FORGOTTEN {
            return Ok(());
        }
    }
}
