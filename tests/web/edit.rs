//! The forms beside a patch (`web.md §7.2`).

use patchwork::store::{Db, sql};

use super::{
    browser::Browser,
    people::{Sent, browser, bundles, events, reset, standing, world},
    seed,
};

const PATCH: &str = "/project/one/patch/1@h/";
const NOTICES: &str = "#notices p";

pub async fn a_patch_is_changed_by_those_who_may(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    for (who, user, may) in world.everybody() {
        reset(db, world.patch, Some(world.desk)).await;
        let browser = browser(&site, db, user).await;
        let page = browser.get(PATCH).await;
        assert_eq!(page.texts("form.editor").len(), usize::from(may), "{who}");
        assert_eq!(
            page.texts(".bundling").len(),
            usize::from(user.is_some()),
            "{who}"
        );
        let sent = [
            ("action", "update"),
            ("state", "3"),
            ("delegate", ""),
            ("archived", "on"),
        ];
        let seen = browser.post(PATCH, &sent).await;
        let status = match (user, may) {
            (None, _) => 302,
            (_, true) => 303,
            (_, false) => 403,
        };
        assert_eq!(seen.status, status, "{who}");
        let expected = match may {
            true => (3, None, true),
            false => (1, Some(world.desk), false),
        };
        assert_eq!(standing(db, world.patch).await, expected, "{who}");
    }
}

pub async fn a_patch_is_changed_and_changed_back(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    let page = mara.get(PATCH).await;
    assert_eq!(
        page.values(".editor select[name=state] option[selected]", "value"),
        ["1"]
    );
    // The one who has it can keep it, maintainer or not.
    assert_eq!(
        page.texts(".editor select[name=delegate] option"),
        ["Nobody", "mara", "desk"]
    );
    assert_eq!(
        page.values(".editor button", "value"),
        [world.mara.to_string()]
    );
    let (desk, me) = (world.desk.to_string(), world.mara.to_string());
    // Release 3.2.1 sent no action.
    let sent = [("state", "2"), ("delegate", desk.as_str())];
    let page = mara.submit(PATCH, &sent).await;
    assert_eq!(page.texts(NOTICES), ["Patch updated."]);
    assert_eq!(
        standing(db, world.patch).await,
        (2, Some(world.desk), false)
    );
    let page = mara.submit(PATCH, &sent).await;
    assert_eq!(page.texts(NOTICES), ["Nothing was changed."]);
    // The button's value counts, not the menu's.
    let sent = [
        ("action", "update"),
        ("state", "2"),
        ("delegate", desk.as_str()),
        ("commit_ref", " abc123 "),
        ("delegate", me.as_str()),
    ];
    let page = mara.submit(PATCH, &sent).await;
    assert_eq!(
        standing(db, world.patch).await,
        (2, Some(world.mara), false)
    );
    assert_eq!(page.values("#id_commit_ref", "value"), ["abc123"]);
    let undo = page.values("#notices form", "action").remove(0);
    let page = mara.submit(&undo, &[("next", PATCH)]).await;
    assert_eq!(page.texts(NOTICES), ["1 patch as before."]);
    assert_eq!(page.values("#id_commit_ref", "value"), [""]);
    assert_eq!(
        standing(db, world.patch).await,
        (2, Some(world.desk), false)
    );
    let told: Vec<String> = events(db).await.into_iter().map(|(what, _)| what).collect();
    assert_eq!(
        told,
        ["patch-state-changed", "patch-delegated", "patch-delegated"]
    );
}

pub async fn only_maintainers_name_the_commit(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let ann = Browser::of(&site, db, world.ann).await;
    assert!(ann.get(PATCH).await.texts("#id_commit_ref").is_empty());
    ann.submit(
        PATCH,
        &[("action", "update"), ("state", "1"), ("commit_ref", "abc")],
    )
    .await;
    let mut conn = db.reader().await.expect("a reader");
    let (commit,): (Option<String>,) = sql("SELECT commit_ref FROM patch WHERE id = $1")
        .bind(world.patch)
        .one(&mut conn)
        .await
        .expect("a patch");
    assert_eq!(commit, None);
}

pub async fn wrong_values_are_told_beside_their_field(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    let (user, long) = (world.user.to_string(), "x".repeat(256));
    let no_delegate = "Patches can be delegated to maintainers of their project only.";
    let cases: [Sent; 6] = [
        ("state", &[("action", "update")], "Choose a state."),
        (
            "state",
            &[("action", "update"), ("state", "99")],
            "Choose a state.",
        ),
        (
            "delegate",
            &[("state", "3"), ("delegate", &user)],
            no_delegate,
        ),
        (
            "delegate",
            &[("state", "3"), ("delegate", "x")],
            no_delegate,
        ),
        (
            "commit_ref",
            &[("state", "3"), ("commit_ref", &long)],
            "A commit id has 255 characters at most.",
        ),
        (
            "name",
            &[("action", "createbundle"), ("name", "a/b")],
            "The name of a bundle cannot hold a slash.",
        ),
    ];
    for (field, sent, why) in cases {
        let page = mara.post(PATCH, sent).await;
        assert_eq!(page.status, 422, "{sent:?}");
        assert_eq!(page.texts(&format!("#{field}-error")), [why]);
        assert_eq!(page.values("[aria-invalid=true]", "name"), [field]);
    }
    assert_eq!(
        standing(db, world.patch).await,
        (1, Some(world.desk), false)
    );
    assert_eq!(
        mara.post("/project/one/patch/none@h/", &[("state", "3")])
            .await
            .status,
        404
    );
    assert_eq!(
        mara.post("/project/two/patch/1@h/", &[("state", "3")])
            .await
            .status,
        404
    );
}

pub async fn a_patch_is_put_into_bundles(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    for (create, add, name) in [
        ("create", "add", "new"),
        ("createbundle", "addtobundle", "old"),
    ] {
        let user = Browser::of(&site, db, world.user).await;
        let page = user
            .submit(PATCH, &[("action", create), ("name", name)])
            .await;
        let made = format!("Bundle “{name}” created with 1 patch.");
        assert_eq!(page.texts(NOTICES), [made]);
        let own = bundles(db, world.user).await;
        assert!(own.contains(&(name.to_owned(), vec![world.patch])));
        let id = page
            .values("select[name=bundle_id] option", "value")
            .remove(0);
        let page = user
            .submit(PATCH, &[("action", add), ("bundle_id", &id)])
            .await;
        assert_eq!(page.texts(".notice.failed p").len(), 1);
        assert_eq!(bundles(db, world.user).await, own);
        let other = Browser::of(&site, db, world.mara).await;
        let page = other
            .post(PATCH, &[("action", add), ("bundle_id", &id)])
            .await;
        assert_eq!(page.status, 422);
        assert_eq!(
            page.texts("#bundle_id-error"),
            [] as [&str; 0],
            "there is no bundle to choose"
        );
        let page = user
            .post(PATCH, &[("action", create), ("name", name)])
            .await;
        assert_eq!((page.status, page.texts("#name-error").len()), (422, 1));
    }
}
