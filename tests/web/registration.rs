//! Getting an account: what is refused, what is mailed, and that nobody learns which addresses have accounts.

use patchwork::store::{self, Db};

use super::{
    browser::Browser,
    letters,
    seed::{self, Seen, get},
};

pub const PASSWORD: &str = "low-tide-at-noon";

/// Sends the form with what a test changes about it.
async fn register(browser: &Browser<'_>, change: &[(&str, &str)]) -> Seen {
    let mut fields = vec![
        ("first_name", "Ann"),
        ("last_name", "Ebb"),
        ("username", "ann"),
        ("email", "ann@example.org"),
        ("password", PASSWORD),
    ];
    for (name, value) in change {
        fields.retain(|(field, _)| field != name);
        fields.push((name, value));
    }
    browser.post("/register/", &fields).await
}

async fn user(db: &Db, username: &str) -> Option<patchwork::domain::User> {
    let mut conn = db.reader().await.expect("a reader");
    let user = store::user::by_username(&mut conn, username).await;
    user.expect("an answer")
}

pub async fn wrong_fields_are_named(db: &Db) {
    seed::user(db, "bob", None).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::new(&site);
    let page = browser.get("/register/").await;
    assert_eq!(page.status, 200);
    for name in ["first_name", "last_name", "username", "email", "password"] {
        let field = format!("form[action=\"/register/\"] input[name={name}]");
        assert_eq!(page.values(&field, "name").len(), 1, "{name}");
    }
    for (name, value) in [
        ("username", ""),
        ("username", "a b"),
        ("username", "a.b"),
        ("username", "BOB"),
        ("username", &"a".repeat(31)),
        ("email", ""),
        ("email", "nobody"),
        ("email", "a@b@c"),
        ("email", &format!("{}@example.org", "a".repeat(100))),
        ("password", ""),
        ("password", "short"),
        ("password", "password1"),
        ("password", "ann@example.org"),
        ("first_name", &"a".repeat(31)),
    ] {
        let seen = register(&browser, &[(name, value)]).await;
        assert_eq!(seen.status, 422, "{name}={value}");
        let wrong = seen.texts(&format!("#{name}-error"));
        assert_eq!(wrong.len(), 1, "{name}={value}: {}", seen.body);
        let described = seen.values(&format!("#id_{name}"), "aria-describedby");
        assert!(described[0].contains(&format!("{name}-error")));
        if name != "email" {
            assert_eq!(seen.values("#id_email", "value"), ["ann@example.org"]);
        }
        if name != "password" {
            assert_eq!(seen.values(&format!("#id_{name}"), "value"), [value]);
        }
        assert!(seen.values("#id_password", "value").is_empty());
    }
    assert!(user(db, "ann").await.is_none());
    assert!(letters::all(db).await.is_empty());
}

pub async fn an_account_is_confirmed_by_mail(db: &Db) {
    seed::any_patch(db, seed::project(db, "one").await).await;
    let site = seed::site(db, |options| {
        options.site_url = Some("https://patches.example.org".into());
    })
    .await;
    let browser = Browser::new(&site);
    browser.get("/register/").await;
    // The person of this address was seen on the list, in another spelling.
    let seen = register(&browser, &[("email", "Ann@Example.org")]).await;
    assert_eq!(
        (seen.status, seen.header("Location")),
        (303, "/register/sent/")
    );
    let page = browser.get("/register/sent/").await;
    assert_eq!(page.header("Cache-Control"), "no-store");
    assert!(page.body.contains("Ann@Example.org"));
    assert_eq!(
        browser.get("/register/sent/").await.status,
        302,
        "told once"
    );
    let ann = user(db, "ann").await.expect("an account");
    assert!(!ann.is_active);
    let login = [("username", "ann"), ("password", PASSWORD)];
    assert_eq!(browser.post("/user/login/", &login).await.status, 422);
    let linked = "SELECT count(*) FROM person WHERE account_id IS NOT NULL";
    assert_eq!(letters::count(db, linked).await, 0, "not before the answer");
    let mail = letters::last(db).await;
    assert_eq!(mail.recipient, "Ann@Example.org");
    assert_eq!(mail.headers, "Auto-Submitted: auto-generated");
    assert!(mail.subject.contains("patches.example.org"));
    let path = mail.path("https://patches.example.org/confirm/");
    let page = browser.get(&path).await;
    assert_eq!(page.status, 200);
    assert!(
        !user(db, "ann").await.expect("ann").is_active,
        "opening does nothing"
    );
    assert_eq!(page.values("main form", "action"), [path.as_str()]);
    let done = browser.submit(&path, &[]).await;
    assert_eq!(done.texts("h1"), ["Done"]);
    assert!(user(db, "ann").await.expect("ann").is_active);
    let kept = "SELECT count(*) FROM person WHERE account_id IS NOT NULL AND name = 'Ann'";
    assert_eq!(letters::count(db, kept).await, 1, "an existing name stays");
    assert_eq!(browser.get(&path).await.texts("h1"), ["Already processed"]);
    assert_eq!(
        browser.cookie("sessionid"),
        "",
        "nobody is logged in by a link"
    );
    assert_eq!(browser.post("/user/login/", &login).await.status, 303);
}

pub async fn who_was_never_seen_becomes_a_person(db: &Db) {
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::new(&site);
    browser.get("/register/").await;
    register(&browser, &[]).await;
    assert_eq!(letters::count(db, "SELECT count(*) FROM person").await, 0);
    // Without an address in the settings the domain of the site's row is the host, whatever the request says.
    let path = letters::last(db).await.path("http://example.com/confirm/");
    browser.submit(&path, &[]).await;
    let made = "SELECT count(*) FROM person WHERE name = 'Ann Ebb' AND email = 'ann@example.org' AND account_id IS NOT NULL";
    assert_eq!(letters::count(db, made).await, 1);
}

pub async fn an_address_in_use_is_told_to_nobody_else(db: &Db) {
    seed::user(db, "bob", None).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::new(&site);
    browser.get("/register/").await;
    let new = register(&browser, &[]).await;
    let new = (new.status, new.header("Location").to_owned());
    let used = register(
        &browser,
        &[("username", "rob"), ("email", "BOB@example.org")],
    )
    .await;
    assert_eq!((used.status, used.header("Location").to_owned()), new);
    assert!(user(db, "rob").await.is_none());
    let mail = letters::last(db).await;
    assert_eq!(mail.recipient, "BOB@example.org");
    assert!(mail.content.contains("\"bob\"") && mail.content.contains("/user/password-reset/"));
}

pub async fn a_lost_mail_can_be_asked_for_again(db: &Db) {
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::new(&site);
    browser.get("/register/").await;
    register(&browser, &[]).await;
    let first = letters::last(db).await.path("http://example.com/confirm/");
    assert_eq!(register(&browser, &[]).await.status, 303);
    assert_eq!(
        browser.get(&first).await.status,
        404,
        "only the newest works"
    );
    let other = register(&browser, &[("email", "other@example.org")]).await;
    assert_eq!(other.status, 422, "another address takes no name away");
    let second = letters::last(db).await.path("http://example.com/confirm/");
    assert_eq!(browser.submit(&second, &[]).await.texts("h1"), ["Done"]);
    assert_eq!(letters::count(db, "SELECT count(*) FROM account").await, 1);
}

pub async fn mails_to_an_address_are_limited(db: &Db) {
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::new(&site);
    browser.get("/register/").await;
    for _ in 0..5 {
        assert_eq!(register(&browser, &[]).await.status, 303);
    }
    let refused = register(&browser, &[]).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.values("#id_username", "value"), ["ann"]);
    assert_eq!(refused.values("#id_first_name", "value"), ["Ann"]);
    let seconds: i64 = refused.header("Retry-After").parse().expect("seconds");
    assert!((3500..=3600).contains(&seconds), "{seconds}");
    let reset = [("email", "Ann@example.org")];
    let ann = seed::user(db, "mara", None).await;
    let user = Browser::of(&site, db, ann).await;
    for (browser, path, field) in [
        (&browser, "/user/password-reset/", "email"),
        (&browser, "/mail/optout/", "email"),
        (&user, "/user/link/", "email"),
    ] {
        let seen = browser.post(path, &reset).await;
        assert_eq!(seen.status, 429, "{path}");
        assert_eq!(
            seen.values(&format!("#id_{field}"), "value"),
            ["Ann@example.org"]
        );
        assert!(
            seen.texts("#email-error")[0].contains("try again in 60 minutes"),
            "{path}"
        );
    }
    assert_eq!(letters::all(db).await.len(), 5);
}

pub async fn registrations_count_whatever_comes_of_them(db: &Db) {
    seed::user(db, "mara", None).await;
    let site = seed::site(db, |_| {}).await;
    let ask = async |from: &str, number: usize| {
        let email = format!("ann{number}@example.org");
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("csrfmiddlewaretoken", "0"),
                (
                    "username",
                    if number.is_multiple_of(2) { "mara" } else { "" },
                ),
                ("email", &email),
                ("password", PASSWORD),
            ])
            .finish();
        let mut request = site.post("/register/").body(body);
        request.add_header(rocket::http::ContentType::Form);
        request = request.cookie(("csrftoken", "0"));
        let inner = request.inner_mut();
        inner.set_remote(from.parse().expect("an address"));
        request.dispatch().await.status().code
    };
    for number in 0..30 {
        assert_eq!(ask("[2001:db8::1]:1", number).await, 422);
    }
    assert_eq!(ask("[2001:db8::2]:1", 30).await, 429, "the same network");
    assert_eq!(ask("[2001:db8:0:1::1]:1", 30).await, 422);
    for number in 0..31 {
        assert_eq!(ask("127.0.0.1:1", number).await, 422, "nobody's address");
    }
}

pub async fn a_site_may_make_no_accounts(db: &Db) {
    let open = seed::site(db, |_| {}).await;
    let links = get(&open, "/user/login/").await.values("a[href]", "href");
    assert!(links.contains(&"/register/".to_owned()));
    let site = seed::site(db, |options| options.registration = false).await;
    let browser = Browser::new(&site);
    let login = browser.get("/user/login/").await;
    assert!(!login.body.contains("/register/"), "{}", login.body);
    assert_eq!(browser.get("/register/").await.status, 404);
    assert_eq!(register(&browser, &[]).await.status, 404);
    assert!(letters::all(db).await.is_empty());
}
