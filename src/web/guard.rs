//! What handlers ask Rocket for: the database, the visit, the undecoded address.

use std::{
    net::IpAddr,
    ops::{Deref, DerefMut},
    sync::{Mutex, atomic::Ordering},
};

use maud::{Markup, html};
use rocket::{
    Request,
    http::{Cookie, CookieJar, Method, SameSite, Status},
    request::{FromRequest, Outcome},
    time::Duration,
};
use rocket_db_pools::Database;

use super::{
    Error, Links, Options, Site,
    visit::{self, Visit},
};
use crate::{
    auth::{
        self, Caller, Credentials, csrf,
        late::may_be_late,
        session::{self, Browser, Session},
    },
    domain::{
        Timestamp,
        link::{self, Outside},
        notice::Notice,
        user::{Display, User},
    },
    notify::courier::Bell,
    store::{self, Conn, Statements},
};

/// How long a browser keeps what one page hands on to another.
const HANDED_ON_MINUTES: i64 = 30;

/// The connection lent to a request until its handler takes it.
#[derive(Default)]
struct Lent(Mutex<Option<Conn>>);

/// Finds out who is looking, and lends a request a connection before its handler runs. Where there is none, tells the
/// log, and returns the status to answer: were it left to the guard, Rocket would log the guard's type and the error's insides, too.
pub async fn lend(request: &Request<'_>) -> Result<(), Status> {
    let found = async {
        let mut conn = connect(request).await?;
        let visit = visit::read(request, &mut conn).await?;
        Ok::<_, store::Error>((conn, visit))
    };
    match found.await {
        Ok((conn, visit)) => {
            request.local_cache(|| visit);
            let lent = &request.local_cache(Lent::default).0;
            *lent.lock().expect("nothing panics while holding it") = Some(conn);
            Ok(())
        }
        Err(why) => {
            let (method, uri) = (request.method(), request.uri());
            let status = Status::ServiceUnavailable;
            tracing::error!("{method} {uri} is answered {}: {why}", status.code);
            Err(status)
        }
    }
}

/// Takes a connection from the pool; a standby's for visitors.
async fn connect(request: &Request<'_>) -> store::Result<Conn> {
    let Some(database) = store::Database::fetch(request.rocket()) else {
        return Err(store::Error::Away(sqlx::Error::PoolClosed));
    };
    let base = request
        .rocket()
        .state::<Site>()
        .map_or("", |site| site.links.base());
    let path = request.uri().path().raw().as_str();
    let is_read = matches!(request.method(), Method::Get | Method::Head);
    let is_known = request.cookies().get(session::COOKIE).is_some()
        || request.headers().contains("Authorization");
    let path = path.strip_prefix(base).unwrap_or(path);
    database.lend(may_be_late(is_read, path, is_known)).await
}

/// A connection to read with, for as long as the handler holds it. Drop it before drawing the page.
pub struct Db<'r> {
    /// Nothing only while it is given back.
    conn: Option<Conn>,
    count: &'r Statements,
}

impl Db<'_> {
    /// Lets others have the connection.
    fn give_back(&mut self) {
        if let Some(conn) = self.conn.take() {
            self.count.0.fetch_add(conn.statements(), Ordering::Relaxed);
        }
    }

    /// Takes a connection again.
    async fn take_again(&mut self, request: &Request<'_>) -> store::Result<()> {
        self.conn = Some(connect(request).await?);
        Ok(())
    }
}

const GIVEN_BACK: &str = "a connection is given back only for as long as nobody can ask it";

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Db<'r> {
    type Error = store::Error;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let count = request.local_cache(Statements::default);
        let lent = &request.local_cache(Lent::default).0;
        let lent = lent.lock().expect("nothing panics while holding it").take();
        let conn = match lent {
            Some(conn) => Ok(conn),
            None => connect(request).await,
        };
        match conn {
            Ok(conn) => Outcome::Success(Db {
                conn: Some(conn),
                count,
            }),
            Err(error) => Outcome::Error((Status::ServiceUnavailable, error)),
        }
    }
}

impl Deref for Db<'_> {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.conn.as_ref().expect(GIVEN_BACK)
    }
}

impl DerefMut for Db<'_> {
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn.as_mut().expect(GIVEN_BACK)
    }
}

impl Drop for Db<'_> {
    fn drop(&mut self) {
        self.give_back();
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
    scheme: Option<&'r str>,
    host: Option<String>,
    cookies: &'r CookieJar<'r>,
    visit: &'r Visit,
    request: &'r Request<'r>,
}

/// The cookie with the colours that the reader has chosen in this browser.
const THEME: &str = "theme";
/// The one with the layout of diffs.
pub const DIFF: &str = "diff";
/// The one that turns single keys off.
const KEYS: &str = "keys";

/// Returns the colours chosen: in this browser, else in the user's settings.
fn theme(request: &Request<'_>, visit: &Visit) -> Option<Theme> {
    let cookie = request.cookies().get(THEME).map(|cookie| cookie.value());
    let user = visit.session.as_ref().map(|session| &session.caller.user);
    let setting = user.map(|user| user.display.theme.as_str());
    match cookie.or(setting) {
        Some("light") => Some(Theme::Light),
        Some("dark") => Some(Theme::Dark),
        _ => None,
    }
}

impl<'r> View<'r> {
    /// Reads it off a request; does no I/O.
    pub fn of(request: &'r Request<'_>) -> Self {
        let headers = request.headers();
        let is = |name| headers.get_one(name) == Some("true");
        let fragment = (is("HX-Request") && !is("HX-History-Restore-Request"))
            .then(|| headers.get_one("HX-Target").unwrap_or_default());
        let visit = request.local_cache(Visit::default);
        let theme = theme(request, visit);
        View {
            site: request.rocket().state::<Site>(),
            theme,
            fragment,
            // The gateway sets it, to what the front server says.
            scheme: headers.get_one("X-Forwarded-Proto"),
            host: request.host().map(|host| host.to_string()),
            cookies: request.cookies(),
            visit,
            request,
        }
    }

    /// Returns the session of who is looking, if somebody is logged in.
    pub fn session(&self) -> Option<&'r Session> {
        self.visit.session.as_ref()
    }

    /// Returns who is looking, if somebody is logged in.
    pub fn caller(&self) -> Option<&'r Caller> {
        self.session().map(|session| &session.caller)
    }

    /// Returns the session of who is looking.
    ///
    /// # Errors
    /// When nobody is logged in: the answer leads to the login and back here.
    pub fn logged_in(&self) -> Result<&'r Session, Error> {
        self.session().ok_or(Error::Login)
    }

    /// Returns the account of who is looking.
    pub fn user(&self) -> Option<&'r User> {
        self.caller().map(|caller| &caller.user)
    }

    /// Returns how many patches wait for who is looking.
    pub fn todo(&self) -> i64 {
        self.visit.todo
    }

    /// Returns what this page tells of the action before it.
    pub fn notices(&self) -> &'r [Notice] {
        &self.visit.notices
    }

    /// Returns how many rows a list shows: as many as its reader wants.
    pub fn items_per_page(&self) -> i64 {
        self.user()
            .map_or(self.options().items_per_page, |user| user.items_per_page)
    }

    /// Returns the address asked for, with its query, below this site.
    pub fn here(&self) -> String {
        self.request.uri().to_string()
    }

    /// Says whether the path asked for is this one.
    pub fn is_at(&self, path: &str) -> bool {
        self.request.uri().path().raw() == path
    }

    /// Returns the host that is visited, as the browser names it.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// Returns where to log in, and to come back from there.
    pub fn login_here(&self) -> String {
        let page = match self.request.method() {
            Method::Get => None,
            // What takes a form may have no page of its own; the form was on one.
            _ => self.form_page(),
        };
        self.links()
            .login(Some(&page.unwrap_or_else(|| self.here())))
    }

    /// Returns the page of ours that a form was on, as far as the browser tells.
    fn form_page(&self) -> Option<String> {
        let referer = self.request.headers().get_one("Referer")?;
        let origins = self.origins();
        let mut own = origins.iter().filter(|origin| !origin.is_empty());
        let path = own.find_map(|origin| referer.strip_prefix(origin.as_str()))?;
        link::is_own_path(path).then(|| path.to_owned())
    }

    /// Returns what the browser says of itself.
    pub fn browser(&self) -> Browser<'r> {
        let headers = self.request.headers();
        Browser {
            agent: headers.get_one("User-Agent").unwrap_or_default(),
            address: "",
        }
    }

    /// Returns the network address of who is looking, as far as it is known.
    pub fn address(&self) -> String {
        self.client()
            .map(|address| address.to_string())
            .unwrap_or_default()
    }

    /// Returns the network address of who is looking, if it is known.
    pub fn client(&self) -> Option<IpAddr> {
        self.request.client_ip()
    }

    /// Returns by what whoever is looking is counted: the network, if its address tells anything. Where it does not,
    /// nobody is to pay for what others do.
    pub fn counted_from(&self) -> Option<String> {
        let network = self.client().and_then(auth::guess::network);
        network.map(|network| network.to_string())
    }

    /// Returns the hidden field that every form which changes something has.
    pub fn csrf(&self) -> Markup {
        html! { input type="hidden" name=(csrf::FIELD) value=(self.csrf_token()); }
    }

    /// Returns the token of the browser's forms; one that has none gets one, for a year.
    pub fn csrf_token(&self) -> String {
        let known = self.cookies.get_pending(csrf::COOKIE);
        if let Some(cookie) = known.filter(|cookie| is_token(cookie.value())) {
            return cookie.value().to_owned();
        }
        // Without random numbers nobody can send a form, no worse.
        let token = session::new_key().unwrap_or_default();
        let mut cookie = self.cookie(csrf::COOKIE, token.clone(), 365);
        cookie.set_http_only(false);
        self.cookies.add(cookie);
        token
    }

    /// Gives the browser the cookie of its session.
    pub fn begin_session(&self, key: &str) {
        self.cookies
            .add(self.cookie(session::COOKIE, key.to_owned(), 14));
    }

    /// Tells the browser how its user wants pages to be: it goes by cookies, in which its reader may have another will.
    pub fn begin_display(&self, display: &Display) {
        let keys = if display.single_keys { "" } else { "off" };
        for (name, value) in [
            (THEME, display.theme.as_str()),
            (DIFF, display.diff_view.as_str()),
            (KEYS, keys),
        ] {
            if !value.is_empty() {
                self.cookies.add(self.preference(name, value, 365));
            }
        }
    }

    /// Has the browser forget any other will of its reader, and tells it the user's.
    pub fn renew_display(&self, display: &Display) {
        for name in [THEME, DIFF, KEYS] {
            if self.cookies.get(name).is_some() {
                self.cookies.remove(self.preference(name, "", 0));
            }
        }
        self.begin_display(display);
    }

    /// A cookie that the scripts of pages may change.
    fn preference(&self, name: &'static str, value: &str, days: i64) -> Cookie<'static> {
        let mut cookie = self.cookie(name, value.to_owned(), days);
        cookie.set_http_only(false);
        cookie
    }

    /// Takes the cookie of its session from the browser.
    pub fn end_session(&self) {
        self.cookies
            .remove(self.cookie(session::COOKIE, String::new(), 0));
    }

    /// Hands something on to a later page of the same browser, in a cookie: nobody may be logged in, and what is secret
    /// is neither kept in the database nor part of an address.
    pub fn hand_on(&self, name: &'static str, value: &str) {
        let mut cookie = self.cookie(name, value.to_owned(), 0);
        cookie.set_max_age(Duration::minutes(HANDED_ON_MINUTES));
        self.cookies.add(cookie);
    }

    /// Returns what was handed on.
    pub fn handed_on(&self, name: &str) -> Option<String> {
        let cookie = self.cookies.get(name)?;
        Some(cookie.value().to_owned()).filter(|value| !value.is_empty())
    }

    /// Returns what was handed on, and takes it from the browser.
    pub fn take(&self, name: &'static str) -> Option<String> {
        let value = self.handed_on(name)?;
        self.cookies.remove(self.cookie(name, String::new(), 0));
        Some(value)
    }

    /// Has the browser remember how its reader wants pages to look, for a year.
    pub fn remember(&self, name: &'static str, value: &str) {
        self.cookies.add(self.cookie(name, value.to_owned(), 365));
    }

    /// Returns how the reader wants pages to look, if that was chosen.
    pub fn remembered(&self, name: &str) -> Option<&'r str> {
        self.cookies.get(name).map(|cookie| cookie.value())
    }

    /// Has mails leave that were written; to be called after the commit.
    pub fn send_mails(&self) {
        if let Some(bell) = self.request.rocket().state::<Bell>() {
            bell.ring();
        }
    }

    fn cookie(&self, name: &'static str, value: String, days: i64) -> Cookie<'static> {
        let options = self.options();
        let is_https = |url: &String| url.starts_with("https:");
        Cookie::build((name, value))
            .path(self.links().home())
            .same_site(SameSite::Lax)
            .http_only(true)
            .secure(
                options.force_https
                    || self.scheme == Some("https")
                    || options.site_url.as_ref().is_some_and(is_https),
            )
            .max_age(Duration::days(days))
            .build()
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
        format!("{}{path}", self.outside().origin())
    }

    /// Returns the ways in which browsers may write where our pages are.
    pub fn origins(&self) -> [String; 2] {
        let outside = self.outside();
        [outside.origin(), outside.asked()]
    }

    fn outside(&self) -> Outside<'_> {
        Outside {
            site_url: self.options().site_url.as_deref(),
            force_https: self.options().force_https,
            scheme: self.scheme,
            host: self.host.as_deref(),
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

/// Says whether a cookie may be the token of a browser's forms: letters and digits only.
fn is_token(text: &str) -> bool {
    (32..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What a request says about who sends it; nobody is looked up before it matters.
pub struct Sender<'r> {
    authorization: Option<&'r str>,
    visit: &'r Visit,
    request: &'r Request<'r>,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Sender<'r> {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(Sender {
            authorization: request.headers().get_one("Authorization"),
            visit: request.local_cache(Visit::default),
            request,
        })
    }
}

impl Sender<'_> {
    /// Returns who sends it. Compatibility: clients send credentials with every download, so wrong ones are as good as none.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn caller(&self, db: &mut Db<'_>) -> store::Result<Option<Caller>> {
        let now = Timestamp::now();
        let credentials = self.authorization.map_or(Ok(None), auth::credentials);
        match credentials {
            Err(_) => Ok(None),
            Ok(Some(Credentials::Token(key))) => Ok(auth::by_token(db, &key, now).await?.ok()),
            Ok(Some(Credentials::Basic { username, password })) => {
                let Some(database) = store::Database::fetch(self.request.rocket()) else {
                    return Ok(None);
                };
                // The password takes a while; others may have the connection meanwhile.
                db.give_back();
                let (who, from) = ((&*username, &*password), self.request.client_ip());
                let caller = auth::by_password(&database.0, who, from, now).await?;
                db.take_again(self.request).await?;
                Ok(caller.ok())
            }
            Ok(None) => Ok(self
                .visit
                .session
                .as_ref()
                .map(|session| session.caller.clone())),
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
