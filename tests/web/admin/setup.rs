//! Projects, states, tags, the site.

use patchwork::{
    domain::Timestamp,
    ingest::{self, Outcome},
    store::{Db, sql},
};

use super::{
    super::{browser::Browser, seed},
    counts_are_right, number, resend, run, superuser, texts, world,
};

/// A project to be added, with the one field that matters to a test.
async fn added(browser: &Browser<'_>, but: &[(&str, &str)]) -> seed::Seen {
    resend(
        browser,
        "/admin/patchwork/project/add/",
        &[
            &[
                ("linkname", "new"),
                ("name", "New"),
                ("list_id", "new.example.org"),
                ("list_email", "new@example.org"),
            ],
            but,
        ]
        .concat(),
    )
    .await
}

pub async fn projects_are_added(db: &Db) {
    let root = superuser(db, "root").await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, root).await;
    for (field, value) in [
        ("list_email", ""),
        ("list_email", "nobody"),
        ("linkname", "a b"),
        ("subject_match", "(a"),
        ("commit_url_format", "https://example.org/x"),
        ("web_url", "javascript:alert(1)"),
        ("list_id", "a b"),
    ] {
        let seen = added(&browser, &[(field, value)]).await;
        assert_eq!(seen.status, 422, "{field}={value}");
        assert_eq!(seen.values("[aria-invalid]", "name"), [field], "{value}");
        assert_eq!(seen.values(&format!("#id_{field}"), "value"), [value]);
    }
    assert_eq!(added(&browser, &[]).await.status, 303);
    for (fields, wrong) in [
        (
            vec![("name", "Other"), ("list_id", "other.example.org")],
            "linkname",
        ),
        (
            vec![("linkname", "other"), ("list_id", "other.example.org")],
            "name",
        ),
        (vec![("linkname", "other"), ("name", "Other")], "list_id"),
    ] {
        let seen = added(&browser, &fields).await;
        assert_eq!(seen.values("[aria-invalid]", "name"), [wrong]);
    }
    let second = [
        ("linkname", "other"),
        ("name", "Other"),
        ("subject_match", r"\bother\b"),
    ];
    assert_eq!(added(&browser, &second).await.status, 303);
    assert_eq!(
        texts(db, "SELECT linkname FROM project ORDER BY id").await,
        ["new", "other"]
    );
    assert_eq!(
        number(
            db,
            "SELECT count(*) FROM audit WHERE action = 1 AND model = 'patchwork.project'"
        )
        .await,
        2
    );
    let fields = [("action", "test-subject"), ("subject", "[PATCH other] x")];
    let tested = browser
        .submit("/admin/patchwork/project/1/do/", &fields)
        .await;
    assert!(
        tested
            .texts(".notice p")
            .last()
            .is_some_and(|told| told.ends_with("goes to other.")),
        "{:?}",
        tested.texts(".notice p")
    );
}

pub async fn an_old_linkname_leads_on(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let path = format!("/admin/patchwork/project/{}/change/", world.project);
    assert_eq!(
        resend(&browser, &path, &[("linkname", "sea")]).await.status,
        303
    );
    for (before, after) in [
        ("/project/tide/", "/project/sea/"),
        (
            "/project/tide/list/?state=*&q=a",
            "/project/sea/list/?state=*&q=a",
        ),
        ("/project/tide/patch/1@h/", "/project/sea/patch/1@h/"),
    ] {
        let seen = browser.get(before).await;
        assert_eq!((seen.status, seen.header("Location")), (301, after));
    }
    assert_eq!(browser.get("/project/sea/patch/1@h/").await.status, 200);
    assert_eq!(browser.get("/project/sky/").await.status, 404);
    // Back again: the first name is its own.
    assert_eq!(
        resend(&browser, &path, &[("linkname", "tide")])
            .await
            .status,
        303
    );
    assert_eq!(browser.get("/project/tide/").await.status, 200);
    assert_eq!(
        browser.get("/project/sea/").await.header("Location"),
        "/project/tide/"
    );
}

const MAIL: &str = "From: Ann <ann@example.org>\nTo: tide@example.org\nSubject: [PATCH] net: x\nDate: Tue, 05 Mar 2024 06:07:08 +0000\n\
    Message-ID: <ID@h>\nList-Id: <tide.example.org>\n\ntext\n---\ndiff --git a/net/x.c b/net/x.c\n--- a/net/x.c\n+++ b/net/x.c\n@@ -1 +1 @@\n-a\n+b\n";

/// Takes a mail in, and returns the patch it became.
async fn arrived(db: &Db, id: &str, from: &str) -> i64 {
    let raw = MAIL
        .replace("ID@h", id)
        .replace("Ann <ann@example.org>", from);
    let options = ingest::Options::default();
    let outcome = ingest::receive(db, raw.as_bytes(), None, &options, Timestamp::now()).await;
    match outcome.expect("an outcome") {
        Outcome::Patch(id) => id.0,
        other => panic!("{other:?}"),
    }
}

pub async fn delegation_rules_are_kept_and_tested(db: &Db) {
    let world = world(db).await;
    let (ann, bob) = (
        seed::user(db, "ann", Some(world.project)).await.to_string(),
        seed::user(db, "bob", None).await.to_string(),
    );
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let path = format!("/admin/patchwork/project/{}", world.project);
    let act = format!("{path}/do/");
    let twice = [
        ("action", "rules"),
        ("path-0", "net/*"),
        ("user-0", &ann),
        ("priority-0", "0"),
        ("path-1", "net/*"),
        ("user-1", &bob),
        ("priority-1", "0"),
    ];
    let seen = browser.submit(&act, &twice).await;
    assert_eq!(seen.texts(".notice.failed p").len(), 1);
    assert_eq!(number(db, "SELECT count(*) FROM delegation_rule").await, 0);
    let rules = [
        ("action", "rules"),
        ("path-0", "net/*"),
        ("user-0", ann.as_str()),
        ("priority-0", "0"),
        ("path-1", "*"),
        ("user-1", bob.as_str()),
        ("priority-1", "5"),
    ];
    let seen = browser.submit(&act, &rules).await;
    assert!(seen.texts(".notice p")[0].contains("do not maintain the project: bob"));
    // The higher priority is asked first.
    let ask = [("action", "test-rules"), ("files", "net/x.c")];
    let told = browser.submit(&act, &ask).await.texts(".notice p")[0].clone();
    assert!(told.starts_with("The patch would go to bob."), "{told}");
    let low = [
        ("action", "rules"),
        ("path-0", "net/*"),
        ("user-0", ann.as_str()),
        ("priority-0", "0"),
        ("path-1", "*"),
        ("user-1", bob.as_str()),
        ("priority-1", "-1"),
    ];
    browser.submit(&act, &low).await;
    let told = browser.submit(&act, &ask).await.texts(".notice p")[0].clone();
    assert!(told.starts_with("The patch would go to ann."), "{told}");
    let patch = arrived(db, "new@h", "Ann <ann@example.org>").await;
    let got = texts(db, "SELECT a.username FROM patch p JOIN account a ON a.id = p.delegate_id WHERE p.msgid = '<new@h>'").await;
    assert_eq!(got, ["ann"]);
    let told = browser
        .submit(
            &act,
            &[("action", "test-rules"), ("files", &patch.to_string())],
        )
        .await;
    assert!(told.texts(".notice p")[0].starts_with("The patch would go to ann."));
    // Somebody else's page is old now.
    let stale = [
        ("action", "rules"),
        ("rules_version", "000"),
        ("path-0", "x"),
    ];
    assert_eq!(
        browser
            .submit(&act, &stale)
            .await
            .texts(".notice.failed p")
            .len(),
        1
    );
    assert_eq!(number(db, "SELECT count(*) FROM delegation_rule").await, 2);
    let applied = browser.submit(&act, &[("action", "reapply")]).await;
    assert!(
        applied.texts(".notice p")[0].starts_with("2 patches"),
        "{:?}",
        applied.texts(".notice p")
    );
    let events =
        "SELECT count(*) FROM event WHERE category = 'patch-delegated' AND actor_id IS NOT NULL";
    assert_eq!(number(db, events).await, 2);
    counts_are_right(db).await;
}

pub async fn a_maintainer_may_edit_at_once(db: &Db) {
    let world = world(db).await;
    let ann = seed::user(db, "ann", None).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let act = format!("/admin/patchwork/project/{}/do/", world.project);
    let page = browser
        .submit(&act, &[("action", "maintainer-add"), ("user", "ann")])
        .await;
    assert!(page.texts(".members li span").contains(&"ann".to_owned()));
    let mut conn = db.reader().await.expect("a reader");
    let rights = patchwork::store::user::rights(&mut conn, patchwork::domain::UserId(ann)).await;
    assert!(
        rights
            .expect("rights")
            .maintains(patchwork::domain::ProjectId(world.project))
    );
    drop(conn);
    let list = browser.get("/project/tide/list/").await;
    assert!(list.body.contains(">ann<"), "offered as delegate");
    let unknown = browser
        .submit(&act, &[("action", "maintainer-add"), ("user", "zoe")])
        .await;
    assert_eq!(unknown.texts(".notice.failed p").len(), 1);
    browser
        .submit(&act, &[("action", "maintainer-remove"), ("user", "ann")])
        .await;
    assert_eq!(number(db, "SELECT count(*) FROM maintainer").await, 0);
    assert_eq!(number(db, "SELECT count(*) FROM audit").await, 2);
}

pub async fn a_project_with_patches_stays(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let path = format!("/admin/patchwork/project/{}/delete/", world.project);
    let page = browser.get(&path).await;
    let rows = page.texts(".things tbody tr");
    assert!(
        rows.iter().any(|row| row.starts_with("Patches2")),
        "{rows:?}"
    );
    assert!(
        rows.iter().any(|row| row.starts_with("Bundles1")),
        "{rows:?}"
    );
    assert!(page.texts("form.thing").is_empty());
    let seen = browser
        .post(&path, &[("name", "tide"), ("confirmed", "1")])
        .await;
    assert_eq!(seen.status, 422);
    let empty = seed::project(db, "empty").await;
    let path = format!("/admin/patchwork/project/{empty}/delete/");
    let wrong = browser
        .post(&path, &[("name", "emty"), ("confirmed", "1")])
        .await;
    assert_eq!(wrong.status, 422);
    assert_eq!(number(db, "SELECT count(*) FROM project").await, 2);
    let right = browser
        .post(&path, &[("name", "empty"), ("confirmed", "1")])
        .await;
    assert_eq!(right.status, 303, "{}", right.body);
    assert_eq!(texts(db, "SELECT linkname FROM project").await, ["tide"]);
    assert_eq!(number(db, "SELECT count(*) FROM patch").await, 2);
}

pub async fn the_first_state_stays_first(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let seen = resend(
        &browser,
        "/admin/patchwork/state/1/change/",
        &[("ordering", "77")],
    )
    .await;
    assert_eq!(seen.status, 422);
    let seen = browser
        .post(
            "/admin/patchwork/state/1/delete/",
            &[("into", "2"), ("confirmed", "1")],
        )
        .await;
    assert_eq!(seen.status, 422);
    assert_eq!(
        number(db, "SELECT ordering FROM state WHERE id = 1").await,
        0
    );
    // Another one in the first place is another matter.
    browser
        .submit("/admin/patchwork/state/2/do/", &[("action", "up")])
        .await;
    assert_eq!(
        number(db, "SELECT ordering FROM state WHERE id = 2").await,
        0
    );
    assert_eq!(
        number(db, "SELECT ordering FROM state WHERE id = 1").await,
        1
    );
    let made = resend(
        &browser,
        "/admin/patchwork/state/add/",
        &[("name", "On Hold"), ("ordering", "10")],
    )
    .await;
    assert_eq!(made.status, 303);
    assert_eq!(
        number(db, "SELECT count(*) FROM state WHERE slug = 'on-hold'").await,
        1
    );
}

pub async fn a_used_state_is_replaced(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let ids: Vec<String> = world.patches.iter().map(i64::to_string).collect();
    let fields = [
        ("action", "state"),
        ("new_state", "3"),
        ("id", &ids[0]),
        ("id", &ids[1]),
    ];
    let seen = browser.submit("/admin/patchwork/patch/", &fields).await;
    assert_eq!(seen.texts(".notice p"), ["2 patches changed."]);
    let path = "/admin/patchwork/state/3/delete/";
    assert_eq!(
        browser.post(path, &[("confirmed", "1")]).await.status,
        422,
        "no replacement"
    );
    let page = browser.get(path).await;
    assert_eq!(page.values("select[name=into]", "id"), ["id_into"]);
    let done = browser
        .post(path, &[("confirmed", "1"), ("into", "4")])
        .await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert_eq!(
        number(db, "SELECT count(*) FROM patch WHERE state_id = 4").await,
        2
    );
    assert_eq!(
        number(db, "SELECT count(*) FROM state WHERE id = 3").await,
        0
    );
    let events = "SELECT count(*) FROM event WHERE category = 'patch-state-changed' AND actor_id IS NOT NULL";
    assert_eq!(number(db, events).await, 4);
    assert_eq!(number(db, "SELECT count(*) FROM audit").await, 3);
    counts_are_right(db).await;
}

pub async fn tags_are_counted_anew(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let path = "/admin/patchwork/tag/2/change/";
    assert_eq!(
        resend(&browser, path, &[("pattern", "(a")]).await.status,
        422
    );
    let seen = browser
        .submit(
            "/admin/patchwork/tag/",
            &[("action", "recount"), ("after", "0")],
        )
        .await;
    assert_eq!(seen.texts(".notice p"), ["All tags were counted anew."]);
    assert_eq!(
        number(db, "SELECT count(*) FROM patch_tag WHERE tag_id = 2").await,
        1
    );
    assert_eq!(
        resend(&browser, path, &[("pattern", "^text")]).await.status,
        303
    );
    browser
        .submit("/admin/patchwork/tag/", &[("action", "recount")])
        .await;
    assert_eq!(
        number(db, "SELECT count(*) FROM patch_tag WHERE tag_id = 2").await,
        2
    );
    let list = browser.get("/project/tide/list/").await;
    assert!(list.body.contains("1 Reviewed-by"), "the column changes");
    let fields = [("action", "test"), ("text", "text\ntext\nno text")];
    let tested = browser.submit("/admin/patchwork/tag/2/do/", &fields).await;
    assert_eq!(tested.texts(".notice p"), ["Found 2 times."]);
}

pub async fn the_site_gets_its_domain(db: &Db) {
    let root = superuser(db, "root").await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, root).await;
    let path = "/admin/sites/site/1/change/";
    for bad in [
        "https://patches.example.org",
        "patches.example.org/",
        "a b",
        "",
    ] {
        assert_eq!(
            resend(&browser, path, &[("domain", bad)]).await.status,
            422,
            "{bad}"
        );
    }
    assert_eq!(
        resend(&browser, path, &[("domain", "patches.example.org:8000")])
            .await
            .status,
        303
    );
    assert_eq!(
        texts(db, "SELECT domain FROM site").await,
        ["patches.example.org:8000"]
    );
    assert!(
        !browser
            .get("/admin/")
            .await
            .body
            .contains("still example.com")
    );
    assert_eq!(browser.get("/admin/sites/site/add/").await.status, 403);
    assert_eq!(browser.get("/admin/sites/site/1/delete/").await.status, 403);
}

pub async fn maintainers_set_addresses_and_rules(db: &Db) {
    let world = world(db).await;
    let (ann, bob) = (
        seed::user(db, "ann", Some(world.project)).await,
        seed::user(db, "bob", None).await,
    );
    let site = seed::site(db, |_| {}).await;
    let path = "/project/tide/settings/";
    assert_eq!(Browser::new(&site).get(path).await.status, 302);
    assert_eq!(
        Browser::of(&site, db, bob).await.get(path).await.status,
        403
    );
    // The console gives no rights on a project.
    assert_eq!(
        Browser::of(&site, db, world.admin)
            .await
            .post(path, &[])
            .await
            .status,
        403
    );
    let browser = Browser::of(&site, db, ann).await;
    let seen = resend(
        &browser,
        path,
        &[("action", "addresses"), ("web_url", "nonsense")],
    )
    .await;
    assert_eq!(seen.status, 422);
    assert_eq!(seen.values("[aria-invalid]", "name"), ["web_url"]);
    let fields = [
        ("action", "addresses"),
        ("web_url", "https://tide.example.org/"),
    ];
    assert_eq!(resend(&browser, path, &fields).await.status, 303);
    assert_eq!(
        texts(db, "SELECT web_url FROM project").await,
        ["https://tide.example.org/"]
    );
    let id = ann.to_string();
    let rules = [
        ("action", "rules"),
        ("path-0", "net/*"),
        ("user-0", id.as_str()),
        ("priority-0", ""),
    ];
    assert_eq!(
        browser.submit(path, &rules).await.texts(".notice p"),
        ["The settings were saved.", "The rules were saved."]
    );
    assert_eq!(number(db, "SELECT count(*) FROM delegation_rule").await, 1);
    assert_eq!(
        number(db, "SELECT count(*) FROM audit WHERE username = 'ann'").await,
        2
    );
}

/// After people were merged, mail from the address of one who went is the survivor's.
pub async fn merged_people_stay_one(db: &Db) {
    let world = world(db).await;
    let bob = number(db, "SELECT id FROM person WHERE email = 'bob@example.org'").await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let id = bob.to_string();
    let fields = [
        ("action", "merge"),
        ("id", id.as_str()),
        ("into", "ann@example.org"),
    ];
    let seen = browser.submit("/admin/patchwork/person/", &fields).await;
    assert_eq!(
        seen.texts(".notice p"),
        ["1 person became Ann <ann@example.org>."]
    );
    assert_eq!(number(db, "SELECT count(*) FROM person").await, 1);
    assert_eq!(
        texts(db, "SELECT email FROM person_alias").await,
        ["bob@example.org"]
    );
    let patch = arrived(db, "later@h", "Robert <BOB@example.org>").await;
    assert_eq!(number(db, "SELECT count(*) FROM person").await, 1);
    let ann = number(db, "SELECT id FROM person WHERE email = 'ann@example.org'").await;
    run(db, sql("DELETE FROM patch WHERE id <> $1").bind(patch)).await;
    assert_eq!(number(db, "SELECT submitter_id FROM patch").await, ann);
    assert_eq!(
        number(db, "SELECT count(*) FROM audit").await,
        2,
        "one went, one was changed"
    );
    let taken = resend(
        &browser,
        "/admin/patchwork/person/add/",
        &[("email", "bob@example.org")],
    )
    .await;
    assert_eq!(taken.status, 422);
}
