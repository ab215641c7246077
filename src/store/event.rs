//! Events: written in the transaction of what they tell.

use std::collections::HashSet;

use sqlx::FromRow;

use super::{
    Batch, Conn, Kind, Result, Sql, Tx,
    search::{self, Asked, Engine, Thing},
    sql,
    tally::{self, What},
    window::{self, After, Holds, Key, Part, Window, among},
};
use crate::domain::{
    CheckId, CommentId, CoverId, EventId, MessageId, PatchId, ProjectId, SeriesId, Timestamp,
    UserId,
    event::{Category, Event},
};

/// Stores events in the order given. Whoever has read one event has seen all with smaller ids, or never will: ids are
/// given in the order in which transactions end.
pub fn insert(batch: &mut Batch, events: &[Event]) {
    let row = |event: &Event| {
        vec![
            event.category.word().into(),
            event.project.into(),
            event.date.into(),
            event.patch.into(),
            event.series.into(),
            event.cover.into(),
            event.comment.into(),
            event.check.into(),
            event.actor.into(),
            event.previous_state.into(),
            event.current_state.into(),
            event.previous_delegate.into(),
            event.current_delegate.into(),
        ]
    };
    for event in events {
        batch.count(What::event(event.project, event.category.word()), 1);
    }
    batch.add_in_turn(
        "event (category, project_id, date, patch_id, series_id, cover_id, comment_id, check_id, actor_id, \
         previous_state_id, current_state_id, previous_delegate_id, current_delegate_id)",
        events.iter().map(row).collect(),
    );
}

/// Returns the projects and categories of the events that tell of a comment.
///
/// # Errors
/// When the database is away or refuses.
pub async fn of_comment(conn: &mut Conn, id: CommentId) -> Result<Vec<(ProjectId, &'static str)>> {
    let rows: Vec<(ProjectId, String)> =
        sql("SELECT project_id, category FROM event WHERE comment_id = $1")
            .bind(id)
            .all(conn)
            .await?;
    let known = rows
        .into_iter()
        .filter_map(|(project, word)| Some((project, Category::from_word(&word)?.word())));
    Ok(known.collect())
}

/// Returns the highest id of an event; 0 when there is none.
///
/// # Errors
/// When the database is away or refuses.
pub async fn last_id(conn: &mut Conn) -> Result<i64> {
    let (last,) = sql("SELECT coalesce(max(id), 0) FROM event")
        .one(conn)
        .await?;
    Ok(last)
}

/// A thing that a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A patch.
    Patch(PatchId),
    /// A cover letter.
    Cover(CoverId),
    /// A series, with its patches and its cover letter.
    Series(SeriesId),
}

/// Returns what happened to a thing after a moment, by others than `reader`: categories and how often, a hundred events at most.
///
/// # Errors
/// When the database is away or refuses.
pub async fn news(
    conn: &mut Conn,
    about: About,
    since: Timestamp,
    reader: Option<UserId>,
) -> Result<Vec<(String, i64)>> {
    let mut query = sql("SELECT category, count(*) FROM (SELECT e.category FROM event e WHERE ");
    match about {
        About::Patch(id) => query.push("e.patch_id = ").arg(id),
        About::Cover(id) => query.push("e.cover_id = ").arg(id),
        About::Series(id) => query
            .push("(e.patch_id IN (SELECT id FROM patch WHERE series_id = ")
            .arg(id)
            .push(") OR e.cover_id IN (SELECT cover_id FROM series WHERE id = ")
            .arg(id)
            .push("))"),
    };
    query.push(" AND e.date > ").arg(since);
    if let Some(reader) = reader {
        query
            .push(" AND (e.actor_id IS NULL OR e.actor_id <> ")
            .arg(reader)
            .push(")");
    }
    query.push(" LIMIT 100) news GROUP BY category");
    query.all(conn).await
}

/// Deletes the oldest events from before a moment, so many at most, and takes them out of the counts. Returns the id of
/// the last one and how many it were.
///
/// # Errors
/// When the database is away or refuses.
pub async fn prune(tx: &mut Tx, before: Timestamp, most: i64) -> Result<(Option<EventId>, i64)> {
    let rows: Vec<(EventId, ProjectId, String)> = sql(
        "SELECT id, project_id, category FROM event WHERE date < $1 ORDER BY date, id LIMIT $2",
    )
    .bind(before)
    .bind(most)
    .all(tx)
    .await?;
    let mut batch = Batch::default();
    for (_, project, word) in &rows {
        if let Some(category) = Category::from_word(word) {
            batch.count(What::event(*project, category.word()), -1);
        }
    }
    batch.write(tx).await?;
    let mut gone = sql("DELETE FROM event WHERE id ");
    gone.among_ids(tx.kind(), rows.iter().map(|(id, ..)| id.0));
    gone.run(tx).await?;
    Ok((rows.last().map(|(id, ..)| *id), rows.len() as i64))
}

/// Which events. Several values of one field are alternatives; no value is any.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// In these projects.
    pub projects: Vec<ProjectId>,
    /// Of these categories.
    pub categories: Vec<Category>,
    /// About these series.
    pub series: Vec<SeriesId>,
    /// About these patches.
    pub patches: Vec<PatchId>,
    /// About these cover letters.
    pub covers: Vec<CoverId>,
    /// By these users.
    pub actors: Vec<UserId>,
    /// At this moment or later.
    pub since: Option<Timestamp>,
    /// Before.
    pub before: Option<Timestamp>,
    /// About something of which this is true.
    pub asked: Option<Asked>,
}

impl Search {
    /// Says whether an event is one of those, as the database would, as far as the event alone tells: not what is [`Search::asked`].
    pub fn has(&self, row: &Row) -> bool {
        fn is_among<T: PartialEq>(wanted: &[T], one: Option<T>) -> bool {
            wanted.is_empty() || one.is_some_and(|one| wanted.contains(&one))
        }
        is_among(&self.projects, Some(row.project_id))
            && is_among(&self.categories, Category::from_word(&row.category))
            && is_among(&self.series, row.series_id)
            && is_among(&self.patches, row.patch_id)
            && is_among(&self.covers, row.cover_id)
            && is_among(&self.actors, row.actor_id)
            && self.since.is_none_or(|since| row.date >= since)
            && self.before.is_none_or(|before| row.date < before)
    }
}

/// In which order events are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The newest first, as it happened.
    Newest,
    /// The oldest first, as it happened.
    Oldest,
    /// As they were written: by id. Whoever goes on behind the last one read misses none.
    Written,
}

/// An event with all that it tells of.
#[derive(Clone, Debug, FromRow)]
pub struct Row {
    /// Its id.
    pub id: EventId,
    /// The word of its category.
    pub category: String,
    /// In which project.
    pub project_id: ProjectId,
    /// When it happened.
    pub date: Timestamp,
    /// Who did it.
    pub actor_id: Option<UserId>,
    /// The patch it is about.
    pub patch_id: Option<PatchId>,
    /// The series it is about.
    pub series_id: Option<SeriesId>,
    /// The cover letter it is about.
    pub cover_id: Option<CoverId>,
    /// The comment it is about.
    pub comment_id: Option<CommentId>,
    /// The check it is about.
    pub check_id: Option<CheckId>,
    /// The word of the state a patch had.
    pub previous_state: Option<String>,
    /// The word of the state it got.
    pub current_state: Option<String>,
    /// Who had it on the desk.
    pub previous_delegate_id: Option<UserId>,
    /// Who got it.
    pub current_delegate_id: Option<UserId>,
}

fn conditions(query: &mut Sql, kind: Kind, search: &Search) {
    among(query, " AND e.project_id", &search.projects);
    if search.categories.len() < Category::ALL.len() {
        let words: Vec<&str> = search.categories.iter().map(|it| it.word()).collect();
        among(query, " AND e.category", &words);
    }
    among(query, " AND e.series_id", &search.series);
    among(query, " AND e.patch_id", &search.patches);
    among(query, " AND e.cover_id", &search.covers);
    among(query, " AND e.actor_id", &search.actors);
    if let Some(since) = search.since {
        query.push(" AND e.date >= ").arg(since);
    }
    if let Some(before) = search.before {
        query.push(" AND e.date < ").arg(before);
    }
    search::also(query, kind, Thing::Event, search.asked.as_ref());
}

fn keys(order: Order) -> Vec<Key> {
    let by_date = Key {
        row: "e.date",
        anchor: "(SELECT date FROM event WHERE id = ",
        holds: Holds::Time,
        descending: order == Order::Newest,
    };
    match order {
        Order::Written => Vec::new(),
        Order::Newest | Order::Oldest => vec![by_date],
    }
}

/// Returns a window of the events searched: the newest first, or the oldest.
///
/// # Errors
/// When the database is away or refuses.
pub async fn page(
    conn: &mut Conn,
    search: &Search,
    order: Order,
    window: Window,
) -> Result<Part<Row>> {
    let keys = keys(order);
    let mut query = sql(
        "SELECT e.id, e.category, e.project_id, e.date, e.actor_id, e.patch_id, e.series_id, e.cover_id, e.comment_id,
                e.check_id, was.slug AS previous_state, is_now.slug AS current_state, e.previous_delegate_id,
                e.current_delegate_id",
    );
    window::place(&mut query, conn.kind(), "e.id", &keys);
    query.push(" FROM (SELECT e.id AS page_id FROM event e WHERE TRUE");
    conditions(&mut query, conn.kind(), search);
    window::apply(&mut query, "e.id", &keys, &window);
    query.push(
        ") page JOIN event e ON e.id = page.page_id LEFT JOIN state was ON was.id = e.previous_state_id \
         LEFT JOIN state is_now ON is_now.id = e.current_state_id",
    );
    window::order(&mut query, "e.id", &keys);
    window::read(conn, query, &window).await
}

/// Events that were written behind another one.
#[derive(Clone, Debug)]
pub struct Behind {
    /// The events, as they were written.
    pub rows: Vec<Row>,
    /// Up to here all that is searched has been read.
    pub reached: i64,
    /// Whether there are more.
    pub is_more: bool,
}

/// Returns the first events searched behind one. `newest` is an event up to which all is known to be there: the last one before
/// this is asked, or `after` for whoever does not mind. Where something is asked of what they are about, it may be none of them: no
/// more than `most` are looked at.
///
/// # Errors
/// When the database is away or refuses.
pub async fn behind(
    conn: &mut Conn,
    search: &Search,
    after: i64,
    newest: i64,
    most: i64,
) -> Result<Behind> {
    let window = Window {
        limit: most,
        offset: 0,
        after: Some(After {
            keys: Vec::new(),
            id: after,
        }),
    };
    let all = Search {
        asked: None,
        ..search.clone()
    };
    let mut found = page(conn, &all, Order::Written, window).await?;
    let last = found.rows.last().map_or(after, |row| row.id.0);
    let is_more = found.next.is_some();
    if let Some(asked) = &search.asked {
        let fit = about(conn, asked, &found.rows).await?;
        found.rows.retain(|row| fit.contains(&row.id));
    }
    Ok(Behind {
        rows: found.rows,
        reached: if is_more { last } else { newest.max(last) },
        is_more,
    })
}

/// Returns which of some events are about something of which this is true. Only the mails that they can be about are looked at, not all
/// that have the words.
async fn about(conn: &mut Conn, asked: &Asked, rows: &[Row]) -> Result<HashSet<EventId>> {
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let kind = conn.kind();
    let things = rows
        .iter()
        .map(|row| (row.patch_id, row.cover_id, row.series_id));
    let only = search::numbers_about(conn, things).await?;
    let mut query = sql("SELECT e.id FROM event e WHERE e.id");
    query
        .among_ids(kind, rows.iter().map(|row| row.id.0))
        .push(" AND ");
    let engine = Engine {
        kind,
        only: Some(&only),
    };
    search::of(&mut query, engine, Thing::Event, asked);
    let fit: Vec<(EventId,)> = query.all(conn).await?;
    Ok(fit.into_iter().map(|(id,)| id).collect())
}

/// How many events are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exactly(i64),
    /// More than it is worth to count.
    Many,
}

/// Returns how many events are searched: of those that are not counted ahead, `most` are counted. Their number only
/// grows, and who follows a site asks for new ones all day.
///
/// # Errors
/// When the database is away or refuses.
pub async fn count(conn: &mut Conn, search: &Search, most: i64) -> Result<Count> {
    let is_counted = search.series.is_empty()
        && search.patches.is_empty()
        && search.covers.is_empty()
        && search.actors.is_empty()
        && search.since.is_none()
        && search.before.is_none()
        && search.asked.is_none();
    if is_counted {
        let words: Vec<&str> = search.categories.iter().map(|it| it.word()).collect();
        let count = tally::events(conn, &search.projects, &words).await?;
        return Ok(Count::Exactly(count));
    }
    let mut query = sql("SELECT count(*) FROM (SELECT 1 FROM event e WHERE TRUE");
    conditions(&mut query, conn.kind(), search);
    query.push(" LIMIT ").arg(most.saturating_add(1));
    query.push(") found");
    let (count,): (i64,) = query.one(conn).await?;
    Ok(match count > most {
        true => Count::Many,
        false => Count::Exactly(count),
    })
}

/// A mail that an event tells of: a comment or a cover letter.
#[derive(Clone, Debug, FromRow)]
pub struct Mail {
    /// Its id.
    pub id: i64,
    /// Its message id.
    pub msgid: MessageId,
    /// When it was written.
    pub date: Timestamp,
    /// Its name; empty for comments.
    pub name: String,
}

/// Returns these cover letters.
///
/// # Errors
/// When the database is away or refuses.
pub async fn covers(conn: &mut Conn, ids: &[CoverId]) -> Result<Vec<Mail>> {
    mails(
        conn,
        "SELECT id, msgid, date, name FROM cover WHERE id",
        ids.iter().map(|id| id.0).collect(),
    )
    .await
}

/// Returns these comments.
///
/// # Errors
/// When the database is away or refuses.
pub async fn comments(conn: &mut Conn, ids: &[CommentId]) -> Result<Vec<Mail>> {
    mails(
        conn,
        "SELECT id, msgid, date, '' AS name FROM comment WHERE id",
        ids.iter().map(|id| id.0).collect(),
    )
    .await
}

async fn mails(conn: &mut Conn, text: &'static str, ids: Vec<i64>) -> Result<Vec<Mail>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    let mut query = sql(text);
    query.among_ids(kind, ids);
    query.all(conn).await
}
