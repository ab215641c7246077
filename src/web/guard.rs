//! What handlers ask Rocket for: the database, the visit, the undecoded address.

use std::{
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicU32, Ordering},
};

use rocket::{
    Request,
    request::{FromRequest, Outcome},
};
use rocket_db_pools::Connection;

use super::{Links, Options, Site};
use crate::store::{self, Conn};

/// How many statements a request has run so far.
#[derive(Default)]
pub struct Statements(pub AtomicU32);

/// A connection to read with, for as long as the handler holds it. Drop it before drawing the page.
pub struct Db<'r> {
    conn: Connection<store::Database>,
    count: &'r Statements,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Db<'r> {
    type Error = Option<rocket_db_pools::Error<store::Error>>;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let count = request.local_cache(Statements::default);
        Connection::from_request(request)
            .await
            .map(|conn| Db { conn, count })
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
