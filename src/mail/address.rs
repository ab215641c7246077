//! Addresses: a name and a mailbox in one text, in the forms that lists have seen (`mail.md §5`).

use super::space::{is_space, strip};

/// A name and an address taken from a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The name; empty if the form has room for one that is not used, as in `<a@example.org>`.
    pub name: Option<String>,
    /// What stands where the address belongs, usable or not.
    pub address: String,
}

impl Mailbox {
    /// Reads the first form that fits: `name <address>`, `user at host (name)`, `address (name)`,
    /// a bare address.
    pub fn read(text: &str) -> Self {
        let (name, address) = bracketed(text)
            .or_else(|| spelled_out(text))
            .or_else(|| commented(text))
            .unwrap_or_else(|| (None, text.to_owned()));
        Mailbox {
            name: name.map(|name| strip(name).to_owned()),
            address: strip(&address).to_owned(),
        }
    }

    /// Tells whether the address is one that mail could be sent to.
    pub fn is_usable(&self) -> bool {
        is_address(&self.address)
    }

    /// Returns the name as its owner writes it, without quotes and their backslashes.
    pub fn plain_name(&self) -> Option<String> {
        let name = self.name.as_deref()?;
        let mut out = String::with_capacity(name.len());
        let mut escaped = false;
        for c in name.chars() {
            escaped = c == '\\' && !escaped;
            if !escaped {
                out.push(c);
            }
        }
        Some(
            out.trim_matches(|c| is_space(c) || c == '"' || c == '\'')
                .to_owned(),
        )
    }
}

/// In so many brackets an address is looked for.
const MOST_BRACKETS: usize = 16;

/// A name as found and an address.
type Found<'a> = (Option<&'a str>, String);

/// `"name" <address>`. A name may hold brackets, too: the first address that is one counts, else the first brackets.
fn bracketed(text: &str) -> Option<Found<'_>> {
    let mut from = 0;
    let candidates = std::iter::from_fn(|| {
        let (start, address) = enclosed(&text[from..], '<', '>')?;
        let found = (from + start, address);
        // Brackets within brackets are the name's, so the search goes on behind the opening one.
        from = found.0 + 1;
        Some(found)
    });
    let mut candidates = candidates.take(MOST_BRACKETS).peekable();
    let first = *candidates.peek()?;
    let usable = candidates.find(|(_, address)| is_address(strip(address)));
    let (start, address) = usable.unwrap_or(first);
    Some((Some(unquote(&text[..start])), address.to_owned()))
}

/// `user at host (name)`, as web archives write it.
fn spelled_out(text: &str) -> Option<Found<'_>> {
    let at = text.find(" at ")?;
    let host = &text[at + " at ".len()..];
    let (start, name) = enclosed(host, '(', ')')?;
    Some((
        Some(name),
        format!("{}@{}", &text[..at], strip(&host[..start])),
    ))
}

/// `address (name)`
fn commented(text: &str) -> Option<Found<'_>> {
    let (start, name) = enclosed(text, '(', ')')?;
    Some((Some(name), unquote(&text[..start]).to_owned()))
}

/// Returns where the first non-empty text between `open` and `close` begins, and the text.
fn enclosed(text: &str, open: char, close: char) -> Option<(usize, &str)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find(open)?;
        let inner = &text[start + 1..];
        let length = inner.find(close)?;
        if length > 0 {
            return Some((start, &inner[..length]));
        }
        from = start + 1;
    }
}

/// Returns `text` without blanks behind it and without one quote at each end.
fn unquote(text: &str) -> &str {
    let text = text.trim_end_matches(is_space);
    let text = text.strip_prefix('"').unwrap_or(text);
    text.strip_suffix('"').unwrap_or(text)
}

/// Tells whether `text` has the form `local@domain` with a dot in the domain.
///
/// Local parts may be non-ASCII, domains not.
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let is_atom = |atom: &str| !atom.is_empty() && atom.chars().all(is_atom_char);
    let labels = domain.split('.').count();
    local.split('.').all(is_atom) && labels > 1 && domain.split('.').all(is_label)
}

fn is_atom_char(c: char) -> bool {
    c.is_alphanumeric() || "_!#$%&'\"*+/=?^`{|}~-".contains(c)
}

fn is_label(label: &str) -> bool {
    let fits = label
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    fits && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
}

/// Cuts a raw address list at its commas, leaving alone those inside quotes, brackets and comments.
pub fn split_list(value: &[u8]) -> Vec<&[u8]> {
    let (mut entries, mut start, mut at) = (Vec::new(), 0, 0);
    let (mut quoted, mut bracket, mut comments) = (false, false, 0usize);
    while at < value.len() {
        match value[at] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'<' => bracket = true,
            b'>' => bracket = false,
            b'(' => comments += 1,
            b')' => comments = comments.saturating_sub(1),
            b',' | b';' if !bracket && comments == 0 => {
                entries.push(&value[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    entries.push(&value[start..]);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn addresses_are_read_as_the_table_says() {
        let table: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/mail/address.json"))
                .expect("valid table");
        for case in table {
            let found = Mailbox::read(case["text"].as_str().expect("text"));
            assert_eq!(json!(found.name), case["name"], "{case}");
            assert_eq!(json!(found.address), case["address"], "{case}");
            assert_eq!(
                json!(found.is_usable()),
                case.get("usable").cloned().unwrap_or(json!(true)),
                "{case}"
            );
        }
    }

    #[test]
    fn lists_are_cut_at_the_commas_between_entries() {
        let list = b"\"Doe, \\\"J\" <j@example.org>, a@example.org (x, y), <b,c@example.org>";
        let entries = split_list(list);
        assert_eq!(entries.len(), 3);
        assert_eq!(entries[1], b" a@example.org (x, y)");
        let name = Mailbox::read("\"Doe, \\\"J\" <j@example.org>").plain_name();
        assert_eq!(name.as_deref(), Some("Doe, \"J"));
    }
}
