//! Statuses and headers of answers.

use serde_json::{Map, Value, json};

use super::{body::content, schema::reference};

/// How requests can be refused: status, name, why.
const REFUSALS: &[(u16, &str, &str)] = &[
    (
        400,
        "Malformed",
        "What is searched for cannot be read; the answer says where.",
    ),
    (
        403,
        "Forbidden",
        "The credentials are wrong, missing, or not enough.",
    ),
    (
        404,
        "NotFound",
        "There is no such thing or page, or it may not be seen.",
    ),
    (
        406,
        "NotAcceptable",
        "The header `Accept` takes nothing that there is.",
    ),
    (409, "Conflict", "It contradicts what is there."),
    (413, "TooLarge", "The body is larger than this site takes."),
    (
        415,
        "UnsupportedMediaType",
        "The body is in a form that is not known.",
    ),
    (
        429,
        "TooOften",
        "So many wrong passwords came for the account that it waits.",
    ),
    (500, "InternalServerError", "The site is at fault."),
    (503, "Unavailable", "The database is away."),
];

/// Returns all answers that refuse.
pub fn refusals() -> Map<String, Value> {
    REFUSALS
        .iter()
        .map(|it| (it.1.to_owned(), refusal(it.0, it.2)))
        .collect()
}

fn refusal(status: u16, why: &str) -> Value {
    let mut answer = json!({ "description": why, "content": content(reference("Error")) });
    if matches!(status, 429 | 503) {
        answer["headers"] = json!({ "Retry-After": header("Retry-After") });
    }
    answer
}

/// Returns a refusal by its status, for the answers of an operation.
pub fn refused(status: u16) -> (String, Value) {
    let known = REFUSALS.iter().find(|it| it.0 == status);
    let name = known.map_or("InternalServerError", |it| it.1);
    let reference = json!({ "$ref": format!("#/components/responses/{name}") });
    (status.to_string(), reference)
}

/// Returns an answer with headers.
pub fn answer(about: &str, headers: &[&str], content: Option<Value>) -> Value {
    let mut answer = json!({ "description": about });
    if !headers.is_empty() {
        let all = headers
            .iter()
            .map(|name| ((*name).to_owned(), header(name)));
        answer["headers"] = all.collect::<Map<_, _>>().into();
    }
    if let Some(content) = content {
        answer["content"] = content;
    }
    answer
}

fn header(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// Returns all headers.
pub fn headers() -> Value {
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": "integer", "minimum": 0 });
    let header = |about: &str, schema: Value| json!({ "description": about, "required": true, "schema": schema });
    let tag = "What to send as `If-None-Match` to be answered 304 while nothing has changed.";
    json!({
        "Link": header("The pages `next`, `prev`, `first` and `last`, as far as there are.", text()),
        "X-Total-Count": { "description": "How long the whole list is, if it was counted.", "schema": number() },
        "Location": header("Where what was made is.", json!({ "type": "string", "format": "uri" })),
        "ETag": { "description": tag, "schema": text() },
        "Retry-After": header("After how many seconds to try again.", number()),
    })
}
