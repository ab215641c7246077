//! A request under way: what was asked, by whom, and how its addresses look.

use std::{
    collections::HashMap,
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use rocket::{
    Request,
    http::{Cookie, CookieJar, Method},
};
use subtle::ConstantTimeEq;

use super::{
    Site,
    endpoint::Body,
    error::{Problem, Result},
    input::pairs,
    json::Json,
    query::{Query, Wanted, number},
    version::Version,
};
use crate::{
    auth::{self, Caller},
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
    /// What is asked in the query string.
    pub query: Query,
    /// Who asks; nobody for `None`.
    pub caller: Option<Caller>,
    /// When it is asked.
    pub now: Timestamp,
    /// What the form on a page offers; empty where no page is drawn.
    pub choices: Choices,
    /// Scheme and host, as addresses begin.
    origin: String,
    /// The path before a resource's: base, `/api` and the version asked for.
    prefix: String,
    /// The whole path asked for.
    path: String,
    statements: AtomicU32,
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
        let people = store::person::page(conn, &[], &[], window).await?;
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

/// A connection to read with, whose statements are counted.
pub struct Reader<'a> {
    conn: Conn,
    count: &'a AtomicU32,
}

impl Deref for Reader<'_> {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let statements = self.conn.statements();
        self.count.fetch_add(statements, Ordering::Relaxed);
    }
}

/// Projects by their ids.
pub struct Projects(HashMap<ProjectId, Arc<Project>>);

impl Projects {
    /// Reads these projects.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn read(conn: &mut Conn, mut ids: Vec<ProjectId>) -> Result<Projects> {
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
            query: Query::read(query.unwrap_or_default()),
            caller: None,
            now: Timestamp::now(),
            choices: Choices::default(),
            origin: site.origin(request),
            prefix,
            path,
            statements: AtomicU32::new(0),
        }
    }

    /// Returns the address of a resource, in the form that was asked for.
    pub fn url(&self, resource: &str) -> String {
        format!("{}{}{resource}", self.origin, self.prefix)
    }

    /// Returns the address of a resource without a version. Compatibility: links to lists lead to the newest form.
    pub fn newest_url(&self, resource: &str) -> String {
        format!("{}{}/api/{resource}", self.origin, self.site.links.base())
    }

    /// Returns the address of a page, from its path.
    pub fn web(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Returns the address asked for with another query string.
    pub fn here(&self, query: &str) -> String {
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{query}", self.origin, self.path)
    }

    /// Writes an address of a resource.
    pub fn write_url(&self, json: &mut Json, resource: &str) {
        json.text(&self.url(resource));
    }

    /// Returns a connection to read with.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn reader(&self) -> Result<Reader<'_>> {
        Ok(Reader {
            conn: self.db.reader().await?,
            count: &self.statements,
        })
    }

    /// Begins to write.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(self.db.begin().await?)
    }

    /// Returns how many statements reading has taken so far.
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
        let mut conn = cx.reader().await?;
        let caller = auth::identify(&mut conn, &credentials, cx.now).await?;
        return caller.map(Some).map_err(Problem::Refused);
    }
    let Some(key) = request.cookies().get("sessionid").map(Cookie::value) else {
        return Ok(None);
    };
    let mut conn = cx.reader().await?;
    let caller = auth::of_session(&mut conn, key, cx.now).await?;
    if caller.is_some() && !is_reading(request.method()) {
        let token = request.headers().get_one("X-CSRFToken").map(str::to_owned);
        let token = token.or_else(|| form_token(body));
        same_site(request.cookies(), token.as_deref())?;
    }
    Ok(caller)
}

/// Returns the token of the page that a form was on.
fn form_token(body: &Body) -> Option<String> {
    let kind = body.kind.as_deref().unwrap_or_default();
    let is_form = kind.starts_with("application/x-www-form-urlencoded");
    let mut fields = is_form.then(|| pairs(&body.bytes))?.into_iter();
    let (_, token) = fields.find(|(name, _)| name == "csrfmiddlewaretoken")?;
    Some(token)
}

/// Says whether a method changes nothing.
pub fn is_reading(method: Method) -> bool {
    matches!(
        method,
        Method::Get | Method::Head | Method::Options | Method::Trace
    )
}

/// Another site's page can make a browser send our cookies, but cannot read them: it does not know the token.
fn same_site(cookies: &CookieJar<'_>, token: Option<&str>) -> Result<()> {
    let failed = |why| Err(Problem::ForbiddenFor(why));
    let Some(token) = token else {
        return failed("CSRF Failed: CSRF token missing.");
    };
    let known = cookies
        .get("csrftoken")
        .map(Cookie::value)
        .unwrap_or_default();
    let is_known: bool = known.as_bytes().ct_eq(token.as_bytes()).into();
    match is_known && !known.is_empty() {
        true => Ok(()),
        false => failed("CSRF Failed: CSRF token from the 'X-Csrftoken' HTTP header incorrect."),
    }
}
