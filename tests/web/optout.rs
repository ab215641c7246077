//! Mail settings: asked for by anybody, changed by a link that only the address gets.

use patchwork::store::Db;

use super::{
    browser::Browser,
    letters,
    seed::{self, get},
};

const LINK: &str = "http://example.com/confirm/";
const LISTED: &str = "SELECT count(*) FROM email_optout WHERE email = 'foo@example.com'";

pub async fn an_address_leaves_and_comes_back(db: &Db) {
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::new(&site);
    browser.get("/mail/").await;
    let email = [("email", "Foo@Example.com")];
    for (told, way, before, after) in [("may", "optout", 0, 1), ("may not", "optin", 1, 0)] {
        let page = browser.post("/mail/", &email).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.texts("strong"), [told, "Foo@Example.com"]);
        let action = format!("/mail/{way}/");
        assert_eq!(page.values("main form", "action"), [action.as_str()]);
        assert_eq!(
            page.values("main input[name=email]", "value"),
            ["Foo@Example.com"]
        );
        let sent = browser.submit(&action, &email).await;
        assert!(sent.body.contains("Foo@Example.com"), "{}", sent.body);
        let mail = letters::last(db).await;
        assert_eq!(mail.recipient, "Foo@Example.com");
        assert!(mail.content.contains("http://example.com/\n"), "the site");
        let path = mail.path(LINK);
        assert_eq!(browser.get(&path).await.status, 200);
        assert_eq!(
            letters::count(db, LISTED).await,
            before,
            "opening does nothing"
        );
        let done = browser.submit(&path, &[]).await;
        assert_eq!(done.texts("h1"), ["Done"]);
        assert_eq!(done.values("main a.button", "href"), ["/mail/"]);
        assert_eq!(
            browser.post(&path, &[]).await.texts("h1"),
            ["Already processed"]
        );
        assert_eq!(letters::count(db, LISTED).await, after);
    }
}

pub async fn leaving_twice_is_leaving_once(db: &Db) {
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::new(&site);
    browser.get("/mail/").await;
    for email in ["foo@example.com", "FOO@example.com"] {
        browser.post("/mail/optout/", &[("email", email)]).await;
        let path = letters::last(db).await.path(LINK);
        browser.submit(&path, &[]).await;
    }
    assert_eq!(letters::count(db, LISTED).await, 1);
    assert_eq!(
        letters::count(db, "SELECT count(*) FROM email_optout").await,
        1
    );
}

pub async fn addresses_are_checked(db: &Db) {
    let site = seed::site(db, |_| {}).await;
    for way in ["/mail/optout/", "/mail/optin/"] {
        let seen = get(&site, way).await;
        assert_eq!((seen.status, seen.header("Location")), (302, "/mail/"));
    }
    assert_eq!(get(&site, "/mail/sent/").await.header("Location"), "/mail/");
    let browser = Browser::new(&site);
    browser.get("/mail/").await;
    for way in ["/mail/", "/mail/optout/", "/mail/optin/"] {
        for email in ["", "nobody", "a b@example.org"] {
            let seen = browser.post(way, &[("email", email)]).await;
            assert_eq!(
                (seen.status, seen.texts("#email-error").len()),
                (422, 1),
                "{way} {email}"
            );
            assert_eq!(seen.values("#id_email", "value"), [email]);
        }
    }
    let not_listed = browser
        .post("/mail/optin/", &[("email", "a@example.org")])
        .await;
    assert_eq!(
        (not_listed.status, not_listed.texts("#email-error").len()),
        (422, 1)
    );
    assert!(letters::all(db).await.is_empty());
}
