//! Tokens: made by a form only, shown once, used, revoked.

use patchwork::{
    auth,
    domain::{Timestamp, permission::Scope},
    store::Db,
};

use super::{
    browser::Browser,
    letters,
    seed::{self, Seen},
};

const MAKE: &str = "/user/generate-token/";

/// Returns what somebody with this token may do.
async fn scope(db: &Db, token: &str) -> Option<Scope> {
    let conn = db.reader().await.expect("a reader");
    let token = auth::Credentials::Token(token.to_owned());
    let caller = auth::identify(db, conn, &token, None, Timestamp::now()).await;
    caller.expect("an answer").ok().map(|caller| caller.scope)
}

fn shown(page: &Seen) -> String {
    page.texts("code.secret").pop().unwrap_or_default()
}

pub async fn a_token_is_shown_once(db: &Db) {
    let ann = seed::user(db, "ann", None).await;
    let site = seed::site(db, |options| options.rest_api = true).await;
    let browser = Browser::of(&site, db, ann).await;
    let refused = browser.get(MAKE).await;
    assert_eq!((refused.status, refused.header("Allow")), (405, "POST"));
    let made = browser.post(MAKE, &[]).await;
    assert_eq!(
        (made.status, made.header("Location")),
        (303, "/user/tokens/")
    );
    let page = browser.get("/user/tokens/").await;
    assert_eq!(page.header("Cache-Control"), "no-store");
    let first = shown(&page);
    assert_eq!(first.len(), 40);
    assert_eq!(scope(db, &first).await, Some(Scope::Write));
    let later = browser.get("/user/tokens/").await;
    assert_eq!(
        (shown(&later), later.body.contains(&first)),
        (String::new(), false)
    );
    let second = shown(&browser.submit(MAKE, &[]).await);
    assert_ne!(first, second);
    assert_eq!(
        (scope(db, &first).await, scope(db, &second).await),
        (None, Some(Scope::Write))
    );
    assert_eq!(letters::count(db, "SELECT count(*) FROM token").await, 1);
}

pub async fn tokens_have_names_and_limits(db: &Db) {
    let (ann, bob) = (
        seed::user(db, "ann", None).await,
        seed::user(db, "bob", None).await,
    );
    let site = seed::site(db, |options| options.rest_api = true).await;
    let browser = Browser::of(&site, db, ann).await;
    browser.submit(MAKE, &[]).await;
    let named = [("name", "<b>ci"), ("scope", "checks"), ("expires", "30")];
    let page = browser.submit(MAKE, &named).await;
    let token = shown(&page);
    assert_eq!(scope(db, &token).await, Some(Scope::Checks));
    assert_eq!(page.texts("#tokens tbody th"), ["default", "<b>ci"]);
    for (field, value) in [
        ("name", "x".repeat(101)),
        ("scope", "all".into()),
        ("expires", "0".into()),
        ("expires", "soon".into()),
    ] {
        let mut fields = named.to_vec();
        fields.retain(|(name, _)| *name != field);
        fields.push((field, &value));
        let seen = browser.post(MAKE, &fields).await;
        assert_eq!(
            (seen.status, seen.texts(&format!("#{field}-error")).len()),
            (422, 1),
            "{field}"
        );
        assert_eq!(seen.texts("#tokens details[open]").len(), 1);
        if field != "name" {
            assert_eq!(seen.values("#id_name", "value"), ["<b>ci"]);
        }
    }
    let ids = page.values("#tokens input[name=id]", "value");
    assert_eq!(ids.len(), 2);
    let other = Browser::of(&site, db, bob).await;
    assert_eq!(
        other
            .post("/user/revoke-token/", &[("id", &ids[1])])
            .await
            .status,
        404
    );
    browser
        .submit("/user/revoke-token/", &[("id", &ids[1])])
        .await;
    assert_eq!(scope(db, &token).await, None);
    assert_eq!(
        browser
            .post("/user/revoke-token/", &[("id", "x")])
            .await
            .status,
        404
    );
}

pub async fn without_an_api_there_are_no_tokens(db: &Db) {
    let ann = seed::user(db, "ann", None).await;
    let site = seed::site(db, |_| {}).await;
    assert_eq!(
        Browser::of(&site, db, ann)
            .await
            .post(MAKE, &[])
            .await
            .status,
        404
    );
    assert_eq!(letters::count(db, "SELECT count(*) FROM token").await, 0);
}
