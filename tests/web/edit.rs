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
            page.texts(".bundling input[name=name]").len(),
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
            "A commit id has 255 characters at most, and no control characters.",
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

/// What htmx says when it sends a form of the panel.
const HTMX: [(&str, &str); 2] = [("HX-Request", "true"), ("HX-Target", "facts")];

pub async fn a_panel_is_changed_alone(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    let page = mara.get(PATCH).await;
    assert_eq!(
        page.values(
            "aside#facts form[hx-post=\"/project/one/patch/1@h/\"]",
            "method"
        )
        .len(),
        3
    );
    assert_eq!(
        page.values("#notices, #standing", "hx-swap-oob"),
        [] as [&str; 0]
    );
    let sent = [("action", "update"), ("state", "3"), ("archived", "on")];
    let seen = mara.post_with(PATCH, &sent, &HTMX).await;
    assert_eq!((seen.status, seen.header("Location")), (303, PATCH));
    let part = mara.get_with(PATCH, &HTMX).await;
    assert!(part.body.starts_with("<aside"), "{}", part.body);
    assert_eq!(part.texts(NOTICES), ["Patch updated."]);
    assert_eq!(part.texts("#notices button"), ["Undo"]);
    assert_eq!(
        part.values("#notices, #standing", "hx-swap-oob"),
        ["true", "true"]
    );
    assert_eq!(part.texts("#standing .state")[1], "archived");
    assert_eq!(part.values(".editor option[selected]", "value")[0], "3");
    let wrong = [("action", "update"), ("state", "99")];
    let seen = mara.post_with(PATCH, &wrong, &HTMX).await;
    assert_eq!(seen.status, 422);
    assert!(seen.body.starts_with("<aside"), "{}", seen.body);
    assert_eq!(seen.texts("#state-error"), ["Choose a state."]);
}

async fn relation(db: &Db, patch: i64) -> Option<i64> {
    let mut conn = db.reader().await.expect("a reader");
    let found = sql("SELECT related_id FROM patch WHERE id = $1").bind(patch);
    found
        .one::<(Option<i64>,)>(&mut conn)
        .await
        .expect("a patch")
        .0
}

pub async fn maintainers_relate_patches(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    let relate = |what: &'static str| [("action", "relate"), ("related", what)];
    // Neither a maintainer of one project alone, nor an editor.
    assert_eq!(mara.post(PATCH, &relate("3@h")).await.status, 403);
    let ann = Browser::of(&site, db, world.ann).await;
    assert!(ann.get(PATCH).await.texts("[name=related]").is_empty());
    assert_eq!(ann.post(PATCH, &relate("2@h")).await.status, 403);
    for (what, why) in [
        ("", "Name another patch by its id, message id or address."),
        ("none@h", "There is no patch “none@h”."),
        ("word", "There is no patch “word”."),
    ] {
        let page = mara.post(PATCH, &relate(what)).await;
        assert_eq!(
            (page.status, page.texts("#related-error")),
            (422, vec![why.to_owned()])
        );
        assert_eq!(page.values("[name=related]", "value"), [what]);
    }
    let page = mara
        .submit(PATCH, &relate("https://h/project/one/patch/2@h/"))
        .await;
    assert_eq!(page.texts(NOTICES), ["Related to 1 patch."]);
    assert_eq!(
        page.values(".members ul a", "href"),
        ["/project/one/patch/2@h/"]
    );
    let made = relation(db, world.patch).await;
    assert!(made.is_some() && made == relation(db, world.other).await);
    let told = events(db).await;
    assert_eq!(told.len(), 2);
    assert!(
        told.iter()
            .all(|event| *event == ("patch-relation-changed".to_owned(), Some(world.mara)))
    );
    let page = mara.submit(PATCH, &[("action", "unrelate")]).await;
    assert_eq!(
        page.texts(NOTICES),
        ["This patch is related to nothing any more."]
    );
    assert_eq!(
        (
            relation(db, world.patch).await,
            relation(db, world.other).await
        ),
        (None, None)
    );
}

/// A tab that stayed open sends what it showed hours ago; only what its reader changed counts.
pub async fn an_old_tab_takes_nothing_back(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    let page = mara.get(PATCH).await;
    let names = [
        "was_state",
        "was_delegate",
        "was_archived",
        "was_commit_ref",
    ];
    let was: Vec<String> = names
        .iter()
        .map(|name| {
            page.values(&format!(".editor input[name={name}]"), "value")
                .remove(0)
        })
        .collect();
    let tab: Vec<(&str, &str)> = names
        .into_iter()
        .zip(was.iter().map(String::as_str))
        .collect();
    let others = [
        ("action", "update"),
        ("state", "3"),
        ("delegate", ""),
        ("commit_ref", "abc"),
    ];
    assert_eq!(mara.post(PATCH, &others).await.status, 303);
    let me = world.mara.to_string();
    let update = [("action", "update"), ("state", "1"), ("commit_ref", "")];
    let to_me = [&tab[..], &update, &[("delegate", me.as_str())]].concat();
    // Both have changed the desk: it is asked for once more.
    let page = mara.post(PATCH, &to_me).await;
    assert_eq!(page.status, 422);
    assert_eq!(page.texts("#delegate-error").len(), 1);
    assert_eq!(standing(db, world.patch).await, (3, None, false));
    let desk = world.desk.to_string();
    let archive = [
        &tab[..],
        &update,
        &[("delegate", desk.as_str()), ("archived", "on")],
    ]
    .concat();
    assert_eq!(mara.post(PATCH, &archive).await.status, 303);
    assert_eq!(standing(db, world.patch).await, (3, None, true));
}
