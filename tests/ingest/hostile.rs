//! Mails that want to do harm: neither a panic nor an error of the database is the answer.

use patchwork::domain::Timestamp;
use serde_json::json;

use super::{rows, scene, stage};

/// Writes a mail from raw headers and a raw body.
fn mail(id: &str, headers: &[(&str, Vec<u8>)], body: &[u8]) -> Vec<u8> {
    let mut all: Vec<(&str, Vec<u8>)> = vec![
        ("From", b"Mal <mal@example.com>".to_vec()),
        ("Subject", b"[PATCH] harm".to_vec()),
        ("Message-Id", format!("<{id}@example.com>").into_bytes()),
        ("Date", b"Mon, 08 Jan 2024 10:00:00 +0000".to_vec()),
        ("List-Id", b"<dev.lists.example.org>".to_vec()),
    ];
    for (name, value) in headers {
        all.retain(|(known, _)| known != name);
        all.push((name, value.clone()));
    }
    let mut raw = Vec::new();
    for (name, value) in all {
        raw.extend_from_slice(name.as_bytes());
        raw.extend_from_slice(b": ");
        raw.extend_from_slice(&value);
        raw.push(b'\n');
    }
    raw.push(b'\n');
    raw.extend_from_slice(body);
    raw
}

const DIFF: &[u8] = b"Text.\n\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n";

/// What is done to each header in turn.
fn values() -> Vec<Vec<u8>> {
    let long = |text: &str, times| text.repeat(times).into_bytes();
    vec![
        b"a\0b\0<c\0@example.com>".to_vec(),
        b"\xed\xa0\x80 <\xed\xb0\x80@example.com>".to_vec(),
        b"\xff\xfe\xc3 <x@example.com>".to_vec(),
        b"=?utf-8?q?=00=ED=A0=80=FF?= <x@example.com>".to_vec(),
        b"=?utf-8?B?AA?= =?x\0y?q?z?=".to_vec(),
        long("x", 70_000),
        long("\u{1f980}", 30_000),
        long("\u{130}\u{df}", 400),
        format!("{} <x@example.com>", "N".repeat(100_000)).into_bytes(),
        format!("Mal <{}@example.com>", "m".repeat(300)).into_bytes(),
        format!("<{}@example.com>", "i".repeat(300)).into_bytes(),
        (0..5000)
            .map(|n| format!(" <r{n}@example.com>\n"))
            .collect::<String>()
            .trim()
            .into(),
        long("<", 20_000),
        long("[", 20_000),
        long("[v2147483647 32767/2147483647]", 50),
        b"[PATCH v2147483648 32768/2147483648] x".to_vec(),
        b"Mon, 01 Jan 0001 00:00:00 +2359".to_vec(),
        b"Fri, 31 Dec 9999 23:59:59 -2359".to_vec(),
        b"Fri, 99 Dec 99999999999999999999 99:99:99 +9999".to_vec(),
        b"text/plain; charset=\"\0utf-7\"; boundary=".to_vec(),
        b"'; DROP TABLE patch; -- $1 ? {} %s".to_vec(),
        b"".to_vec(),
    ]
}

const HEADERS: [&str; 14] = [
    "From",
    "Subject",
    "Message-Id",
    "Date",
    "List-Id",
    "References",
    "In-Reply-To",
    "Content-Type",
    "Content-Transfer-Encoding",
    "X-Patchwork-Delegate",
    "X-Patchwork-State",
    "X-Patchwork-Hint",
    "X-Original-From",
    "Reply-To",
];

fn bodies() -> Vec<Vec<u8>> {
    vec![
        b"\0".to_vec(),
        [b"Text\0.\n\0\n".as_slice(), DIFF, b"\0\xed\xa0\x80\xff".as_slice()].concat(),
        b"Acked-by: x\n".repeat(20_000),
        b"Depends-on: <x@example.com>\n".repeat(20_000),
        b"Depends-on: https://patchwork.example.org/series/9223372036854775807/\n".to_vec(),
        [b"diff --git a/f b/f\n".repeat(2000), b"--- a/\0\n+++ b/\xff\n@@ -0,0 +1,99999999999999999999 @@\n".to_vec()].concat(),
        format!(
            "The following changes since commit 1:\n\nare available in the git repository at:\n\n  git://x/{}\n",
            "y".repeat(400)
        )
        .into_bytes(),
        Vec::new(),
    ]
}

/// Every header with every value, every body, as patch, cover and reply.
fn mails() -> Vec<Vec<u8>> {
    let mut mails = Vec::new();
    for (place, name) in HEADERS.iter().enumerate() {
        for (index, value) in values().into_iter().enumerate() {
            mails.push(mail(&format!("h{place}-{index}"), &[(name, value)], DIFF));
        }
    }
    for (index, body) in bodies().iter().enumerate() {
        for subject in ["[PATCH] x", "[PATCH 0/2] x", "Re: x", "[PATCH 2/2] x"] {
            let headers = [
                ("Subject", subject.into()),
                ("In-Reply-To", b"<h0-0@example.com>".to_vec()),
            ];
            mails.push(mail(&format!("b{index}-{}", mails.len()), &headers, body));
        }
    }
    mails
}

on_both! {
    async fn no_mail_is_refused_by_the_database(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let mails = mails();
        for mail in &mails {
            scene::receive(&db, mail).await;
        }
        let mut conn = db.reader().await.expect("a connection");
        let counts = stage::counts(&mut conn).await;
        drop(conn);
        let again = scene::load(&db, mails).await;
        assert!(!again.contains(&"patch".to_owned()), "{again:?}");
        let mut conn = db.reader().await.expect("a connection");
        assert_eq!(stage::counts(&mut conn).await, counts);
    }
}

on_both! {
    async fn no_archive_is_refused_by_the_database(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let options = scene::options();
        let mails: Vec<_> = mails().into_iter().map(Ok).collect();
        let mut trouble = Vec::new();
        let summary = patchwork::ingest::archive::load(&db, mails.into_iter(), None, &options, |progress| {
            trouble.extend_from_slice(progress.trouble);
            true
        });
        let summary = summary.await.expect("a database that takes all mails");
        assert!(summary.patches > 0 && summary.covers > 0);
        let refused = trouble.iter().find(|(_, why)| why.contains("database") || why.contains("failed"));
        assert_eq!(refused, None);
    }
}

on_both! {
    async fn long_ids_are_linked_through_what_is_kept_of_them(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let id = format!("<{}@example.com>", "i".repeat(300)).into_bytes();
        let patch = mail("p", &[("Message-Id", id.clone())], DIFF);
        let reply = mail("r", &[("Subject", b"Re: x".to_vec()), ("In-Reply-To", id)], b"Well.\n");
        assert_eq!(scene::receive(&db, &patch).await, "patch");
        assert_eq!(scene::receive(&db, &reply).await, "comment");
        assert_eq!(scene::receive(&db, &patch).await, "duplicate");
    }
}

on_both! {
    async fn damaged_mails_do_no_harm(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let whole = [
            scene::compose(&json!({"id": "c", "subject": "[PATCH 0/2] both"}), 0),
            scene::compose(&json!({"id": "p1", "subject": "[PATCH 1/2] a", "reply": ["c"]}), 1),
            scene::compose(&json!({"id": "r1", "subject": "Re: [PATCH 1/2] a", "reply": ["p1"]}), 2),
        ];
        let mut random = 88_172_645_463_325_252_u64;
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        let mut mails = Vec::new();
        for turn in 0..240 {
            let mut mail = whole[turn % whole.len()].clone();
            for _ in 0..=turn % 20 {
                let place = next() as usize % mail.len();
                mail[place] = next() as u8;
            }
            mails.push(mail);
        }
        for mail in &mails {
            scene::receive(&db, mail).await;
        }
        scene::load(&db, mails).await;
        let mut conn = db.reader().await.expect("a connection");
        rows::read(&mut conn).await;
    }
}

on_both! {
    async fn too_large_a_mail_is_kept_and_reported(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let mut options = scene::options();
        options.max_bytes = 1000;
        let mail = mail("p", &[], &b"x".repeat(1000));
        let outcome = patchwork::ingest::receive(&db, &mail, None, &options, Timestamp(0)).await;
        let outcome = outcome.expect("a database that takes all mails");
        assert_eq!(scene::word(&outcome), "invalid");
        let mut conn = db.reader().await.expect("a connection");
        assert_eq!(rows::read(&mut conn).await["kept"], json!(["p invalid"]));
    }
}
