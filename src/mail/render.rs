//! Mails written from what is stored: the mbox output of a patch or a cover (`domain.md §7`).

use std::collections::HashSet;

use super::address::Mailbox;
use super::author::is_same;
use super::header::{Block, Field};
use super::space::{printable, strip};
use super::{trailer, word};
use crate::domain::Timestamp;

/// Stored headers that are not passed on: those about the original body, and those of our name.
const DROPPED: [&str; 8] = [
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Length",
    "MIME-Version",
    "X-Patchwork-Submitter",
    "X-Patchwork-Id",
    "X-Patchwork-Delegate",
    "X-Patchwork-Original-From",
];

/// What a submission needs to become a mail again.
#[derive(Clone, Debug)]
pub struct Submission<'a> {
    /// Its id.
    pub id: i64,
    /// Its date.
    pub date: Timestamp,
    /// The stored header block.
    pub headers: &'a str,
    /// The stored message.
    pub content: &'a str,
    /// The diff of a patch.
    pub diff: Option<&'a str>,
    /// The name of the submitter; an empty one is none.
    pub submitter_name: Option<&'a str>,
    /// The address of the submitter.
    pub submitter_email: &'a str,
    /// The address of the account a patch is delegated to.
    pub delegate_email: Option<&'a str>,
    /// The address of the project's list.
    pub list_email: &'a str,
    /// The contents of the comments, by date.
    pub responses: Vec<&'a str>,
}

/// Returns a submission as a mail with an mbox envelope line in front.
pub fn mbox(submission: &Submission) -> Vec<u8> {
    let body = body(submission);
    let encoding = if body.is_ascii() { "7bit" } else { "8bit" };
    let submitter = name_and_address(submission.submitter_name, submission.submitter_email);
    let mut out = Lines::default();
    out.line(&format!(
        "From patchwork {}",
        submission.date.format("%a %b %e %H:%M:%S %Y")
    ));
    out.line("Content-Type: text/plain; charset=\"utf-8\"");
    out.line("MIME-Version: 1.0");
    out.field("Content-Transfer-Encoding", encoding);
    out.field("X-Patchwork-Submitter", &submitter);
    out.field("X-Patchwork-Id", &submission.id.to_string());
    if let Some(delegate) = submission.delegate_email {
        out.field("X-Patchwork-Delegate", &printable(delegate));
    }
    push_stored(submission, &submitter, &mut out);
    out.line("");
    out.0.push_str(&body);
    out.0.into_bytes()
}

/// Joins mails to one mbox.
pub fn join(mails: &[Vec<u8>]) -> Vec<u8> {
    mails.join(&b'\n')
}

/// Text that grows by whole lines.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn field(&mut self, name: &str, value: &str) {
        self.line(&format!("{name}: {value}"));
    }
}

/// Writes the stored headers; where the list put its own address into `From`, the submitter returns.
fn push_stored(submission: &Submission, submitter: &str, out: &mut Lines) {
    let block = Block::split(submission.headers.as_bytes());
    let kept = block
        .fields()
        .iter()
        .filter(|field| !DROPPED.iter().any(|name| field.is(name)));
    for field in kept {
        let value = String::from_utf8_lossy(field.value);
        if field.is("From") && is_from_list(field, submission.list_email) {
            out.field("X-Patchwork-Original-From", &value);
            out.field(field.name, submitter);
        } else {
            out.field(field.name, &value);
        }
    }
    if block.first("Date").is_none() {
        out.field(
            "Date",
            &submission.date.format("%a, %d %b %Y %H:%M:%S -0000"),
        );
    }
}

fn is_from_list(from: &Field, list_email: &str) -> bool {
    is_same(&Mailbox::read(&from.text()).address, list_email)
}

/// Returns message, responses and diff in the form `git am` takes.
fn body(submission: &Submission) -> String {
    let content = strip(submission.content);
    let content = if content.is_empty() {
        String::new()
    } else {
        format!("{content}\n")
    };
    let (mut body, notes) = at_separator(&content);
    push_responses(&submission.responses, &mut body);
    if !notes.is_empty() {
        body.push_str("---");
        body.push_str(notes);
        body.push('\n');
    }
    if let Some(diff) = submission.diff.filter(|diff| !diff.is_empty()) {
        body.push('\n');
        body.push_str(diff);
    }
    body
}

/// Returns what of a message is committed.
pub(super) fn committed(content: &str) -> String {
    at_separator(&format!("{}\n", strip(content))).0
}

/// Splits a message at its first line of two or three dashes: what is committed, what is not.
fn at_separator(content: &str) -> (String, &str) {
    let mut start = 0;
    for line in content.split_inclusive('\n') {
        let mark = line.trim_end_matches('\n');
        if matches!(mark, "--" | "-- " | "---" | "--- ") {
            let head = format!("{}\n", strip(&content[..start]));
            return (
                head,
                content[start + mark.len()..].trim_end_matches(super::space::is_space),
            );
        }
        start += line.len();
    }
    (content.to_owned(), "")
}

/// Appends the trailers that people have sent, each once.
fn push_responses(comments: &[&str], body: &mut String) {
    let mut seen: HashSet<String> = body.lines().map(trailer::key).collect();
    for line in comments
        .iter()
        .flat_map(|comment| trailer::responses(comment))
    {
        if seen.insert(trailer::key(line)) {
            body.push_str(line);
            body.push('\n');
        }
    }
}

/// Returns `name <address>` in a form fit for a header.
pub fn name_and_address(name: Option<&str>, address: &str) -> String {
    let address = printable(address);
    let name = name.map(printable).unwrap_or_default();
    match name.as_str() {
        "" => address,
        _ if !name.is_ascii() => format!("{} <{address}>", word::encode(&name)),
        _ if name.contains(|c| "()<>@,:;\".[]\\".contains(c)) => {
            let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{escaped}\" <{address}>")
        }
        _ => format!("{name} <{address}>"),
    }
}

#[cfg(test)]
mod tests;
