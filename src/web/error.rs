//! The one place where errors become pages, and where they are logged.

use maud::{Markup, html};
use rocket::{
    Catcher, Request, Response,
    http::{ContentType, Method, RawStr, Status},
    response::Responder,
};

use super::{form, guard::View, layout};
use crate::store;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing of that name.
    #[error("not found")]
    Missing(Option<Missing>),
    /// Somebody has to log in first.
    #[error("nobody is logged in")]
    Login,
    /// Whoever asks may not.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    /// It was tried too often of late; it may be tried again after so many seconds.
    #[error("too often")]
    TooOften(i64),
    /// The system has no random numbers.
    #[error("the system's random generator failed")]
    Unlucky,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// What could be said about something that is not there.
#[derive(Debug)]
pub struct Missing {
    /// One sentence.
    pub text: String,
    /// Ways to go on: text and address.
    pub ways: Vec<(String, String)>,
    /// Whether even the project of the address is not there.
    pub no_project: bool,
}

impl Error {
    /// Nothing is known of it.
    pub fn missing() -> Self {
        Error::Missing(None)
    }

    /// People cannot make themselves an account here.
    pub fn no_registration() -> Self {
        Error::Missing(Some(Missing {
            text: "Accounts of this site are made by its administrators.".into(),
            ways: Vec::new(),
            no_project: true,
        }))
    }

    /// There is no project of the name in the address.
    pub fn no_project() -> Self {
        Error::Missing(Some(Missing {
            text: "There is no project of that name.".into(),
            ways: Vec::new(),
            no_project: true,
        }))
    }
}

/// The result of a handler.
pub type Result<T> = std::result::Result<T, Error>;

impl<'r> Responder<'r, 'static> for Error {
    fn respond_to(self, request: &'r Request<'_>) -> rocket::response::Result<'static> {
        match self {
            Error::Missing(missing) => Ok(response(request, Status::NotFound, missing)),
            Error::Login => {
                let login = View::of(request).login_here();
                Ok(Response::build()
                    .status(Status::Found)
                    .raw_header("Location", login)
                    .finalize())
            }
            Error::Forbidden(why) => {
                let missing = Missing {
                    text: why.to_owned(),
                    ways: Vec::new(),
                    no_project: true,
                };
                Ok(response(request, Status::Forbidden, Some(missing)))
            }
            Error::Unlucky => Ok(response(request, Status::ServiceUnavailable, None)),
            Error::TooOften(seconds) => {
                let missing = Missing {
                    text: too_often(seconds),
                    ways: Vec::new(),
                    no_project: true,
                };
                let mut response = response(request, Status::TooManyRequests, Some(missing));
                response.set_raw_header("Retry-After", seconds.to_string());
                Ok(response)
            }
            Error::Store(error) => {
                let away = matches!(error, store::Error::Away(_));
                let status = if away || error.is_contention() {
                    Status::ServiceUnavailable
                } else {
                    Status::InternalServerError
                };
                let (method, uri, reference) =
                    (request.method(), request.uri(), reference(request));
                tracing::error!("{method} {uri} failed ({reference}): {error}");
                Ok(response(request, status, None))
            }
        }
    }
}

/// Says when something may be tried again.
pub fn too_often(seconds: i64) -> String {
    let when = match (seconds + 59) / 60 {
        0 | 1 => "in a minute".to_owned(),
        minutes => format!("in {minutes} minutes"),
    };
    format!("This was tried too often of late. Please try again {when}.")
}

/// Returns the catcher of everything that no handler has answered.
pub fn catchers() -> Vec<Catcher> {
    rocket::catchers![any]
}

#[rocket::catch(default)]
fn any(status: Status, _: &Request<'_>) -> Said {
    Said(status)
}

/// A status that nobody has said more about.
struct Said(Status);

impl<'r> Responder<'r, 'static> for Said {
    fn respond_to(self, request: &'r Request<'_>) -> rocket::response::Result<'static> {
        // A guard that could not read a path's parameter says 422: for a reader there is no such page.
        let status = match self.0 {
            Status::UnprocessableEntity => Status::NotFound,
            status => status,
        };
        if let Some(why) = form::refused(request) {
            return Error::Forbidden(why).respond_to(request);
        }
        if status == Status::InternalServerError {
            let (method, uri) = (request.method(), request.uri());
            tracing::error!("{method} {uri} failed ({})", reference(request));
        }
        Ok(response(request, status, None))
    }
}

/// Names a request that failed: on its page for readers to tell, in the log for administrators to find.
fn reference<'r>(request: &'r Request<'_>) -> &'r str {
    struct Reference(String);
    let new = || Reference(format!("{:08x}", getrandom::u32().unwrap_or_default()));
    &request.local_cache(new).0
}

/// Returns the project that an address is about, whether it is there or not.
pub fn linkname(view: &View, request: &Request<'_>) -> Option<String> {
    let path = request.uri().path().raw().as_str();
    let below = path.strip_prefix(view.links().base())?;
    let (linkname, _) = below.strip_prefix("/project/")?.split_once('/')?;
    let linkname = RawStr::new(linkname).percent_decode_lossy();
    (!linkname.is_empty()).then(|| linkname.into_owned())
}

/// Draws the page of an error. Needs neither database nor session.
pub fn response(
    request: &Request<'_>,
    status: Status,
    missing: Option<Missing>,
) -> Response<'static> {
    let view = View::of(request);
    let main = page(&view, request, status, missing);
    let body = layout::bare(&view, words(status).0, main).into_string();
    let mut response = Response::build();
    response
        .status(status)
        .header(ContentType::HTML)
        .sized_body(body.len(), std::io::Cursor::new(body));
    if matches!(status.code, 429 | 503) {
        response.raw_header("Retry-After", "30");
    }
    response.finalize()
}

fn page(view: &View, request: &Request<'_>, status: Status, missing: Option<Missing>) -> Markup {
    let (title, advice) = words(status);
    let path = request.uri().path();
    let path = path.percent_decode_lossy();
    let linkname = match &missing {
        Some(missing) if missing.no_project => None,
        _ => linkname(view, request),
    };
    html! {
        div.narrow {
            p.code { (status.code) }
            h1 { (title) }
            @match &missing {
                Some(missing) => p { (missing.text) },
                None if status == Status::NotFound => p { "There is nothing at " code { (path) } "." },
                None if status == Status::MethodNotAllowed && matches!(request.method(), Method::Get | Method::Head) => {
                    p { "There is nothing to read at this address: only a form leads here." }
                }
                None => p { (advice) },
            }
            @if let Some(missing) = &missing {
                @if !missing.ways.is_empty() {
                    ul { @for (text, address) in &missing.ways { li { a href=(address) { (text) } } } }
                }
            }
            @if status == Status::NotFound { (search(view, linkname.as_deref())) }
            @if status == Status::InternalServerError {
                p.muted { "Reference: " code #reference { (reference(request)) } }
            }
            p { a.button href=(view.links().home()) { "All projects" } }
        }
    }
}

/// A way to look for what is not there: in its project, or by what is known of one mail.
fn search(view: &View, linkname: Option<&str>) -> Markup {
    let (action, label) = match linkname {
        Some(linkname) => (
            view.links().list(linkname),
            format!("Search the patches of {linkname}"),
        ),
        None => (
            view.links().home(),
            "Find a patch by number or message id".into(),
        ),
    };
    let placeholder = match linkname {
        Some(_) => "Search patches",
        None => "Number or message id",
    };
    html! {
        form role="search" action=(action) {
            @if linkname.is_some() {
                input type="hidden" name="state" value="*";
                input type="hidden" name="archive" value="both";
            }
            input type="search" name="q" aria-label=(label) placeholder=(placeholder);
            button type="submit" { "Search" }
        }
    }
}

fn words(status: Status) -> (&'static str, &'static str) {
    match status.code {
        400 => (
            "Bad request",
            "The request could not be understood. Go back and try it once more.",
        ),
        403 => ("Not allowed", "You have no permission for this."),
        404 => ("Not found", "There is nothing at this address."),
        405 => ("Method not allowed", "This page can only be read."),
        413 => ("Too large", "What you sent is larger than this site takes."),
        429 => (
            "Too many requests",
            "This was tried too often of late. Please wait a while and try again.",
        ),
        503 => (
            "Back in a moment",
            "The database cannot be reached right now. Nothing is lost; please try again in half a minute.",
        ),
        code if (400..500).contains(&code) => {
            ("That did not work", "The request could not be answered.")
        }
        _ => (
            "Something went wrong",
            "The error has been logged. Trying again may help; if not, tell the administrators the reference below.",
        ),
    }
}
