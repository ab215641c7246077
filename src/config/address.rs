//! The database's address: put together from parts, completed with a password and a whole path.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use super::Database;

/// Returns the address that engine, host, name, user and password make.
pub(super) fn of_parts(database: &Database) -> String {
    let is_server = match database.engine.as_str() {
        "" => !database.host.is_empty() || !database.user.is_empty(),
        engine => engine.starts_with("postgres"),
    };
    if !is_server {
        let name = match database.name.as_str() {
            "" => "patchwork.db",
            name => name,
        };
        return format!("sqlite:{}", encoded(name, "%?"));
    }
    let mut url = String::from("postgres://");
    if !database.host.is_empty() {
        // An IPv6 address needs its brackets.
        match database.host.contains(':') && !database.host.starts_with('[') {
            true => write!(url, "[{}]", database.host),
            false => write!(url, "{}", strict(&database.host)),
        }
        .expect("a String takes any text");
    }
    // Without a host the driver looks for the server's socket, where a port has no place in the authority.
    if !database.host.is_empty() {
        write!(url, ":{}", database.port).expect("a String takes any text");
    }
    url.push('/');
    url.push_str(&strict(&database.name));
    let mut separator = '?';
    let port = database.port.to_string();
    let parts = [
        ("user", database.user.as_str()),
        ("password", &database.password),
        ("port", if database.host.is_empty() { &port } else { "" }),
    ];
    for (key, value) in parts {
        if !value.is_empty() {
            write!(url, "{separator}{key}={}", strict(value)).expect("a String takes any text");
            separator = '&';
        }
    }
    url
}

/// Returns a server's address with the password, if it has none itself.
pub(super) fn with_password(url: &str, password: &str) -> String {
    if password.is_empty() || !url.starts_with("postgres") || has_password(url) {
        return url.to_owned();
    }
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}password={}", strict(password))
}

fn has_password(url: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let who = rest.rsplit_once('@').map_or("", |(who, _)| who);
    who.contains(':') || query.split('&').any(|part| part.starts_with("password="))
}

/// Returns an embedded database's address with its whole path; any other as it is.
pub(super) fn absolute(url: &str, directory: &Path) -> String {
    let Some(rest) = url.strip_prefix("sqlite:") else {
        return url.to_owned();
    };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    if rest.starts_with('/') || rest.starts_with(":memory:") || rest.is_empty() {
        return url.to_owned();
    }
    let directory = directory.display().to_string();
    format!(
        "sqlite:{}/{rest}",
        encoded(directory.trim_end_matches('/'), "%?")
    )
}

/// Returns the file of an embedded database.
pub(super) fn sqlite_file(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = rest.split('?').next().unwrap_or(rest);
    Some(PathBuf::from(decoded(path)))
}

/// Escapes everything but letters, digits and `-._`.
fn strict(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => out.push(byte as char),
            _ => write!(out, "%{byte:02X}").expect("a String takes any text"),
        }
    }
    out
}

/// Escapes these characters only.
fn encoded(text: &str, special: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match special.contains(c) {
            true => write!(out, "%{:02X}", u32::from(c)).expect("a String takes any text"),
            false => out.push(c),
        }
    }
    out
}

fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let code = (byte == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if code.is_some() {
            rest = &after[2..];
        }
        out.push(code.unwrap_or(byte));
    }
    String::from_utf8_lossy(&out).into_owned()
}
