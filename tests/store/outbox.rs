//! The outbox: claimed once, tried again, given up; and what a digest forgets.

use std::{cell::RefCell, fs, time::Duration};

use patchwork::{
    config::{self, Backend},
    domain::Timestamp,
    notify::{
        Mailer,
        outbox::{MAX_TRIES, send_due},
    },
    store::{self, Db, outbox::NewMail, sql},
};
use serde_json::json;

use super::play::Player;
use crate::support::fresh_folder;

const NOW: Timestamp = Timestamp(1_704_708_000_000_000);

async fn put(db: &Db, recipients: &[&str]) {
    let mut tx = db.begin().await.expect("a transaction");
    for recipient in recipients {
        let mail = NewMail {
            sender: "tides@example.org",
            recipient,
            subject: "x",
            headers: "",
            content: "y",
            created: NOW,
        };
        store::outbox::insert(&mut tx, &mail).await.expect("a mail");
    }
    tx.commit().await.expect("a commit");
}

/// A way out that is closed.
fn closed() -> Mailer {
    let settings = config::Mail {
        backend: Backend::Sendmail,
        sendmail: "/bin/false".to_owned(),
        ..config::Mail::default()
    };
    Mailer::new(&settings).expect("a mailer")
}

async fn send(db: &Db, mailer: &Mailer, now: Timestamp) -> Vec<String> {
    let told = RefCell::new(Vec::new());
    let report = |to: &str, error: &str| told.borrow_mut().push(format!("{to} {error}"));
    send_due(db, mailer, Duration::from_secs(30), || now, report)
        .await
        .expect("an end");
    told.into_inner()
}

async fn rows(db: &Db) -> Vec<(i64, Timestamp, bool, Option<String>)> {
    let mut conn = db.reader().await.expect("a reader");
    sql("SELECT tries, next_try, failed, last_error FROM outbox ORDER BY id")
        .all(&mut conn)
        .await
        .expect("rows")
}

on_both! {
    async fn a_mail_that_has_left_is_gone(db: Db) {
        let folder = fresh_folder();
        let settings = config::Mail { backend: Backend::File, directory: folder.clone(), ..config::Mail::default() };
        put(&db, &["a@example.com", "b@example.com"]).await;
        let mailer = Mailer::new(&settings).expect("a mailer");
        assert_eq!(send(&db, &mailer, NOW).await, Vec::<String>::new());
        assert_eq!(rows(&db).await, []);
        assert_eq!(fs::read_dir(folder).expect("a folder").count(), 2);
    }
}

on_both! {
    async fn a_claimed_mail_is_nobody_elses_until_the_claim_ends(db: Db) {
        put(&db, &["a@example.com", "b@example.com"]).await;
        let later = NOW.plus_minutes(10);
        let mut claimed = Vec::new();
        for now in [NOW, NOW, NOW, later.plus_minutes(-1), later] {
            let mut tx = db.begin().await.expect("a transaction");
            let mail = store::outbox::claim(&mut tx, now, now.plus_minutes(10)).await.expect("an answer");
            tx.commit().await.expect("a commit");
            claimed.push(mail.map(|mail| (mail.recipient, mail.tries)));
        }
        let mail = |name: &str, tries| Some((name.to_owned(), tries));
        assert_eq!(claimed, [mail("a@example.com", 1), mail("b@example.com", 1), None, None, mail("a@example.com", 2)]);
    }
}

on_both! {
    async fn two_senders_at_once_claim_each_mail_once(db: Db) {
        let recipients: Vec<String> = (0..12).map(|number| format!("{number}@example.com")).collect();
        put(&db, &recipients.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let all = async || {
            let mut mine = Vec::new();
            loop {
                let mut tx = db.begin().await.expect("a transaction");
                let mail = store::outbox::claim(&mut tx, NOW, NOW.plus_minutes(10)).await.expect("an answer");
                tx.commit().await.expect("a commit");
                match mail {
                    Some(mail) => mine.push(mail.recipient),
                    None => return mine,
                }
            }
        };
        let (mut first, second) = tokio::join!(all(), all());
        first.extend(second);
        first.sort();
        let mut expected = recipients.clone();
        expected.sort();
        assert_eq!(first, expected);
    }
}

on_both! {
    async fn what_fails_is_tried_again_ever_later_and_then_kept(db: Db) {
        put(&db, &["a@example.com"]).await;
        let mailer = closed();
        let mut now = NOW;
        for tries in 1..=MAX_TRIES {
            let told = send(&db, &mailer, now).await;
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].starts_with("a@example.com cannot send through the program /bin/false"), "{told:?}");
            // Until then nothing happens.
            assert_eq!(send(&db, &mailer, now).await, Vec::<String>::new());
            let [(tried, next, failed, error)] = &rows(&db).await[..] else { panic!("one row") };
            assert_eq!((*tried, *failed), (tries, tries == MAX_TRIES));
            assert!(error.as_deref().is_some_and(|error| error.contains("/bin/false")), "{error:?}");
            if tries == MAX_TRIES {
                assert!(told[0].ends_with("(given up after 10 tries)"), "{told:?}");
            } else {
                assert_eq!(*next, now.plus_minutes(10 << (tries - 1)));
                assert!(told[0].contains(&format!("(try {tries} of 10, the next after {})", next.iso())), "{told:?}");
            }
            now = *next;
        }
        assert_eq!(send(&db, &mailer, now.plus_minutes(100_000)).await, Vec::<String>::new());
        assert_eq!(rows(&db).await.len(), 1);
    }
}

on_both! {
    async fn a_mail_that_kills_its_senders_is_given_up(db: Db) {
        put(&db, &["a@example.com"]).await;
        let mut tx = db.begin().await.expect("a transaction");
        sql("UPDATE outbox SET tries = $1").bind(MAX_TRIES).run(&mut tx).await.expect("a row");
        tx.commit().await.expect("a commit");
        let folder = fresh_folder();
        let settings = config::Mail { backend: Backend::File, directory: folder.clone(), ..config::Mail::default() };
        let told = send(&db, &Mailer::new(&settings).expect("a mailer"), NOW).await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(fs::read_dir(folder).expect("a folder").count(), 0);
        assert!(rows(&db).await[0].2, "kept as failed");
    }
}

on_both! {
    async fn a_closed_way_is_not_tried_for_every_mail(db: Db) {
        let recipients: Vec<String> = (0..9).map(|number| format!("{number}@example.com")).collect();
        put(&db, &recipients.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!(send(&db, &closed(), NOW).await.len(), 5);
        assert_eq!(send(&db, &closed(), NOW).await.len(), 4);
    }
}

on_both! {
    async fn a_change_made_while_its_digest_is_written_survives(db: Db) {
        let mut player = Player::new(&db).await;
        for step in [json!({"mail": "p1"}), json!({"mail": "p2", "subject": "[PATCH] b"}), json!("state p1,p2 accepted")] {
            player.step(&step).await;
        }
        let mut tx = db.begin().await.expect("a transaction");
        let (submitter,): (patchwork::domain::PersonId,) = sql("SELECT id FROM person").one(&mut tx).await.expect("a person");
        let waiting = store::notification::of_submitter(&mut tx, submitter).await.expect("changes");
        assert_eq!(waiting.len(), 2);
        sql("UPDATE patch_change_notification SET last_modified = $1 WHERE patch_id = $2")
            .bind(waiting[0].last_modified.plus_minutes(1))
            .bind(waiting[0].patch_id)
            .run(&mut tx)
            .await
            .expect("a row");
        store::notification::forget(&mut tx, &waiting).await.expect("an end");
        let left = store::notification::of_submitter(&mut tx, submitter).await.expect("changes");
        assert_eq!(left.iter().map(|one| one.patch_id).collect::<Vec<_>>(), [waiting[0].patch_id]);
    }
}
