//! Changing the patches of a list (`web.md §6.5`).

use patchwork::store::{Db, sql};

use super::{
    browser::Browser,
    people::{Sent, World, browser, bundles, events, reset, standing, world},
    seed,
};

const LIST: &str = "/project/one/list/";
const WHOLE: &str = "/project/one/list/?state=*&archive=both";
const NOTICES: &str = "#notices p";
const WRONG: &str = ".act [role=alert] p";

/// Fields of the form: the patches ticked, and what is to be done.
fn fields<'a>(ticks: &'a [String], rest: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![("form", "patch-list-form"), ("project", "1")];
    fields.extend(ticks.iter().map(|tick| (tick.as_str(), "on")));
    fields.extend_from_slice(rest);
    fields
}

fn ticks(ids: &[i64]) -> Vec<String> {
    ids.iter().map(|id| format!("patch_id:{id}")).collect()
}

pub async fn a_list_has_what_changes_it(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let anon = seed::get(&site, LIST).await;
    assert!(anon.texts("form.bulk").is_empty() && anon.texts("td.c-box").is_empty());
    let page = Browser::of(&site, db, world.user).await.get(LIST).await;
    assert_eq!(
        page.values("form.bulk td.c-box input", "name"),
        ticks(&[world.patch, world.other])
    );
    assert_eq!(page.values("form.bulk", "action"), [LIST]);
    assert_eq!(
        page.values(
            "form.bulk input[type=hidden]:not([name=csrfmiddlewaretoken])",
            "value"
        ),
        ["patch-list-form".to_owned(), world.one.to_string()]
    );
    assert_eq!(
        page.values(".act select[name=delegate] option", "value"),
        ["*".to_owned(), String::new(), world.mara.to_string()]
    );
    assert_eq!(page.values(".act button", "value"), ["update", "create"]);
    for (label, name) in page
        .values("td.c-box input", "aria-labelledby")
        .iter()
        .zip(["alpha", "beta"])
    {
        assert_eq!(page.texts(&format!("td.c-name a#{label}")), [name]);
    }
    // Session, rights, what waits; maintainers, bundles.
    assert_eq!((anon.statements(), page.statements()), (8, 13));
}

pub async fn a_maintainer_changes_many(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    let both = ticks(&[world.patch, world.other]);
    let update = |rest: &[(&'static str, &'static str)]| {
        let mut all = vec![("action", "Update")];
        all.extend_from_slice(rest);
        all
    };
    let same = [("state", "*"), ("delegate", "*")];
    let archive = update(&[same[0], same[1], ("archived", "True")]);
    let page = mara.submit(LIST, &fields(&both, &archive)).await;
    assert_eq!(page.texts(NOTICES), ["2 patches updated."]);
    assert_eq!(page.texts(".empty strong"), ["No patches to display."]);
    let back = update(&[same[0], same[1], ("archived", "False")]);
    let page = mara.submit(WHOLE, &fields(&both, &back)).await;
    assert_eq!(page.texts(NOTICES), ["2 patches updated."]);
    assert!(
        page.texts("td.c-name").len() == 2,
        "the filters of the page stay"
    );
    assert!(!standing(db, world.patch).await.2 && !standing(db, world.other).await.2);
    // One state for both, one real change.
    let state = update(&[("state", "3"), same[1], ("archived", "*")]);
    let one = ticks(&[world.other]);
    mara.submit(WHOLE, &fields(&one, &state)).await;
    let page = mara.submit(WHOLE, &fields(&both, &state)).await;
    assert_eq!(page.texts(NOTICES), ["1 patch updated."]);
    let page = mara.submit(WHOLE, &fields(&both, &state)).await;
    assert_eq!(page.texts(NOTICES), ["No patches updated."]);
    let id = world.mara.to_string();
    let give = [
        ("action", "update"),
        ("state", "*"),
        ("delegate", id.as_str()),
        ("archived", "*"),
    ];
    mara.submit(WHOLE, &fields(&both, &give)).await;
    assert_eq!(
        standing(db, world.patch).await,
        (3, Some(world.mara), false)
    );
    let clear = update(&[same[0], ("delegate", ""), ("archived", "*")]);
    mara.submit(WHOLE, &fields(&both, &clear)).await;
    assert_eq!(standing(db, world.other).await, (3, None, false));
    let told = events(db).await;
    assert!(told.iter().all(|(_, actor)| *actor == Some(world.mara)));
    let of = |what: &str| told.iter().filter(|(category, _)| category == what).count();
    assert_eq!(
        (of("patch-state-changed"), of("patch-delegated"), told.len()),
        (2, 4, 6)
    );
}

pub async fn what_is_missing_stays_as_it_is(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    let one = ticks(&[world.patch]);
    mara.submit(LIST, &fields(&one, &[("action", "update"), ("state", "2")]))
        .await;
    assert_eq!(
        standing(db, world.patch).await,
        (2, Some(world.desk), false)
    );
    // What release 3.2.1 sent.
    let old = [
        ("form", "patchlistform"),
        (one[0].as_str(), "checked"),
        ("action", "update"),
        ("state", "3"),
        ("delegate", ""),
        ("archived", "True"),
    ];
    mara.submit(LIST, &old).await;
    assert_eq!(standing(db, world.patch).await, (3, None, true));
    let old = [
        ("form", "patchlistform"),
        (one[0].as_str(), "checked"),
        ("bundle_name", "old"),
        ("action", "Create"),
    ];
    mara.submit(LIST, &old).await;
    assert_eq!(
        bundles(db, world.mara).await,
        [("old".to_owned(), vec![world.patch])]
    );
}

pub async fn a_form_that_makes_no_sense_changes_nothing(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    let user = world.user.to_string();
    let cases: [Sent; 8] = [
        (
            "state",
            &[("action", "update"), ("state", "99")],
            "There is no such state.",
        ),
        (
            "state",
            &[("action", "update"), ("state", "New")],
            "There is no such state.",
        ),
        (
            "archived",
            &[("action", "update"), ("archived", "maybe")],
            "Archived is True or False.",
        ),
        (
            "delegate",
            &[("action", "update"), ("state", "3"), ("delegate", &user)],
            "Patches can be delegated to maintainers of their project only.",
        ),
        (
            "delegate",
            &[("action", "update"), ("delegate", "mara")],
            "Patches can be delegated to maintainers of their project only.",
        ),
        (
            "name",
            &[("action", "create"), ("name", "")],
            "A bundle needs a name.",
        ),
        ("", &[("action", "add")], "Choose a bundle."),
        ("", &[("action", "burn")], "Choose what is to be done."),
    ];
    let both = ticks(&[world.patch, world.other]);
    for (field, sent, expected) in cases {
        let page = mara.post(WHOLE, &fields(&both, sent)).await;
        assert_eq!(page.status, 422, "{sent:?}");
        assert_eq!(page.texts(WRONG), [expected], "{sent:?}");
        assert_eq!(
            page.values("td.c-box input[checked]", "name"),
            both,
            "{sent:?}"
        );
        if !field.is_empty() {
            let invalid = page.values("[aria-invalid=true]", "name");
            assert_eq!(invalid, [field], "{sent:?}");
        }
    }
    for sent in [&[][..], &ticks(&[99_999])[..]] {
        let page = mara
            .post(LIST, &fields(sent, &[("action", "update"), ("state", "3")]))
            .await;
        if sent.is_empty() {
            assert_eq!(
                (page.status, page.texts(WRONG)),
                (422, vec!["No patches are selected.".into()])
            );
        } else {
            assert_eq!(page.status, 303);
            assert_eq!(mara.get(LIST).await.texts(NOTICES), ["No patches updated."]);
        }
    }
    assert_eq!(
        standing(db, world.patch).await,
        (1, Some(world.desk), false)
    );
    assert!(events(db).await.is_empty());
    let part = mara
        .post_with(
            LIST,
            &fields(&both, &[("action", "add")]),
            &[("HX-Request", "true"), ("HX-Target", "list")],
        )
        .await;
    assert_eq!(part.status, 422);
    assert!(part.body.starts_with("<div id=\"list\">"), "{}", part.body);
}

pub async fn each_patch_asks_for_permission(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let all = ticks(&[world.patch, world.other, world.foreign]);
    let sent = [("action", "update"), ("state", "3"), ("archived", "*")];
    for (who, user, may) in world.everybody() {
        reset(db, world.patch, Some(world.desk)).await;
        reset(db, world.other, None).await;
        let browser = browser(&site, db, user).await;
        let seen = browser.post(LIST, &fields(&all, &sent)).await;
        let Some(user) = user else {
            assert_eq!(seen.status, 302);
            assert_eq!(
                seen.header("Location"),
                "/user/login/?next=/project/one/list/"
            );
            continue;
        };
        assert_eq!(seen.status, 303, "{who}");
        let told = browser.get(LIST).await.texts(NOTICES);
        let count = match (may, user == world.mara) {
            (false, _) => "No patches updated.",
            (true, false) => "1 patch updated.",
            (true, true) => "2 patches updated.",
        };
        let refused = "You have no permission to change: ";
        let refused = |name: &str| format!("{refused}{name}");
        let mut expected = vec![count.to_owned()];
        if !may {
            expected.push(refused("alpha"));
        }
        if user != world.mara {
            expected.push(refused("beta"));
        }
        expected.push(refused("gamma"));
        assert_eq!(told, expected, "{who}");
        let state = if may { 3 } else { 1 };
        assert_eq!(standing(db, world.patch).await.0, state, "{who}");
        let state = if user == world.mara { 3 } else { 1 };
        assert_eq!(standing(db, world.other).await.0, state, "{who}");
        assert_eq!(standing(db, world.foreign).await.0, 1, "{who}");
    }
}

pub async fn bundles_are_filled_from_lists(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let user = Browser::of(&site, db, world.user).await;
    let own = || bundles(db, world.user);
    // Enter in the name sends whichever button comes first.
    let create = |name: &'static str| [("action", "update"), ("state", "3"), ("name", name)];
    let page = user.submit(LIST, &fields(&[], &create("empty"))).await;
    assert_eq!(
        page.texts(NOTICES),
        ["Bundle “empty” created with 0 patches."]
    );
    let two = ticks(&[world.other, world.foreign]);
    user.submit(LIST, &fields(&two, &create("two"))).await;
    let made = [
        ("empty".to_owned(), vec![]),
        ("two".to_owned(), vec![world.other, world.foreign]),
    ];
    assert_eq!(own().await, made);
    for (name, why) in [
        ("a/b", "The name of a bundle cannot hold a slash."),
        (
            "two",
            "You have a bundle of that name already. Choose it to add to it.",
        ),
    ] {
        let page = user.post(LIST, &fields(&two, &create(name))).await;
        assert_eq!(
            (page.status, page.texts(WRONG)),
            (422, vec![why.to_owned()])
        );
        assert_eq!(page.values(".act input[name=name]", "value"), [name]);
    }
    assert_eq!(own().await, made);
    let page = user.get(LIST).await;
    let ids = page.values(".act select[name=bundle_id] option", "value");
    assert_eq!(
        page.texts(".act select[name=bundle_id] option"),
        ["empty", "two"]
    );
    let three = ticks(&[world.patch, world.other]);
    let add = [("action", "add"), ("bundle_id", ids[1].as_str())];
    let page = user.submit(LIST, &fields(&three, &add)).await;
    assert_eq!(
        page.texts(NOTICES),
        [
            "“alpha” added to bundle “two”.",
            "Already in bundle “two”: beta"
        ]
    );
    let remove = [("action", "remove"), ("removed_bundle_id", ids[1].as_str())];
    let page = user.submit(LIST, &fields(&two, &remove)).await;
    assert_eq!(
        page.texts(NOTICES),
        ["2 patches removed from bundle “two”."]
    );
    assert_eq!(own().await[1].1, [world.patch]);
    // What belongs to others is refused, whoever asks.
    for (who, other, _) in world.everybody() {
        let Some(other) = other.filter(|other| *other != world.user) else {
            continue;
        };
        let other = Browser::of(&site, db, other).await;
        for sent in [&add, &remove] {
            let page = other.post(LIST, &fields(&three, sent)).await;
            assert_eq!(page.status, 422, "{who}");
            assert_eq!(
                page.texts(WRONG),
                ["You have no permission to change that bundle."]
            );
        }
    }
    assert_eq!(own().await[1].1, [world.patch]);
}

pub async fn all_that_a_filter_finds_is_asked_for_once_more(db: &Db) {
    let world = world(db).await;
    let mut tx = db.begin().await.expect("a transaction");
    sql("UPDATE account SET items_per_page = 1")
        .run(&mut tx)
        .await
        .expect("a change");
    tx.commit().await.expect("a commit");
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    let page = mara.get(LIST).await;
    assert_eq!(page.texts(".picked label"), ["All 2 the filter finds"]);
    let mut sent = vec![("all", "matches"), ("action", "update"), ("state", "3")];
    let page = mara.post(LIST, &fields(&[], &sent)).await;
    assert_eq!(
        (page.status, page.texts("h1")),
        (200, vec!["Change 2 patches?".to_owned()])
    );
    assert_eq!(
        page.values("#list :is([name=state], [name=all])", "value"),
        ["matches", "3"]
    );
    let agreed = page.values("#list [name=confirmed]", "value").remove(0);
    assert_eq!(page.texts("#list li"), ["State: Accepted"]);
    assert_eq!(standing(db, world.other).await.0, 1);
    // Meanwhile one has gone and another one has come: as many, but not those that were agreed to.
    for other in ["2", "2-0123456789abcdef"] {
        let sent = [sent.as_slice(), &[("confirmed", other)]].concat();
        let page = mara.post(LIST, &fields(&[], &sent)).await;
        assert_eq!(page.texts("h1"), ["Change 2 patches?"]);
    }
    sent.push(("confirmed", agreed.as_str()));
    let page = mara.submit(LIST, &fields(&[], &sent)).await;
    assert_eq!(page.texts(NOTICES), ["2 patches updated."]);
    assert_eq!(standing(db, world.patch).await.0, 3);
    assert_eq!(standing(db, world.foreign).await.0, 1);
}

/// Series and cover pages take the same form.
pub async fn every_table_of_patches_takes_the_form(db: &Db) {
    let World { one, mara, .. } = world(db).await;
    let cover = seed::cover(db, one, "<0@h>", "[0/1] letter").await;
    let series = seed::series(db, one, "letter", 1, Some(cover)).await;
    let patch = seed::Patch {
        project: one,
        name: "[1/1] only",
        msgid: "<9@h>",
        series: Some((series, 1)),
        ..seed::Patch::default()
    };
    let patch = seed::patch(db, patch).await;
    let mut tx = db.begin().await.expect("a transaction");
    let update = sql("UPDATE cover SET series_id = $1 WHERE id = $2")
        .bind(series)
        .bind(cover);
    let _ = update.run(&mut tx).await;
    drop(tx);
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, mara).await;
    let only = ticks(&[patch]);
    for (path, state) in [
        (format!("/project/one/series/{series}/"), 3),
        ("/project/one/cover/0@h/".to_owned(), 4),
    ] {
        let page = browser.get(&path).await;
        assert_eq!(page.values("form.bulk", "action"), [path.as_str()]);
        let text = state.to_string();
        let sent = [("action", "update"), ("state", text.as_str())];
        let page = browser.submit(&path, &fields(&only, &sent)).await;
        assert_eq!(page.texts(NOTICES), ["1 patch updated."], "{path}");
        assert_eq!(standing(db, patch).await.0, state);
        let page = browser
            .post(&path, &fields(&only, &[("action", "add")]))
            .await;
        assert_eq!(
            (page.status, page.texts(WRONG)),
            (422, vec!["Choose a bundle.".to_owned()])
        );
        let anon = super::people::browser(&site, db, None).await;
        assert_eq!(anon.post(&path, &fields(&only, &sent)).await.status, 302);
    }
    let page = browser.get(&format!("/project/one/series/{series}/")).await;
    assert_eq!(page.values("td.c-box input[checked]", "name"), only);
}

pub async fn maintainers_name_the_commit_of_many(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    let all = ticks(&[world.patch, world.other]);
    let commit = |text| [("action", "update"), ("state", "3"), ("commit_ref", text)];
    let page = mara.submit(WHOLE, &fields(&all, &commit("abc123"))).await;
    assert_eq!(page.texts(NOTICES), ["2 patches updated."]);
    let stored = || async {
        let mut conn = db.reader().await.expect("a reader");
        let found = sql("SELECT commit_ref FROM patch WHERE id IN ($1, $2) ORDER BY id");
        let found = found.bind(world.patch).bind(world.other);
        found
            .all::<(Option<String>,)>(&mut conn)
            .await
            .expect("patches")
    };
    let both = [(Some("abc123".to_owned()),), (Some("abc123".to_owned()),)];
    assert_eq!(stored().await, both);
    // What is left empty stays.
    mara.submit(WHOLE, &fields(&all, &commit(""))).await;
    assert_eq!(stored().await, both);
    let long = "x".repeat(256);
    let page = mara.post(WHOLE, &fields(&all, &commit(&long))).await;
    assert_eq!(page.status, 422);
    assert_eq!(
        page.texts(WRONG),
        ["A commit id has 255 characters at most, and no control characters."]
    );
    assert_eq!(
        page.values(".act [aria-invalid=true]", "name"),
        ["commit_ref"]
    );
    let ann = Browser::of(&site, db, world.ann).await;
    assert!(
        ann.get(WHOLE)
            .await
            .texts(".act [name=commit_ref]")
            .is_empty()
    );
    let one = ticks(&[world.patch]);
    let page = ann.submit(WHOLE, &fields(&one, &commit("other"))).await;
    assert_eq!(
        page.texts(".notice.failed p"),
        ["Only maintainers may name the commit of: alpha"]
    );
    assert_eq!(stored().await, both);
}
