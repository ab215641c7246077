//! The target of a request: path and query as Rocket wants them, from what front servers make of them.

use std::{borrow::Cow, fmt::Write};

use super::environment::Environment;

/// Returns path and query; `None` if there is no path.
///
/// They come from REQUEST_URI, which every server passes as the client sent it. Without it, which CGI/1.1
/// allows, SCRIPT_NAME and PATH_INFO must do; those are decoded, so `%2F` and `/` look alike.
pub(super) fn target(environment: &Environment) -> Option<String> {
    let raw = environment
        .bytes("REQUEST_URI")
        .map_or_else(|| Cow::Owned(rebuilt(environment)), Cow::Borrowed);
    let raw = origin_form(&raw);
    // Nobody should send a fragment, but some do.
    let end = raw
        .iter()
        .position(|byte| *byte == b'#')
        .unwrap_or(raw.len());
    raw.starts_with(b"/")
        .then(|| escape(&raw[..end], must_be_escaped))
}

/// Rebuilds the target from its decoded parts.
fn rebuilt(environment: &Environment) -> Vec<u8> {
    let path = [
        environment.bytes("SCRIPT_NAME"),
        environment.bytes("PATH_INFO"),
    ];
    let path = path.map(Option::unwrap_or_default).concat();
    let mut target = escape(&path, |byte| {
        byte == b'%' || byte == b'?' || byte == b'#' || must_be_escaped(byte)
    });
    if target.is_empty() {
        target.push('/');
    }
    let mut target = target.into_bytes();
    if let Some(query) = environment.bytes("QUERY_STRING") {
        target.extend_from_slice(&[b"?", query].concat());
    }
    target
}

/// Cuts `scheme://authority` off; Apache passes it on when a client speaks as to a proxy.
fn origin_form(raw: &[u8]) -> &[u8] {
    let scheme = raw
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    match raw[scheme..].strip_prefix(b"://") {
        Some(rest) if scheme > 0 => {
            let path = rest
                .iter()
                .position(|byte| matches!(byte, b'/' | b'?' | b'#'));
            path.map_or(b"/", |start| {
                if rest[start] == b'/' {
                    &rest[start..]
                } else {
                    b"/"
                }
            })
        }
        _ => raw,
    }
}

/// Returns whether Rocket refuses this byte in a target; browsers and mail programs do send some of them.
fn must_be_escaped(byte: u8) -> bool {
    !byte.is_ascii_graphic() || br#""<>\^`{|}"#.contains(&byte)
}

/// Percent-encodes the bytes that `must`.
fn escape(raw: &[u8], must: impl Fn(u8) -> bool) -> String {
    let mut escaped = String::with_capacity(raw.len());
    for &byte in raw {
        if must(byte) {
            write!(escaped, "%{byte:02X}").expect("writing to a string cannot fail");
        } else {
            escaped.push(char::from(byte));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use rocket::http::uri::Origin;

    fn of_uri(uri: &[u8]) -> Option<String> {
        // What the servers decode must not matter.
        let noise: [(&[u8], &[u8]); 3] = [
            (b"SCRIPT_NAME", b"/noise"),
            (b"PATH_INFO", b"/a/b"),
            (b"QUERY_STRING", b"q=1"),
        ];
        target(
            &noise
                .into_iter()
                .chain([(&b"REQUEST_URI"[..], uri)])
                .collect(),
        )
    }

    #[test]
    fn the_uri_stays_as_it_was_sent() {
        let cases: &[(&[u8], &str)] = &[
            (b"/", "/"),
            (b"/a%2Fb/?q=a+b", "/a%2Fb/?q=a+b"),
            (b"/a%252Fb/c+d%20e", "/a%252Fb/c+d%20e"),
            (b"//a//b/", "//a//b/"),
            (b"/a/../b/./%2e%2e/d", "/a/../b/./%2e%2e/d"),
            (b"/?to=http://other/", "/?to=http://other/"),
            (b"/x?a[]=1&b=%5B", "/x?a[]=1&b=%5B"),
            (b"/%zz?%", "/%zz?%"),
            (b"/a?b?c", "/a?b?c"),
            (b"/a#b?c", "/a"),
            (b"/caf\xc3\xa9/\xff", "/caf%C3%A9/%FF"),
            (b"/a b\t{c}|<d>\"", "/a%20b%09%7Bc%7D%7C%3Cd%3E%22"),
            (b"http://other:80/a%2Fb?c", "/a%2Fb?c"),
            (b"https://other", "/"),
            (b"http://other?to=/x", "/"),
        ];
        for (given, expected) in cases {
            let shown = String::from_utf8_lossy(given);
            assert_eq!(of_uri(given).as_deref(), Some(*expected), "{shown}");
            assert!(Origin::parse(expected).is_ok(), "{shown}");
        }
        for no_path in [&b"*"[..], b"a/b", b"?q", b"://x/", b"host:443"] {
            assert_eq!(of_uri(no_path), None);
        }
    }

    #[test]
    fn decoded_parts_do_without_the_uri() {
        let cases: &[([&str; 3], &str)] = &[
            (
                ["/pw", "/a b/100%/c?d#e", "q=%20"],
                "/pw/a%20b/100%25/c%3Fd%23e?q=%20",
            ),
            (["", "/x", ""], "/x"),
            (["/pw/patchwork.cgi", "", ""], "/pw/patchwork.cgi"),
            (["", "", "q"], "/?q"),
        ];
        for ([script, path, query], expected) in cases {
            let given = [
                ("SCRIPT_NAME", *script),
                ("PATH_INFO", *path),
                ("QUERY_STRING", *query),
            ];
            assert_eq!(
                target(&given.into_iter().collect()).as_deref(),
                Some(*expected)
            );
        }
    }

    #[test]
    fn rocket_takes_every_byte_then() {
        for byte in 0..=255_u8 {
            let target = of_uri(&[b'/', byte, b'/', b'?', byte]).expect("starts with a slash");
            assert!(Origin::parse(&target).is_ok(), "{target}");
        }
    }
}
