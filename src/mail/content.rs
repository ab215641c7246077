//! What a mail says: the message for people, the diff for programs (`mail.md §9`).

use super::mime::TextPart;
use super::space::strip;
use super::{diff, pull};

/// The content of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The text without signature, list footer and diff; perhaps empty.
    pub message: String,
    /// The diff, if there is one.
    pub diff: Option<String>,
    /// Where the message asks to pull from, if it does.
    pub pull_url: Option<String>,
}

impl Content {
    /// Tells whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.message.is_empty() && self.diff.is_none()
    }
}

/// Returns the content of a mail that may be a patch.
///
/// An attached diff wins over one in the text, and the last attached one over those before.
pub fn of_submission(parts: &[TextPart]) -> Content {
    let (mut message, mut found) = (String::new(), None);
    for part in parts {
        match part.subtype.as_str() {
            "x-patch" | "x-diff" => found = Some(part.text.to_string()),
            "plain" if found.is_some() => add(&mut message, &part.text),
            "plain" => {
                let (diff, rest) = diff::split(&part.text);
                found = diff;
                add(&mut message, rest.as_deref().unwrap_or_default());
            }
            _ => {}
        }
    }
    let message = cleaned(&message);
    let diff = found
        .map(|diff| without_nul(&diff))
        .filter(|diff| !diff.is_empty());
    Content {
        pull_url: pull::pull_url(&message),
        message,
        diff,
    }
}

/// Returns the content of a reply or a cover: a diff in it is text like any other.
pub fn of_reply(parts: &[TextPart]) -> Content {
    let mut message = String::new();
    for part in parts.iter().filter(|part| part.subtype == "plain") {
        add(&mut message, &part.text);
    }
    Content {
        message: cleaned(&message),
        ..Content::default()
    }
}

fn add(message: &mut String, text: &str) {
    if !text.is_empty() {
        message.push_str(strip(text));
        message.push('\n');
    }
}

/// Returns the message without what a mailer or a list has put below it.
fn cleaned(message: &str) -> String {
    let message = strip(&message[..footer_start(message)]);
    without_nul(message).replace("\r\n", "\n")
}

/// Returns where the signature begins, or the line of underscores that lists put above their footer.
///
/// Compatibility: exactly such a line, with a line end; `--` without the blank is no signature.
fn footer_start(message: &str) -> usize {
    let mut start = 0;
    for line in message.split_inclusive('\n') {
        let mark = line.strip_suffix('\n').unwrap_or_default();
        if mark == "-- " || (!mark.is_empty() && mark.bytes().all(|byte| byte == b'_')) {
            break;
        }
        start += line.len();
    }
    start
}

fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}
