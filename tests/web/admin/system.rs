//! What goes on inside: quarantine, outgoing mail, opt-outs, the log.

use patchwork::{
    domain::Timestamp,
    ingest::{self, Outcome},
    store::{self, Db, sql},
};

use super::{
    super::{browser::Browser, seed},
    number, resend, run, texts, world,
};

pub async fn the_quarantine_is_looked_after(db: &Db) {
    let world = world(db).await;
    let raw = b"From: Ann <ann@example.org>\nSubject: [PATCH] x <b>bold</b>\nMessage-ID: <big@h>\nList-Id: <tide.example.org>\n\n\
        --- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n";
    let small = ingest::Options {
        max_bytes: 10,
        ..ingest::Options::default()
    };
    for _ in 0..2 {
        let outcome = ingest::receive(db, raw, None, &small, Timestamp::now()).await;
        assert!(matches!(
            outcome.expect("an outcome"),
            Outcome::Quarantined { .. }
        ));
    }
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let list = browser.get("/admin/patchwork/quarantine/").await;
    let href = list.values(".things tbody th a", "href")[0].clone();
    let shown = browser.get(&href).await;
    assert!(
        shown.texts("pre.folded")[0].contains("<b>bold</b>"),
        "inert"
    );
    let act = href.replace("change", "do");
    let tried = browser.submit(&act, &[("action", "retry")]).await;
    assert_eq!(
        number(db, "SELECT count(*) FROM quarantine").await,
        0,
        "{}",
        tried.body
    );
    assert_eq!(
        number(db, "SELECT count(*) FROM patch WHERE msgid = '<big@h>'").await,
        1
    );
    let told = browser.get("/admin/patchwork/mail/?q=big").await;
    assert_eq!(told.texts(".things tbody tr").len(), 1);
    let outcome = ingest::receive(
        db,
        &[raw.as_slice(), b"+c\n"].concat(),
        None,
        &small,
        Timestamp::now(),
    )
    .await;
    let Ok(Outcome::Quarantined { id, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    let path = format!("/admin/patchwork/quarantine/{id}/delete/");
    assert_eq!(browser.post(&path, &[("confirmed", "1")]).await.status, 303);
    assert_eq!(number(db, "SELECT count(*) FROM quarantine").await, 0);
    assert_eq!(number(db, "SELECT count(*) FROM audit").await, 2);
}

pub async fn outgoing_mail_is_tried_again(db: &Db) {
    let world = world(db).await;
    let mut tx = db.begin().await.expect("a transaction");
    let mail = store::outbox::NewMail {
        sender: "patchwork@example.org",
        recipient: "ann@example.org",
        subject: "News",
        headers: "",
        content: "secret key",
        created: seed::day(1),
    };
    store::outbox::insert(&mut tx, &mail).await.expect("a mail");
    tx.commit().await.expect("a commit");
    run(
        db,
        sql("UPDATE outbox SET failed = TRUE, tries = 10, last_error = 'no route'"),
    )
    .await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    assert_eq!(
        browser
            .get("/admin/patchwork/outbox/?failed=1")
            .await
            .texts(".things tbody tr")
            .len(),
        1
    );
    let id = number(db, "SELECT id FROM outbox").await;
    browser
        .submit(
            &format!("/admin/patchwork/outbox/{id}/do/"),
            &[("action", "retry")],
        )
        .await;
    assert_eq!(
        number(
            db,
            "SELECT count(*) FROM outbox WHERE failed = FALSE AND tries = 0"
        )
        .await,
        1
    );
    let viewer = super::staff(db, "viewer", &["patchwork.view_outbox"]).await;
    let viewer = Browser::of(&site, db, viewer).await;
    let seen = viewer
        .get(&format!("/admin/patchwork/outbox/{id}/change/"))
        .await;
    assert_eq!(seen.status, 200);
    assert!(!seen.body.contains("secret key"), "mails hold keys");
    let path = format!("/admin/patchwork/outbox/{id}/delete/");
    assert_eq!(browser.post(&path, &[("confirmed", "1")]).await.status, 303);
    assert_eq!(number(db, "SELECT count(*) FROM outbox").await, 0);
}

pub async fn optouts_are_added_and_removed(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let path = "/admin/patchwork/emailoptout";
    let made = resend(
        &browser,
        &format!("{path}/add/"),
        &[("email", "Ann@Example.org")],
    )
    .await;
    assert_eq!(made.status, 303, "{}", made.body);
    assert_eq!(
        texts(db, "SELECT email FROM email_optout ORDER BY email").await,
        ["ann@example.org", "no@example.org"]
    );
    let done = browser
        .post(
            &format!("{path}/ann@example.org/delete/"),
            &[("confirmed", "1")],
        )
        .await;
    assert_eq!(done.status, 303);
    assert_eq!(number(db, "SELECT count(*) FROM email_optout").await, 1);
}

pub async fn the_log_tells_everything(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    resend(
        &browser,
        "/admin/patchwork/state/2/change/",
        &[("name", "<b>bold</b>")],
    )
    .await;
    let list = browser.get("/admin/patchwork/audit/?q=bold").await;
    assert_eq!(list.texts(".things tbody tr").len(), 1);
    assert!(!list.body.contains("<b>bold"));
    let one = browser
        .get(&list.values(".things tbody th a", "href")[0])
        .await;
    assert_eq!(one.texts(".changes li"), ["Name: Under Review <b>bold</b>"]);
    let home = browser.get("/admin/").await;
    assert!(
        home.texts(".members li")[0].contains("changed state"),
        "{:?}",
        home.texts(".members li")
    );
    for path in ["add/", "1/change/", "1/delete/"] {
        let seen = browser
            .post(
                &format!("/admin/patchwork/audit/{path}"),
                &[("object", "x")],
            )
            .await;
        assert_eq!(seen.status, 403, "{path}");
    }
    let csv = browser.get("/admin/patchwork/audit/?format=csv").await;
    assert_eq!(csv.body.lines().count(), 2);
    assert_eq!(number(db, "SELECT count(*) FROM audit").await, 1);
}
