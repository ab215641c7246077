//! From the front server's variables to Rocket's request.

use std::io::Read;

use rocket::{
    fairing::AdHoc,
    http::{
        Cookie, Header, Method, Status,
        uri::{Host, Origin},
    },
    local::asynchronous::{Client, LocalRequest},
};

use super::{Door, Limits, body, environment::Environment, target::target};

/// The method of a request as the client sent it.
struct Sent(Method);

/// Has requests keep the method they were sent with: Rocket takes another one from a form's first field `_method`, and so
/// a form on any page could send what only scripts may. To be attached before fairings that change the method.
pub fn methods() -> AdHoc {
    AdHoc::on_request("Methods as sent", |request, _| {
        Box::pin(async move {
            let method = request.method();
            let Sent(sent) = request.local_cache(|| Sent(method));
            request.set_method(*sent);
        })
    })
}

/// Why a request does not reach Rocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It breaks a rule of HTTP or CGI.
    Malformed,
    /// It has a method that Rocket does not know.
    UnknownMethod,
    /// Its body exceeds the limit.
    TooLarge,
    /// Its body does not come.
    TooSlow,
    /// The site did not start, or did not end an answer.
    Broken,
    /// The site cannot be served now.
    Away,
}

impl Refusal {
    /// Returns the status to answer with.
    pub(super) fn status(self) -> Status {
        match self {
            Refusal::Malformed => Status::BadRequest,
            // Nothing of ours is broken: no page has the method, known or not.
            Refusal::UnknownMethod => Status::MethodNotAllowed,
            Refusal::TooLarge => Status::PayloadTooLarge,
            Refusal::TooSlow => Status::RequestTimeout,
            Refusal::Broken => Status::InternalServerError,
            Refusal::Away => Status::ServiceUnavailable,
        }
    }
}

/// Returns whether the client wants the head of the answer only.
pub(super) fn is_head(environment: &Environment) -> bool {
    environment.bytes("REQUEST_METHOD") == Some(b"HEAD")
}

/// Makes Rocket's request; reads the body from `input`.
pub(super) fn request<'c>(
    client: &'c Client,
    environment: &Environment,
    door: Door,
    limits: Limits,
    input: &mut dyn Read,
) -> Result<LocalRequest<'c>, Refusal> {
    let target = target(environment).ok_or(Refusal::Malformed)?;
    let target = Origin::parse_owned(target).map_err(|_| Refusal::Malformed)?;
    let method = method(environment)?;
    let mut request = client.req(method, target);
    request.inner().local_cache(|| Sent(method));
    for (name, value) in environment.headers() {
        request.add_header(Header::new(name, value));
    }
    if let Some(host) = environment
        .text("HTTP_HOST")
        .and_then(|host| Host::parse_owned(host.into()).ok())
    {
        request.set_host(host);
    }
    if let Some(remote) = environment.remote() {
        request.set_remote(remote);
    }
    let body = body::read(environment, door, limits, input)?;
    Ok(request.cookies(cookies(environment)).body(body))
}

/// Returns the request's method.
fn method(environment: &Environment) -> Result<Method, Refusal> {
    let method = environment
        .text("REQUEST_METHOD")
        .ok_or(Refusal::Malformed)?;
    method.parse().map_err(|_| Refusal::UnknownMethod)
}

/// Returns the request's cookies.
///
/// Their values are percent-encoded, as Rocket's own server has it; a plain parse would break flash messages.
fn cookies(environment: &Environment) -> Vec<Cookie<'static>> {
    let headers = environment.headers();
    let lines = headers.iter().filter(|(name, _)| name == "cookie");
    let parts = lines.flat_map(|(_, line)| line.split(';'));
    parts
        .filter_map(|part| Cookie::parse_encoded(part.trim().to_owned()).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_of_all_lines_are_decoded() {
        let given = [
            ("HTTP_COOKIE", "a=1; b=%22two%22;c"),
            ("HTTP_COOKIE", " d=x=y "),
        ];
        let cookies = cookies(&given.into_iter().collect());
        let pairs: Vec<_> = cookies.iter().map(Cookie::name_value).collect();
        assert_eq!(pairs, [("a", "1"), ("b", "\"two\""), ("d", "x=y")]);
    }

    #[test]
    fn methods() {
        let of = |said: &str| method(&[("REQUEST_METHOD", said)].into_iter().collect());
        assert_eq!(of("PATCH"), Ok(Method::Patch));
        assert_eq!(of("BREW"), Err(Refusal::UnknownMethod));
        assert_eq!(of(""), Err(Refusal::Malformed));
    }
}
