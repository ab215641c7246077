//! What waits for whoever looks (`web.md §11`).

use patchwork::store::{Db, sql};

use super::{
    browser::Browser,
    people::{browser, standing, world},
    seed::{self, Patch},
};

const NAMES: &str = "td.c-name a";

pub async fn what_waits_in_one_project_is_a_list(db: &Db) {
    let world = world(db).await;
    let done = Patch {
        project: world.one,
        name: "done",
        msgid: "<4@h>",
        state: 3,
        delegate: Some(world.desk),
        ..Patch::default()
    };
    let archived = Patch {
        name: "archived",
        msgid: "<5@h>",
        state: 1,
        archived: true,
        ..done.clone()
    };
    seed::patches(db, &[done, archived]).await;
    let site = seed::site(db, |_| {}).await;
    for path in ["/user/todo/", "/user/todo/one/"] {
        assert_eq!(seed::get(&site, path).await.status, 302);
    }
    let desk = Browser::of(&site, db, world.desk).await;
    let seen = desk.get("/user/todo/").await;
    assert_eq!(
        (seen.status, seen.header("Location")),
        (302, "/user/todo/one/")
    );
    assert_eq!(desk.get("/user/todo/none/").await.status, 404);
    let names = async |query: &str| {
        desk.get(&format!("/user/todo/one/{query}"))
            .await
            .texts(NAMES)
    };
    for (query, expected) in [
        ("", &["alpha"][..]),
        ("?state=*&archive=both&delegate=", &["alpha"]),
        ("?state=1", &["alpha"]),
        ("?state=3", &[]),
        ("?q=state:accepted", &[]),
        ("?q=beta", &[]),
    ] {
        assert_eq!(names(query).await, expected, "{query}");
    }
    let page = desk.get("/user/todo/one/").await;
    assert!(page.body.contains("New, Under Review"));
    assert!(
        page.texts("select[name=delegate]:not(.act select)")
            .is_empty()
    );
    let tick = format!("patch_id:{}", world.patch);
    let sent = [(tick.as_str(), "on"), ("action", "update"), ("state", "3")];
    let page = desk.submit("/user/todo/one/", &sent).await;
    assert_eq!(page.texts("#notices p"), ["1 patch updated."]);
    assert_eq!(standing(db, world.patch).await.0, 3);
    let page = desk.get("/user/todo/").await;
    assert_eq!(
        (page.status, page.texts("#waiting > p")),
        (200, vec!["Nothing waits for you.".to_owned()])
    );
}

pub async fn what_waits_in_all_projects_is_in_sections(db: &Db) {
    let world = world(db).await;
    let series = seed::series(db, world.one, "both", 2, None).await;
    let of = |project, name, msgid, day, series| Patch {
        project,
        name,
        msgid,
        day,
        series,
        from: ("Ann", "ann@example.org"),
        delegate: Some(world.desk),
        ..Patch::default()
    };
    let asked = Patch {
        state: 7,
        delegate: None,
        ..of(world.two, "asked", "<7@h>", 1, None)
    };
    let ids = seed::patches(
        db,
        &[
            of(world.one, "[2/2] second", "<4@h>", 1, Some((series, 2))),
            of(world.one, "[1/2] first", "<5@h>", 9, Some((series, 1))),
            of(world.two, "far", "<6@h>", 2, None),
            asked,
        ],
    )
    .await;
    seed::comment(db, Some(ids[2]), None, "<c@h>", "do this").await;
    let site = seed::site(db, |_| {}).await;
    let desk = Browser::of(&site, db, world.desk).await;
    let page = desk.get("/user/todo/").await;
    assert_eq!(page.status, 200);
    // The series that waits longest first, and in its own order.
    assert_eq!(
        page.texts("#waiting td.c-name a"),
        ["[1/2] first", "[2/2] second", "far", "alpha"]
    );
    assert_eq!(page.texts("#waiting .group"), ["both 2 of 2"]);
    assert_eq!(
        page.texts(".by-project a"),
        ["The one project 3", "The two project 1"]
    );
    assert_eq!(page.texts("#waiting .c-age .warn").len(), 4);
    assert!(page.texts("#unassigned").is_empty());
    let ann = Browser::of(&site, db, world.ann).await;
    let page = ann.get("/user/todo/").await;
    // What waits for its author first.
    assert_eq!(
        page.texts("#mine td.c-name a"),
        ["asked", "far", "[1/2] first", "[2/2] second", "alpha"]
    );
    let mara = Browser::of(&site, db, world.mara).await;
    let page = mara.get("/user/todo/").await;
    assert_eq!(page.texts("#unassigned td.c-name a"), ["beta"]);
    assert_eq!(page.statements(), 16);
    let ticks = ids
        .iter()
        .map(|id| format!("patch_id:{id}"))
        .collect::<Vec<_>>();
    let mut sent: Vec<(&str, &str)> = ticks.iter().map(|tick| (tick.as_str(), "on")).collect();
    sent.push(("action", "update"));
    let page = desk
        .post(
            "/user/todo/",
            &[sent.clone(), vec![("state", "99")]].concat(),
        )
        .await;
    assert_eq!(
        (page.status, page.texts(".act [role=alert] p").len()),
        (422, 1)
    );
    sent.push(("state", "3"));
    let page = desk.submit("/user/todo/", &sent).await;
    assert_eq!(
        page.texts("#notices p"),
        [
            "3 patches updated.",
            "You have no permission to change: asked"
        ]
    );
    assert_eq!(page.texts("#waiting td.c-name a"), ["alpha"]);
}

pub async fn nobody_but_users_has_a_desk(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    for (who, user, _) in world.everybody() {
        let browser = browser(&site, db, user).await;
        let tick = format!("patch_id:{}", world.other);
        let sent = [(tick.as_str(), "on"), ("action", "update"), ("state", "4")];
        for path in ["/user/todo/", "/user/todo/one/"] {
            let mut tx = db.begin().await.expect("a transaction");
            sql("UPDATE patch SET state_id = 1")
                .run(&mut tx)
                .await
                .expect("a change");
            tx.commit().await.expect("a commit");
            let seen = browser.post(path, &sent).await;
            assert_eq!(
                seen.status,
                if user.is_some() { 303 } else { 302 },
                "{who} {path}"
            );
            let state = if user == Some(world.mara) { 4 } else { 1 };
            assert_eq!(standing(db, world.other).await.0, state, "{who} {path}");
        }
    }
}

pub async fn me_is_whoever_looks(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let ann = Browser::of(&site, db, world.ann).await;
    let desk = Browser::of(&site, db, world.desk).await;
    let list = "/project/one/list/";
    for query in ["submitter=me", "q=from:me"] {
        let path = format!("{list}?{query}");
        assert_eq!(ann.get(&path).await.texts(NAMES), ["alpha"]);
        assert_eq!(desk.get(&path).await.texts(NAMES), [] as [&str; 0]);
        let anon = seed::get(&site, &path).await;
        assert!(anon.texts(".chip.warning")[0].contains("needs an account"));
    }
    assert_eq!(
        ann.get(&format!("{list}?q=-from:me")).await.texts(NAMES),
        ["beta"]
    );
    for query in ["delegate=me", "q=delegate:me"] {
        assert_eq!(
            desk.get(&format!("{list}?{query}")).await.texts(NAMES),
            ["alpha"]
        );
    }
    assert_eq!(
        desk.get(&format!("{list}?q=-delegate:me"))
            .await
            .texts(NAMES),
        ["beta"]
    );
    let page = ann.get(&format!("{list}?submitter=me&delegate=me")).await;
    assert_eq!(
        page.texts(".chip"),
        [
            "Action required ×",
            "Not archived ×",
            "Submitter: me ×",
            "Delegate: me ×"
        ]
    );
    assert_eq!(page.values("#f-delegate option[selected]", "value"), ["me"]);
}

pub async fn new_replies_stay_new_until_they_are_seen(db: &Db) {
    let world = world(db).await;
    let said = "On Monday, Ann wrote:\n> a\n\nWhy <b>that</b>?\n";
    let first = seed::comment(db, Some(world.patch), None, "<r1@h>", said).await;
    let site = seed::site(db, |_| {}).await;
    let ann = Browser::of(&site, db, world.ann).await;
    let page = ann.get("/user/todo/").await;
    assert_eq!(
        page.texts("#replies li"),
        ["alpha Bob, 2023-11-23 Why <b>that</b>?"]
    );
    assert_eq!(
        page.values("#replies li a", "href"),
        [format!("/project/one/patch/1@h/#{first}")]
    );
    // Looking is not seeing, and what came after the page was drawn stays new.
    assert_eq!(
        ann.get("/user/todo/").await.texts("#replies li a"),
        ["alpha"]
    );
    let form = page.form("#seen");
    let sent: Vec<(&str, &str)> = form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    for n in 0..25 {
        seed::comment(db, Some(world.patch), None, &format!("<s{n}@h>"), "More.\n").await;
    }
    let page = ann.submit("/user/replies-seen/", &sent).await;
    assert_eq!(page.texts("#replies h2"), ["New replies20+"]);
    let older = page.values("#replies .more-news a", "href").remove(0);
    let page = ann.get(older.trim_end_matches("#replies")).await;
    assert_eq!(page.texts("#replies li").len(), 5);
    assert!(page.texts("#replies button").is_empty());
    let desk = Browser::of(&site, db, world.desk).await;
    let page = desk.get("/user/todo/?all=1").await;
    assert_eq!(page.texts("#replies li").len(), 20);
    let user = Browser::of(&site, db, world.user).await;
    let page = user.get("/user/todo/").await;
    assert_eq!(page.texts("#replies p"), ["You have seen every reply."]);
}

pub async fn what_i_sent_says_whose_turn_it_is(db: &Db) {
    let world = world(db).await;
    let asked = Patch {
        project: world.one,
        name: "asked",
        msgid: "<4@h>",
        day: 5,
        ..Patch::default()
    };
    let done = Patch {
        name: "done",
        msgid: "<5@h>",
        state: 3,
        ..asked.clone()
    };
    let ids = seed::patches(db, &[asked, done]).await;
    seed::comment(db, Some(ids[0]), None, "<c@h>", "do this").await;
    let site = seed::site(db, |_| {}).await;
    let ann = Browser::of(&site, db, world.ann).await;
    let page = ann.get("/user/todo/").await;
    assert_eq!(page.texts("#mine td.c-name a"), ["asked", "alpha"]);
    assert_eq!(page.texts("#mine .c-name > i"), ["author", "maintainer"]);
    assert_eq!(
        page.values("#mine .c-name > i", "title"),
        ["a comment asks for action", "on the delegate's desk"]
    );
}

pub async fn what_i_decided_is_taken_back(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    assert!(mara.get("/user/todo/").await.texts("#decided").is_empty());
    let ticks = [world.patch, world.other].map(|id| format!("patch_id:{id}"));
    let change = |state| {
        [
            (ticks[0].as_str(), "on"),
            (ticks[1].as_str(), "on"),
            ("action", "update"),
            ("state", state),
        ]
    };
    mara.submit("/project/one/list/", &change("3")).await;
    let page = mara.get("/user/todo/").await;
    let told = page.texts("#decided li");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|text| text.contains("Accepted")));
    // Longer ago than a change can be taken back by its notice.
    let mut tx = db.begin().await.expect("a transaction");
    sql("DELETE FROM undo")
        .run(&mut tx)
        .await
        .expect("a delete");
    tx.commit().await.expect("a commit");
    let form = page.form("#decided form");
    let sent: Vec<(&str, &str)> = form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let ann = Browser::of(&site, db, world.ann).await;
    let others = ann.submit("/undecide/", &sent).await;
    assert_eq!(others.texts("#notices .failed").len(), 1);
    let page = mara.submit("/undecide/", &sent).await;
    assert_eq!(page.texts("#notices p"), ["1 patch as before."]);
    assert_eq!(page.texts("#decided li").len(), 1);
    let states = [
        standing(db, world.patch).await.0,
        standing(db, world.other).await.0,
    ];
    assert!(states == [1, 3] || states == [3, 1], "{states:?}");
    let page = mara.submit("/undecide/", &sent).await;
    assert_eq!(page.texts("#notices .failed").len(), 1);
}
