//! Mails by HTTP (`deploy.md §11`): from mail services, and from scripts where no mail server can call a program. No form of
//! ours is sent here and no browser comes by, so there is no token of a page; the secret is the proof, or a signature.

mod body;
mod key;

use std::time::Duration;

use rocket::{
    Data, Request, Response, Route,
    data::ToByteUnit,
    http::{ContentType, Method, Status},
    route::{Handler, Outcome},
    tokio::{sync::Semaphore, time::timeout},
};
use rocket_db_pools::Database;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::guard::View;
use crate::{
    auth::hex,
    config::INBOUND_BYTES as MOST_BYTES,
    domain::{ListId, Timestamp},
    ingest::{
        Outcome as Became, Why,
        taker::{Taken, Taker},
    },
    store,
};
use body::{Body, Content};
pub use key::Keys;
use key::{Shown, Signature};

/// How long a request may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(120);

/// In minutes.
const A_DAY: i64 = 24 * 60;

/// How many are in hand at a time.
const MOST_AT_ONCE: usize = 8;

/// How many may hand mails in at a time.
#[derive(Debug)]
pub struct Desk {
    room: Semaphore,
}

impl Default for Desk {
    fn default() -> Self {
        Desk {
            room: Semaphore::new(MOST_AT_ONCE),
        }
    }
}

/// Returns the routes of mails by HTTP.
pub fn routes() -> Vec<Route> {
    // The second is what Mailgun wants, to send the mail whole.
    ["/inbound/mail", "/inbound/mail/mime"]
        .map(|path| Route::new(Method::Post, path, Inbound))
        .to_vec()
}

#[derive(Clone)]
struct Inbound;

/// What a mail became, or why it is refused.
struct Answer(Status, Value);

fn refused(status: Status, why: &str) -> Answer {
    Answer(status, json!({ "error": why }))
}

#[rocket::async_trait]
impl Handler for Inbound {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let answer = match take(request, data).await {
            Ok(answer) | Err(answer) => answer,
        };
        Outcome::Success(answer.response())
    }
}

impl Answer {
    fn response(self) -> Response<'static> {
        let body = format!("{}\n", self.1);
        let mut response = Response::build();
        response
            .status(self.0)
            .header(ContentType::JSON)
            .raw_header("Cache-Control", "no-store")
            .sized_body(body.len(), std::io::Cursor::new(body));
        match self.0.code {
            401 => drop(response.raw_header("WWW-Authenticate", "Basic realm=\"mails\"")),
            503 => drop(response.raw_header("Retry-After", "30")),
            _ => {}
        }
        response.finalize()
    }
}

async fn take(request: &Request<'_>, data: Data<'_>) -> Result<Answer, Answer> {
    let view = View::of(request);
    let keys = &view.options().inbound;
    if !keys.is_open() {
        return Err(refused(
            Status::NotFound,
            "Mails are not taken here: inbound.secret is not set.",
        ));
    }
    let is_shown = shown(request, keys)?;
    let desk = request
        .rocket()
        .state::<Desk>()
        .expect("mount() manages it");
    let _room = desk.room.acquire().await.expect("it is never closed");
    let body = read(request, data).await?;
    let signature = body.signature.as_ref().filter(|_| !is_shown);
    let now = Timestamp::now().0 / 1_000_000;
    let raw = match (is_shown, signature, body.content) {
        (false, Some(signed), Some(Content::Mail(raw))) => {
            if !keys.is_signed(signed, now) {
                return Err(refused(
                    Status::Forbidden,
                    "The signature is wrong, or too old.",
                ));
            }
            if !brings(request, signed, &raw).await? {
                return Err(refused(
                    Status::Forbidden,
                    "The signature has come with another mail before.",
                ));
            }
            raw
        }
        (false, ..) => return Err(unknown()),
        (true, _, Some(content)) => {
            // Its signature cannot be looked at without fetching what it is made with; so the topic has to be known.
            if body
                .topic
                .as_deref()
                .is_some_and(|topic| !keys.has_topic(topic))
            {
                return Err(refused(
                    Status::Forbidden,
                    "This topic is not in inbound.topics.",
                ));
            }
            match content {
                Content::Mail(raw) => raw,
                Content::Handshake(url) => {
                    tracing::warn!(
                        "a topic asks whether it may send mails: visit {url} to allow it"
                    );
                    return Ok(Answer(
                        Status::Ok,
                        json!({ "result": "ignored", "reason": "handshake" }),
                    ));
                }
            }
        }
        (true, _, None) => return Err(refused(Status::BadRequest, "There is no mail.")),
    };
    stored(request, &view, raw).await
}

fn away() -> Answer {
    refused(
        Status::ServiceUnavailable,
        "Mails cannot be stored now; try again.",
    )
}

/// Says whether a signature may bring a mail, and holds it to that mail: it covers none, and must not bring another one. The
/// site remembers for a day, longer than a signature is good.
async fn brings(request: &Request<'_>, signed: &Signature, raw: &[u8]) -> Result<bool, Answer> {
    let database = store::Database::fetch(request.rocket()).ok_or_else(away)?;
    let token = format!("inbound token {}", signed.token);
    let mail = format!("{token} {}", hex(&Sha256::digest(raw)));
    let counted = async {
        let (mut tx, now) = (database.0.begin().await?, Timestamp::now());
        let all = store::throttle::count(&mut tx, &token, A_DAY, now).await?;
        let same = store::throttle::count(&mut tx, &mail, A_DAY, now).await?;
        let is_bound = all.count == same.count;
        if is_bound {
            tx.commit().await?;
        }
        Ok(is_bound)
    };
    counted.await.map_err(|error: store::Error| {
        tracing::error!("a signature cannot be looked up: {error}");
        away()
    })
}

fn unknown() -> Answer {
    refused(
        Status::Unauthorized,
        "Show the secret, as a Bearer token or as the password of Basic.",
    )
}

/// Says whether the secret is shown; where it is not, only a signature helps.
fn shown(request: &Request<'_>, keys: &Keys) -> Result<bool, Answer> {
    let header = request.headers().get_one("Authorization");
    let key = field(request, "key");
    match keys.look(header, key.as_deref()) {
        Shown::Right => Ok(true),
        Shown::Wrong if header.is_some() => Err(unknown()),
        Shown::Wrong => Err(refused(Status::Forbidden, "The key is wrong.")),
        Shown::Nothing if keys.mailgun_key.is_empty() => Err(unknown()),
        Shown::Nothing => Ok(false),
    }
}

/// Returns a field of the query.
fn field(request: &Request<'_>, name: &str) -> Option<String> {
    let query = request.uri().query()?.as_str();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

async fn read(request: &Request<'_>, data: Data<'_>) -> Result<Body, Answer> {
    let too_large = || refused(Status::PayloadTooLarge, "A mail has 32 MiB at most here.");
    let length = request.headers().get_one("Content-Length");
    if length
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: u64| length > MOST_BYTES)
    {
        return Err(too_large());
    }
    let arriving = timeout(ARRIVAL, data.open(MOST_BYTES.bytes()).into_bytes());
    let bytes = match arriving.await {
        Ok(Ok(bytes)) if bytes.is_complete() => bytes.into_inner(),
        Ok(Ok(_)) => return Err(too_large()),
        // Half a mail must not be stored.
        Ok(Err(_)) | Err(_) => {
            return Err(refused(
                Status::BadRequest,
                "The request did not arrive whole.",
            ));
        }
    };
    let kind = request
        .headers()
        .get_one("Content-Type")
        .unwrap_or_default();
    let body = Body::read(kind, bytes).await;
    body.map_err(|why| refused(Status::BadRequest, why))
}

async fn stored(request: &Request<'_>, view: &View<'_>, raw: Vec<u8>) -> Result<Answer, Answer> {
    let database = store::Database::fetch(request.rocket()).ok_or_else(away)?;
    let list = field(request, "list_id").filter(|list| !list.is_empty());
    let list = list.map(|list| ListId::new(list.trim().trim_matches(['<', '>'])));
    // No spool: whoever sends keeps the mail and tries again.
    let taker = Taker::new(database.0.clone(), view.options().intake.clone(), None);
    match taker.take(raw, list).await {
        Ok(Taken::Stored(became)) => Ok(told(view, &became)),
        Ok(Taken::Spooled) | Err(_) => Err(away()),
    }
}

/// Returns what a mail became, for whoever sent it.
fn told(view: &View<'_>, became: &Became) -> Answer {
    let links = view.links();
    let done = |result: &str, id: Option<i64>, path: Option<String>| {
        let url = path.map(|path| view.absolute(&path));
        Answer(
            Status::Ok,
            json!({ "result": result, "id": id, "url": url }),
        )
    };
    match became {
        Became::Patch(id) => done("patch", Some(id.0), Some(links.patch_number(*id))),
        Became::Cover(id) => done("cover", Some(id.0), Some(links.cover_number(*id))),
        Became::Comment(id) => done("comment", Some(id.0), None),
        Became::Duplicate(_) => done("duplicate", None, None),
        Became::Ignored(Why::NoProject) => done("no-project", None, None),
        Became::Ignored(why) => Answer(
            Status::Ok,
            json!({ "result": "ignored", "reason": why.word() }),
        ),
        Became::Invalid(why) => refused(Status::UnprocessableEntity, why),
        Became::Quarantined { id, reason } => Answer(
            Status::UnprocessableEntity,
            json!({ "error": reason, "quarantine": id.0 }),
        ),
    }
}
