//! Links that were mailed: opened, pressed, pressed again, too old, somebody else's.

use patchwork::store::Db;

use super::{
    browser::Browser,
    letters,
    seed::{self, get},
};

const LINK: &str = "http://example.com/confirm/";

/// Asks for an address to be added, and returns the path of the link.
async fn asked(db: &Db, browser: &Browser<'_>, email: &str) -> String {
    let seen = browser.submit("/user/link/", &[("email", email)]).await;
    assert_eq!(seen.texts("#notices p").len(), 1, "{}", seen.body);
    letters::last(db).await.path(LINK)
}

pub async fn unknown_keys_are_nowhere(db: &Db) {
    let ann = seed::user(db, "ann", None).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann).await;
    for key in ["0".repeat(40), "xyz".into(), "0".repeat(39), "A".repeat(40)] {
        assert_eq!(get(&site, &format!("/confirm/{key}/")).await.status, 404);
        let sent = browser.post(&format!("/confirm/{key}/"), &[]).await;
        assert_eq!(sent.status, 404, "{key}");
    }
    let path = asked(db, &browser, "second@example.org").await;
    assert_eq!(get(&site, path.trim_end_matches('/')).await.status, 301);
    // What is kept does not confirm.
    letters::run(db, "UPDATE email_confirmation SET type = 'reset'").await;
    assert_eq!(browser.get(&path).await.status, 404);
}

pub async fn an_address_is_added_by_who_asked(db: &Db) {
    seed::any_patch(db, seed::project(db, "one").await).await;
    let bob = seed::user(db, "bob", None).await;
    let eve = seed::user(db, "eve", None).await;
    let site = seed::site(db, |_| {}).await;
    let (browser, other) = (
        Browser::of(&site, db, bob).await,
        Browser::of(&site, db, eve).await,
    );
    let path = asked(db, &browser, "Ann@example.org").await;
    let mail = letters::last(db).await;
    assert_eq!(mail.recipient, "Ann@example.org");
    assert!(mail.content.contains("Ann@example.org") && mail.content.contains("\"bob\""));
    let anonymous = get(&site, &path).await;
    let login = format!("/user/login/?next={path}");
    assert_eq!(
        (anonymous.status, anonymous.header("Location")),
        (302, login.as_str())
    );
    assert_eq!(other.get(&path).await.status, 403);
    assert_eq!(other.post(&path, &[]).await.status, 403);
    assert_eq!(browser.get(&path).await.texts("main form button").len(), 1);
    let linked = "SELECT count(*) FROM person WHERE account_id IS NOT NULL";
    assert_eq!(letters::count(db, linked).await, 0);
    assert_eq!(browser.submit(&path, &[]).await.texts("h1"), ["Done"]);
    assert_eq!(
        letters::count(db, linked).await,
        1,
        "the person that was there"
    );
    assert_eq!(browser.get(&path).await.texts("h1"), ["Already processed"]);
    let again = browser.post(&path, &[]).await;
    assert_eq!(
        (again.status, again.texts("h1")),
        (200, vec!["Already processed".into()])
    );
    assert!(
        !again.body.contains("Ann@example.org"),
        "whoever finds the link later"
    );
}

pub async fn an_address_of_another_account_stays_there(db: &Db) {
    seed::any_patch(db, seed::project(db, "one").await).await;
    let (bob, eve) = (
        seed::user(db, "bob", None).await,
        seed::user(db, "eve", None).await,
    );
    let site = seed::site(db, |_| {}).await;
    let (browser, other) = (
        Browser::of(&site, db, bob).await,
        Browser::of(&site, db, eve).await,
    );
    let first = asked(db, &browser, "ann@example.org").await;
    let second = asked(db, &other, "ANN@example.org").await;
    assert_eq!(browser.submit(&first, &[]).await.texts("h1"), ["Done"]);
    let page = other.get(&second).await;
    assert_eq!((page.status, page.texts("[role=alert]").len()), (200, 1));
    assert!(page.texts("main form").is_empty());
    assert_eq!(other.post(&second, &[]).await.status, 422);
    // Nor is the own address of an account taken away.
    let third = asked(db, &other, "bob@example.org").await;
    assert_eq!(other.post(&third, &[]).await.status, 422);
    let kept = "SELECT count(*) FROM person p JOIN account a ON a.id = p.account_id WHERE a.username = 'bob'";
    assert_eq!(letters::count(db, kept).await, 1);
    assert_eq!(
        letters::count(
            db,
            "SELECT count(*) FROM person WHERE account_id IS NOT NULL"
        )
        .await,
        1
    );
}

pub async fn links_expire(db: &Db) {
    let ann = seed::user(db, "ann", None).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann).await;
    let path = asked(db, &browser, "second@example.org").await;
    letters::age(db, 6).await;
    assert_eq!(browser.get(&path).await.texts("main form").len(), 1);
    letters::age(db, 1).await;
    let page = browser.get(&path).await;
    assert_eq!(
        (page.status, page.texts("h1")),
        (200, vec!["This link has expired".into()])
    );
    assert_eq!(
        page.values("main a.button", "href"),
        ["/user/addresses/"],
        "how to repeat it"
    );
    assert_eq!(
        browser.post(&path, &[]).await.texts("h1"),
        ["This link has expired"]
    );
    assert_eq!(letters::count(db, "SELECT count(*) FROM person").await, 0);
}

pub async fn a_newer_link_replaces_the_older(db: &Db) {
    let ann = seed::user(db, "ann", None).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann).await;
    let first = asked(db, &browser, "second@example.org").await;
    let second = asked(db, &browser, "Second@example.org").await;
    assert_ne!(first, second);
    assert_eq!(browser.get(&first).await.status, 404);
    assert_eq!(browser.submit(&second, &[]).await.texts("h1"), ["Done"]);
}

pub async fn addresses_to_add_are_checked(db: &Db) {
    let ann = seed::user(db, "ann", None).await;
    let site = seed::site(db, |_| {}).await;
    let anonymous = get(&site, "/user/link/").await;
    assert_eq!(
        (anonymous.status, anonymous.header("Location")),
        (302, "/user/login/?next=/user/link/")
    );
    let browser = Browser::of(&site, db, ann).await;
    let page = browser.get("/user/link/").await;
    assert_eq!((page.status, page.texts(".wrong").len()), (200, 0));
    for email in ["", "nobody", &format!("{}@example.org", "a".repeat(200))] {
        let seen = browser.post("/user/link/", &[("email", email)]).await;
        assert_eq!(
            (seen.status, seen.texts("#email-error").len()),
            (422, 1),
            "{email}"
        );
        assert_eq!(seen.values("#id_email", "value"), [email]);
    }
    assert!(letters::all(db).await.is_empty());
    let path = asked(db, &browser, "second@example.org").await;
    browser.submit(&path, &[]).await;
    let known = browser
        .post("/user/link/", &[("email", "SECOND@example.org")])
        .await;
    assert_eq!(known.status, 422);
}
