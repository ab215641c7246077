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

/// Returns the mails that wait to leave: to whom, and what they say.
async fn outgoing(db: &Db) -> Vec<(String, String)> {
    let mut conn = db.reader().await.expect("a reader");
    sql("SELECT recipient, content FROM outbox ORDER BY id")
        .all(&mut conn)
        .await
        .expect("mails")
}

pub async fn a_test_mail_names_the_domain(db: &Db) {
    let world = world(db).await;
    run(db, sql("UPDATE site SET domain = 'tide.example.org'")).await;
    let site = seed::site(db, |options| options.rest_api = true).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let list = "/admin/patchwork/outbox/";
    let form = browser.get(list).await;
    assert!(form.body.contains("A test mail to"));
    let wrong = [("action", "test-mail"), ("to", "nobody")];
    browser.submit(list, &wrong).await;
    assert!(outgoing(db).await.is_empty());
    let right = [("action", "test-mail"), ("to", "ann@example.org")];
    browser.submit(list, &right).await;
    let mails = outgoing(db).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].0, "ann@example.org");
    assert!(
        mails[0].1.contains("http://tide.example.org/"),
        "{}",
        mails[0].1
    );
    let settings = browser.get("/project/tide/pwclientrc/").await;
    assert!(
        settings.body.contains("url = http://tide.example.org/api/"),
        "{}",
        settings.body
    );
    let given = seed::site(db, |options| {
        options.rest_api = true;
        options.site_url = Some("https://other.example.org".into());
    })
    .await;
    let browser = Browser::of(&given, db, world.admin).await;
    let settings = browser.get("/project/tide/pwclientrc/").await;
    assert!(settings.body.contains("https://other.example.org/api/"));
    let dashboard = browser.get("/admin/").await;
    assert!(
        dashboard.body.contains("tide.example.org"),
        "the two disagree, which is told"
    );
}

pub async fn waiting_notifications_are_sent_at_once(db: &Db) {
    let world = world(db).await;
    let waits = "INSERT INTO patch_change_notification (patch_id, last_modified, orig_state_id) \
                 SELECT p.id, p.date, s.id FROM patch p, state s WHERE s.ordering = 1";
    run(db, sql(waits)).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let path = format!(
        "/admin/patchwork/patchchangenotification/{}/do/",
        world.patches[0]
    );
    browser.submit(&path, &[("action", "send")]).await;
    assert_eq!(outgoing(db).await.len(), 1);
    let left = "SELECT count(*) FROM patch_change_notification";
    assert_eq!(number(db, left).await, 1, "the other one is another's");
    assert_eq!(number(db, "SELECT count(*) FROM audit").await, 1);
}

pub async fn jobs_are_worked_on(db: &Db) {
    let world = world(db).await;
    run(db, sql("DELETE FROM patch_tag")).await;
    run(db, sql("UPDATE patch SET hash = NULL")).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let add = "/admin/patchwork/job/add/";
    for kind in ["retag", "rehash", "reparse"] {
        let made = resend(&browser, add, &[("kind", kind)]).await;
        assert_eq!(made.status, 303, "{}", made.body);
    }
    let wrong = resend(&browser, add, &[("kind", "prune"), ("argument", "x")]).await;
    assert_eq!(wrong.status, 422);
    let wrong = resend(&browser, add, &[("kind", "rules"), ("argument", "nowhere")]).await;
    assert_eq!(wrong.status, 422);
    let stopped = number(db, "SELECT max(id) FROM job").await;
    let act = format!("/admin/patchwork/job/{stopped}/do/");
    browser.submit(&act, &[("action", "stop")]).await;
    let options = ingest::Options::default();
    ingest::job::work(db, &options, None).await.expect("work");
    let status = "SELECT kind || ' ' || status FROM job ORDER BY id";
    assert_eq!(
        texts(db, status).await,
        ["retag done", "rehash done", "reparse stopped"]
    );
    assert_eq!(number(db, "SELECT count(*) FROM patch_tag").await, 1);
    browser.submit(&act, &[("action", "resume")]).await;
    ingest::job::work(db, &options, None).await.expect("work");
    assert_eq!(texts(db, status).await[2], "reparse done");
    let shown = browser
        .get(&format!("/admin/patchwork/job/{stopped}/change/"))
        .await;
    assert_eq!(shown.status, 200);
}

pub async fn a_job_belongs_to_one_worker(db: &Db) {
    world(db).await;
    let now = Timestamp::now();
    let mut tx = db.begin().await.expect("a transaction");
    let id = store::job::insert(&mut tx, "retag", "", None, now).await;
    assert_eq!(
        id.expect("an id"),
        store::job::insert(&mut tx, "retag", "", None, now)
            .await
            .expect("the same")
    );
    let first = store::job::claim(&mut tx, now).await.expect("a claim");
    let first = first.expect("a job");
    assert!(
        store::job::claim(&mut tx, now)
            .await
            .expect("none")
            .is_none()
    );
    // A worker that was not heard of has lost it.
    let later = now.plus_minutes(60);
    let second = store::job::claim(&mut tx, later).await.expect("a claim");
    let second = second.expect("the job once more");
    assert!(
        !store::job::moved(&mut tx, &first, 5, later)
            .await
            .expect("an answer")
    );
    assert!(
        store::job::moved(&mut tx, &second, 5, later)
            .await
            .expect("an answer")
    );
    tx.commit().await.expect("a commit");
}

pub async fn old_events_are_pruned(db: &Db) {
    let world = world(db).await;
    let told = "INSERT INTO event (category, project_id, date, patch_id) \
                SELECT 'patch-created', project_id, date, id FROM patch";
    run(db, sql(told)).await;
    super::recount(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let list = "/admin/patchwork/event/";
    let fields = [("action", "prune"), ("days", "1")];
    browser.submit(list, &fields).await;
    ingest::job::work(db, &ingest::Options::default(), None)
        .await
        .expect("work");
    assert_eq!(number(db, "SELECT count(*) FROM event").await, 0);
    super::counts_are_right(db).await;
}

pub async fn mails_for_no_project_are_read_again(db: &Db) {
    let world = world(db).await;
    let raw = b"From: Ann <ann@example.org>\nSubject: [PATCH] pool: <i>deep</i>\nMessage-ID: <lost@h>\nList-Id: <unknown.example.org>\n\n\
        --- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n";
    let options = ingest::Options::default();
    let now = Timestamp::now();
    let outcome = ingest::receive(db, raw, None, &options, now).await;
    assert!(matches!(outcome.expect("an outcome"), Outcome::Ignored(_)));
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let page = browser.get("/admin/ingest/").await;
    let rows = page.texts(".things tbody tr");
    assert_eq!(rows.len(), 1, "{}", page.body);
    for part in ["<i>deep</i>", "Ann", "unknown.example.org", "no project"] {
        assert!(rows[0].contains(part), "{part}: {rows:?}");
    }
    let id = number(db, "SELECT id FROM mail").await;
    let act = format!("/admin/patchwork/mail/{id}/do/");
    let fields = [("action", "assign"), ("project", "tide")];
    browser.submit(&act, &fields).await;
    let shown = "SELECT count(*) FROM patch WHERE msgid = '<lost@h>'";
    assert_eq!(number(db, shown).await, 1);
    assert_eq!(number(db, "SELECT count(*) FROM mail").await, 1);
    let id = number(db, "SELECT id FROM mail").await;
    let delete = format!("/admin/patchwork/mail/{id}/delete/");
    browser.post(&delete, &[("confirmed", "1")]).await;
    assert_eq!(
        number(db, "SELECT count(*) FROM mail").await,
        1,
        "what is shown stays"
    );
    // What was stored wrong is put right from the mail.
    run(
        db,
        sql("UPDATE patch SET name = 'wrong', hash = NULL WHERE msgid = '<lost@h>'"),
    )
    .await;
    let patch = number(db, "SELECT id FROM patch WHERE msgid = '<lost@h>'").await;
    let act = format!("/admin/patchwork/patch/{patch}/do/");
    let page = browser.post(&act, &[("action", "reread")]).await;
    assert!(
        page.body.contains("Store what the mail says"),
        "{}",
        page.body
    );
    let seen = page.values("input[name=seen]", "value")[0].clone();
    browser
        .post(&act, &[("action", "reread-apply"), ("seen", "other")])
        .await;
    let name = "SELECT name FROM patch WHERE msgid = '<lost@h>'";
    assert_eq!(texts(db, name).await, ["wrong"]);
    browser
        .submit(&act, &[("action", "reread-apply"), ("seen", &seen)])
        .await;
    assert_eq!(texts(db, name).await, ["pool: <i>deep</i>"]);
}
