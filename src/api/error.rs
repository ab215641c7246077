//! What can be wrong with a request, and how clients are told (`rest.md §4`).

use rocket::http::Status;

use super::json::Json;
use crate::{auth::Refused, store};

/// Why a request is not answered as asked.
#[derive(Debug)]
pub enum Problem {
    /// Nothing is at this address.
    NoRoute,
    /// There is no such thing, or it is hidden; the word is the thing's.
    Missing(&'static str),
    /// There is no such page of a list.
    NoPage,
    /// The credentials are wrong.
    Refused(Refused),
    /// Nobody may do this without logging in.
    Anonymous,
    /// This user may not do this.
    Forbidden,
    /// This user may not do this, for a reason of its own.
    ForbiddenFor(&'static str),
    /// The thing does not have this method.
    Method(String),
    /// The answer would not be in a form that is taken.
    NotAcceptable,
    /// The body is in a form we do not know.
    MediaType(String),
    /// The body is not what its form asks for.
    Malformed(String),
    /// The body is no object.
    NoObject(String),
    /// The body is too large.
    TooLarge,
    /// Fields of the body are wrong.
    Fields(Faults),
    /// What is asked for contradicts what is there.
    Conflict(&'static str),
    /// There is no room for now.
    Busy(&'static str),
    /// The database is away or refuses.
    Store(store::Error),
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Problem {
        Problem::Store(error)
    }
}

/// The result of answering.
pub type Result<T, E = Problem> = std::result::Result<T, E>;

const RELATION_CONFLICT: &str = "At least one patch is already part of another relation. You have to explicitly remove a \
     patch from its existing relation before moving it to this one.";

impl Problem {
    /// Some of the patches to be related are in another relation.
    pub fn relations() -> Problem {
        Problem::Conflict(RELATION_CONFLICT)
    }

    /// Returns the status and the body of the answer.
    pub fn answer(&self) -> (Status, String) {
        let detail = |status, text: &str| (status, detail(text));
        match self {
            Problem::NoRoute => detail(Status::NotFound, "Not found."),
            Problem::Missing(thing) => (
                Status::NotFound,
                self::detail(&format!("No {thing} matches the given query.")),
            ),
            Problem::NoPage => detail(Status::NotFound, "Invalid page."),
            Problem::Refused(why @ Refused::TooOften(_)) => {
                (Status::TooManyRequests, self::detail(&why.to_string()))
            }
            Problem::Refused(why) => (Status::Forbidden, self::detail(&why.to_string())),
            Problem::Anonymous => detail(
                Status::Forbidden,
                "Authentication credentials were not provided.",
            ),
            Problem::Forbidden => detail(
                Status::Forbidden,
                "You do not have permission to perform this action.",
            ),
            Problem::ForbiddenFor(why) => detail(Status::Forbidden, why),
            Problem::Method(method) => (
                Status::MethodNotAllowed,
                self::detail(&format!("Method \"{method}\" not allowed.")),
            ),
            Problem::NotAcceptable => detail(
                Status::NotAcceptable,
                "Could not satisfy the request Accept header.",
            ),
            Problem::MediaType(kind) => (
                Status::UnsupportedMediaType,
                self::detail(&format!("Unsupported media type \"{kind}\" in request.")),
            ),
            Problem::Malformed(why) => detail(Status::BadRequest, why),
            Problem::NoObject(why) => (Status::BadRequest, details(&[why])),
            Problem::TooLarge => detail(
                Status::PayloadTooLarge,
                "The request is larger than this site takes.",
            ),
            Problem::Fields(faults) => (Status::BadRequest, faults.json()),
            Problem::Conflict(why) => detail(Status::Conflict, why),
            Problem::Busy(why) => detail(Status::ServiceUnavailable, why),
            Problem::Store(store::Error::Away(_)) => detail(
                Status::ServiceUnavailable,
                "The database cannot be reached right now. Please try again.",
            ),
            Problem::Store(error) if error.is_contention() => detail(
                Status::ServiceUnavailable,
                "Others are writing right now. Please try again.",
            ),
            Problem::Store(_) => detail(Status::InternalServerError, "Internal server error."),
        }
    }
}

/// Returns after how many seconds it is worth asking again, if that helps.
pub fn retry_after(problem: &Problem, status: Status) -> Option<i64> {
    match problem {
        Problem::Refused(Refused::TooOften(seconds)) => Some(*seconds),
        _ => (status == Status::ServiceUnavailable).then_some(30),
    }
}

/// Returns the usual body of an error.
pub fn detail(text: &str) -> String {
    let mut json = Json::default();
    json.object(|members| members.key("detail").text(text));
    json.into_string()
}

fn details(texts: &[&String]) -> String {
    let mut json = Json::default();
    json.object(|members| {
        members
            .key("detail")
            .list(texts, |json, text| json.text(text))
    });
    json.into_string()
}

/// What is wrong with the fields of a body, in the order of the fields.
#[derive(Debug, Default)]
pub struct Faults(Vec<(&'static str, Fault)>);

#[derive(Debug)]
enum Fault {
    Texts(Vec<String>),
    Inner(Faults),
}

impl Faults {
    /// Adds what is wrong with a field.
    pub fn add(&mut self, field: &'static str, text: impl Into<String>) {
        match self.0.last_mut() {
            Some((last, Fault::Texts(texts))) if *last == field => texts.push(text.into()),
            _ => self.0.push((field, Fault::Texts(vec![text.into()]))),
        }
    }

    /// Adds what is wrong inside of a field.
    pub fn add_inner(&mut self, field: &'static str, faults: Faults) {
        if !faults.0.is_empty() {
            self.0.push((field, Fault::Inner(faults)));
        }
    }

    /// Keeps the value of a field, or what is wrong with it.
    pub fn take<T>(&mut self, field: &'static str, read: Result<T, String>) -> Option<T> {
        read.map_err(|text| self.add(field, text)).ok()
    }

    /// Returns the value if nothing is wrong.
    ///
    /// # Errors
    /// When something is.
    pub fn none<T>(self, value: T) -> Result<T> {
        match self.0.is_empty() {
            true => Ok(value),
            false => Err(Problem::Fields(self)),
        }
    }

    /// Returns a single fault as a problem.
    pub fn one(field: &'static str, text: impl Into<String>) -> Problem {
        let mut faults = Faults::default();
        faults.add(field, text);
        Problem::Fields(faults)
    }

    fn json(&self) -> String {
        let mut json = Json::default();
        self.write(&mut json);
        json.into_string()
    }

    fn write(&self, json: &mut Json) {
        json.object(|members| {
            for (field, fault) in &self.0 {
                match fault {
                    Fault::Texts(texts) => {
                        members.key(field).list(texts, |json, text| json.text(text))
                    }
                    Fault::Inner(faults) => faults.write(members.key(field)),
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_by_field() {
        let mut inner = Faults::default();
        inner.add("b", "wrong");
        let mut faults = Faults::default();
        faults.add("a", "one");
        faults.add("a", "two");
        faults.add_inner("c", inner);
        faults.add_inner("d", Faults::default());
        assert_eq!(faults.json(), r#"{"a":["one","two"],"c":{"b":["wrong"]}}"#);
        let (status, body) = Problem::Missing("Patch").answer();
        assert_eq!(
            (status.code, body.as_str()),
            (404, r#"{"detail":"No Patch matches the given query."}"#)
        );
    }
}
