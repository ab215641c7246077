//! A user's own page: what it shows, settings, addresses, sessions.

use patchwork::store::{self, Db};

use super::{
    browser::Browser,
    letters,
    seed::{self, Patch, get},
};

async fn items(db: &Db, username: &str) -> (i64, bool) {
    let mut conn = db.reader().await.expect("a reader");
    let user = store::user::by_username(&mut conn, username).await;
    let user = user.expect("an answer").expect("a user");
    (user.items_per_page, user.show_ids)
}

/// Gives a user the person of this address.
async fn link(db: &Db, user: i64, email: &str) {
    let mut tx = db.begin().await.expect("a transaction");
    let user = patchwork::domain::UserId(user);
    let linked = store::person::link(&mut tx, user, email, "Ann").await;
    assert!(linked.expect("an answer"));
    tx.commit().await.expect("a commit");
}

pub async fn a_profile_is_its_users_only(db: &Db) {
    let site = seed::site(db, |_| {}).await;
    let seen = get(&site, "/user/").await;
    assert_eq!(
        (seen.status, seen.header("Location")),
        (302, "/user/login/?next=/user/")
    );
}

pub async fn a_profile_shows_what_is_its_users(db: &Db) {
    let (one, two) = (
        seed::project(db, "one").await,
        seed::project(db, "two").await,
    );
    seed::project(db, "three").await;
    let ann = seed::user(db, "ann", Some(one)).await;
    seed::patch(
        db,
        Patch {
            project: two,
            delegate: Some(ann),
            ..Patch::default()
        },
    )
    .await;
    link(db, ann, "ann@example.org").await;
    link(db, ann, "second@example.org").await;
    let mut tx = db.begin().await.expect("a transaction");
    let user = patchwork::domain::UserId(ann);
    let project = patchwork::domain::ProjectId(one);
    store::bundle::insert(&mut tx, user, project, "for next", true)
        .await
        .expect("a bundle");
    store::optout::insert(&mut tx, "Second@example.org")
        .await
        .expect("a row");
    tx.commit().await.expect("a commit");
    let site = seed::site(db, |options| options.rest_api = true).await;
    let browser = Browser::of(&site, db, ann).await;
    let page = browser.get("/user/").await;
    assert_eq!(page.status, 200);
    let work = page.values("#work a", "href");
    for expected in [
        "/user/todo/",
        "/project/one/list/",
        "/project/two/list/",
        "/bundle/ann/for%20next/",
    ] {
        assert!(work.contains(&expected.to_owned()), "{expected}: {work:?}");
    }
    assert!(!work.contains(&"/project/three/list/".to_owned()));
    // Session, rights and what waits; projects, bundles, saved filters.
    assert_eq!(page.statements(), 6);
    let sections = page.values(".settings nav a", "href");
    assert_eq!(
        sections,
        [
            "/user/",
            "/user/addresses/",
            "/user/display/",
            "/user/tokens/",
            "/user/account/"
        ]
    );
    for path in &sections {
        let page = browser.get(path).await;
        let open = page.values(".settings nav a[aria-current=page]", "href");
        assert_eq!((page.status, open), (200, vec![path.clone()]));
    }
    let page = browser.get("/user/addresses/").await;
    assert_eq!(
        page.texts("#addresses tbody th"),
        ["ann@example.org primary", "second@example.org"]
    );
    let ways = page.values("#addresses td form", "action");
    assert_eq!(ways[..2], ["/mail/optout/", "/mail/optin/"]);
    assert!(
        ways[2].starts_with("/user/unlink/") && ways.len() == 3,
        "{ways:?}"
    );
    let page = browser.get("/user/account/").await;
    assert!(page.body.contains("/user/password-change/"));
    let page = browser.get("/user/tokens/").await;
    assert_eq!(page.texts("#tokens h2").len(), 1);
    let without = seed::site(db, |_| {}).await;
    let browser = Browser::of(&without, db, ann).await;
    let page = browser.get("/user/tokens/").await;
    assert!(page.texts("#tokens h2").is_empty(), "no API, no tokens");
}

pub async fn settings_are_checked_and_saved(db: &Db) {
    let ann = seed::user(db, "ann", None).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann).await;
    let settings = [("items_per_page", "101"), ("show_ids", "on")];
    let seen = browser.submit("/user/", &settings).await;
    assert_eq!(seen.texts("#notices p").len(), 1);
    assert_eq!(seen.values("#id_items_per_page", "value"), ["101"]);
    assert_eq!(items(db, "ann").await, (101, true));
    for wrong in ["-1", "0", "1001", "many", ""] {
        let seen = browser.post("/user/", &[("items_per_page", wrong)]).await;
        assert_eq!(
            (seen.status, seen.texts("#items_per_page-error").len()),
            (422, 1),
            "{wrong}"
        );
        assert_eq!(seen.values("#id_items_per_page", "value"), [wrong]);
        assert_eq!(items(db, "ann").await, (101, true));
    }
    let names = [
        ("items_per_page", "1000"),
        ("first_name", "Ann"),
        ("last_name", "<b>Ebb"),
    ];
    let seen = browser.submit("/user/", &names).await;
    assert_eq!(seen.values("#id_last_name", "value"), ["<b>Ebb"]);
    assert_eq!(items(db, "ann").await, (1000, false));
    let long = "a".repeat(31);
    let names = [("items_per_page", "1000"), ("first_name", long.as_str())];
    assert_eq!(browser.post("/user/", &names).await.status, 422);
}

pub async fn only_own_addresses_are_taken_away(db: &Db) {
    let (ann, bob) = (
        seed::user(db, "ann", None).await,
        seed::user(db, "bob", None).await,
    );
    for (user, email) in [
        (ann, "Ann@example.org"),
        (ann, "second@example.org"),
        (bob, "bob@example.org"),
    ] {
        link(db, user, email).await;
    }
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann).await;
    let linked = "SELECT count(*) FROM person WHERE account_id IS NOT NULL";
    let seen = browser.get("/user/unlink/2/").await;
    assert_eq!((seen.status, seen.header("Location")), (302, "/user/"));
    for (path, status, left) in [
        ("/user/unlink/3/", 404, 3),
        ("/user/unlink/99/", 404, 3),
        ("/user/unlink/x/", 404, 3),
        ("/user/unlink/1/", 303, 3),
        ("/user/unlink/2/", 303, 2),
        ("/user/unlink/2/", 404, 2),
    ] {
        assert_eq!(browser.post(path, &[]).await.status, status, "{path}");
        assert_eq!(letters::count(db, linked).await, left, "{path}");
    }
    let anonymous = Browser::new(&site);
    anonymous.get("/mail/").await;
    assert_eq!(anonymous.post("/user/unlink/1/", &[]).await.status, 302);
    assert_eq!(letters::count(db, linked).await, 2);
}

pub async fn sessions_are_ended(db: &Db) {
    let (ann, bob) = (
        seed::user(db, "ann", None).await,
        seed::user(db, "bob", None).await,
    );
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann).await;
    let (second, third, foreign) = (
        Browser::of(&site, db, ann).await,
        Browser::of(&site, db, ann).await,
        Browser::of(&site, db, bob).await,
    );
    let keys = browser
        .get("/user/tokens/")
        .await
        .values("#sessions td input[name=session]", "value");
    assert_eq!(keys.len(), 2, "not this one");
    let not_bobs = foreign
        .post("/user/sessions/end/", &[("session", &keys[0])])
        .await;
    assert_eq!(not_bobs.status, 404);
    browser
        .submit("/user/sessions/end/", &[("session", &keys[0])])
        .await;
    let left = [
        second.get("/user/").await.status,
        third.get("/user/").await.status,
    ];
    assert!(left == [200, 302] || left == [302, 200], "{left:?}");
    let page = browser
        .submit("/user/sessions/end/", &[("session", "others")])
        .await;
    assert_eq!(page.texts("#notices p"), ["The other session has ended."]);
    assert_eq!(
        [
            second.get("/user/").await.status,
            third.get("/user/").await.status
        ],
        [302, 302]
    );
    assert_eq!(foreign.get("/user/").await.status, 200);
}
