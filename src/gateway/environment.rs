//! What a front server says about a request: the variables of CGI/1.1 (RFC 3875), which FastCGI passes too.

use std::{
    borrow::Cow,
    ffi::OsString,
    net::{IpAddr, SocketAddr},
    os::unix::ffi::OsStringExt,
};

use super::forwarded::{Said, Trusted};

/// The headers in which front servers tell of clients.
const FORWARDED: [&str; 3] = [
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_FORWARDED",
];

/// Tells the site that a front server passed a request on, or says so: then it is not from this machine, whatever its address.
const PASSED_ON: &str = "HTTP_X_PATCHWORK_PASSED_ON";

/// The variables of a request, with the bytes and in the order the front server sent them.
///
/// A name may come twice: nginx passes a repeated header so, and lets a later line of its configuration
/// override an earlier one.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment(Vec<(String, Vec<u8>)>);

impl Environment {
    /// Returns the variables of this process, as a CGI program gets them.
    pub(super) fn of_process() -> Environment {
        let bytes = OsString::into_vec;
        std::env::vars_os()
            .map(|(name, value)| (bytes(name), bytes(value)))
            .collect()
    }

    /// Returns the value of `name`, the last one; `None` if it is empty, which servers send for "none".
    pub(super) fn bytes(&self, name: &str) -> Option<&[u8]> {
        let value = self
            .0
            .iter()
            .rfind(|variable| variable.0 == name)?
            .1
            .as_slice();
        (!value.is_empty()).then_some(value)
    }

    /// Returns the value of `name` like [`bytes`](Self::bytes), if it is UTF-8.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.bytes(name)?).ok()
    }

    /// Takes the client's address and scheme from what a front server says in headers, if whoever asked is a front server
    /// that is believed; `is_local` tells of somebody without an address. The headers themselves go: they have no other
    /// use, and from anybody else they are lies.
    pub(super) fn believe(&mut self, trusted: &Trusted, is_local: bool) {
        self.0.retain(|(name, _)| name != PASSED_ON);
        let is_passed_on = self
            .0
            .iter()
            .any(|(name, _)| FORWARDED.contains(&name.as_str()));
        let peer = self.remote();
        if peer.map_or(is_local, |peer| trusted.holds(peer.ip())) {
            let [hops, scheme, standard] = FORWARDED.map(|name| self.all(name));
            let said = Said::of(&hops, &scheme, &standard);
            let mut put = |name: &str, value: String| self.0.push((name.into(), value.into()));
            if let Some(client) = said.client(trusted) {
                put("REMOTE_ADDR", client.to_string());
                put("REMOTE_PORT", String::new());
            }
            if let Some(scheme) = said.scheme() {
                put("HTTPS", String::new());
                put("REQUEST_SCHEME", scheme.to_owned());
            }
        }
        self.0
            .retain(|(name, _)| !FORWARDED.contains(&name.as_str()));
        if is_passed_on {
            self.0.push((PASSED_ON.into(), b"1".into()));
        }
    }

    /// Returns the values of a header that may come more than once, as one.
    fn all(&self, name: &str) -> String {
        let of_name = self.0.iter().filter(|variable| variable.0 == name);
        let values: Vec<_> = of_name
            .map(|(_, value)| String::from_utf8_lossy(value))
            .collect();
        values.join(",")
    }

    /// Returns whether the client came over TLS, as far as the front server knows.
    pub(super) fn is_https(&self) -> bool {
        let is = |name, values: &[&str]| {
            self.text(name)
                .is_some_and(|said| values.iter().any(|value| said.eq_ignore_ascii_case(value)))
        };
        is("HTTPS", &["on", "1"]) || is("REQUEST_SCHEME", &["https"])
    }

    /// Returns the client's address; `None` if it came over a Unix socket.
    pub(super) fn remote(&self) -> Option<SocketAddr> {
        let address: IpAddr = self.text("REMOTE_ADDR")?.parse().ok()?;
        let port = self.text("REMOTE_PORT").and_then(|port| port.parse().ok());
        Some(SocketAddr::new(address, port.unwrap_or(0)))
    }

    /// Returns the request's headers, their names in lower case.
    ///
    /// Values that are not UTF-8 are left out, as Rocket's own server does; but whoever shows credentials is not nobody,
    /// so of those what can be read is passed on.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let mut headers: Vec<_> = self
            .0
            .iter()
            .filter_map(|(name, value)| header(name, value))
            .collect();
        // Apache's mod_rewrite renames it.
        if self.bytes("HTTP_AUTHORIZATION").is_none()
            && let Some(secret) = self.bytes("REDIRECT_HTTP_AUTHORIZATION")
        {
            let secret = String::from_utf8_lossy(secret);
            headers.push(("authorization".into(), secret.into_owned()));
        }
        headers.retain(|(name, _)| name != "host" && name != "x-forwarded-proto");
        headers.extend(
            self.text("HTTP_HOST")
                .map(|host| ("host".into(), host.into())),
        );
        let scheme = if self.is_https() { "https" } else { "http" };
        headers.push(("x-forwarded-proto".into(), scheme.into()));
        headers
    }
}

impl<V: Into<Vec<u8>>> FromIterator<(V, V)> for Environment {
    /// Collects variables; one whose name is not UTF-8 is none of CGI's.
    fn from_iter<I: IntoIterator<Item = (V, V)>>(variables: I) -> Self {
        let named = variables.into_iter();
        Environment(
            named
                .filter_map(|(name, value)| {
                    Some((String::from_utf8(name.into()).ok()?, value.into()))
                })
                .collect(),
        )
    }
}

/// Returns the header that a variable stands for.
fn header(name: &str, value: &[u8]) -> Option<(String, String)> {
    let name = match name {
        // These two come without HTTP_, and empty when the client sent none.
        "CONTENT_TYPE" | "CONTENT_LENGTH" if !value.is_empty() => name,
        // What the server above stands for, and what no CGI program should believe (httpoxy.org).
        "HTTP_CONTENT_TYPE" | "HTTP_CONTENT_LENGTH" | "HTTP_PROXY" => return None,
        // Between client and front server only (RFC 9110, section 7.6.1).
        "HTTP_CONNECTION"
        | "HTTP_KEEP_ALIVE"
        | "HTTP_TE"
        | "HTTP_TRANSFER_ENCODING"
        | "HTTP_UPGRADE" => {
            return None;
        }
        _ => name.strip_prefix("HTTP_").filter(|name| !name.is_empty())?,
    };
    let value = String::from_utf8_lossy(value);
    let is_passed_on = matches!(value, Cow::Borrowed(_)) || name == "AUTHORIZATION";
    is_passed_on.then(|| {
        let name = name.replace('_', "-").to_ascii_lowercase();
        (name, value.into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variables or headers, by name.
    type Named<'a> = &'a [(&'a str, &'a str)];

    fn environment(variables: Named) -> Environment {
        variables.iter().copied().collect()
    }

    #[test]
    fn headers() {
        let cases: &[(Named, Named)] = &[
            (
                &[("HTTP_ACCEPT_LANGUAGE", "de")],
                &[("accept-language", "de")],
            ),
            (&[("CONTENT_TYPE", ""), ("CONTENT_LENGTH", "")], &[]),
            (
                &[("CONTENT_TYPE", "a/b"), ("HTTP_CONTENT_TYPE", "a/b")],
                &[("content-type", "a/b")],
            ),
            (
                &[("CONTENT_LENGTH", "3"), ("HTTP_CONTENT_LENGTH", "3")],
                &[("content-length", "3")],
            ),
            (
                &[
                    ("HTTP_PROXY", "evil"),
                    ("HTTP_", "x"),
                    ("PATH", "/bin"),
                    ("HTTPX", "x"),
                ],
                &[],
            ),
            (
                &[
                    ("HTTP_TRANSFER_ENCODING", "chunked"),
                    ("HTTP_CONNECTION", "close"),
                ],
                &[],
            ),
            (
                &[("HTTP_COOKIE", "a=1"), ("HTTP_COOKIE", "b=2")],
                &[("cookie", "a=1"), ("cookie", "b=2")],
            ),
            (
                &[("HTTP_HOST", "short"), ("HTTP_HOST", "host:8443")],
                &[("host", "host:8443")],
            ),
            (
                &[("HTTP_AUTHORIZATION", "Token x")],
                &[("authorization", "Token x")],
            ),
            (
                &[("REDIRECT_HTTP_AUTHORIZATION", "Token x")],
                &[("authorization", "Token x")],
            ),
            (
                &[
                    ("HTTP_AUTHORIZATION", "new"),
                    ("REDIRECT_HTTP_AUTHORIZATION", "old"),
                ],
                &[("authorization", "new")],
            ),
        ];
        for (given, expected) in cases {
            let mut expected: Vec<_> = expected.to_vec();
            expected.push(("x-forwarded-proto", "http"));
            let headers = environment(given).headers();
            let headers: Vec<_> = headers
                .iter()
                .map(|(name, value)| (&**name, &**value))
                .collect();
            assert_eq!(headers, expected, "{given:?}");
        }
    }

    #[test]
    fn a_value_that_is_not_text_is_left_out_alone() {
        let given = [
            (&b"HTTP_A"[..], &b"caf\xe9"[..]),
            (b"HTTP_B", b"b"),
            (b"\xff", b"c"),
        ];
        let environment: Environment = given.into_iter().collect();
        assert_eq!(environment.bytes("HTTP_A"), Some(&b"caf\xe9"[..]));
        assert_eq!(environment.text("HTTP_A"), None);
        assert_eq!(environment.headers()[0], ("b".into(), "b".into()));
        for name in [&b"HTTP_AUTHORIZATION"[..], b"REDIRECT_HTTP_AUTHORIZATION"] {
            let environment: Environment = [(name, &b"Token \xff"[..])].into_iter().collect();
            let expected = ("authorization".into(), "Token \u{fffd}".into());
            assert!(environment.headers().contains(&expected));
        }
    }

    #[test]
    fn only_the_front_server_tells_the_scheme() {
        let cases: &[(Named, &str)] = &[
            (&[("HTTPS", "on")], "https"),
            (&[("HTTPS", "1")], "https"),
            (&[("REQUEST_SCHEME", "https")], "https"),
            (&[("HTTPS", "off"), ("REQUEST_SCHEME", "http")], "http"),
            (
                &[("HTTP_X_FORWARDED_PROTO", "https"), ("HTTPS", "")],
                "http",
            ),
        ];
        for (given, scheme) in cases {
            let headers = environment(given).headers();
            assert_eq!(
                headers,
                [("x-forwarded-proto".to_owned(), (*scheme).to_owned())],
                "{given:?}"
            );
        }
    }

    #[test]
    fn front_servers_are_believed_if_they_are_trusted() {
        let trusted = Trusted::parse("127.0.0.1").expect("an address");
        let said = [
            ("HTTP_X_FORWARDED_FOR", "203.0.113.9"),
            ("HTTP_X_FORWARDED_FOR", "192.0.2.7"),
            ("HTTP_X_FORWARDED_PROTO", "https"),
        ];
        for (peer, is_local, remote, scheme) in [
            (Some("127.0.0.1"), false, Some("192.0.2.7:0"), "https"),
            (Some("198.51.100.1"), true, Some("198.51.100.1:9"), "http"),
            (None, true, Some("192.0.2.7:0"), "https"),
            (None, false, None, "http"),
        ] {
            let own = peer.map(|peer| [("REMOTE_ADDR", peer), ("REMOTE_PORT", "9")]);
            let variables = own.into_iter().flatten().chain(said);
            let mut environment: Environment = variables.collect();
            environment.believe(&trusted, is_local);
            let found = environment.remote().map(|remote| remote.to_string());
            assert_eq!(found.as_deref(), remote, "{peer:?}");
            let expected = [
                ("x-patchwork-passed-on", "1"),
                ("x-forwarded-proto", scheme),
            ];
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(environment.headers(), expected, "{peer:?}");
        }
    }

    #[test]
    fn remote() {
        let cases: &[(Named, Option<&str>)] = &[
            (
                &[("REMOTE_ADDR", "192.0.2.7"), ("REMOTE_PORT", "81")],
                Some("192.0.2.7:81"),
            ),
            (&[("REMOTE_ADDR", "2001:db8::1")], Some("[2001:db8::1]:0")),
            (
                &[("REMOTE_ADDR", "unix:"), ("HTTP_X_REAL_IP", "192.0.2.7")],
                None,
            ),
            (&[], None),
        ];
        for (given, expected) in cases {
            let remote = environment(given).remote().map(|remote| remote.to_string());
            assert_eq!(remote.as_deref(), *expected, "{given:?}");
        }
    }
}
