//! Who may enter, and who may do what.

use patchwork::store::Db;

use super::{
    super::{browser::Browser, seed},
    MODELS, number, staff, superuser, world,
};

pub async fn only_staff_enters(db: &Db) {
    let (user, idle, root) = (
        seed::user(db, "ann", None).await,
        staff(db, "idle", &[]).await,
        superuser(db, "root").await,
    );
    let site = seed::site(db, |_| {}).await;
    let nobody = Browser::new(&site).get("/admin/?x=1").await;
    let login = "/user/login/?next=/admin/%3Fx%3D1";
    assert_eq!((nobody.status, nobody.header("Location")), (302, login));
    let user = Browser::of(&site, db, user).await.get("/admin/").await;
    assert_eq!(user.status, 403);
    assert!(user.body.contains("for staff only"));
    let idle = Browser::of(&site, db, idle).await;
    let page = idle.get("/admin/").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("no permissions yet"));
    assert!(page.texts("nav.models ul a").is_empty());
    assert_eq!(idle.get("/admin/patchwork/patch/").await.status, 403);
    let root = Browser::of(&site, db, root).await.get("/admin/").await;
    assert_eq!(root.texts("nav.models ul a").len(), MODELS.len());
    assert!(
        root.body.contains("example.com"),
        "the domain is still to be set"
    );
}

pub async fn old_addresses_lead_on(db: &Db) {
    let root = superuser(db, "root").await;
    seed::project(db, "one").await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, root).await;
    for (path, to) in [
        ("/admin/login/", "/user/login/?next=/admin/"),
        ("/admin/logout/", "/user/logout/"),
        ("/admin/password_change/", "/user/password-change/"),
        (
            "/admin/patchwork/project/1/",
            "/admin/patchwork/project/1/change/",
        ),
    ] {
        let seen = browser.get(path).await;
        assert_eq!((seen.status, seen.header("Location")), (302, to), "{path}");
    }
    for (path, status) in [
        ("/admin/patchwork/", 200),
        ("/admin/authtoken/tokenproxy/", 200),
        ("/admin/patchwork/nonsense/", 404),
        ("/admin/nonsense/", 404),
        ("/admin/patchwork/project/99/change/", 404),
        ("/admin/patchwork/project/x/change/", 404),
        ("/admin/patchwork/project/1/nonsense/", 404),
        ("/admin/status/", 200),
    ] {
        assert_eq!(browser.get(path).await.status, status, "{path}");
    }
}

/// Every write address of every model, for those who may not.
pub async fn nobody_writes_without_permission(db: &Db) {
    world(db).await;
    let user = seed::user(db, "ann", None).await;
    let idle = staff(db, "idle", &[]).await;
    let views: Vec<String> = MODELS
        .iter()
        .map(|model| model.replace('/', ".view_"))
        .collect();
    let views: Vec<&str> = views.iter().map(String::as_str).collect();
    let viewer = staff(db, "viewer", &views).await;
    let site = seed::site(db, |_| {}).await;
    let nobody = Browser::new(&site);
    nobody.keep("csrftoken", &"0".repeat(64));
    let browsers = [
        (nobody, 302),
        (Browser::of(&site, db, user).await, 403),
        (Browser::of(&site, db, idle).await, 403),
        (Browser::of(&site, db, viewer).await, 403),
    ];
    for (browser, expected) in &browsers {
        for model in MODELS {
            for path in ["add/", "1/change/", "1/delete/", "1/do/"] {
                let seen = browser.post(&format!("/admin/{model}/{path}"), &[]).await;
                assert_eq!(seen.status, *expected, "{model}/{path}");
            }
            let fields = [("action", "delete"), ("id", "1"), ("confirmed", "1")];
            let seen = browser.post(&format!("/admin/{model}/"), &fields).await;
            assert_eq!(seen.status, *expected, "{model}/");
        }
    }
    let root = Browser::of(&site, db, 1).await;
    for model in MODELS {
        let seen = root.post(&format!("/admin/{model}/"), &[]).await;
        assert_eq!(seen.status, 303, "{model}: nothing chosen");
    }
    assert_eq!(number(db, "SELECT count(*) FROM audit").await, 0);
}

pub async fn a_view_permission_shows_and_no_more(db: &Db) {
    let world = world(db).await;
    let viewer = staff(db, "viewer", &["patchwork.view_patch"]).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, viewer).await;
    let list = browser.get("/admin/patchwork/patch/").await;
    assert_eq!(list.texts(".things tbody tr").len(), 2);
    assert!(list.texts(".things input, .actions").is_empty());
    let path = format!("/admin/patchwork/patch/{}/change/", world.patches[0]);
    let form = browser.get(&path).await;
    assert_eq!(form.status, 200);
    assert!(form.texts("form.thing").is_empty());
    assert!(
        form.texts("output")
            .contains(&"[1/2] pool: käse".to_owned())
    );
    assert_eq!(browser.post(&path, &[("name", "x")]).await.status, 403);
    assert_eq!(browser.get("/admin/patchwork/cover/").await.status, 403);
}

pub async fn groups_give_permissions(db: &Db) {
    let root = superuser(db, "root").await;
    let helper = staff(db, "helper", &[]).await;
    let site = seed::site(db, |_| {}).await;
    let admin = Browser::of(&site, db, root).await;
    let made = admin
        .submit(
            "/admin/auth/group/",
            &[("action", "preset"), ("preset", "CI operators")],
        )
        .await;
    assert_eq!(
        made.texts(".notice p"),
        ["The group “CI operators” was made."]
    );
    let done = [("action", "add-member"), ("user", "helper")];
    admin.submit("/admin/auth/group/1/do/", &done).await;
    let browser = Browser::of(&site, db, helper).await;
    assert_eq!(browser.get("/admin/patchwork/check/").await.status, 200);
    assert_eq!(browser.get("/admin/patchwork/patch/").await.status, 403);
    assert_eq!(browser.get("/admin/auth/group/").await.status, 403);
    assert_eq!(number(db, "SELECT count(*) FROM audit").await, 2);
}

/// Who may change users cannot make a superuser of themselves or of anybody.
pub async fn rights_do_not_grow_by_themselves(db: &Db) {
    let root = superuser(db, "root").await;
    let helper = staff(
        db,
        "helper",
        &[
            "auth.change_user",
            "auth.add_user",
            "auth.delete_user",
            "auth.change_group",
            "authtoken.add_token",
            "authtoken.view_token",
        ],
    )
    .await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, helper).await;
    let own = format!("/admin/auth/user/{helper}");
    let seen = super::resend(
        &browser,
        &format!("{own}/change/"),
        &[("is_superuser", "True")],
    )
    .await;
    assert_eq!(seen.status, 422);
    let fields = [
        ("action", "rights"),
        ("permission", "patchwork.delete_patch"),
    ];
    browser.submit(&format!("{own}/do/"), &fields).await;
    seed::project(db, "tide").await;
    let fields = [("action", "maintain"), ("project", "tide")];
    browser.submit(&format!("{own}/do/"), &fields).await;
    assert_eq!(number(db, "SELECT count(*) FROM maintainer").await, 0);
    let path = format!("/admin/auth/user/{root}");
    let seen = super::resend(
        &browser,
        &format!("{path}/change/"),
        &[("email", "mine@example.org")],
    )
    .await;
    assert_eq!(seen.status, 422);
    let fields = [
        ("action", "password"),
        ("password_new", "low tide at noon"),
        ("password_again", "low tide at noon"),
    ];
    browser.submit(&format!("{path}/do/"), &fields).await;
    browser
        .post(&format!("{path}/delete/"), &[("confirmed", "1")])
        .await;
    let fields = [
        ("action", "make"),
        ("account_id", "root"),
        ("scope", "write"),
    ];
    browser.submit("/admin/authtoken/token/", &fields).await;
    assert_eq!(
        number(db, "SELECT count(*) FROM account WHERE is_superuser").await,
        1
    );
    assert_eq!(
        number(db, "SELECT count(*) FROM account WHERE password = '!'").await,
        2
    );
    assert_eq!(
        number(
            db,
            "SELECT count(*) FROM account WHERE email = 'mine@example.org'"
        )
        .await,
        0
    );
    assert_eq!(number(db, "SELECT count(*) FROM token").await, 0);
    assert_eq!(
        number(
            db,
            "SELECT count(*) FROM account_permission WHERE permission = 'patchwork.delete_patch'"
        )
        .await,
        0
    );
}

pub async fn an_old_login_asks_for_the_password(db: &Db) {
    let root = superuser(db, "root").await;
    let hash = patchwork::auth::hash_password("low tide at noon").expect("a hash");
    super::run(
        db,
        patchwork::store::sql("UPDATE account SET password = $1").bind(hash),
    )
    .await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, root).await;
    let old = patchwork::domain::Timestamp::now().plus_minutes(-90);
    super::run(
        db,
        patchwork::store::sql("UPDATE session SET created = $1").bind(old),
    )
    .await;
    let path = "/admin/sites/site/1/change/";
    let asked = super::resend(&browser, path, &[("domain", "patches.example.org")]).await;
    assert_eq!(asked.status, 422);
    assert_eq!(asked.values("#id_own_password", "type"), ["password"]);
    let fields = [
        ("domain", "patches.example.org"),
        ("own_password", "low tide at noon"),
    ];
    assert_eq!(super::resend(&browser, path, &fields).await.status, 303);
    // What is not grave needs no password.
    let state = super::resend(
        &browser,
        "/admin/patchwork/state/2/change/",
        &[("name", "In review")],
    )
    .await;
    assert_eq!(state.status, 303);
}
