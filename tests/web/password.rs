//! Passwords: changed by who knows the old one, chosen anew by who gets the mail.

use patchwork::{
    auth,
    domain::{Timestamp, UserId},
    store::{self, Db, user::NewUser},
};

use super::{
    browser::Browser,
    letters,
    registration::PASSWORD,
    seed::{self, get},
};

const NEW: &str = "spring tide at dawn";
const LINK: &str = "http://example.com/user/password-reset/";

async fn account(db: &Db) -> i64 {
    let mut tx = db.begin().await.expect("a transaction");
    let user = NewUser {
        username: "ann",
        email: "Ann@example.org",
        first_name: "",
        last_name: "",
        password: &auth::hash_password(PASSWORD).expect("a hash"),
        is_superuser: false,
        date_joined: Timestamp::now(),
        items_per_page: 100,
    };
    let id = store::user::insert(&mut tx, &user).await.expect("a user");
    tx.commit().await.expect("a commit");
    id.0
}

async fn logs_in(browser: &Browser<'_>, password: &str) -> bool {
    browser.get("/user/login/").await;
    let fields = [("username", "ann"), ("password", password)];
    browser.post("/user/login/", &fields).await.status == 303
}

/// Asks for a new password, and returns the path of the link.
async fn asked(db: &Db, browser: &Browser<'_>) -> String {
    browser.get("/user/password-reset/").await;
    let sent = browser
        .post("/user/password-reset/", &[("email", "ann@EXAMPLE.org")])
        .await;
    assert_eq!(
        (sent.status, sent.header("Location")),
        (303, "/user/password-reset/mail-sent/")
    );
    letters::last(db).await.path(LINK)
}

pub async fn a_password_is_changed(db: &Db) {
    let ann = account(db).await;
    let site = seed::site(db, |_| {}).await;
    let (browser, other) = (
        Browser::of(&site, db, ann).await,
        Browser::of(&site, db, ann).await,
    );
    let path = "/user/password-change/";
    let page = browser.get(path).await;
    assert_eq!(
        page.values("main input[type=password]", "name"),
        ["old_password", "new_password1", "new_password2"]
    );
    for (old, first, second, wrong) in [
        ("wrong", NEW, NEW, "old_password"),
        ("", NEW, NEW, "old_password"),
        (PASSWORD, NEW, "another one", "new_password2"),
        (PASSWORD, "short", "short", "new_password1"),
        (
            PASSWORD,
            "ann@example.org",
            "ann@example.org",
            "new_password1",
        ),
        (PASSWORD, "", "", "new_password1"),
    ] {
        let fields = [
            ("old_password", old),
            ("new_password1", first),
            ("new_password2", second),
        ];
        let seen = browser.post(path, &fields).await;
        assert_eq!(seen.status, 422, "{wrong}");
        assert_eq!(
            seen.texts(&format!("#{wrong}-error")).len(),
            1,
            "{wrong}: {}",
            seen.body
        );
        assert!(!seen.body.contains(NEW));
    }
    let before = browser.cookie("sessionid");
    let fields = [
        ("old_password", PASSWORD),
        ("new_password1", NEW),
        ("new_password2", NEW),
    ];
    let done = browser.post(path, &fields).await;
    assert_eq!(
        (done.status, done.header("Location")),
        (303, "/user/password-change/done/")
    );
    assert_ne!(
        browser.cookie("sessionid"),
        before,
        "the session is another one"
    );
    let told = letters::last(db).await;
    assert_eq!(told.recipient, "Ann@example.org");
    assert!(told.subject.contains("password was changed"), "{told:?}");
    assert_eq!(browser.get("/user/password-change/done/").await.status, 200);
    assert_eq!(other.get("/user/").await.status, 302, "others have ended");
    assert!(!logs_in(&Browser::new(&site), PASSWORD).await);
    assert!(logs_in(&Browser::new(&site), NEW).await);
    let anonymous = get(&site, path).await;
    assert_eq!(
        (anonymous.status, anonymous.header("Location")),
        (302, "/user/login/?next=/user/password-change/")
    );
}

pub async fn old_passwords_cannot_be_tried_for_ever(db: &Db) {
    let ann = account(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann).await;
    for _ in 0..10 {
        let fields = [
            ("old_password", "wrong"),
            ("new_password1", NEW),
            ("new_password2", NEW),
        ];
        assert_eq!(
            browser.post("/user/password-change/", &fields).await.status,
            422
        );
    }
    let fields = [
        ("old_password", PASSWORD),
        ("new_password1", NEW),
        ("new_password2", NEW),
    ];
    let late = browser.post("/user/password-change/", &fields).await;
    assert_eq!((late.status, late.form(".narrow form").len()), (429, 5));
    let told = late.texts("#old_password-error");
    assert!(told[0].contains("try again in 15 minutes"), "{told:?}");
    let seconds: i64 = late.header("Retry-After").parse().expect("seconds");
    assert!((800..=900).contains(&seconds), "{seconds}");
}

pub async fn a_forgotten_password_is_chosen_anew(db: &Db) {
    let ann = account(db).await;
    let site = seed::site(db, |_| {}).await;
    let logged_in = Browser::of(&site, db, ann).await;
    let browser = Browser::new(&site);
    let path = asked(db, &browser).await;
    let mail = letters::last(db).await;
    assert_eq!(mail.recipient, "Ann@example.org", "as it is stored");
    assert!(mail.subject.contains("example.com") && mail.content.contains("\"ann\""));
    let uid = path.split('/').nth(3).expect("the id").to_owned();
    let opened = browser.get(&path).await;
    let form = format!("/user/password-reset/{uid}/set-password/");
    assert_eq!(
        (opened.status, opened.header("Location")),
        (302, form.as_str())
    );
    let page = browser.get(&form).await;
    assert_eq!(
        (page.status, page.header("Referrer-Policy")),
        (200, "same-origin")
    );
    assert!(page.body.contains("<strong>ann</strong>"));
    assert_eq!(
        Browser::new(&site).get(&form).await.status,
        410,
        "only who opened the link"
    );
    let wrong = browser
        .post(
            &form,
            &[("new_password1", "short"), ("new_password2", "short")],
        )
        .await;
    assert_eq!(
        (wrong.status, wrong.texts("#new_password1-error").len()),
        (422, 1)
    );
    let fields = [("new_password1", NEW), ("new_password2", NEW)];
    let done = browser.post(&form, &fields).await;
    assert_eq!(
        (done.status, done.header("Location")),
        (303, "/user/login/")
    );
    let told = letters::last(db).await;
    assert!(told.subject.contains("password was changed"), "{told:?}");
    assert_eq!(browser.get("/user/login/").await.texts(".notice").len(), 1);
    assert_eq!(
        logged_in.get("/user/").await.status,
        302,
        "all sessions have ended"
    );
    assert!(logs_in(&Browser::new(&site), NEW).await);
    for path in [&path, &form] {
        let seen = browser.get(path).await;
        assert_eq!(seen.status, 410, "once only");
        assert_eq!(
            seen.values("main form", "action"),
            ["/user/password-reset/"]
        );
    }
    assert_eq!(browser.post(&form, &fields).await.status, 410);
}

pub async fn tokens_outlive_a_password(db: &Db) {
    let ann = account(db).await;
    let site = seed::site(db, |options| options.rest_api = true).await;
    for (number, days) in [None, Some(7), Some(-1)].into_iter().enumerate() {
        let mut tx = db.begin().await.expect("a transaction");
        let token = store::token::NewToken {
            user: UserId(ann),
            key_hash: &[number as u8],
            name: &number.to_string(),
            scope: "write",
            created: Timestamp::now(),
            expires: days.map(|days: i64| Timestamp::now().plus_minutes(days * 24 * 60)),
        };
        store::token::insert(&mut tx, &token).await.expect("a row");
        tx.commit().await.expect("a commit");
    }
    let browser = Browser::new(&site);
    let path = asked(db, &browser).await;
    let form = browser.get(&path).await.header("Location").to_owned();
    let fields = [("new_password1", NEW), ("new_password2", NEW)];
    let login = browser.submit(&form, &fields).await;
    let told = login.texts(".notice");
    assert!(
        told[0].contains("2 API tokens of the account still work"),
        "{told:?}"
    );
    assert_eq!(
        login.values(".notice a", "href"),
        ["/user/login/?next=/user/tokens/"]
    );
    let page = browser.get("/user/login/").await;
    assert!(page.texts(".notice").is_empty(), "it is told once");
    let browser = Browser::of(&site, db, ann).await;
    letters::run(db, "DELETE FROM token WHERE name = '1'").await;
    let fields = [
        ("old_password", NEW),
        ("new_password1", PASSWORD),
        ("new_password2", PASSWORD),
    ];
    let done = browser.submit("/user/password-change/", &fields).await;
    assert!(
        done.body
            .contains("One API token of the account still works")
    );
    assert_eq!(
        done.values("main p a[href='/user/tokens/']", "href").len(),
        1
    );
}

pub async fn a_link_for_a_password_ends(db: &Db) {
    let ann = account(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::new(&site);
    let path = asked(db, &browser).await;
    assert_eq!(browser.get(&path).await.status, 302);
    letters::age(db, 3).await;
    assert_eq!(browser.get(&path).await.status, 410, "after three days");
    let path = asked(db, &browser).await;
    assert!(logs_in(&Browser::new(&site), PASSWORD).await);
    assert_eq!(browser.get(&path).await.status, 410, "after a login");
    let path = asked(db, &browser).await;
    let user = Browser::of(&site, db, ann).await;
    let changed = [
        ("old_password", PASSWORD),
        ("new_password1", NEW),
        ("new_password2", NEW),
    ];
    user.post("/user/password-change/", &changed).await;
    assert_eq!(
        browser.get(&path).await.status,
        410,
        "after another password"
    );
    for path in [
        "/user/password-reset/MQ/x/",
        "/user/password-reset/!/set-password/",
        "/user/password-reset/MQ/set-password/",
    ] {
        assert_eq!(get(&site, path).await.status, 410, "{path}");
    }
}

pub async fn nobody_learns_which_accounts_there_are(db: &Db) {
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::new(&site);
    browser.get("/user/password-reset/").await;
    // One without a password that could be used, and one that is switched off.
    seed::user(db, "bot", None).await;
    account(db).await;
    letters::run(
        db,
        "UPDATE account SET is_active = FALSE WHERE username = 'ann'",
    )
    .await;
    for email in ["nobody@example.org", "bot@example.org", "ann@example.org"] {
        let sent = browser
            .post("/user/password-reset/", &[("email", email)])
            .await;
        assert_eq!(
            (sent.status, sent.header("Location")),
            (303, "/user/password-reset/mail-sent/")
        );
    }
    assert_eq!(
        browser.get("/user/password-reset/mail-sent/").await.status,
        200
    );
    assert!(letters::all(db).await.is_empty());
    for email in ["", "nobody"] {
        let seen = browser
            .post("/user/password-reset/", &[("email", email)])
            .await;
        assert_eq!((seen.status, seen.texts("#email-error").len()), (422, 1));
    }
}
