//! What handlers ask Rocket for: the database, the visit, the undecoded address.

use std::{
    ops::{Deref, DerefMut},
    sync::{Mutex, atomic::Ordering},
};

use rocket::{
    Request,
    http::Status,
    request::{FromRequest, Outcome},
};
use rocket_db_pools::{Connection, Error as PoolError};

use super::{Links, Options, Site};
use crate::{
    auth::{self, Caller},
    domain::Timestamp,
    store::{self, Conn, Statements},
};

/// The connection lent to a request until its handler takes it.
#[derive(Default)]
struct Lent(Mutex<Option<Connection<store::Database>>>);

/// Lends a request a connection before its handler runs. Where there is none, tells the log, and returns the status
/// to answer: were it left to the guard, Rocket would log the guard's type and the error's insides, too.
pub async fn lend(request: &Request<'_>) -> Result<(), Status> {
    let (status, why) = match Connection::from_request(request).await {
        Outcome::Success(conn) => {
            let lent = &request.local_cache(Lent::default).0;
            *lent.lock().expect("nothing panics while holding it") = Some(conn);
            return Ok(());
        }
        Outcome::Error((status, Some(PoolError::Get(error)))) => (status, error.to_string()),
        Outcome::Error((status, _)) | Outcome::Forward(status) => {
            (status, "this site has no database".into())
        }
    };
    let (method, uri) = (request.method(), request.uri());
    tracing::error!("{method} {uri} is answered {}: {why}", status.code);
    Err(status)
}

/// A connection to read with, for as long as the handler holds it. Drop it before drawing the page.
pub struct Db<'r> {
    conn: Connection<store::Database>,
    count: &'r Statements,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Db<'r> {
    type Error = Option<PoolError<store::Error>>;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let count = request.local_cache(Statements::default);
        let lent = &request.local_cache(Lent::default).0;
        let conn = lent.lock().expect("nothing panics while holding it").take();
        match conn {
            Some(conn) => Outcome::Success(Db { conn, count }),
            None => Connection::from_request(request)
                .await
                .map(|conn| Db { conn, count }),
        }
    }
}

impl Deref for Db<'_> {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Db<'_> {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}

impl Drop for Db<'_> {
    fn drop(&mut self) {
        self.count
            .0
            .fetch_add(self.conn.statements(), Ordering::Relaxed);
    }
}

/// Which colours the reader has chosen; else the system decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark text on a bright page.
    Light,
    /// Bright text on a dark page.
    Dark,
}

/// What a page needs to know of the site and of who asks.
pub struct View<'r> {
    site: Option<&'r Site>,
    /// The colours chosen.
    pub theme: Option<Theme>,
    /// The element a fragment is for; `None` when the whole page is wanted.
    pub fragment: Option<&'r str>,
    host: Option<String>,
}

impl<'r> View<'r> {
    /// Reads it off a request; does no I/O.
    pub fn of(request: &'r Request<'_>) -> Self {
        let headers = request.headers();
        let is = |name| headers.get_one(name) == Some("true");
        let fragment = (is("HX-Request") && !is("HX-History-Restore-Request"))
            .then(|| headers.get_one("HX-Target").unwrap_or_default());
        let theme = match request.cookies().get("theme").map(|cookie| cookie.value()) {
            Some("light") => Some(Theme::Light),
            Some("dark") => Some(Theme::Dark),
            _ => None,
        };
        View {
            site: request.rocket().state::<Site>(),
            theme,
            fragment,
            host: request.host().map(|host| host.to_string()),
        }
    }

    /// Returns how the site is set up.
    pub fn options(&self) -> &'r Options {
        &self.site.expect("mount() manages the site").options
    }

    /// Returns what makes addresses.
    pub fn links(&self) -> &'r Links {
        &self.site.expect("mount() manages the site").links
    }

    /// Returns a path of ours as an address that works outside the page.
    pub fn absolute(&self, path: &str) -> String {
        match (&self.options().site_url, &self.host) {
            (Some(site), _) => format!("{}{path}", site.trim_end_matches('/')),
            (None, Some(host)) if self.options().force_https => format!("https://{host}{path}"),
            (None, Some(host)) => format!("http://{host}{path}"),
            (None, None) => path.to_owned(),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for View<'r> {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(View::of(request))
    }
}

/// What a request says about who sends it; nobody is looked up before it matters.
pub struct Sender<'r> {
    authorization: Option<&'r str>,
    session: Option<&'r str>,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Sender<'r> {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let session = request.cookies().get("sessionid");
        Outcome::Success(Sender {
            authorization: request.headers().get_one("Authorization"),
            session: session.map(|cookie| cookie.value()),
        })
    }
}

impl Sender<'_> {
    /// Returns who sends it. Compatibility: clients send credentials with every download, so wrong ones are as good as none.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn caller(&self, conn: &mut Conn) -> store::Result<Option<Caller>> {
        let now = Timestamp::now();
        let credentials = self.authorization.map_or(Ok(None), auth::credentials);
        match (credentials, self.session) {
            (Err(_), _) => Ok(None),
            (Ok(Some(credentials)), _) => Ok(auth::identify(conn, &credentials, now).await?.ok()),
            (Ok(None), Some(key)) => auth::of_session(conn, key, now).await,
            (Ok(None), None) => Ok(None),
        }
    }
}

/// The pairs of the query string, decoded, in order.
pub struct Pairs(pub Vec<(String, String)>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Pairs {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let query = request.uri().query();
        let pairs = query.into_iter().flat_map(|query| query.segments());
        Outcome::Success(Pairs(
            pairs
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        ))
    }
}

impl Pairs {
    /// Returns the last value of a key.
    pub fn last(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(k, _)| k == key)
            .map(|(_, value)| value.trim())
    }
}

/// What follows `/project/<linkname>/<word>/` in the address, undecoded: message ids may hold slashes.
pub struct Tail<'r>(pub &'r str);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Tail<'r> {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let path = request.uri().path().raw().as_str();
        let base = request
            .rocket()
            .state::<Site>()
            .map_or("", |site| site.links.base());
        let mut rest = path.strip_prefix(base).unwrap_or(path);
        for _ in 0..3 {
            rest = rest.trim_start_matches('/');
            rest = rest.split_once('/').map_or("", |(_, rest)| rest);
        }
        Outcome::Success(Tail(rest))
    }
}
