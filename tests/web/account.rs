//! The account itself: its address, its end, how its pages are.

use patchwork::{
    auth,
    domain::{Timestamp, UserId},
    store::{self, Db, user::NewUser},
};

use super::{
    browser::Browser,
    letters,
    seed::{self, Patch},
};

pub const PASSWORD: &str = "low-tide-at-noon";

/// Makes an account with a password.
pub async fn account(db: &Db, username: &str, is_superuser: bool) -> i64 {
    let mut tx = db.begin().await.expect("a transaction");
    let user = NewUser {
        username,
        email: &format!("{username}@example.com"),
        first_name: "",
        last_name: "",
        password: &auth::hash_password(PASSWORD).expect("a hash"),
        is_superuser,
        date_joined: Timestamp::now(),
        items_per_page: 100,
    };
    let id = store::user::insert(&mut tx, &user).await.expect("a user");
    tx.commit().await.expect("a commit");
    id.0
}

async fn email(db: &Db, id: i64) -> String {
    let mut conn = db.reader().await.expect("a reader");
    let user = store::user::by_id(&mut conn, UserId(id)).await;
    user.expect("an answer").expect("a user").email
}

pub async fn the_primary_address_is_changed_by_its_link(db: &Db) {
    let ann = account(db, "ann", false).await;
    account(db, "bob", false).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann).await;
    for (address, password, field) in [
        ("new@example.com", "wrong", "password"),
        ("new@example.com", "", "password"),
        ("Ann@Example.com", PASSWORD, "new_email"),
        ("nonsense", PASSWORD, "new_email"),
        ("", PASSWORD, "new_email"),
    ] {
        let fields = [("new_email", address), ("password", password)];
        let seen = browser.post("/user/addresses/", &fields).await;
        let told = seen.texts(&format!("#{field}-error")).len();
        assert_eq!((seen.status, told), (422, 1), "{address} {password}");
    }
    assert!(letters::all(db).await.is_empty());
    // Somebody else's address is answered as any other; its link is refused.
    for (address, status, after) in [
        ("Bob@example.com", 422, "ann@example.com"),
        ("new@example.com", 303, "new@example.com"),
    ] {
        let fields = [("new_email", address), ("password", PASSWORD)];
        let page = browser.submit("/user/addresses/", &fields).await;
        assert!(page.texts("#notices p")[0].contains(address));
        let mail = letters::last(db).await;
        assert_eq!(mail.recipient, address);
        let path = mail.path("http://example.com/confirm/");
        browser.get(&path).await;
        assert_eq!(browser.post(&path, &[]).await.status, status, "{address}");
        assert_eq!(email(db, ann).await, after);
    }
    let told = letters::last(db).await;
    assert_eq!(told.recipient, "ann@example.com");
    assert!(told.subject.starts_with("Your account has another address"));
}

/// Two ask for the same address, which belongs to neither yet, and press the buttons at once.
pub async fn an_address_becomes_that_of_one_account(db: &Db) {
    let (ann, bob) = (
        account(db, "ann", false).await,
        account(db, "bob", false).await,
    );
    let site = seed::site(db, |_| {}).await;
    let (hers, his) = (
        Browser::of(&site, db, ann).await,
        Browser::of(&site, db, bob).await,
    );
    let wanted = [("new_email", "new@example.com"), ("password", PASSWORD)];
    let mut links = Vec::new();
    for browser in [&hers, &his] {
        browser.submit("/user/addresses/", &wanted).await;
        let mail = letters::last(db).await;
        links.push(mail.path("http://example.com/confirm/"));
        browser.get(&links[links.len() - 1]).await;
    }
    let (one, other) = rocket::tokio::join!(hers.post(&links[0], &[]), his.post(&links[1], &[]));
    let mut fates = [one.status, other.status];
    fates.sort_unstable();
    assert_eq!(fates, [303, 422]);
    let with = "SELECT count(*) FROM account WHERE email = 'new@example.com'";
    assert_eq!(letters::count(db, with).await, 1);
}

pub async fn an_account_is_deleted_by_its_owner(db: &Db) {
    let one = seed::project(db, "one").await;
    let (ann, root) = (
        account(db, "ann", false).await,
        account(db, "root", true).await,
    );
    let with = Patch {
        project: one,
        delegate: Some(ann),
        ..Patch::default()
    };
    seed::patch(db, with).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann).await;
    let page = browser.get("/user/delete/").await;
    assert!(
        page.texts("dt")
            .contains(&"Patches on its desk (1)".to_owned())
    );
    let wrong = browser
        .post("/user/delete/", &[("password", "wrong")])
        .await;
    assert_eq!(wrong.status, 422);
    let right = [("password", PASSWORD)];
    let done = browser.submit("/user/delete/", &right).await;
    assert_eq!(done.texts("h1"), ["The account is deleted"]);
    let left = "SELECT count(*) FROM account WHERE username = 'ann'";
    assert_eq!(letters::count(db, left).await, 0);
    let desks = "SELECT count(*) FROM patch WHERE delegate_id IS NULL";
    assert_eq!(letters::count(db, desks).await, 1);
    assert_eq!(browser.get("/user/").await.status, 302);
    let last = Browser::of(&site, db, root).await;
    let seen = last.post("/user/delete/", &right).await;
    assert_eq!((seen.status, seen.texts("[role=alert] p").len()), (422, 1));
}

pub async fn pages_are_as_their_reader_wants(db: &Db) {
    let one = seed::project(db, "one").await;
    let ann = account(db, "ann", false).await;
    seed::any_patch(db, one).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann).await;
    for (name, value) in [
        ("theme", "pink"),
        ("diff_view", "sideways"),
        ("time_zone", "Europe/Atlantis"),
        ("list_filters", "nothing"),
    ] {
        let seen = browser.post("/user/display/", &[(name, value)]).await;
        let told = seen.texts(&format!("#{name}-error")).len();
        assert_eq!((seen.status, told), (422, 1), "{name}");
    }
    let settings = [
        ("theme", "dark"),
        ("diff_view", "split"),
        ("time_zone", "Asia/Kolkata"),
        ("list_filters", "http://h/project/one/list/?state=*&page=2"),
    ];
    let page = browser.submit("/user/display/", &settings).await;
    assert_eq!(page.values("html", "data-theme"), ["dark"]);
    assert_eq!(
        [
            browser.cookie("theme"),
            browser.cookie("diff"),
            browser.cookie("keys")
        ],
        ["dark", "split", "off"]
    );
    // Another browser of the same user has the setting without the cookie; a cookie of its own wins.
    let other = Browser::of(&site, db, ann).await;
    assert_eq!(
        other.get("/user/").await.values("html", "data-theme"),
        ["dark"]
    );
    other.keep("theme", "auto");
    assert!(
        other
            .get("/user/")
            .await
            .values("html", "data-theme")
            .is_empty()
    );
    let page = other.get("/user/tokens/").await;
    assert!(
        page.texts("#sessions time")[0].ends_with("+05:30"),
        "{}",
        page.body
    );
    let bare = other.get("/project/one/list/").await;
    assert_eq!(
        (bare.status, bare.header("Location")),
        (302, "/project/one/list/?state=*")
    );
    // Who takes the last of them off is not given it back.
    letters::run(db, "UPDATE account SET list_filters = 'delegate=me'").await;
    let mine = other.get("/project/one/list/?delegate=me").await;
    let drops = mine.values(".chip a", "href");
    assert!(drops.contains(&"?".to_owned()), "{drops:?}");
    assert_eq!(other.get("/project/one/list/?").await.status, 200);
    assert_eq!(other.get("/project/one/list/?q=x").await.status, 200);
    // The login tells a new browser.
    let fresh = Browser::new(&site);
    fresh.get("/user/login/").await;
    fresh
        .submit(
            "/user/login/",
            &[("username", "ann"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(
        [fresh.cookie("diff"), fresh.cookie("keys")],
        ["split", "off"]
    );
}
