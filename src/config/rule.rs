//! Which values a setting takes, and how loosely they may be written.

use figment::value::{Num, Value};

/// What a value must be like, beyond the type of its default.
pub(super) enum Rule {
    /// A whole number between the two.
    Number(u64, u64),
    /// A number of bytes; `16 MiB` will do.
    Size,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An IP address.
    Address,
    /// Empty, or a path that starts with a slash and ends without one.
    Prefix,
    /// Empty, or an http address.
    Url,
    /// Empty, or long enough not to be guessed.
    Key,
}

const YEAR: u64 = 31_536_000;

/// The rules; a setting without one takes any text, any path, or yes and no.
const RULES: &[(&str, Rule)] = &[
    ("server.address", Rule::Address),
    ("server.port", Rule::Number(0, 65_535)),
    ("server.workers", Rule::Number(0, 1024)),
    ("server.url_prefix", Rule::Prefix),
    ("server.max_body", Rule::Size),
    ("site.url", Rule::Url),
    ("site.secret_key", Rule::Key),
    ("inbound.secret", Rule::Key),
    (
        "database.engine",
        Rule::Word(&["", "sqlite", "sqlite3", "postgres", "postgresql"]),
    ),
    ("database.port", Rule::Number(1, 65_535)),
    ("database.max_connections", Rule::Number(1, 1000)),
    ("database.connect_timeout", Rule::Number(1, 3600)),
    ("database.statement_timeout", Rule::Number(0, YEAR)),
    ("database.replica_max_lag", Rule::Number(1, 3600)),
    ("web.items_per_page", Rule::Number(1, 1000)),
    ("api.per_page", Rule::Number(1, 1000)),
    ("api.max_per_page", Rule::Number(1, 1000)),
    ("api.streams", Rule::Number(0, 2000)),
    ("webhooks.timeout", Rule::Number(1, 60)),
    ("webhooks.keep_days", Rule::Number(1, 366)),
    ("mail.notification_delay", Rule::Number(0, 10_080)),
    ("mail.confirmation_validity", Rule::Number(1, 365)),
    (
        "mail.backend",
        Rule::Word(&["smtp", "sendmail", "file", "console", "none"]),
    ),
    ("mail.port", Rule::Number(1, 65_535)),
    ("mail.tls", Rule::Word(&["auto", "none", "starttls", "tls"])),
    ("mail.timeout", Rule::Number(1, 3600)),
    ("mail.intake.max_bytes", Rule::Size),
    (
        "log.level",
        Rule::Word(&["off", "error", "warn", "info", "debug", "trace"]),
    ),
    ("log.format", Rule::Word(&["text", "json"])),
];

/// Settings that no output shows and that may be read from a file of their own.
pub(super) const SECRETS: &[&str] = &[
    "site.secret_key",
    "server.metrics",
    "database.url",
    "database.replica_url",
    "database.password",
    "mail.password",
    "inbound.secret",
    "inbound.mailgun_key",
];

fn rule(key: &str) -> Option<&'static Rule> {
    RULES
        .iter()
        .find(|(name, _)| *name == key)
        .map(|(_, rule)| rule)
}

/// Returns a value in the type of the setting's default, or what the setting wants instead.
pub(super) fn fitted(key: &str, default: &Value, given: &Value) -> Result<Value, String> {
    let rule = rule(key);
    match default {
        Value::Bool(..) => truth(given)
            .map(Value::from)
            .ok_or_else(|| "true or false".to_owned()),
        Value::Num(..) => number(given, rule).map(Value::from),
        _ => text(given, rule).map(Value::from),
    }
}

fn truth(given: &Value) -> Option<bool> {
    match given {
        Value::Bool(_, yes) => Some(*yes),
        Value::Num(_, number) => match number.to_u128_lossy() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(_, text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn number(given: &Value, rule: Option<&Rule>) -> Result<u64, String> {
    let is_size = matches!(rule, Some(Rule::Size));
    let (least, most) = match rule {
        Some(Rule::Number(least, most)) => (*least, *most),
        _ => (1, 1 << 40),
    };
    let number = match given {
        Value::Num(_, number @ (Num::F32(_) | Num::F64(_))) => whole(*number),
        Value::Num(_, number) => number.to_u128_lossy().and_then(|n| u64::try_from(n).ok()),
        Value::String(_, text) if is_size => size(text),
        Value::String(_, text) => text.trim().parse().ok(),
        _ => None,
    };
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| match is_size {
            true => "a number of bytes such as 1048576 or 16 MiB".to_owned(),
            false => format!("a whole number from {least} to {most}"),
        })
}

fn whole(number: Num) -> Option<u64> {
    let number = match number {
        Num::F32(number) => f64::from(number),
        Num::F64(number) => number,
        _ => return None,
    };
    (number.fract() == 0.0 && (0.0..1e15).contains(&number)).then_some(number as u64)
}

/// Reads `1048576`, `16 MiB`, `16M`, `2 kB`; all units are powers of 1024.
fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn text(given: &Value, rule: Option<&Rule>) -> Result<String, String> {
    // A password of digits arrives as a number; nobody should have to know.
    let text = match given {
        Value::String(_, text) => text.clone(),
        Value::Char(_, c) => c.to_string(),
        Value::Bool(_, yes) => yes.to_string(),
        Value::Num(_, Num::F32(number)) => number.to_string(),
        Value::Num(_, Num::F64(number)) => number.to_string(),
        Value::Num(_, number) => match (number.to_u128_lossy(), number.to_i128()) {
            (Some(number), _) => number.to_string(),
            (None, Some(number)) => number.to_string(),
            (None, None) => return Err("a text".to_owned()),
        },
        _ => return Err("a text".to_owned()),
    };
    checked(text, rule)
}

fn checked(text: String, rule: Option<&Rule>) -> Result<String, String> {
    match rule {
        Some(Rule::Word(words)) => {
            let word = text.trim().to_ascii_lowercase();
            if words.contains(&word.as_str()) {
                return Ok(word);
            }
            let words: Vec<&str> = words.iter().copied().filter(|w| !w.is_empty()).collect();
            Err(format!("one of {}", words.join(", ")))
        }
        Some(Rule::Address) if text.parse::<std::net::IpAddr>().is_err() => {
            Err("an IP address such as 127.0.0.1".to_owned())
        }
        Some(Rule::Prefix) => prefix(text),
        Some(Rule::Url) if !text.is_empty() && !is_http(&text) => {
            Err("an address such as https://patchwork.example.com".to_owned())
        }
        Some(Rule::Key) if !text.is_empty() && text.len() < 32 => {
            Err("at least 32 characters long; `patchwork secret-key` prints one that is".to_owned())
        }
        _ => Ok(text),
    }
}

fn prefix(text: String) -> Result<String, String> {
    let prefix = text.trim_end_matches('/');
    let fits = prefix.is_empty()
        || prefix.starts_with('/')
            && prefix[1..]
                .split('/')
                .all(|part| !part.is_empty() && part.chars().all(is_plain));
    if fits {
        Ok(prefix.to_owned())
    } else {
        Err("a path such as /patchwork".to_owned())
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~".contains(c)
}

fn is_http(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.starts_with('/') && !rest.contains([' ', '?', '#', '@'])
    })
}
