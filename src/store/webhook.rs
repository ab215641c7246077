//! Webhooks, and what is on its way to them: queued behind the events, worked off one webhook at a time.

use sqlx::FromRow;

use super::{Conn, Kind, Result, Sql, Tx, sql};
use crate::domain::{
    DeliveryId, ProjectId, Timestamp, WebhookId,
    event::Category,
    webhook::{Webhook, categories},
};

#[derive(FromRow)]
struct Row {
    id: WebhookId,
    project_id: ProjectId,
    url: String,
    secret: String,
    categories: String,
    active: bool,
    last_event: i64,
    failures: i64,
}

impl From<Row> for Webhook {
    fn from(row: Row) -> Webhook {
        Webhook {
            id: row.id,
            project: row.project_id,
            url: row.url,
            secret: row.secret,
            // Nobody can enter what is no category; one that is no longer known tells nothing.
            categories: categories(&row.categories).unwrap_or_default(),
            is_active: row.active,
            last_event: row.last_event,
            failures: row.failures,
        }
    }
}

const COLUMNS: &str =
    "SELECT id, project_id, url, secret, categories, active, last_event, failures FROM webhook";

/// A webhook to be stored.
#[derive(Clone)]
pub struct NewWebhook<'a> {
    /// The project.
    pub project: ProjectId,
    /// Where events are sent.
    pub url: &'a str,
    /// What deliveries are signed with.
    pub secret: &'a str,
    /// Which events; none for all.
    pub categories: &'a [Category],
    /// When it is made: later events are told.
    pub created: Timestamp,
}

/// Stores a webhook; it is told what happens from now on.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(tx: &mut Tx, new: &NewWebhook<'_>) -> Result<WebhookId> {
    let words: Vec<&str> = new.categories.iter().map(|it| it.word()).collect();
    let (id,) = sql(
        "INSERT INTO webhook (project_id, url, secret, categories, created, last_event)
         SELECT $1, $2, $3, $4, $5, coalesce(max(id), 0) FROM event RETURNING id",
    )
    .bind(new.project)
    .bind(new.url)
    .bind(new.secret)
    .bind(words.join(" "))
    .bind(new.created)
    .one(tx)
    .await?;
    Ok(id)
}

/// Switches a webhook on or off. One that is switched on is told what happens from now on, and rests no longer.
///
/// # Errors
/// When the database is away or refuses.
pub async fn switch(tx: &mut Tx, id: WebhookId, active: bool) -> Result<()> {
    sql(
        "UPDATE webhook SET active = $2, failures = 0, rests_until = NULL,
           last_event = (SELECT coalesce(max(id), 0) FROM event) WHERE id = $1 AND active <> $2",
    )
    .bind(id)
    .bind(active)
    .run(tx)
    .await?;
    Ok(())
}

/// Returns a webhook.
///
/// # Errors
/// When the database is away.
pub async fn by_id(conn: &mut Conn, id: WebhookId) -> Result<Option<Webhook>> {
    let mut query = sql(COLUMNS);
    query.push(" WHERE id = ").arg(id);
    let row: Option<Row> = query.optional(conn).await?;
    Ok(row.map(Webhook::from))
}

/// Returns the webhooks of a project.
///
/// # Errors
/// When the database is away.
pub async fn of_project(conn: &mut Conn, project: ProjectId) -> Result<Vec<Webhook>> {
    let mut query = sql(COLUMNS);
    query.push(" WHERE project_id = ").arg(project);
    all(conn, query).await
}

async fn all(conn: &mut Conn, mut query: Sql) -> Result<Vec<Webhook>> {
    query.push(" ORDER BY id");
    let rows: Vec<Row> = query.all(conn).await?;
    Ok(rows.into_iter().map(Webhook::from).collect())
}

/// Deletes a webhook with its deliveries.
///
/// # Errors
/// When the database is away or refuses.
pub async fn delete(tx: &mut Tx, id: WebhookId) -> Result<()> {
    sql("DELETE FROM webhook WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}

/// Returns the webhooks that are switched on.
///
/// # Errors
/// When the database is away.
pub async fn active(conn: &mut Conn) -> Result<Vec<Webhook>> {
    let mut query = sql(COLUMNS);
    query.push(" WHERE active = TRUE");
    all(conn, query).await
}

/// Says whether as many deliveries wait for a webhook as are queued at most.
///
/// # Errors
/// When the database is away.
pub async fn is_full(conn: &mut Conn, id: WebhookId, most: i64) -> Result<bool> {
    let (count,): (i64,) = sql(
        "SELECT count(*) FROM (SELECT 1 FROM webhook_delivery WHERE webhook_id = $1 AND next_try IS NOT NULL LIMIT $2) waiting",
    )
    .bind(id)
    .bind(most)
    .one(conn)
    .await?;
    Ok(count >= most)
}

/// An event to be told.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// The event; 0 for a test.
    pub event: i64,
    /// What kind of event.
    pub category: String,
    /// What is sent.
    pub body: String,
}

/// Queues deliveries and remembers how far a webhook has been asked. Says `false`, and does nothing, when somebody else
/// was faster.
///
/// # Errors
/// When the database is away or refuses.
pub async fn queue(
    tx: &mut Tx,
    hook: &Webhook,
    news: &[NewDelivery],
    last_event: i64,
    now: Timestamp,
) -> Result<bool> {
    let moved = sql(
        "UPDATE webhook SET last_event = $3 WHERE id = $1 AND last_event = $2 AND active = TRUE",
    )
    .bind(hook.id)
    .bind(hook.last_event)
    .bind(last_event)
    .run(tx)
    .await?;
    if moved == 0 {
        return Ok(false);
    }
    for new in news {
        insert_delivery(tx, hook.id, new, now).await?;
    }
    Ok(true)
}

/// Queues one delivery; it is due at once.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert_delivery(
    tx: &mut Tx,
    hook: WebhookId,
    new: &NewDelivery,
    now: Timestamp,
) -> Result<()> {
    sql(
        "INSERT INTO webhook_delivery (webhook_id, event_id, category, body, created, next_try) \
         VALUES ($1, $2, $3, $4, $5, $5)",
    )
    .bind(hook)
    .bind(new.event)
    .bind(new.category.as_str())
    .bind(new.body.as_str())
    .bind(now)
    .run(tx)
    .await?;
    Ok(())
}

/// Appends a query for the webhooks that do not rest and for which something is due.
fn waiting(query: &mut Sql, now: Timestamp) {
    query
        .push("SELECT w.id FROM webhook w WHERE w.active = TRUE AND (w.rests_until IS NULL OR w.rests_until <= ")
        .arg(now)
        .push(") AND EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.next_try <= ")
        .arg(now)
        .push(")");
}

/// Claims a webhook for which something is due: until a moment nobody else works on it. Of several, the one that rested
/// longest.
///
/// # Errors
/// When the database is away or refuses.
pub async fn claim(tx: &mut Tx, now: Timestamp, until: Timestamp) -> Result<Option<WebhookId>> {
    let mut query = sql("UPDATE webhook SET rests_until = ");
    query.arg(until).push(" WHERE id = (");
    waiting(&mut query, now);
    query.push(
        " ORDER BY CASE WHEN w.rests_until IS NULL THEN 0 ELSE 1 END, w.rests_until, w.id LIMIT 1",
    );
    if tx.kind() == Kind::Postgres {
        query.push(" FOR UPDATE SKIP LOCKED");
    }
    query.push(") RETURNING id");
    let found: Option<(WebhookId,)> = query.optional(tx).await?;
    Ok(found.map(|(id,)| id))
}

/// Returns a webhook that is switched on and still claimed until that moment.
///
/// # Errors
/// When the database is away.
pub async fn claimed(conn: &mut Conn, id: WebhookId, until: Timestamp) -> Result<Option<Webhook>> {
    let mut query = sql(COLUMNS);
    query.push(" WHERE active = TRUE AND id = ").arg(id);
    query.push(" AND rests_until = ").arg(until);
    let row: Option<Row> = query.optional(conn).await?;
    Ok(row.map(Webhook::from))
}

/// Makes all that waits for a webhook due at once.
///
/// # Errors
/// When the database is away or refuses.
pub async fn hurry(tx: &mut Tx, id: WebhookId, now: Timestamp) -> Result<()> {
    sql("UPDATE webhook_delivery SET next_try = $2 WHERE webhook_id = $1 AND next_try > $2")
        .bind(id)
        .bind(now)
        .run(tx)
        .await?;
    Ok(())
}

/// Says whether something is due for a webhook that does not rest.
///
/// # Errors
/// When the database is away.
pub async fn is_due(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let mut query = sql("");
    waiting(&mut query, now);
    query.push(" LIMIT 1");
    let found: Option<(WebhookId,)> = query.optional(conn).await?;
    Ok(found.is_some())
}

/// A delivery that is due.
#[derive(Clone, Debug, FromRow)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// What kind of event it tells of.
    pub category: String,
    /// What is sent.
    pub body: String,
    /// How often it has been tried.
    pub tries: i64,
}

/// Returns what is due for a webhook, the oldest first.
///
/// # Errors
/// When the database is away.
pub async fn due(
    conn: &mut Conn,
    hook: WebhookId,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Delivery>> {
    sql(
        "SELECT id, category, body, tries FROM webhook_delivery WHERE webhook_id = $1 AND next_try <= $2 ORDER BY id LIMIT $3",
    )
    .bind(hook)
    .bind(now)
    .bind(most)
    .all(conn)
    .await
}

/// What a try brought.
#[derive(Clone, Debug)]
pub struct Tried {
    /// When it ended.
    pub at: Timestamp,
    /// Whether the event was taken.
    pub is_delivered: bool,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// What was answered, or went wrong.
    pub answer: String,
    /// How many milliseconds it took.
    pub took: i64,
    /// When it is tried again, unless it was taken or is given up.
    pub next_try: Option<Timestamp>,
}

/// Notes what a try brought.
///
/// # Errors
/// When the database is away or refuses.
pub async fn tried(tx: &mut Tx, id: DeliveryId, tried: &Tried) -> Result<()> {
    sql(
        "UPDATE webhook_delivery SET tries = tries + 1, next_try = $2, delivered = $3, status = $4, answer = $5, took = $6
         WHERE id = $1",
    )
    .bind(id)
    .bind(tried.next_try)
    .bind(tried.is_delivered.then_some(tried.at))
    .bind(tried.status.map(i64::from))
    .bind(tried.answer.as_str())
    .bind(tried.took)
    .run(tx)
    .await?;
    Ok(())
}

/// Lets go of a webhook that was claimed until `claim`: until another moment it rests. Nothing is done if somebody else
/// has it by now.
///
/// # Errors
/// When the database is away or refuses.
pub async fn release(
    tx: &mut Tx,
    hook: WebhookId,
    claim: Timestamp,
    failures: i64,
    rests_until: Timestamp,
) -> Result<()> {
    sql("UPDATE webhook SET failures = $3, rests_until = $4 WHERE id = $1 AND rests_until = $2")
        .bind(hook)
        .bind(claim)
        .bind(failures)
        .bind(rests_until)
        .run(tx)
        .await?;
    Ok(())
}

/// Forgets deliveries that are done and were queued before a moment, so many at most.
///
/// # Errors
/// When the database is away or refuses.
pub async fn expire(tx: &mut Tx, before: Timestamp, most: i64) -> Result<u64> {
    sql(
        "DELETE FROM webhook_delivery WHERE id IN
           (SELECT id FROM webhook_delivery WHERE created < $1 AND next_try IS NULL ORDER BY created LIMIT $2)",
    )
    .bind(before)
    .bind(most)
    .run(tx)
    .await
}
