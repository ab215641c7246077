//! Mails that want to do harm: neither a panic nor an error of the database is the answer.

use std::time::{Duration, Instant};

use patchwork::{
    domain::{ListId, Timestamp},
    ingest::{
        self, Options, Outcome,
        guard::{Panicked, contained, contained_async},
        intake::{self, Trouble, Unfit},
    },
    mail::mbox,
    store::{self, Db, Kind, sql},
};
use serde_json::{Value, json};

use super::{rows, scene, stage};
use crate::{corpus, support::Random};

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
    async fn too_large_a_mail_is_set_aside_whole(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let mut options = scene::options();
        options.max_bytes = 1000;
        let large = mail("p", &[], &b"x".repeat(1000));
        for tries in 1..=2 {
            let outcome = receive(&db, &large, None, &options).await;
            assert_eq!(scene::word(&outcome), "quarantined");
            let entries = aside(&db).await;
            assert_eq!(entries.len(), 1, "the same bytes are one entry");
            let entry = &entries[0];
            assert_eq!((entry.kind.as_str(), entry.tries), ("limit", tries));
            assert_eq!(entry.msgid, "<p@example.com>");
            assert_eq!(entry.project.as_deref(), Some("dev"));
            assert!(entry.reason.contains("more than the 1000"), "{entry:?}");
        }
        let list = ListId::new("elsewhere.example.org");
        receive(&db, &large, Some(&list), &options).await;
        let entries = aside(&db).await;
        assert_eq!(entries.len(), 2, "another list is another entry");
        assert_eq!((entries[1].list_id.as_str(), &entries[1].project), ("elsewhere.example.org", &None));
        let mut conn = db.reader().await.expect("a connection");
        for entry in entries {
            let bytes = store::quarantine::bytes(&mut conn, entry.id).await.expect("bytes");
            assert_eq!(bytes, large);
        }
        assert_eq!(rows::read(&mut conn).await["kept"], json!([]));
    }
}

async fn receive(db: &Db, raw: &[u8], list: Option<&ListId>, options: &Options) -> Outcome {
    ingest::receive(db, raw, list, options, Timestamp(0))
        .await
        .expect("a database that takes all mails")
}

async fn aside(db: &Db) -> Vec<store::quarantine::Entry> {
    let mut conn = db.reader().await.expect("a connection");
    store::quarantine::all(&mut conn).await.expect("entries")
}

/// Makes the database refuse patches of this name, as it would a mail that no statement of ours is ready for.
async fn refuse(db: &Db) {
    let mut tx = db.begin().await.expect("a transaction");
    let text = match tx.kind() {
        Kind::Sqlite => {
            "CREATE TRIGGER refuse BEFORE INSERT ON patch WHEN NEW.name = 'refuse' \
             BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        }
        Kind::Postgres => "ALTER TABLE patch ADD CONSTRAINT refuse CHECK (name <> 'refuse')",
    };
    sql(text).run(&mut tx).await.expect("a trap");
    tx.commit().await.expect("a commit");
}

/// Takes the trap away.
async fn relent(db: &Db) {
    let mut tx = db.begin().await.expect("a transaction");
    let text = match tx.kind() {
        Kind::Sqlite => "DROP TRIGGER refuse",
        Kind::Postgres => "ALTER TABLE patch DROP CONSTRAINT refuse",
    };
    sql(text).run(&mut tx).await.expect("no trap");
    tx.commit().await.expect("a commit");
}

on_both! {
    async fn a_mail_that_the_database_refuses_is_set_aside_alone(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        refuse(&db).await;
        let one = |id: &str, subject: &str| mail(id, &[("Subject", subject.into())], DIFF);
        let mails = vec![one("a", "[PATCH] a"), one("b", "[PATCH] refuse"), one("c", "[PATCH] c")];
        let options = scene::options();
        let outcome = receive(&db, &mails[1], None, &options).await;
        assert_eq!(scene::word(&outcome), "quarantined");
        let words = scene::load(&db, mails.clone()).await;
        assert_eq!(words, ["patch", "patch", "quarantined"]);
        let entries = aside(&db).await;
        assert_eq!((entries.len(), entries[0].kind.as_str(), entries[0].tries), (1, "refused", 2));
        relent(&db).await;
        assert_eq!(scene::word(&receive(&db, &mails[1], None, &options).await), "patch");
    }
}

on_both! {
    async fn a_mail_whose_reading_panics_is_set_aside(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let raw = mail("p", &[], DIFF);
        // No mail is known to do it; the defect is played, all that follows is real.
        let panicked = contained(|| raw[raw.len()]).expect_err("a panic");
        let unfit = Unfit::new(&raw, Trouble::Panic, &panicked.to_string());
        let outcome = intake::set_aside(&db, &unfit, None, Timestamp(0)).await.expect("a database");
        assert_eq!(scene::word(&outcome), "quarantined");
        let entries = aside(&db).await;
        assert_eq!((entries[0].kind.as_str(), entries[0].msgid.as_str()), ("panic", "<p@example.com>"));
        assert!(entries[0].reason.contains("index out of bounds") && entries[0].reason.contains("hostile.rs:"));
    }
}

on_both! {
    async fn a_transaction_in_which_something_panics_leaves_nothing(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        for _ in 0..3 {
            let done = contained_async(async {
                let mut tx = db.begin().await.expect("a transaction");
                sql("UPDATE project SET name = 'half' WHERE id = 1").run(&mut tx).await.expect("an update");
                tokio::task::yield_now().await;
                panic!("half way");
            });
            assert!(done.await.is_err_and(|it: Panicked| it.0.contains("half way")));
        }
        let mut tx = db.begin().await.expect("a transaction, the lock is free");
        let (half,): (i64,) = sql("SELECT count(*) FROM project WHERE name = 'half'").one(&mut tx).await.expect("a count");
        assert_eq!(half, 0);
    }
}

/// Turns bytes of a mail into others, as many as `turn` says.
fn flipped(mail: &[u8], turn: usize, random: &mut Random) -> Vec<u8> {
    let mut mail = mail.to_vec();
    for _ in 0..=turn % 24 {
        let place = random.below(mail.len());
        mail[place] = random.next() as u8;
    }
    mail
}

on_both! {
    async fn a_damaged_kept_mail_holds_nobody_up(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let reply = scene::compose(&json!({"id": "r", "subject": "Re: [PATCH] a", "reply": ["p"]}), 1);
        assert_eq!(scene::receive(&db, &reply).await, "unknown-parent");
        let mut tx = db.begin().await.expect("a transaction");
        sql("UPDATE mail SET packed = $1").bind(&b"damaged"[..]).run(&mut tx).await.expect("a damaged mail");
        tx.commit().await.expect("a commit");
        let patch = scene::compose(&json!({"id": "p", "subject": "[PATCH] a"}), 2);
        assert_eq!(scene::receive(&db, &patch).await, "patch");
    }
}

on_both! {
    async fn every_damaged_mail_of_the_table_ends_as_it_says(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let table: Vec<Value> = serde_json::from_str(include_str!("../data/mail/damaged.json")).expect("a table");
        let list = ListId::new("dev.lists.example.org");
        for case in table {
            // Each character of the table stands for a byte.
            let text = case["mail"].as_str().expect("a mail").chars();
            let raw: Vec<u8> = text.map(|c| u8::try_from(c).expect("a byte")).collect();
            let outcome = ingest::receive(&db, &raw, Some(&list), &scene::options(), scene::BEGIN).await;
            let word = scene::word(&outcome.expect("no damage is the database's trouble"));
            let expected = case["outcome"].as_str().expect("an outcome");
            let is_so = match expected {
                "patch" => word == "patch",
                "nothing" => ["unknown-parent", "empty"].contains(&word),
                _ => word == "invalid",
            };
            assert!(is_so, "{}: {word}, not {expected}", case["name"]);
        }
    }
}

/// Delivers damaged mails one by one; each must have an outcome in time.
async fn flip(db: &Db, mails: &[Vec<u8>], list: &ListId, turns: usize, seed: u64) {
    let mut random = Random::new(seed);
    let options = scene::options();
    let mut slowest = Duration::ZERO;
    let mut aside = 0;
    for (turn, mail) in mails
        .iter()
        .filter(|mail| !mail.is_empty())
        .cycle()
        .take(turns)
        .enumerate()
    {
        let mail = flipped(mail, turn, &mut random);
        let begun = Instant::now();
        let outcome = ingest::receive(db, &mail, Some(list), &options, scene::BEGIN).await;
        let took = begun.elapsed();
        let told = || format!("seed {seed}, mail {turn}, {took:?}");
        match outcome {
            Err(error) => panic!("{}: {error}", told()),
            Ok(Outcome::Quarantined { reason, .. })
                if reason.contains("panic") || reason.contains(".rs:") =>
            {
                panic!("{}: {reason}", told())
            }
            Ok(Outcome::Quarantined { reason, .. }) => {
                assert!(!reason.contains("statement"), "{}: {reason}", told());
                aside += 1;
            }
            Ok(_) => {}
        }
        assert!(took < Duration::from_secs(2), "{}", told());
        slowest = slowest.max(took);
    }
    println!("{turns} damaged mails: {aside} set aside, the slowest took {slowest:?}");
}

on_both! {
    async fn flipped_bytes_of_a_list_do_no_harm(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let mails: Vec<_> = mbox::Splitter::new(&include_bytes!("../../lib/sample/tidepool.mbox")[..], 16 << 20)
            .map(|mail| mail.expect("a mail"))
            .collect();
        flip(&db, &mails, &ListId::new("dev.lists.example.org"), 400, 20_240_108).await;
    }
}

on_both! {
    async fn flipped_bytes_of_the_corpus_do_no_harm(fresh: Fresh) {
        let Some(archives) = corpus::given("flipped bytes of the corpus") else { return };
        let db = stage::open(&fresh.url).await;
        let list = ListId::new("dev.lists.example.org");
        for (number, archive) in archives.iter().enumerate() {
            let mails: Vec<_> = corpus::mails(archive).flatten().collect();
            flip(&db, &mails, &list, mails.len(), 20_240_108 + number as u64).await;
        }
    }
}
