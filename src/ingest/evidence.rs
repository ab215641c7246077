//! Mails that come under an id we know: which of them say something else, and are kept as evidence.

use crate::mail::header::Block;

/// The outcome under which such a mail is kept.
pub const WORD: &str = "duplicate";

/// The headers that belong to what a mail says. All others are traces of its way, which differ between two
/// copies of one mail, or follow from these.
const HEADERS: [&str; 3] = ["From", "Subject", "Date"];

/// Says whether two mails say the same: the same author, subject and date, and the same body but for line ends
/// and blank lines at its end, which relays change. When in doubt they differ: what differs is kept.
pub fn is_same(a: &[u8], b: &[u8]) -> bool {
    let (a, b) = (Block::split(a), Block::split(b));
    let headers = HEADERS.iter().all(|name| a.text(name) == b.text(name));
    headers && lines(a.body).eq(lines(b.body))
}

fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = body.trim_ascii_end().split(|byte| *byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "Received: a\nFrom: Ann <ann@example.com>\nSubject: [PATCH] pump: run\nDate: Tue, 05 Mar 2024 07:07:08 +0100\n\
        Message-Id: <a@example.com>\n\nStart it.\n\nNow.\n";

    fn same(change: impl Fn(&str) -> String) -> bool {
        is_same(MAIL.as_bytes(), change(MAIL).as_bytes())
    }

    #[test]
    fn traces_of_the_way_are_no_other_mail() {
        assert!(same(
            |mail| mail.replace("Received: a\n", "Received: b\nX-Spam: no\n")
        ));
        assert!(same(|mail| format!(
            "From ann Tue Mar  5 07:07:08 2024\n{mail}"
        )));
        assert!(same(|mail| mail.replace('\n', "\r\n")));
        assert!(same(|mail| format!("{mail}\n\n")));
        assert!(same(|mail| mail.replace(
            "Subject: [PATCH] pump: run",
            "Subject: [PATCH]\n pump: run"
        )));
        assert!(same(|mail| mail.replace("Ann <", "=?utf-8?q?Ann?= <")));
    }

    #[test]
    fn what_it_says_makes_another_mail() {
        assert!(!same(|mail| mail.replace("Ann", "Bob")));
        assert!(!same(|mail| mail.replace("run", "stop")));
        assert!(!same(|mail| mail.replace("07:07:08", "07:07:09")));
        assert!(!same(|mail| mail.replace("Start", "Stop")));
        assert!(!same(|mail| mail.replace("it.\n\nNow", "it.\nNow")));
        assert!(!same(|mail| mail.replace("Now.\n", "Now.\n-- \nA list\n")));
    }
}
