//! The mails of bad days: the sample list over and over, each time as a list of its own, made-up series, and some
//! that are too large.

use std::{env, path::Path};

use patchwork::{domain::Timestamp, mail::mbox};

use super::MAX_BYTES;
use crate::corpus;

/// Before this the made-up series were written.
const BEGIN: Timestamp = Timestamp(1_704_708_000_000_000);

/// A mail, and the list it comes by.
pub struct Mail {
    /// The bytes.
    pub raw: Vec<u8>,
    /// The list's id.
    pub list: String,
}

/// Returns the mails in order.
pub fn all(is_full: bool) -> Vec<Mail> {
    let (least, series, large) = match is_full {
        true => (2000, 24, 20),
        false => (0, 12, 2),
    };
    let base = base();
    let rounds = least / base.len().max(1) + usize::from(is_full);
    let mut mails: Vec<Mail> = (0..series).flat_map(made_up).collect();
    for round in 0..rounds {
        let list = format!("list{round}.example.org");
        mails.extend(base.iter().map(|raw| Mail {
            raw: raw.clone(),
            list: list.clone(),
        }));
    }
    mails.extend((0..large).map(too_large));
    mails
}

/// Returns the lists, each once.
pub fn lists(mails: &[Mail]) -> Vec<String> {
    let mut lists: Vec<String> = mails.iter().map(|mail| mail.list.clone()).collect();
    lists.sort();
    lists.dedup();
    lists
}

fn base() -> Vec<Vec<u8>> {
    match env::var("ARCHIVE") {
        Ok(archive) => corpus::mails(Path::new(&archive)).flatten().collect(),
        Err(_) => mbox::Splitter::new(
            &include_bytes!("../../lib/sample/tidepool.mbox")[..],
            16 << 20,
        )
        .map(|mail| mail.expect("a mail"))
        .collect(),
    }
}

/// A series with a cover and two replies. Each answers the cover only, which comes first or late.
fn made_up(number: usize) -> Vec<Mail> {
    let list = format!("made{}.example.org", number % 3);
    let total = 2 + number % 5;
    let one = |place: usize| {
        let answers = match place {
            0 => String::new(),
            _ => format!("In-Reply-To: <{number}.0@example.com>\n"),
        };
        let diff = match place {
            0 => String::new(),
            _ => {
                format!("---\n--- a/{place}.c\n+++ b/{place}.c\n@@ -1 +1 @@\n-old\n+new {number}\n")
            }
        };
        let subject = format!("[PATCH {place}/{total}] part {place} of {number}");
        mail(
            number,
            &place.to_string(),
            &subject,
            &answers,
            &format!("What it does.\n{diff}"),
        )
    };
    let mut raws: Vec<Vec<u8>> = (0..=total).map(one).collect();
    for place in 0..2 {
        let answers = format!("In-Reply-To: <{number}.{place}@example.com>\n");
        let subject = format!("Re: [PATCH {place}/{total}] part {place} of {number}");
        raws.push(mail(
            number,
            &format!("r{place}"),
            &subject,
            &answers,
            "Fine.\nAcked-by: Rae <rae@example.com>\n",
        ));
    }
    let list = |raw| Mail {
        raw,
        list: list.clone(),
    };
    raws.into_iter().map(list).collect()
}

fn mail(number: usize, id: &str, subject: &str, headers: &str, body: &str) -> Vec<u8> {
    let date =
        Timestamp(BEGIN.0 - (number as i64) * 3_600_000_000).format("%a, %d %b %Y %H:%M:%S +0000");
    format!(
        "From: Author {number} <author{number}@example.com>\nSubject: {subject}\nMessage-Id: <{number}.{id}@example.com>\n\
         Date: {date}\n{headers}\n{body}"
    )
    .into_bytes()
}

fn too_large(number: usize) -> Mail {
    let body = format!("{number}\n").repeat(MAX_BYTES / 2);
    Mail {
        raw: mail(number, "large", "[PATCH] large", "", &body),
        list: "made0.example.org".to_owned(),
    }
}
