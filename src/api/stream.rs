//! Events as they happen, over a connection that stays open: server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>), for browsers and CI.
//!
//! `/events/stream?after=ID` takes the filters of the list of events and sends what that list has, each event with its id.
//! Whoever comes back with the last id, by `after` or the header `Last-Event-ID`, misses none: ids are given in the order in which
//! transactions end. Without either it begins now.

mod watch;

use std::{fmt::Write, io::Cursor, sync::Arc, time::Duration};

use futures_util::stream::unfold;
use rocket::{
    Data, Request, Response, Route, Shutdown,
    http::{ContentType, Method, Status},
    response::stream::ReaderStream,
    route::{Handler, Outcome},
    tokio::{
        select,
        sync::broadcast::{Receiver, error::RecvError},
        time::{Instant, sleep_until},
    },
};
use rocket_db_pools::Database;

pub use self::watch::Watch;
use self::watch::{Full, News, Place};
use super::{
    Site,
    error::{Problem, Result, retry_after},
    event::{self, Item},
    field,
    json::Json,
    query::number,
    request::Cx,
};
use crate::store::{self, event::Search};

/// How long a stream is silent at most: front servers close what says nothing for a minute. It also tells that a client is gone.
const HEARTBEAT: Duration = Duration::from_secs(25);

/// How many events are read at a time of those that are past.
const MOST: i64 = 100;

/// Where streams are, below the site's base.
pub const PATH: &str = "/events";

/// Returns the route.
pub fn routes() -> Vec<Route> {
    vec![Route::new(Method::Get, "/stream", Events)]
}

#[derive(Clone)]
struct Events;

#[rocket::async_trait]
impl Handler for Events {
    async fn handle<'r>(&self, request: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        let rocket = request.rocket();
        let (Some(site), Some(database)) = (rocket.state::<Site>(), store::Database::fetch(rocket))
        else {
            return Outcome::Error(Status::InternalServerError);
        };
        let path = request.uri().path().raw().as_str().to_owned();
        // Never from a standby: what it does not have yet would look as if it had not happened.
        let cx = Cx::new(site, &database.0, request, None, path);
        Outcome::Success(match begin(cx, request).await {
            Ok(stream) => answer(stream),
            Err(problem) => refused(&problem),
        })
    }
}

fn answer(stream: Stream<'_>) -> Response<'_> {
    let pieces = unfold(stream, |mut stream| async move {
        let piece = stream.next().await?;
        Some((Cursor::new(piece), stream))
    });
    let mut response = Response::build();
    response
        .header(ContentType::new("text", "event-stream"))
        .raw_header("Cache-Control", "no-store")
        // nginx would wait for more before it passes anything on.
        .raw_header("X-Accel-Buffering", "no")
        .streamed_body(ReaderStream::from(pieces));
    response.finalize()
}

fn refused<'r>(problem: &Problem) -> Response<'r> {
    let (status, json) = problem.answer();
    let mut response = Response::build();
    response.status(status).header(ContentType::JSON);
    if let Some(seconds) = retry_after(problem, status) {
        response.raw_header("Retry-After", seconds.to_string());
    }
    response.sized_body(json.len(), Cursor::new(json));
    response.finalize()
}

/// Reads what is asked for, and takes a place.
async fn begin<'r>(cx: Cx<'r>, request: &'r Request<'_>) -> Result<Stream<'r>> {
    let header = request.headers().get_one("Last-Event-ID");
    let after = match header.and_then(number) {
        Some(id) => Some(id),
        None => after(&cx)?,
    };
    let watch = &cx.site.watch;
    let news = match watch.is_open() {
        true => {
            let place = watch.place(request.client_ip()).map_err(full)?;
            // Listening begins before what is past is read: so nothing falls between.
            Some((place, watch.listen(cx.db).await?))
        }
        false => None,
    };
    let mut conn = cx.reader().await?;
    let search = event::search_of(&cx, &mut conn).await?;
    let search = search.map_err(|key| {
        Problem::Malformed(format!("{key}: nothing on this site is called that."))
    })?;
    // An id that is not there yet is of a time before a backup was restored.
    let newest = store::event::last_id(&mut conn).await?;
    let seen = after.map_or(newest, |id| id.min(newest));
    drop(conn);
    Ok(Stream {
        is_behind: after.is_some(),
        seen,
        search,
        news,
        said: None,
        shutdown: request.rocket().shutdown(),
        cx,
    })
}

fn full(full: Full) -> Problem {
    Problem::Busy(match full {
        Full::All => "As many streams as this site keeps are open. Please try again.",
        Full::Own => "Your network has as many streams open as one may have.",
    })
}

fn after(cx: &Cx<'_>) -> Result<Option<i64>> {
    let Some(text) = cx.query.last("after") else {
        return Ok(None);
    };
    let wrong = || Problem::Malformed("after: the id of an event is a number.".to_owned());
    number(text).map(Some).ok_or_else(wrong)
}

/// A stream under way.
struct Stream<'r> {
    cx: Cx<'r>,
    search: Search,
    /// The place it has, and what is new; nothing where streams are not kept open.
    news: Option<(Place, Receiver<Arc<News>>)>,
    /// The last event that was told, or that was not asked for.
    seen: i64,
    /// Whether there may be more in the database.
    is_behind: bool,
    /// When something was said last; `None` before the first time.
    said: Option<Instant>,
    shutdown: Shutdown,
}

impl Stream<'_> {
    /// Waits for what is to be sent next; nothing when the stream ends.
    async fn next(&mut self) -> Option<String> {
        let text = match self.said {
            None => greeting(self.seen),
            Some(said) => self.heard(said + HEARTBEAT).await?,
        };
        self.said = Some(Instant::now());
        Some(text)
    }

    async fn heard(&mut self, latest: Instant) -> Option<String> {
        loop {
            if self.is_behind {
                if Instant::now() >= latest {
                    return Some(heartbeat(self.seen));
                }
                let text = self.read(latest).await?;
                if !text.is_empty() {
                    return Some(text);
                }
                continue;
            }
            let (_, news) = self.news.as_mut()?;
            select! {
                () = &mut self.shutdown => return None,
                () = sleep_until(latest) => return Some(heartbeat(self.seen)),
                heard = news.recv() => match heard {
                    // What else is asked, the database knows.
                    Ok(news) if news.after <= self.seen && self.is_to_be_asked(&news.items) => {
                        self.is_behind = true;
                    }
                    Ok(news) if news.after <= self.seen => {
                        let text = self.told(&news.items);
                        self.seen = self.seen.max(news.last);
                        if !text.is_empty() {
                            return Some(text);
                        }
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => self.is_behind = true,
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    fn is_to_be_asked(&self, items: &[Item]) -> bool {
        let mut rows = items.iter().map(Item::row);
        self.search.asked.is_some() && rows.any(|row| self.search.has(row))
    }

    /// Reads some of what is past, if it is this one's turn in time. When the database is away the stream ends, and its client comes
    /// back.
    async fn read(&mut self, latest: Instant) -> Option<String> {
        let cx = &self.cx;
        let _turn = select! {
            () = &mut self.shutdown => return None,
            () = sleep_until(latest) => return Some(String::new()),
            turn = cx.site.watch.reading.acquire() => turn,
        };
        let reading = async {
            let mut conn = cx.reader().await?;
            let newest = store::event::last_id(&mut conn).await?;
            let (search, seen) = (&self.search, self.seen);
            let found = store::event::behind(&mut conn, search, seen, newest, MOST).await?;
            let items = event::items(&mut conn, found.rows).await?;
            Ok::<_, Problem>((items, found.reached, found.is_more))
        };
        let (items, reached, is_more) = select! {
            () = &mut self.shutdown => return None,
            read = reading => read.inspect_err(|error| tracing::warn!("a stream of events ends: {error:?}")).ok()?,
        };
        let text = self.told(&items);
        self.seen = self.seen.max(reached);
        self.is_behind = is_more;
        Some(text)
    }

    /// Writes those of the events that were asked for and have not been told.
    fn told(&self, items: &[Item]) -> String {
        let mut text = String::new();
        let is_asked = |item: &&Item| item.id() > self.seen && self.search.has(item.row());
        for item in items.iter().filter(is_asked) {
            let mut json = Json::default();
            field::write(event::FIELDS, item, false, &self.cx, &mut json);
            let json = json.into_string();
            write!(text, "id: {}\ndata: {json}\n\n", item.id()).expect("a String takes any text");
        }
        text
    }
}

/// Tells how soon to come back when the connection breaks, not everybody at the same moment, and from where on: whoever is cut off
/// before the first event has to begin here again.
fn greeting(seen: i64) -> String {
    let spread = u64::from(rocket::time::OffsetDateTime::now_utc().nanosecond()) % 5000;
    format!("retry: {}\nid: {seen}\n\n", 3000 + spread)
}

/// A sign of life that is no event, but says how far a client has heard all that it asked for.
fn heartbeat(seen: i64) -> String {
    format!(": alive\nid: {seen}\n\n")
}
