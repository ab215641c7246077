//! From Rocket's request to an address of ours and back: slashes, methods, forms, errors.

use std::time::Duration;

use rocket::{
    Catcher, Data, Request, Response, Route, catcher,
    data::ToByteUnit,
    http::{ContentType, Method, Status},
    route::{Handler, Outcome},
};
use rocket_db_pools::Database;

use super::{
    Site,
    answer::{self, Form, NoForm, Reply},
    endpoint::{self, Body, Endpoint},
    error::{Problem, Result, detail, retry_after},
    html, offer,
    request::{self, Choices, Cx},
    version::Version,
};
use crate::{
    auth::{late::may_be_late, session},
    domain::link,
    store::{self, Db, patience::patiently},
};

/// Returns the routes: one handler for whatever is below `/api`.
pub fn routes() -> Vec<Route> {
    let methods = [
        Method::Get,
        Method::Put,
        Method::Post,
        Method::Delete,
        Method::Options,
        Method::Patch,
        Method::Trace,
    ];
    let route = |method| Route::ranked(-20, method, "/<path..>", Api);
    methods.into_iter().map(route).collect()
}

/// Returns who answers what no handler has answered.
pub fn catchers() -> Vec<Catcher> {
    fn caught<'r>(status: Status, request: &'r Request<'_>) -> catcher::BoxFuture<'r> {
        Box::pin(async move { Ok(unanswered(status, request)) })
    }
    vec![Catcher::new(None, caught)]
}

fn unanswered<'r>(status: Status, request: &Request<'_>) -> Response<'r> {
    let mut response = Response::build();
    let (status, body) = match status {
        // A method that Rocket has never heard of.
        Status::BadRequest => {
            if let Some(site) = request.rocket().state::<Site>() {
                let path = request.uri().path().raw().as_str();
                let asked = Asked::read(site.links.base(), path);
                answer::headers(&mut response, &asked.allow());
            }
            (Status::MethodNotAllowed, detail("Method not allowed."))
        }
        Status::NotFound => Problem::NoRoute.answer(),
        Status::InternalServerError => (status, detail("Internal server error.")),
        status => (status, detail(status.reason_lossy())),
    };
    response.status(status).header(ContentType::JSON);
    response.sized_body(body.len(), std::io::Cursor::new(body));
    response.finalize()
}

#[derive(Clone)]
struct Api;

#[rocket::async_trait]
impl Handler for Api {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let Some(site) = request.rocket().state::<Site>() else {
            return Outcome::Error(Status::InternalServerError);
        };
        let path = request.uri().path().raw().as_str();
        if let Some(version) = described(site.links.base(), path) {
            return Outcome::Success(description(request, site, version));
        }
        // Compatibility: clients drop the body of a request that is sent on, so only those without one are.
        let is_sent_on = !path.ends_with('/') && request::is_reading(request.method());
        if is_sent_on && Asked::read(site.links.base(), path).found.is_some() {
            return Outcome::Success(slashed(request, path));
        }
        let body = body(request, data, site.options.max_body).await;
        Outcome::Success(answer(site, request, path, body).await)
    }
}

/// Says whether a path is that of the API's description, and of which version. It is a file: no slash closes it.
fn described(base: &str, path: &str) -> Option<Option<Version>> {
    let (prefix, file) = path.rsplit_once('/')?;
    let below = prefix.strip_prefix(base)?;
    let mut parts = below.split('/').filter(|part| !part.is_empty()).skip(1);
    let version = parts.next().map(Version::parse);
    let is_whole = file == "openapi.json" && parts.next().is_none();
    match version {
        None if is_whole => Some(None),
        Some(Some(version)) if is_whole => Some(Some(version)),
        _ => None,
    }
}

/// Answers the description of the API: to everybody, whatever else the request says.
fn description<'r>(request: &Request<'_>, site: &Site, version: Option<Version>) -> Response<'r> {
    let (status, body) = match request.method() {
        Method::Get | Method::Head | Method::Options => {
            let document = site.documents.get(site, version);
            (Status::Ok, document.to_owned())
        }
        method => Problem::Method(method.to_string()).answer(),
    };
    let mut response = Response::build();
    response.status(status).header(ContentType::JSON);
    answer::headers(&mut response, "GET, HEAD, OPTIONS");
    response.sized_body(body.len(), std::io::Cursor::new(body));
    response.finalize()
}

/// Sends an address without the closing slash to the one with it; the query stays as it is.
fn slashed<'r>(request: &Request<'_>, path: &str) -> Response<'r> {
    let query = request.uri().query().map(|query| query.raw().as_str());
    Response::build()
        .status(Status::MovedPermanently)
        .raw_header("Location", link::slashed(path, query))
        .finalize()
}

/// Reads the body; a larger one than the site takes is not kept.
async fn body(request: &Request<'_>, data: Data<'_>, limit: u64) -> Body {
    let kind = request.headers().get_one("Content-Type").map(str::to_owned);
    match data.open(limit.bytes()).into_bytes().await {
        Ok(read) => Body {
            kind,
            is_cut: !read.is_complete(),
            bytes: read.into_inner(),
        },
        // Whoever sends half a body does not wait for an answer.
        Err(_) => Body {
            kind,
            is_cut: true,
            bytes: Vec::new(),
        },
    }
}

/// An address as it is asked for.
struct Asked {
    /// The version, if one is named.
    version: Option<Version>,
    /// What is there, and what stands in its places; nothing where nothing is.
    found: Option<(&'static Endpoint, Vec<String>)>,
    /// The path without repeated slashes.
    path: String,
}

impl Asked {
    /// Reads a path. Compatibility: old clients join parts with one slash too many.
    fn read(base: &str, path: &str) -> Asked {
        let below = path.strip_prefix(base).unwrap_or(path);
        let parts = || below.split('/').filter(|part| !part.is_empty());
        let mut segments: Vec<String> = parts()
            .skip(1)
            .map(|part| {
                rocket::http::RawStr::new(part)
                    .percent_decode_lossy()
                    .into_owned()
            })
            .collect();
        let version = segments.first().and_then(|first| Version::parse(first));
        if version.is_some() {
            segments.remove(0);
        }
        let joined: Vec<&str> = parts().collect();
        Asked {
            version,
            found: endpoint::find(version.unwrap_or(Version::NEWEST), &segments),
            path: format!("{base}/{}/", joined.join("/")),
        }
    }

    /// Returns the header `Allow`; empty where nothing is.
    fn allow(&self) -> String {
        let found = self.found.as_ref();
        found.map(|(it, _)| it.allow()).unwrap_or_default()
    }
}

async fn answer<'r>(site: &Site, request: &'r Request<'_>, path: &str, body: Body) -> Response<'r> {
    let asked = Asked::read(site.links.base(), path);
    let allow = asked.allow();
    let Some(database) = store::Database::fetch(request.rocket()) else {
        return Response::build()
            .status(Status::InternalServerError)
            .finalize();
    };
    let mut cx = Cx::new(
        site,
        source(request, database),
        request,
        asked.version,
        asked.path.clone(),
    );
    let form = answer::form(cx.query.last("format"), request.accept());
    let done = match (form, asked.found) {
        (_, None) => Err(Problem::NoRoute),
        (Err(NoForm::Format), _) => Err(Problem::NoRoute),
        (Err(NoForm::Accept), _) => Err(Problem::NotAcceptable),
        (Ok(form), Some((endpoint, places))) => {
            let done = reply(request, &mut cx, endpoint, &places, body, form).await;
            if form == Form::Html && done.is_ok() {
                furnish(&mut cx, endpoint, &places).await;
            }
            done
        }
    };
    let statements = request.local_cache(store::Statements::default);
    statements
        .0
        .fetch_add(cx.statements(), std::sync::atomic::Ordering::Relaxed);
    match done {
        Ok(reply) => answer::response(request, &cx, reply, form.unwrap_or(Form::Json(0)), &allow),
        Err(problem) => refused(request, &cx, &problem, form.ok(), &allow),
    }
}

/// Returns the database to answer from: a standby for those who tell no name and only read.
fn source<'a>(request: &Request<'_>, database: &'a store::Database) -> &'a Db {
    let is_read = matches!(request.method(), Method::Get | Method::Head);
    let is_known = request.cookies().get(session::COOKIE).is_some()
        || request.headers().contains("Authorization");
    match may_be_late(is_read, "/api", is_known) {
        true => database.or_standby(),
        false => &database.0,
    }
}

/// How long a change is tried again when others write at the same time: clients wait for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers in the order in which clients know the checks: credentials, login, method, then the resource's own
/// (`rest.md §2.4`).
async fn reply(
    request: &Request<'_>,
    cx: &mut Cx<'_>,
    endpoint: &Endpoint,
    places: &[String],
    body: Body,
    form: Form,
) -> Result<Reply> {
    cx.caller = request::caller(request, cx, &body).await?;
    if endpoint.is_private() {
        cx.user()?;
    }
    let (method, body) = html::form::unpacked(form, request.method(), body);
    if method == Method::Options {
        let may_write = offer::may_write(cx, endpoint, places).await;
        let actions = may_write.then(|| offer::actions(endpoint, cx.version));
        return Ok(Reply::ok(html::options(endpoint, actions.as_ref())));
    }
    let method = if method == Method::Head {
        Method::Get
    } else {
        method
    };
    if !endpoint.has(method, cx.version) {
        return Err(Problem::Method(method.to_string()));
    }
    if method != Method::Get {
        let cx = &*cx;
        let is_worth_it =
            |problem: &Problem| matches!(problem, Problem::Store(error) if error.is_contention());
        return patiently(PATIENCE, is_worth_it, || {
            endpoint::run(endpoint.what, places, method, cx, body.clone())
        })
        .await;
    }
    // A list below a thing looks for the thing first, and minds the NUL itself.
    if cx.query.has_nul() && endpoint.is_list() && places.is_empty() {
        return super::page::empty(cx);
    }
    let begun = cx.site.validator.begin(cx, request, form).await?;
    // The forms of a page are made of more than the database holds.
    let known = begun.known(request).filter(|_| form != Form::Html);
    if let Some(tag) = known {
        return Ok(Reply::unchanged(tag));
    }
    let reply = match begun.kept() {
        Some(reply) => reply,
        None => endpoint::run(endpoint.what, places, method, cx, body).await?,
    };
    Ok(begun.end(request, reply, form))
}

/// Finds out what the forms of a page are to have.
async fn furnish(cx: &mut Cx<'_>, endpoint: &'static Endpoint, places: &[String]) {
    cx.endpoint = Some(endpoint);
    cx.may_write = offer::may_write(cx, endpoint, places).await;
    if endpoint.is_list() {
        cx.choices = choices(cx).await;
    }
}

/// Returns what a list's form offers; without it the page is drawn all the same.
async fn choices(cx: &Cx<'_>) -> Choices {
    let read = async {
        let mut conn = cx.reader().await?;
        Choices::read(&mut conn, cx.caller.is_some()).await
    };
    read.await.unwrap_or_default()
}

/// Tells what is wrong, and the log if it is our fault.
fn refused<'r>(
    request: &Request<'_>,
    cx: &Cx<'_>,
    problem: &Problem,
    form: Option<Form>,
    allow: &str,
) -> Response<'r> {
    let (status, json) = problem.answer();
    if status.code >= 500 {
        tracing::error!(
            "{} {} is answered {}: {problem:?}",
            request.method(),
            request.uri(),
            status.code
        );
    }
    let mut response = Response::build();
    response.status(status);
    answer::headers(&mut response, allow);
    if let Some(seconds) = retry_after(problem, status) {
        response.raw_header("Retry-After", seconds.to_string());
    }
    let (kind, body) = match form {
        Some(Form::Html) => (ContentType::HTML, html::problem(cx, status, &json)),
        Some(Form::Json(indent)) => (ContentType::JSON, answer::indented(json, indent)),
        None => (ContentType::JSON, json),
    };
    response.header(kind);
    response.sized_body(body.len(), std::io::Cursor::new(body));
    response.finalize()
}
