//! XML-RPC: what old clients and the scripts around them speak. Off unless a setting says otherwise.
//!
//! `codec.rs` reads calls and writes values, `method.rs` is the table of methods, and each noun's file answers those
//! about it. `answer.rs` writes what they give, `fault.rs` is the one place where errors become faults. The interface
//! is frozen: what it lacks, the REST API has.

mod answer;
mod argument;
mod call;
mod check;
mod codec;
mod fault;
mod filter;
mod help;
mod method;
mod patch;
mod person;
mod project;
mod session;
mod state;
mod system;

use std::{io::Cursor, net::IpAddr};

use futures_util::stream;
use maud::Markup;
use rocket::{
    Build, Data, Request, Response, Rocket, Route, State,
    data::{ByteUnit, ToByteUnit},
    http::{Method, Status},
    request::{FromRequest, Outcome},
    response::{Responder, stream::ReaderStream},
    route::{Handler, Outcome as Handled},
};

use self::{answer::Body, codec::Value, fault::Fault, session::Session};
use crate::{domain::Timestamp, store::Database};

/// How the interface is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The path below which the site lives, such as `/pw`; empty for the root.
    pub base: String,
    /// Whether it is offered.
    pub enabled: bool,
    /// The largest call, in bytes.
    pub max_body: u64,
    /// The path of the style sheet for readers in a browser.
    pub stylesheet: String,
    /// What the bar above the pages of the site begins with.
    pub brand: String,
}

/// What every call knows of the site.
struct Site {
    base: String,
    max_body: ByteUnit,
    stylesheet: String,
    brand: String,
}

/// Adds the interface to a site, if it is offered. [`Database`] has to be attached or managed by the caller.
pub fn mount(rocket: Rocket<Build>, options: Options) -> Rocket<Build> {
    if !options.enabled {
        return rocket;
    }
    let base = match options.base.trim_matches('/') {
        "" => String::new(),
        base => format!("/{base}"),
    };
    let routes = [rocket::routes![answered, helped], others()].concat();
    rocket.mount(format!("{base}/"), routes).manage(Site {
        base,
        max_body: options.max_body.bytes(),
        stylesheet: options.stylesheet,
        brand: options.brand,
    })
}

/// Who asks, as the request says.
struct Authorization {
    header: Option<String>,
    from: Option<IpAddr>,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Authorization {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let header = request.headers().get_one("Authorization");
        Outcome::Success(Authorization {
            header: header.map(str::to_owned),
            from: request.client_ip(),
        })
    }
}

/// Answers a call; with and without the closing slash, for clients do not follow redirects.
#[rocket::post("/xmlrpc", data = "<data>")]
async fn answered(
    data: Data<'_>,
    authorization: Authorization,
    site: &State<Site>,
    database: &State<Database>,
) -> Result<Xml, Status> {
    let sent = data.open(site.max_body).into_bytes().await;
    let sent = sent.map_err(|_| Status::BadRequest)?;
    if !sent.is_complete() {
        return Err(Status::PayloadTooLarge);
    }
    let db = &database.0;
    let Authorization { header, from } = authorization;
    let session = Session::new(db.clone(), header, from, Timestamp::now());
    Ok(Xml::of(session, &sent).await)
}

#[rocket::get("/xmlrpc")]
fn helped(site: &State<Site>) -> Markup {
    help::page(site)
}

/// The answer to a call.
enum Xml {
    Whole(String),
    /// The first piece, and what makes the others.
    Long(String, Box<Body>),
}

impl Xml {
    async fn of(session: Session, sent: &[u8]) -> Xml {
        match begun(session, sent).await {
            Ok((whole, body)) if body.is_done() => Xml::Whole(whole),
            Ok((first, body)) => Xml::Long(first, Box::new(body)),
            Err(fault) => Xml::Whole(answer::fault(&fault)),
        }
    }
}

async fn begun(session: Session, sent: &[u8]) -> Result<(String, Body), Fault> {
    let call = codec::call(sent)?;
    let mut body = Body::of(session, call).await?;
    Ok((body.piece().await?, body))
}

impl<'r> Responder<'r, 'static> for Xml {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        let mut response = Response::build();
        response.raw_header("Content-Type", "text/xml; charset=utf-8");
        match self {
            Xml::Whole(text) => response.sized_body(text.len(), Cursor::new(text)),
            Xml::Long(first, body) => {
                let pieces = stream::unfold((first, body), following);
                response.streamed_body(ReaderStream::from(pieces))
            }
        };
        response.ok()
    }
}

/// A piece that is to be sent, and what makes those behind it.
type Long = (String, Box<Body>);

/// Returns a piece, and the one behind it for the next time.
async fn following((piece, mut body): Long) -> Option<(Cursor<String>, Long)> {
    if piece.is_empty() {
        return None;
    }
    // What was sent cannot be taken back. It ends here, and without its end nobody takes it for a whole answer.
    let next = body.piece().await.unwrap_or_default();
    Some((Cursor::new(piece), (next, body)))
}

/// Refuses all other methods.
fn others() -> Vec<Route> {
    let others = [Method::Put, Method::Patch, Method::Delete, Method::Options];
    others
        .map(|method| Route::new(method, "/xmlrpc", Refuse))
        .into()
}

#[derive(Clone)]
struct Refuse;

#[rocket::async_trait]
impl Handler for Refuse {
    async fn handle<'r>(&self, _: &'r Request<'_>, _: Data<'r>) -> Handled<'r> {
        let text = "Calls are POSTed to this address.\n";
        let mut response = Response::build();
        response
            .status(Status::MethodNotAllowed)
            .raw_header("Allow", "GET, HEAD, POST")
            .raw_header("Content-Type", "text/plain; charset=utf-8")
            .sized_body(text.len(), Cursor::new(text));
        Handled::Success(response.finalize())
    }
}

/// Returns a moment as it is sent.
fn moment(at: Timestamp) -> Value {
    let second = at.format("%Y-%m-%d %H:%M:%S");
    let text = match at.0.rem_euclid(1_000_000) {
        0 => second,
        rest => format!("{second}.{rest:06}"),
    };
    Value::encoded(Some(&text))
}
