//! Who is looking: the session of the browser, read once a request and before its page.

use rocket::{Request, http::Method};
use rocket_db_pools::Database;

use crate::{
    auth::session::{self, Session},
    domain::{Timestamp, notice::Notice},
    store::{self, Conn},
};

/// What is known of who is looking; nobody is logged in by default.
#[derive(Default)]
pub struct Visit {
    /// The session, if somebody is logged in.
    pub session: Option<Session>,
    /// What this page tells of the action before it.
    pub notices: Vec<Notice>,
    /// How many patches wait for the user.
    pub todo: i64,
}

/// Reads the session of a request, with the connection that its handler will get.
///
/// # Errors
/// When the database is away.
pub async fn read(request: &Request<'_>, conn: &mut Conn) -> store::Result<Visit> {
    let Some(key) = request.cookies().get(session::COOKIE) else {
        return Ok(Visit::default());
    };
    let now = Timestamp::now();
    let Some(session) = session::find(conn, key.value(), now).await? else {
        return Ok(Visit::default());
    };
    let mut visit = Visit {
        todo: store::patch::todo::count(conn, session.caller.user.id).await?,
        ..Visit::default()
    };
    if request.method() == Method::Get {
        visit.notices.clone_from(&session.notices);
    }
    visit.session = Some(session);
    Ok(visit)
}

/// Writes down that a page was shown, and with it its notices: an answer that only leads on shows none. What cannot be
/// written is told once more, no worse.
pub async fn shown(request: &Request<'_>) {
    let session = request.local_cache(Visit::default).session.as_ref();
    let session = session.filter(|session| session.is_to_be_written());
    let database = store::Database::fetch(request.rocket());
    let (Some(session), Some(database), Method::Get) = (session, database, request.method()) else {
        return;
    };
    let written = async {
        let mut tx = database.0.begin().await?;
        session.shown(&mut tx, Timestamp::now()).await?;
        tx.commit().await
    };
    if let Err(error) = written.await {
        tracing::warn!("a session could not be written: {error}");
    }
}
