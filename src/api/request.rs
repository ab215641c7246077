//! A request under way: what was asked, by whom, and how its addresses look.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use rocket::{
    Request,
    http::{Cookie, Method},
};

use super::{
    Site,
    endpoint::{Body, Endpoint},
    error::{Problem, Result},
    input::{Given, Input},
    json::Json,
    query::{Query, Wanted, number},
    version::Version,
};
use crate::{
    auth::{
        self, Caller,
        csrf::{self, Source},
    },
    domain::{
        Person, PersonId, Project, ProjectId, State, StateId, Timestamp, UserId, change::Actor,
        permission::Scope, person,
    },
    store::{self, Conn, Db, Tx, window::Window},
};

/// Everything a resource needs to answer.
pub struct Cx<'r> {
    /// The site.
    pub site: &'r Site,
    /// Its database.
    pub db: &'r Db,
    /// Which version is asked for.
    pub version: Version,
    /// Whether it is named in the address.
    pub is_versioned: bool,
    /// What is asked in the query string.
    pub query: Query,
    /// Who asks; nobody for `None`.
    pub caller: Option<Caller>,
    /// When it is asked.
    pub now: Timestamp,
    /// What is at the address asked for; for pages.
    pub endpoint: Option<&'static Endpoint>,
    /// Whether who asks may write there; for pages.
    pub may_write: bool,
    /// What the form on a page offers; empty where no page is drawn.
    pub choices: Choices,
    /// Scheme and host, as addresses begin, and as the request names them.
    origins: [String; 2],
    /// The path before a resource's: base, `/api` and the version asked for.
    prefix: String,
    /// The whole path asked for.
    path: String,
    statements: Arc<AtomicU32>,
}

/// What the form of a list offers to choose from: ids and names.
#[derive(Default)]
pub struct Choices {
    /// All projects.
    pub projects: Vec<(i64, String)>,
    /// The people seen first; for those who are logged in only.
    pub people: Vec<(i64, String)>,
}

impl Choices {
    /// How many people are offered at most.
    const MOST: i64 = 5000;

    /// Reads what may be offered.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn read(conn: &mut Conn, with_people: bool) -> Result<Choices> {
        let projects = store::project::all(conn).await?;
        let window = Window {
            limit: if with_people { Self::MOST } else { 0 },
            offset: 0,
            after: None,
        };
        let people = store::person::page(conn, &[], &[], window).await?.rows;
        let shown =
            |person: &Person| person::shown(person.name.as_deref(), &person.email).to_owned();
        Ok(Choices {
            projects: projects
                .into_iter()
                .map(|it| (it.id.0, it.linkname))
                .collect(),
            people: people.iter().map(|it| (it.id.0, shown(it))).collect(),
        })
    }
}

/// Projects by their ids.
pub struct Projects(HashMap<ProjectId, Arc<Project>>);

impl Projects {
    /// Reads these projects.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn read(conn: &mut Conn, mut ids: Vec<ProjectId>) -> store::Result<Projects> {
        ids.sort_unstable();
        ids.dedup();
        let found = store::project::by_ids(conn, &ids).await?;
        let by_id = found.into_iter().map(|it| (it.id, Arc::new(it)));
        Ok(Projects(by_id.collect()))
    }

    /// Returns a project that was read; none of one that has gone meanwhile.
    pub fn get(&self, id: ProjectId) -> Option<&Arc<Project>> {
        self.0.get(&id)
    }
}

impl<'r> Cx<'r> {
    /// Takes what is known before the database is asked.
    pub fn new(
        site: &'r Site,
        db: &'r Db,
        request: &Request<'_>,
        version: Option<Version>,
        path: String,
    ) -> Cx<'r> {
        let base = site.links.base();
        let prefix = match version {
            Some(version) => format!("{base}/api/{version}/"),
            None => format!("{base}/api/"),
        };
        let query = request.uri().query().map(|query| query.raw().as_str());
        Cx {
            site,
            db,
            version: version.unwrap_or(Version::NEWEST),
            is_versioned: version.is_some(),
            query: Query::read(query.unwrap_or_default()),
            caller: None,
            now: Timestamp::now(),
            endpoint: None,
            may_write: false,
            choices: Choices::default(),
            origins: site.origins(request),
            prefix,
            path,
            statements: Arc::default(),
        }
    }

    /// Answers nobody's request: what is written goes out by itself. `origin` is how the site's addresses begin.
    pub fn outside(site: &'r Site, db: &'r Db, origin: &str) -> Cx<'r> {
        Cx {
            site,
            db,
            version: Version::NEWEST,
            is_versioned: false,
            query: Query::default(),
            caller: None,
            now: Timestamp::now(),
            endpoint: None,
            may_write: false,
            choices: Choices::default(),
            origins: [origin.to_owned(), origin.to_owned()],
            prefix: format!("{}/api/", site.links.base()),
            path: String::new(),
            statements: Arc::default(),
        }
    }

    /// Returns scheme and host, as addresses begin.
    pub fn origin(&self) -> &str {
        &self.origins[0]
    }

    /// Returns the address of a resource, in the form that was asked for.
    pub fn url(&self, resource: &str) -> String {
        format!("{}{}{resource}", self.origin(), self.prefix)
    }

    /// Returns the address of a resource without a version. Compatibility: links to lists lead to the newest form.
    pub fn newest_url(&self, resource: &str) -> String {
        format!("{}{}/api/{resource}", self.origin(), self.site.links.base())
    }

    /// Returns the address of a page, from its path.
    pub fn web(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// Returns the address asked for with another query string.
    pub fn here(&self, query: &str) -> String {
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{query}", self.origin(), self.path)
    }

    /// Writes an address of a resource.
    pub fn write_url(&self, json: &mut Json, resource: &str) {
        json.text(&self.url(resource));
    }

    /// Returns a connection to read with.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn reader(&self) -> Result<Conn> {
        Ok(self.db.reader().await?.counted(&self.statements))
    }

    /// Begins to write.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(self.db.begin().await?.counted(&self.statements))
    }

    /// Returns how many statements it has taken so far.
    pub fn statements(&self) -> u32 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Returns who does something now.
    pub fn actor(&self, caller: &Caller) -> Actor {
        Actor {
            user: Some(caller.user.id),
            at: self.now,
        }
    }

    /// Returns who asks.
    ///
    /// # Errors
    /// When nobody is logged in.
    pub fn user(&self) -> Result<&Caller> {
        self.caller.as_ref().ok_or(Problem::Anonymous)
    }

    /// Returns who asks, if the way of logging in is good for that.
    ///
    /// # Errors
    /// When nobody is logged in, or with a token for less.
    pub fn writer(&self, scope: Scope) -> Result<&Caller> {
        match self.user()? {
            caller if caller.may(scope) => Ok(caller),
            _ => Err(Problem::Forbidden),
        }
    }

    /// Returns the projects that the query names, by id or linkname.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn projects(&self, conn: &mut Conn) -> Result<Wanted<Vec<ProjectId>>> {
        let mut found = Found::default();
        for text in self.query.all("project") {
            found.add(store::project::named(conn, text).await?);
        }
        Ok(found.wanted())
    }

    /// Returns the people that a key names, by id or address.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn people(&self, conn: &mut Conn, key: &str) -> Result<Wanted<Vec<PersonId>>> {
        let mut found = Found::default();
        for text in self.query.all(key) {
            found.add(store::person::named(conn, text).await?);
        }
        Ok(found.wanted())
    }

    /// Returns the users that a key names, by id or login name.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn users(&self, conn: &mut Conn, key: &str) -> Result<Wanted<Vec<UserId>>> {
        let mut found = Found::default();
        for text in self.query.all(key) {
            found.add(store::user::named(conn, text).await?);
        }
        Ok(found.wanted())
    }

    /// Returns the states that the query names, by id, name or slug.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn states(&self, conn: &mut Conn) -> Result<Wanted<Vec<StateId>>> {
        let texts = self.query.all("state");
        if texts.is_empty() {
            return Ok(Wanted::Any);
        }
        let states = store::state::all(conn).await?;
        let mut found = Found::default();
        for text in texts {
            let spaced = text.replace('-', " ");
            let is_meant = |state: &&State| match number(text) {
                Some(id) => state.id.0 == id,
                None => state.is_called(text) || state.is_called(&spaced),
            };
            found.add(states.iter().find(is_meant).map(|state| state.id));
        }
        Ok(found.wanted())
    }
}

/// What the values of a filter were found to mean.
struct Found<T> {
    found: Vec<T>,
    is_hopeless: bool,
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Found {
            found: Vec::new(),
            is_hopeless: false,
        }
    }
}

impl<T> Found<T> {
    /// A value that means nothing makes nothing of all, as clients know it.
    fn add(&mut self, one: Option<T>) {
        match one {
            Some(one) => self.found.push(one),
            None => self.is_hopeless = true,
        }
    }

    fn wanted(self) -> Wanted<Vec<T>> {
        match (self.is_hopeless, self.found.is_empty()) {
            (true, _) => Wanted::Nothing,
            (false, true) => Wanted::Any,
            (false, false) => Wanted::These(self.found),
        }
    }
}

/// Finds out who sends a request. Wrong credentials are an error even where none are needed (`rest.md §5`).
///
/// # Errors
/// When the credentials are wrong, or a browser's session is used by another site's page.
pub async fn caller(request: &Request<'_>, cx: &Cx<'_>, body: &Body) -> Result<Option<Caller>> {
    let header = request.headers().get_one("Authorization");
    let credentials = header.map_or(Ok(None), auth::credentials);
    if let Some(credentials) = credentials.map_err(Problem::Refused)? {
        let (conn, from) = (cx.reader().await?, request.client_ip());
        let caller = auth::identify(cx.db, conn, &credentials, from, cx.now).await?;
        let caller = caller.map_err(Problem::Refused)?;
        if let Some(key_hash) = &caller.unnoted {
            note(cx.db, key_hash.clone(), cx.now);
        }
        return Ok(Some(caller));
    }
    let Some(key) = request
        .cookies()
        .get(auth::session::COOKIE)
        .map(Cookie::value)
    else {
        return Ok(None);
    };
    let mut conn = cx.reader().await?;
    let session = auth::session::find(&mut conn, key, cx.now).await?;
    let caller = session.map(|session| session.caller);
    if caller.is_some() && !is_reading(request.method()) {
        same_site(request, cx, body).await?;
    }
    Ok(caller)
}

/// Sees that it is a page of this site that uses a browser's session.
async fn same_site(request: &Request<'_>, cx: &Cx<'_>, body: &Body) -> Result<()> {
    let headers = request.headers();
    let source = Source {
        sec_fetch_site: headers.get_one("Sec-Fetch-Site"),
        origin: headers.get_one("Origin"),
        own: &cx.origins,
        cookie: request.cookies().get(csrf::COOKIE).map(Cookie::value),
        sent: headers.get_one(csrf::HEADER),
    };
    if source.is_ours() {
        return Ok(());
    }
    let of_form = match source.sent {
        Some(_) => None,
        None => form_token(body).await,
    };
    let source = Source {
        sent: source.sent.or(of_form.as_deref()),
        ..source
    };
    source
        .check()
        .map_err(|forged| Problem::ForbiddenFor(forged.why()))
}

/// Has written down that a token was used. No answer waits for it, and one at a time is enough: what is left out now is
/// written with the next request.
fn note(db: &Db, key_hash: Vec<u8>, now: Timestamp) {
    if IS_BUSY.swap(true, Ordering::Relaxed) {
        return;
    }
    let (db, busy) = (db.clone(), Busy);
    tokio::spawn(async move {
        let _busy = busy;
        let written = async {
            let mut tx = db.begin().await?;
            store::token::used(&mut tx, &key_hash, now).await?;
            tx.commit().await
        };
        if let Err(error) = written.await {
            tracing::warn!("the use of a token could not be written down: {error}");
        }
    });
}

static IS_BUSY: AtomicBool = AtomicBool::new(false);

/// Somebody writes down that a token was used.
struct Busy;

impl Drop for Busy {
    fn drop(&mut self) {
        IS_BUSY.store(false, Ordering::Relaxed);
    }
}

/// Returns the token of the page that a form was on.
async fn form_token(body: &Body) -> Option<String> {
    let input = body.clone().read().await.ok();
    match input.filter(Input::is_form)?.get(csrf::FIELD)? {
        Given::Form(values) => values.last().map(|&token| token.to_owned()),
        Given::Json(_) => None,
    }
}

/// Says whether a method changes nothing.
pub fn is_reading(method: Method) -> bool {
    matches!(
        method,
        Method::Get | Method::Head | Method::Options | Method::Trace
    )
}
