//! `patchwork cron`: silent when all is well, and what becomes of mail that does not go out.

use std::fs;

use patchwork::{
    domain::{
        PatchId, StateId, Timestamp,
        change::{Actor, PatchChange},
    },
    store::{self, Db, sql},
};

use crate::{
    support::program::{Program, ended},
    web::seed,
};

const MAIL: &str = "From: ann@example.com\nSubject: [PATCH] say \"hi\"\nMessage-Id: <p1@example.com>\nList-Id: <dev.example.org>\n\n\
    --- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n";

/// A patch whose state was changed a quarter of an hour ago.
async fn ready(db: &Db, url: &str) -> Program {
    let program = Program::on(url).with("PATCHWORK_SITE__URL", "https://patches.example.org");
    program.make_dev();
    program.run_with(&["parsemail"], MAIL).ok();
    let mut tx = db.begin().await.expect("a transaction");
    sql("UPDATE project SET send_notifications = TRUE")
        .run(&mut tx)
        .await
        .expect("a project");
    let change = PatchChange {
        state: Some(StateId(3)),
        ..PatchChange::default()
    };
    let by = Actor {
        user: None,
        at: Timestamp::now().plus_minutes(-15),
    };
    store::patch::change::apply(&mut tx, &[PatchId(1)], &change, &by)
        .await
        .expect("a change");
    tx.commit().await.expect("a commit");
    program
}

on_both! {
    async fn a_digest_is_sent_once(fresh: Fresh) {
        let program = ready(&fresh.db, &fresh.url).await;
        let cron = ["cron", "--set", "mail.backend=file", "--set", "mail.directory=out", "--set", "mail.notification_from=Tides <t@example.org>"];
        let fresh_only = [&cron[..], &["--set", "mail.notification_delay=20"]].concat();
        assert_eq!(program.run(&fresh_only).ok(), "");
        assert!(!program.folder.join("out").exists());
        assert_eq!(program.run(&cron).ok(), "");
        assert_eq!(program.run(&cron).ok(), "");
        let mails: Vec<_> = fs::read_dir(program.folder.join("out")).expect("a folder").collect();
        assert_eq!(mails.len(), 1);
        let raw = fs::read(mails[0].as_ref().expect("a file").path()).expect("a mail");
        let mail = mail_parser::MessageParser::default().parse(&raw).expect("a mail");
        assert_eq!(mail.subject(), Some("[dev] Patch notification: 1 patch updated"));
        let text = mail.body_text(0).expect("a text");
        for part in ["say \"hi\"", "https://patches.example.org/project/dev/patch/p1@example.com/", "https://patches.example.org/mail/"] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        assert!(String::from_utf8_lossy(&raw).contains("From: Tides <t@example.org>\r\n"));
        assert_eq!(program.run(&["dumpdata", "outbox", "patch_change_notification"]).ok(), "");
        // With one click it is the last (RFC 8058): the key in it is the address's, and only its digest is kept.
        let header = |name: &str| mail.header_raw(name).map(str::trim).unwrap_or_default().to_owned();
        assert_eq!(header("Precedence"), "bulk");
        assert_eq!(header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
        let way = header("List-Unsubscribe");
        let key = way
            .strip_prefix("<https://patches.example.org/mail/unsubscribe/")
            .and_then(|rest| rest.strip_suffix("/>"))
            .unwrap_or_else(|| panic!("{way}"));
        let mut conn = fresh.db.reader().await.expect("a reader");
        let whose = store::unsubscribe::address(&mut conn, key).await.expect("an answer");
        assert_eq!(whose.as_deref(), Some("ann@example.com"));
        assert!(!program.run(&["dumpdata", "unsubscribe"]).ok().contains(key));
    }
}

on_both! {
    async fn what_is_not_sent_is_told_and_kept(fresh: Fresh) {
        let program = ready(&fresh.db, &fresh.url).await;
        let cron = ["cron", "--set", "mail.host=127.0.0.1", "--set", "mail.port=1"];
        let ended = program.run(&cron);
        assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""));
        assert!(ended.err.starts_with("Failed sending to ann@example.com: cannot send through the mail server 127.0.0.1:1"), "{ended:?}");
        assert!(ended.err.contains("try 1 of 10"), "{ended:?}");
        assert_eq!(ended.err.lines().count(), 1);
        // It is not due yet.
        assert_eq!(program.run(&cron).ok(), "");
        let kept = program.run(&["dumpdata", "outbox"]).ok();
        assert!(kept.contains("\"tries\":1") && kept.contains("\"content\":null"), "{kept}");
        let away = program.run(&["cron", "--set", "mail.from=nobody"]);
        away.fails(1, &["mail.from 'nobody'"]);
    }
}

on_both! {
    async fn a_site_without_an_address_links_to_its_domain(fresh: Fresh) {
        let program = ready(&fresh.db, &fresh.url).await.with("PATCHWORK_SITE__URL", "");
        let told = program
            .run(&["cron", "--set", "mail.backend=console", "--set", "site.force_https=true", "--set", "server.url_prefix=/pw"])
            .ok();
        assert!(told.contains("  https://example.com/pw/mail/"), "{told}");
        assert!(told.contains("List-Unsubscribe: <https://example.com/pw/mail/unsubscribe/"), "{told}");
    }
}

on_both! {
    async fn without_https_a_click_opens_the_page(fresh: Fresh) {
        let program = ready(&fresh.db, &fresh.url).await.with("PATCHWORK_SITE__URL", "http://patches.example.org");
        let told = program.run(&["cron", "--set", "mail.backend=console"]).ok();
        assert!(told.contains("List-Unsubscribe: <http://patches.example.org/mail/unsubscribe/"), "{told}");
        assert!(!told.contains("List-Unsubscribe-Post"), "{told}");
    }
}

on_both! {
    async fn a_registration_nobody_confirmed_expires(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        let mut tx = fresh.db.begin().await.expect("a transaction");
        for (name, days) in [("old", 8), ("new", 6)] {
            let date = Timestamp::now().plus_minutes(-days * 24 * 60);
            sql("INSERT INTO account (username, password, is_active, registration_pending, date_joined) VALUES ($1, '', FALSE, TRUE, $2)")
                .bind(name)
                .bind(date)
                .run(&mut tx)
                .await
                .expect("an account");
            sql("INSERT INTO email_confirmation (type, email, account_id, key_digest, date) SELECT 'registration', 'x@y', id, $2, $3 FROM account WHERE username = $1")
                .bind(name)
                .bind(format!("{name:0>40}"))
                .bind(date)
                .run(&mut tx)
                .await
                .expect("a confirmation");
        }
        tx.commit().await.expect("a commit");
        assert_eq!(program.run(&["cron", "--set", "mail.backend=none"]).ok(), "");
        let accounts = program.run(&["dumpdata", "account"]).ok();
        assert!(accounts.contains("\"new\"") && !accounts.contains("\"old\""), "{accounts}");
        program.run(&["cron", "--set", "mail.backend=none", "--set", "mail.confirmation_validity=5"]).ok();
        assert_eq!(program.run(&["dumpdata", "account", "email_confirmation"]).ok(), "");
    }
}

on_both! {
    async fn several_at_once_send_one_digest(fresh: Fresh) {
        let program = ready(&fresh.db, &fresh.url).await;
        let cron = ["cron", "--set", "mail.backend=file", "--set", "mail.directory=out"];
        let started: Vec<_> = (0..3).map(|_| program.command(&cron).spawn().expect("the program")).collect();
        for child in started {
            assert_eq!(ended(child).ok(), "");
        }
        assert_eq!(fs::read_dir(program.folder.join("out")).expect("a folder").count(), 1);
    }
}

on_both! {
    async fn a_promise_that_ended_is_forgotten(fresh: Fresh) {
        let project = seed::project(&fresh.db, "one").await;
        let patch = seed::any_patch(&fresh.db, project).await;
        let now = Timestamp::now();
        let mut tx = fresh.db.begin().await.expect("a transaction");
        for (name, ends) in [("past", now.plus_minutes(-1)), ("kept", now.plus_minutes(60))] {
            sql("INSERT INTO account (username, password, date_joined) VALUES ($1, '', $2)")
                .bind(name)
                .bind(now)
                .run(&mut tx)
                .await
                .expect("an account");
            sql("INSERT INTO review_claim (patch_id, account_id, made, ends) SELECT $1, id, $2, $3 FROM account WHERE username = $4")
                .bind(patch)
                .bind(now.plus_minutes(-60))
                .bind(ends)
                .bind(name)
                .run(&mut tx)
                .await
                .expect("a promise");
        }
        tx.commit().await.expect("a commit");
        let program = Program::on(&fresh.url);
        assert_eq!(program.run(&["cron", "--set", "mail.backend=none"]).ok(), "");
        assert_eq!(program.run(&["dumpdata", "review_claim"]).ok().lines().count(), 1);
    }
}
