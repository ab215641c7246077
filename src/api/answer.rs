//! Answers: their form, their validators, their headers (`rest.md §3`).

use std::io::Cursor;

use rocket::{
    Request, Response,
    http::{Accept, ContentType, Status},
};

use super::{html, request::Cx};

/// What a resource answers.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: Status,
    /// The body, JSON; empty for none.
    pub json: String,
    /// The header `Link`.
    pub link: Option<String>,
    /// How long the list is.
    pub total: Option<i64>,
    /// Where what was created is.
    pub location: Option<String>,
    /// The header `ETag`.
    pub tag: Option<String>,
    /// Whether it may come out otherwise the next time, although nothing is written meanwhile.
    pub is_passing: bool,
}

impl Reply {
    /// All is well.
    pub fn ok(json: String) -> Reply {
        Reply {
            status: Status::Ok,
            json,
            link: None,
            total: None,
            location: None,
            tag: None,
            is_passing: false,
        }
    }

    /// The reader has the answer with this tag.
    pub fn unchanged(tag: String) -> Reply {
        Reply {
            status: Status::NotModified,
            tag: Some(tag),
            ..Reply::ok(String::new())
        }
    }

    /// Something was created.
    pub fn created(json: String, location: String) -> Reply {
        Reply {
            status: Status::Created,
            location: Some(location),
            ..Reply::ok(json)
        }
    }

    /// There is nothing more to say.
    pub fn gone() -> Reply {
        Reply {
            status: Status::NoContent,
            ..Reply::ok(String::new())
        }
    }
}

/// In which form an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// JSON, with so many blanks for each level.
    Json(usize),
    /// A page for people.
    Html,
}

/// How an answer's form was asked for and cannot be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoForm {
    /// `?format=` names none we know.
    Format,
    /// The header `Accept` takes none that we have.
    Accept,
}

/// Finds out in which form an answer is wanted.
///
/// # Errors
/// When it is none that we have.
pub fn form(format: Option<&str>, accept: Option<&Accept>) -> Result<Form, NoForm> {
    match format {
        Some("json") => return Ok(Form::Json(0)),
        Some("api") => return Ok(Form::Html),
        Some("") | None => {}
        Some(_) => return Err(NoForm::Format),
    }
    let Some(accept) = accept else {
        return Ok(Form::Json(0));
    };
    let mut wanted: Vec<_> = accept.iter().collect();
    if wanted.is_empty() {
        return Ok(Form::Json(0));
    }
    // Stable: of two of the same weight the first one counts.
    wanted.sort_by(|a, b| b.weight_or(1.0).total_cmp(&a.weight_or(1.0)));
    let found = wanted
        .iter()
        .filter(|it| it.weight_or(1.0) > 0.0)
        .find_map(|it| {
            let (top, sub) = (
                it.media_type().top().as_str(),
                it.media_type().sub().as_str(),
            );
            match (top, sub) {
                ("*", "*") | ("application", "*" | "json") => {
                    let indent = it.media_type().params().find(|(name, _)| *name == "indent");
                    let indent = indent
                        .and_then(|(_, value)| value.parse().ok())
                        .unwrap_or(0);
                    Some(Form::Json(usize::min(indent, 8)))
                }
                ("text", "*" | "html") => Some(Form::Html),
                _ => None,
            }
        });
    found.ok_or(NoForm::Accept)
}

/// Turns a reply into Rocket's answer.
pub fn response<'r>(
    request: &Request<'_>,
    cx: &Cx<'_>,
    reply: Reply,
    form: Form,
    allow: &str,
) -> Response<'r> {
    let mut response = Response::build();
    response.status(reply.status);
    headers(&mut response, allow);
    if form == Form::Html && reply.status == Status::NoContent {
        // A browser would stay on the page of what is gone.
        response.status(Status::SeeOther);
        response.raw_header("Location", above(request.uri().path().raw().as_str()));
    }
    if let Some(link) = &reply.link {
        response.raw_header("Link", link.clone());
    }
    if let Some(total) = reply.total {
        response.raw_header("X-Total-Count", total.to_string());
    }
    if let Some(tag) = &reply.tag {
        response.raw_header("ETag", tag.clone());
        response.raw_header("Cache-Control", "max-age=0");
    }
    if let Some(location) = &reply.location {
        response.raw_header("Location", location.clone());
    }
    if !reply.json.is_empty() {
        let (kind, body) = match form {
            Form::Json(indent) => (ContentType::JSON, indented(reply.json, indent)),
            Form::Html => (ContentType::HTML, html::page(cx, request, &reply)),
        };
        response.header(kind);
        response.sized_body(body.len(), Cursor::new(body));
    }
    response.finalize()
}

/// Returns the path of the list that a thing is in.
fn above(path: &str) -> String {
    let thing = path.trim_end_matches('/');
    format!("{}/", thing.rsplit_once('/').map_or("", |(list, _)| list))
}

/// Sets what every answer of the API has.
pub fn headers(response: &mut rocket::response::Builder<'_>, allow: &str) {
    response.raw_header("Vary", "Accept, Cookie, Authorization");
    if !allow.is_empty() {
        response.raw_header("Allow", allow.to_owned());
    }
}

/// Lays out JSON for people: the keys stay in their order.
pub fn indented(json: String, indent: usize) -> String {
    if indent == 0 {
        return json;
    }
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0;
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                out.push(c);
                text(&mut chars, &mut out);
            }
            '{' | '[' if chars.peek().is_some_and(|next| matches!(next, '}' | ']')) => {
                out.push(c);
                out.extend(chars.next());
            }
            '{' | '[' => {
                depth += 1;
                out.push(c);
                line(&mut out, depth * indent);
            }
            '}' | ']' => {
                depth = usize::saturating_sub(depth, 1);
                line(&mut out, depth * indent);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth * indent);
            }
            ':' => out.push_str(": "),
            c => out.push(c),
        }
    }
    out
}

fn line(out: &mut String, blanks: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', blanks));
}

/// Copies a text to its end.
fn text(chars: &mut impl Iterator<Item = char>, out: &mut String) {
    while let Some(c) = chars.next() {
        out.push(c);
        match c {
            '\\' => out.extend(chars.next()),
            '"' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    #[test]
    fn forms_are_chosen_as_browsers_and_scripts_ask() {
        let of = |format, accept: &str| {
            let accept = (!accept.is_empty()).then(|| Accept::from_str(accept).expect("a header"));
            form(format, accept.as_ref())
        };
        for (accept, expected) in [
            ("", Ok(Form::Json(0))),
            ("*/*", Ok(Form::Json(0))),
            ("application/*", Ok(Form::Json(0))),
            ("application/json; indent=4", Ok(Form::Json(4))),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Ok(Form::Html)),
            ("text/html;q=0.5, application/json", Ok(Form::Json(0))),
            ("application/xml", Err(NoForm::Accept)),
            ("text/plain", Err(NoForm::Accept)),
        ] {
            assert_eq!(of(None, accept), expected, "{accept}");
        }
        assert_eq!(of(Some("json"), "text/html"), Ok(Form::Json(0)));
        assert_eq!(of(Some("api"), "application/json"), Ok(Form::Html));
        assert_eq!(of(Some("xml"), ""), Err(NoForm::Format));
    }

    #[test]
    fn indented_answers_keep_the_order_of_keys() {
        assert_eq!(
            indented("{\"b\":\"x,\\\"{\",\"a\":[2,{}]}".into(), 2),
            "{\n  \"b\": \"x,\\\"{\",\n  \"a\": [\n    2,\n    {}\n  ]\n}"
        );
    }
}
