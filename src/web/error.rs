//! The one place where errors become pages, and where they are logged.

use maud::{Markup, html};
use rocket::{
    Catcher, Request, Response,
    http::{ContentType, Status},
    response::Responder,
};

use super::{guard::View, layout};
use crate::store;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing of that name.
    #[error("not found")]
    Missing(Option<Missing>),
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
}

impl Error {
    /// Nothing is known of it.
    pub fn missing() -> Self {
        Error::Missing(None)
    }
}

/// The result of a handler.
pub type Result<T> = std::result::Result<T, Error>;

impl<'r> Responder<'r, 'static> for Error {
    fn respond_to(self, request: &'r Request<'_>) -> rocket::response::Result<'static> {
        match self {
            Error::Missing(missing) => Ok(response(request, Status::NotFound, missing)),
            Error::Store(error) => {
                let away = matches!(error, store::Error::Away(_));
                let status = if away || error.is_contention() {
                    Status::ServiceUnavailable
                } else {
                    Status::InternalServerError
                };
                tracing::error!("{} failed: {error}", request.uri());
                Ok(response(request, status, None))
            }
        }
    }
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
        Ok(response(request, status, None))
    }
}

/// Draws the page of an error. Needs neither database nor session.
pub fn response(
    request: &Request<'_>,
    status: Status,
    missing: Option<Missing>,
) -> Response<'static> {
    let view = View::of(request);
    let path = request.uri().path().percent_decode_lossy().into_owned();
    let body =
        layout::bare(&view, words(status).0, page(&view, status, &path, missing)).into_string();
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

fn page(view: &View, status: Status, path: &str, missing: Option<Missing>) -> Markup {
    let (title, advice) = words(status);
    html! {
        div.narrow {
            p.code { (status.code) }
            h1 { (title) }
            @match &missing {
                Some(missing) => p { (missing.text) },
                None if status == Status::NotFound => p { "There is nothing at " code { (path) } "." },
                None => p { (advice) },
            }
            @if let Some(missing) = &missing {
                @if !missing.ways.is_empty() {
                    ul { @for (text, address) in &missing.ways { li { a href=(address) { (text) } } } }
                }
            }
            @if status == Status::NotFound { p.muted { (advice) } }
            p { a.button href=(view.links().home()) { "All projects" } }
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
        404 => (
            "Not found",
            "If you followed a link from a mail, the patch may belong to another project: pick it and search there.",
        ),
        405 => ("Method not allowed", "This page can only be read."),
        413 => ("Too large", "What you sent is larger than this site takes."),
        429 => (
            "Too many requests",
            "Please wait half a minute and try again.",
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
            "The error has been logged. Trying again may help; if not, tell the administrators what you did.",
        ),
    }
}
