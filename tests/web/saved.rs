//! Saved filters: of a user and of a project, as addresses and as feeds.

use patchwork::store::Db;

use super::{
    people::{browser, world},
    seed::{self, get},
};

const ABOVE: &str = "nav.saved a:not(.save)";

pub async fn filters_are_saved_shared_and_deleted(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let user = browser(&site, db, Some(world.user)).await;

    // From the list to the form, and back with what was saved.
    let list = user
        .get("/project/one/list/?q=-from:bob&state=*&page=2")
        .await;
    let way = list.values("nav.saved .save", "href");
    assert_eq!(way, ["/project/one/filter/?state=*&q=-from:bob"]);
    let page = user.get(&way[0]).await;
    assert_eq!(page.texts("#save a"), ["any state, -from:bob"]);
    assert_eq!(
        page.texts("#id_whose"),
        [] as [&str; 0],
        "only maintainers choose"
    );
    let form = page.form("#save form");
    let query = form
        .iter()
        .find(|(name, _)| name == "query")
        .map(|(_, value)| value.as_str());
    let query = query.expect("what is saved");
    let saved = user
        .submit(
            "/project/one/filter/",
            &[("name", "without <Bob>"), ("query", query)],
        )
        .await;
    assert_eq!(saved.texts(ABOVE), ["without <Bob>"]);
    assert_eq!(
        saved.values("nav.saved [aria-current]", "href"),
        ["?state=*&q=-from:bob"]
    );
    assert!(saved.texts("#notices")[0].contains("The filter “without <Bob>” is saved."));

    // Nobody else sees it, but whoever has its address.
    assert_eq!(
        get(&site, "/project/one/list/").await.texts(ABOVE),
        [] as [&str; 0]
    );
    let profile = user.get("/user/").await;
    let address = profile.values("#filters th a", "href").remove(0);
    let shared = get(&site, &address).await;
    assert_eq!(
        (shared.status, shared.header("Location")),
        (302, "/project/one/list/?state=*&q=-from:bob")
    );
    let feed = get(&site, &format!("{address}?format=atom")).await;
    assert_eq!(
        feed.header("Content-Type"),
        "application/atom+xml; charset=utf-8"
    );
    assert_eq!(
        get(&site, &address.replace("/one/", "/two/")).await.status,
        404
    );

    // The same name is replaced.
    user.submit(
        "/project/one/filter/",
        &[("name", "without <Bob>"), ("query", "state=1")],
    )
    .await;
    assert_eq!(
        user.get("/project/one/list/").await.values(ABOVE, "href"),
        ["?state=1"]
    );

    // What is wrong is said beside its field.
    let long = "x".repeat(51);
    for (name, query, wrong) in [
        ("", "state=1", "#name-error"),
        (long.as_str(), "state=1", "#name-error"),
    ] {
        let refused = user
            .post("/project/one/filter/", &[("name", name), ("query", query)])
            .await;
        assert_eq!(
            (refused.status, refused.texts(wrong)),
            (422, vec!["One to fifty characters.".to_owned()])
        );
        assert_eq!(refused.values("#id_name", "value"), [name]);
    }
    let refused = user
        .post(
            "/project/one/filter/",
            &[("name", "x"), ("query", "page=3")],
        )
        .await;
    assert_eq!(refused.status, 422);

    // A maintainer saves one for everybody.
    let mara = browser(&site, db, Some(world.mara)).await;
    let ours = [("name", "Ours"), ("query", "state=2"), ("whose", "project")];
    mara.submit("/project/one/filter/", &ours).await;
    assert_eq!(
        get(&site, "/project/one/list/").await.texts(ABOVE),
        ["Ours"]
    );
    assert_eq!(
        user.get("/project/one/list/").await.texts(ABOVE),
        ["Ours", "without <Bob>"]
    );
    let page = mara.get("/project/one/filter/").await;
    let address = page.values("#project-filters th a", "href").remove(0);
    assert_eq!(
        user.get("/project/one/filter/")
            .await
            .values("#project-filters form", "action"),
        [] as [&str; 0]
    );
    let gone = mara.submit(&address, &[]).await;
    assert!(gone.texts("#notices")[0].contains("The filter “Ours” is deleted."));
    assert_eq!(
        get(&site, "/project/one/list/").await.texts(ABOVE),
        [] as [&str; 0]
    );

    // From the profile.
    let own = user
        .get("/user/")
        .await
        .values("#filters form", "action")
        .remove(0);
    let profile = user.submit(&own, &[("from", "profile")]).await;
    assert!(
        profile.texts("#filters")[0].contains("None"),
        "{:?}",
        profile.texts("#filters")
    );
}
