//! Logging in and out, and that no form of another site's page is taken.

use patchwork::{
    auth,
    domain::{Timestamp, UserId},
    store::{self, Db, user::NewUser},
};

use super::{
    browser::Browser,
    seed::{self, get},
};

const PASSWORD: &str = "low-tide-at-noon";

/// Makes an account with a password of which `kept` is kept.
async fn account(db: &Db, username: &str, kept: &str) -> UserId {
    let mut tx = db.begin().await.expect("a transaction");
    let user = NewUser {
        username,
        email: &format!("{username}@example.com"),
        first_name: "",
        last_name: "",
        password: kept,
        is_superuser: false,
        date_joined: Timestamp::now(),
        items_per_page: 100,
    };
    let id = store::user::insert(&mut tx, &user).await.expect("a user");
    tx.commit().await.expect("a commit");
    id
}

fn kept() -> String {
    auth::hash_password(PASSWORD).expect("a hash")
}

pub async fn a_user_logs_in_and_out(db: &Db) {
    let ann = account(db, "ann", &kept()).await;
    seed::any_patch(db, seed::project(db, "one").await).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::new(&site);
    let page = browser.get("/user/login/?next=/about/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.values("input[name=next]", "value"), ["/about/"]);
    let token = browser.cookie("csrftoken");
    assert_eq!(
        page.values("input[name=csrfmiddlewaretoken]", "value"),
        [token.as_str()]
    );
    let wrong = browser
        .post(
            "/user/login/",
            &[("username", "ann"), ("password", "wrong")],
        )
        .await;
    assert_eq!(wrong.status, 422);
    assert_eq!(wrong.values("#id_username", "value"), ["ann"]);
    assert_eq!(wrong.texts("[role=alert] p").len(), 1);
    assert!(
        !wrong.body.contains("wrong\""),
        "the password is not sent back"
    );
    let right = [
        ("username", "ann"),
        ("password", PASSWORD),
        ("next", "/about/"),
    ];
    let done = browser.post("/user/login/", &right).await;
    assert_eq!((done.status, done.header("Location")), (303, "/about/"));
    let cookie = done
        .headers("Set-Cookie")
        .find(|set| set.starts_with("sessionid="));
    let cookie = cookie.expect("a session").to_owned();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"));
    let page = browser.get("/project/one/list/").await;
    assert_eq!(page.texts(".menu summary"), ["ann"]);
    // Session, rights, what waits, delegates and bundles, beside the list's own six.
    assert_eq!(page.statements(), 13);
    let again = browser.get("/user/login/").await;
    assert_eq!((again.status, again.header("Location")), (302, "/user/"));
    let mut conn = db.reader().await.expect("a reader");
    let sessions = store::session::of_user(&mut conn, ann, Timestamp::now()).await;
    assert_eq!(sessions.expect("sessions").len(), 1);
    let out = browser.submit("/user/logout/", &[]).await;
    assert_eq!(out.status, 302, "the only project");
    assert_eq!(browser.cookie("sessionid"), "");
    assert!(
        browser
            .get("/project/one/list/")
            .await
            .texts(".menu")
            .is_empty()
    );
}

pub async fn a_login_may_name_the_address(db: &Db) {
    account(db, "ann", &kept()).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::new(&site);
    browser.get("/user/login/").await;
    let fields = [("username", "Ann@Example.com"), ("password", PASSWORD)];
    assert_eq!(browser.post("/user/login/", &fields).await.status, 303);
}

pub async fn a_login_leads_to_pages_of_ours_only(db: &Db) {
    let site = seed::site(db, |_| {}).await;
    for (next, expected) in [
        ("/about/", "/about/"),
        ("//example.org/", "/user/"),
        ("https://example.org/", "/user/"),
        ("/%5Cexample.org/", "/user/"),
    ] {
        let page = get(&site, &format!("/user/login/?next={next}")).await;
        assert_eq!(
            page.values("input[name=next]", "value"),
            [expected],
            "{next}"
        );
    }
}

pub async fn passwords_kept_by_django_are_renewed(db: &Db) {
    // The hash of "tide and pool" with a thousand rounds.
    let old = "pbkdf2_sha256$1000$tidepool$VxnlhtWmkZEPEwlC3uqvT8XaJZRr3U3KLNLgCLJ1hh0=";
    let ann = account(db, "ann", old).await;
    let site = seed::site(db, |_| {}).await;
    for _ in 0..2 {
        let browser = Browser::new(&site);
        browser.get("/user/login/").await;
        let fields = [("username", "ann"), ("password", "tide and pool")];
        assert_eq!(browser.post("/user/login/", &fields).await.status, 303);
    }
    let mut conn = db.reader().await.expect("a reader");
    let user = store::user::by_id(&mut conn, ann).await.expect("an answer");
    assert!(user.expect("ann").password.starts_with("$argon2id$"));
}

pub async fn passwords_cannot_be_tried_for_ever(db: &Db) {
    account(db, "ann", &kept()).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::new(&site);
    browser.get("/user/login/").await;
    for _ in 0..10 {
        let fields = [("username", "ann"), ("password", "wrong")];
        assert_eq!(browser.post("/user/login/", &fields).await.status, 422);
    }
    // Neither another way to write the name nor the address gives more.
    for name in ["ANN", "ann@example.com"] {
        let fields = [("username", name), ("password", PASSWORD)];
        let refused = browser.post("/user/login/", &fields).await;
        assert_eq!(refused.status, 429, "{name}");
        assert_eq!(refused.values("#id_username", "value"), [name]);
        let seconds: i64 = refused.header("Retry-After").parse().expect("seconds");
        assert!((800..=900).contains(&seconds), "{seconds}");
    }
}

/// Logs in from a network address.
async fn login_from(
    site: &rocket::local::asynchronous::Client,
    from: &str,
    (name, password): (&str, &str),
) -> u16 {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("csrfmiddlewaretoken", "0"),
            ("username", name),
            ("password", password),
        ])
        .finish();
    let mut request = site.post("/user/login/").body(body);
    request.add_header(rocket::http::ContentType::Form);
    request = request.cookie(("csrftoken", "0"));
    let inner = request.inner_mut();
    inner.set_remote(from.parse().expect("an address"));
    request.dispatch().await.status().code
}

pub async fn many_passwords_at_once_are_counted(db: &Db) {
    account(db, "ann", &kept()).await;
    let site = seed::site(db, |_| {}).await;
    let wrong = (0..20).map(|_| login_from(&site, "192.0.2.1:1", ("ann", "wrong")));
    let answers = futures_util::future::join_all(wrong).await;
    let looked_at = answers.iter().filter(|status| **status == 422).count();
    assert_eq!(looked_at, 10, "{answers:?}");
    // Right ones are no tries, however many there are at once.
    account(db, "bob", &kept()).await;
    let right = (0..20).map(|_| login_from(&site, "192.0.2.1:1", ("bob", PASSWORD)));
    let answers = futures_util::future::join_all(right).await;
    assert!(answers.iter().all(|status| *status == 303), "{answers:?}");
}

pub async fn logins_are_counted_by_network(db: &Db) {
    account(db, "ann", &kept()).await;
    let site = seed::site(db, |_| {}).await;
    for number in 0..61 {
        let name = format!("nobody{number}");
        let from = format!("[2001:db8::{number:x}]:1");
        let expected = if number < 60 { 422 } else { 429 };
        let wrong = (name.as_str(), "wrong");
        assert_eq!(login_from(&site, &from, wrong).await, expected, "{number}");
        // A front server that does not tell for whom it asks is everybody.
        assert_eq!(login_from(&site, "127.0.0.1:1", wrong).await, 422);
    }
    let right = ("ann", PASSWORD);
    assert_eq!(login_from(&site, "[2001:db8::9]:1", right).await, 429);
    assert_eq!(login_from(&site, "[2001:db8:0:1::9]:1", right).await, 303);
    assert_eq!(login_from(&site, "127.0.0.1:1", right).await, 303);
}

/// Whoever has a neighbour of ours may set our cookies: then the token proves nothing.
pub async fn a_token_does_not_help_other_sites(db: &Db) {
    account(db, "ann", &kept()).await;
    let own = |options: &mut patchwork::web::Options| {
        options.site_url = Some("http://h.example.org".to_owned());
    };
    let site = seed::site(db, own).await;
    let browser = Browser::new(&site);
    browser.get("/user/login/").await;
    let fields = [("username", "ann"), ("password", "wrong")];
    for (header, value, expected) in [
        ("Origin", "http://evil.example.org", 403),
        ("Origin", "null", 403),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Sec-Fetch-Site", "same-site", 403),
        ("Sec-Fetch-Site", "same-origin", 422),
        ("Sec-Fetch-Site", "none", 422),
        ("Origin", "http://h.example.org", 422),
    ] {
        let headers = [(header, value)];
        let seen = browser.post_with("/user/login/", &fields, &headers).await;
        assert_eq!(seen.status, expected, "{header}: {value}");
        assert!(expected != 403 || seen.body.contains("Reload the page"));
        let plain = site
            .post("/user/login/")
            .header(rocket::http::ContentType::Form)
            .header(rocket::http::Header::new(header, value))
            .body("username=ann&password=wrong");
        assert_eq!(plain.dispatch().await.status().code, 403, "without a token");
    }
}

pub async fn pages_of_who_is_logged_in_are_private(db: &Db) {
    let ann = account(db, "ann", &kept()).await;
    let site = seed::site(db, |_| {}).await;
    let kept = "private, max-age=0";
    let browser = Browser::of(&site, db, ann.0).await;
    let page = browser.get("/about/").await;
    assert_eq!(page.header("Cache-Control"), kept);
    assert_eq!(
        get(&site, "/about/").await.header("Cache-Control"),
        "max-age=0"
    );
}

pub async fn a_switched_off_account_is_nobody(db: &Db) {
    let ann = account(db, "ann", &kept()).await;
    seed::any_patch(db, seed::project(db, "one").await).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann.0).await;
    assert_eq!(
        browser
            .get("/project/one/list/")
            .await
            .texts(".menu summary"),
        ["ann"]
    );
    let mut tx = db.begin().await.expect("a transaction");
    store::sql("UPDATE account SET is_active = FALSE")
        .run(&mut tx)
        .await
        .expect("a change");
    tx.commit().await.expect("a commit");
    assert!(
        browser
            .get("/project/one/list/")
            .await
            .texts(".menu")
            .is_empty()
    );
}

/// Every address that takes forms refuses one that does not come from a page of ours, whoever sends it.
pub async fn no_form_of_another_site_is_taken(db: &Db) {
    let ann = account(db, "ann", &kept()).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann.0).await;
    let forms: Vec<String> = site
        .rocket()
        .routes()
        .filter(|route| route.method == rocket::http::Method::Post && route.rank < 50)
        .map(|route| route.uri.to_string())
        .collect();
    assert!(forms.len() >= 2, "{forms:?}");
    for uri in forms {
        let path: String = uri
            .split('/')
            .map(|part| if part.starts_with('<') { "1" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        let seen = browser
            .post_plainly(&format!("{path}/"), &[("username", "ann")])
            .await;
        // The one form that mail programs send from wherever they are: its key is the proof, and this is none.
        if uri == "/mail/unsubscribe/<key>" {
            assert_eq!(seen.status, 404, "{uri}");
            continue;
        }
        // Mails by HTTP: no browser comes by, the secret is the proof, and without one the way is closed.
        if uri.starts_with("/inbound/mail") {
            assert_eq!(seen.status, 404, "{uri}");
            continue;
        }
        assert_eq!(seen.status, 403, "{uri}");
        assert!(seen.body.contains("Reload the page"), "{uri}");
    }
}

/// Keeps a notice for the next page of a browser.
async fn tell(db: &Db, browser: &Browser<'_>, text: &str) {
    let mut tx = db.begin().await.expect("a transaction");
    let now = Timestamp::now();
    let key = browser.cookie("sessionid");
    let session = auth::session::find(&mut tx, &key, now).await;
    let session = session.expect("an answer").expect("a session");
    let notices = vec![patchwork::domain::notice::Notice::done(text)];
    session.tell(&mut tx, notices, now).await.expect("a row");
    tx.commit().await.expect("a commit");
}

pub async fn a_notice_is_told_once_and_on_a_page(db: &Db) {
    let ann = account(db, "ann", &kept()).await;
    seed::any_patch(db, seed::project(db, "one").await).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann.0).await;
    tell(db, &browser, "It is <done>.").await;
    assert_eq!(browser.get("/").await.status, 302, "the only project");
    let page = browser.get("/project/one/list/").await;
    assert_eq!(page.texts(".notice p"), ["It is <done>."]);
    let again = browser.get("/project/one/list/").await;
    assert!(again.texts(".notice").is_empty());
}

pub async fn a_login_leads_back_to_the_page_of_the_form(db: &Db) {
    let own = |options: &mut patchwork::web::Options| {
        options.site_url = Some("http://h.example.org".to_owned());
    };
    let site = seed::site(db, own).await;
    let browser = Browser::new(&site);
    browser.get("/user/login/").await;
    let headers = [("Referer", "http://h.example.org/about/?a=b")];
    let seen = browser.post_with("/undo/1/", &[], &headers).await;
    assert_eq!(seen.header("Location"), "/user/login/?next=/about/%3Fa%3Db");
}
