//! What a handler can answer: a page, a part of one, a file, another address.

use std::io::Cursor;

use maud::Markup;
use rocket::{Request, Response, http::Status, response::Responder};

use super::download::File;

/// The answer of a handler.
pub enum Answer {
    /// A whole page.
    Page(Markup),
    /// The part of a page that htmx asked for, and the address under which the page shows the same.
    Part {
        /// The part.
        body: Markup,
        /// The address, if it is to be shown.
        address: Option<String>,
    },
    /// An Atom feed.
    Feed(Vec<u8>),
    /// A whole page that nobody keeps: it shows what is shown once.
    Once(Markup),
    /// What led here is no longer worth anything; the page says how to go on.
    Gone(Markup),
    /// Something to save.
    File(File),
    /// What was sent makes no sense: the form again, with what was entered and what is wrong.
    Invalid(Markup),
    /// It was tried too often, and may be tried again after so many seconds: the form with what was entered.
    Later(Markup, i64),
    /// Somebody else was faster: both values, to choose from.
    Conflict(Markup),
    /// It is done; what came of it is over there.
    Done(String),
    /// It is over there.
    Found(String),
    /// It is over there, and that is its only address.
    Moved(String),
}

impl<'r> Responder<'r, 'static> for Answer {
    fn respond_to(self, request: &'r Request<'_>) -> rocket::response::Result<'static> {
        match self {
            Answer::Page(body) => body.respond_to(request),
            Answer::Part { body, address } => {
                let mut response = body.respond_to(request)?;
                if let Some(address) = address {
                    response.set_raw_header("HX-Push-Url", address);
                }
                Ok(response)
            }
            Answer::Feed(bytes) => Response::build()
                .raw_header("Content-Type", "application/atom+xml; charset=utf-8")
                .sized_body(bytes.len(), Cursor::new(bytes))
                .ok(),
            Answer::Once(body) => {
                let mut response = body.respond_to(request)?;
                response.set_raw_header("Cache-Control", "no-store");
                Ok(response)
            }
            Answer::Gone(body) => {
                let mut response = body.respond_to(request)?;
                response.set_status(Status::Gone);
                Ok(response)
            }
            Answer::File(file) => file.respond_to(request),
            Answer::Invalid(body) => {
                let mut response = body.respond_to(request)?;
                response.set_status(Status::UnprocessableEntity);
                Ok(response)
            }
            Answer::Later(body, seconds) => {
                let mut response = body.respond_to(request)?;
                response.set_status(Status::TooManyRequests);
                response.set_raw_header("Retry-After", seconds.to_string());
                Ok(response)
            }
            Answer::Conflict(body) => {
                let mut response = body.respond_to(request)?;
                response.set_status(Status::Conflict);
                Ok(response)
            }
            Answer::Done(address) => redirect(Status::SeeOther, address),
            Answer::Found(address) => redirect(Status::Found, address),
            Answer::Moved(address) => redirect(Status::MovedPermanently, address),
        }
    }
}

fn redirect(status: Status, address: String) -> rocket::response::Result<'static> {
    Response::build()
        .status(status)
        .raw_header("Location", address)
        .sized_body(0, Cursor::new(""))
        .ok()
}
