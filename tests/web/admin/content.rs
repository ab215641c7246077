//! Patches, series, comments, checks: put right without breaking counts or events.

use patchwork::store::Db;

use super::{
    super::{browser::Browser, seed},
    counts_are_right, number, recount, resend, texts, world,
};

pub async fn a_patch_is_put_right(db: &Db) {
    let world = world(db).await;
    let ann = seed::user(db, "ann", Some(world.project)).await.to_string();
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let path = format!("/admin/patchwork/patch/{}/change/", world.patches[0]);
    let fields = [
        ("name", "[1/2] Pool"),
        ("state_id", "3"),
        ("delegate_id", ann.as_str()),
        ("submitter_id", "bob@example.org"),
        ("archived", "True"),
    ];
    let seen = resend(&browser, &path, &fields).await;
    assert_eq!(seen.status, 303, "{}", seen.body);
    let stored = "SELECT p.name_key || ' ' || s.email || ' ' || p.state_id FROM patch p JOIN person s ON s.id = p.submitter_id WHERE p.archived";
    assert_eq!(texts(db, stored).await, ["[1/2] pool bob@example.org 3"]);
    let events = "SELECT category FROM event WHERE actor_id IS NOT NULL ORDER BY category";
    assert_eq!(
        texts(db, events).await,
        ["patch-delegated", "patch-state-changed"]
    );
    assert_eq!(number(db, "SELECT count(*) FROM audit").await, 1);
    assert_eq!(
        resend(&browser, &path, &[("submitter_id", "zoe@example.org")])
            .await
            .status,
        422
    );
    counts_are_right(db).await;
}

pub async fn patches_move_between_series(db: &Db) {
    let world = world(db).await;
    let other = seed::series(db, world.project, "Ebb", 1, None)
        .await
        .to_string();
    let foreign = seed::project(db, "sea").await;
    let elsewhere = seed::series(db, foreign, "Sea", 1, None).await.to_string();
    recount(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let act = format!("/admin/patchwork/patch/{}/do/", world.patches[0]);
    let seen = browser
        .submit(&act, &[("action", "series"), ("series", &elsewhere)])
        .await;
    assert_eq!(seen.texts(".notice.failed p").len(), 1);
    let seen = browser
        .submit(&act, &[("action", "series"), ("series", &other)])
        .await;
    assert!(
        seen.texts(".notice.failed p").is_empty(),
        "{:?}",
        seen.texts(".notice p")
    );
    let told = "SELECT category FROM event WHERE category LIKE '%completed' ORDER BY category";
    assert_eq!(
        texts(db, told).await,
        ["patch-completed", "series-completed"]
    );
    // Away and here again: told once.
    browser.submit(&act, &[("action", "detach")]).await;
    assert_eq!(
        number(
            db,
            "SELECT count(*) FROM patch WHERE series_id IS NULL AND number IS NULL"
        )
        .await,
        1
    );
    browser
        .submit(
            &act,
            &[("action", "series"), ("series", &other), ("place", "1")],
        )
        .await;
    assert_eq!(texts(db, told).await.len(), 2);
    let second = format!("/admin/patchwork/patch/{}/do/", world.patches[1]);
    let taken = browser
        .submit(
            &second,
            &[("action", "series"), ("series", &other), ("place", "1")],
        )
        .await;
    assert!(taken.texts(".notice.failed p")[0].contains("number 1"));
    browser
        .submit(&second, &[("action", "series"), ("series", &other)])
        .await;
    let numbers = "SELECT msgid || ' ' || number FROM patch ORDER BY number";
    assert_eq!(texts(db, numbers).await, ["<1@h> 1", "<2@h> 2"]);
    counts_are_right(db).await;
}

pub async fn series_become_one(db: &Db) {
    let world = world(db).await;
    let late = seed::series(db, world.project, "Late", 1, None).await;
    let patch = seed::Patch {
        project: world.project,
        msgid: "<3@h>",
        series: Some((late, 1)),
        ..seed::Patch::default()
    };
    let patch = seed::patch(db, patch).await;
    recount(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let into = world.series.to_string();
    let act = format!("/admin/patchwork/series/{late}/do/");
    let seen = browser
        .submit(&act, &[("action", "merge"), ("into", &into)])
        .await;
    assert!(
        seen.texts(".notice.failed p")[0].contains("number 1"),
        "{:?}",
        seen.texts(".notice p")
    );
    let place = format!("/admin/patchwork/patch/{patch}/do/");
    browser
        .submit(
            &place,
            &[
                ("action", "series"),
                ("series", &late.to_string()),
                ("place", "3"),
            ],
        )
        .await;
    let seen = browser
        .submit(&act, &[("action", "merge"), ("into", &into)])
        .await;
    assert_eq!(seen.texts(".notice p"), ["1 series became part of Tide."]);
    assert_eq!(number(db, "SELECT count(*) FROM series").await, 1);
    assert_eq!(
        number(db, "SELECT count(*) FROM patch WHERE series_id IS NOT NULL").await,
        3
    );
    let named = resend(
        &browser,
        &format!("/admin/patchwork/series/{into}/change/"),
        &[("name", "Tides")],
    )
    .await;
    assert_eq!(named.status, 303);
    browser
        .submit(
            &format!("/admin/patchwork/series/{into}/do/"),
            &[("action", "complete")],
        )
        .await;
    assert_eq!(number(db, "SELECT total FROM series").await, 3);
    browser
        .submit(
            &format!("/admin/patchwork/series/{into}/do/"),
            &[("action", "forget"), ("msgid", "<late@h>")],
        )
        .await;
    assert_eq!(number(db, "SELECT count(*) FROM series_reference").await, 0);
    counts_are_right(db).await;
    let gone = browser
        .post(
            &format!("/admin/patchwork/series/{into}/delete/"),
            &[("confirmed", "1")],
        )
        .await;
    assert_eq!(gone.status, 303, "{}", gone.body);
    assert_eq!(
        number(
            db,
            "SELECT count(*) FROM patch WHERE series_id IS NULL AND number IS NULL"
        )
        .await,
        3
    );
    counts_are_right(db).await;
}

pub async fn comments_go_with_their_tags(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let retag = [("action", "retag"), ("id", &world.patches[0].to_string())];
    browser.submit("/admin/patchwork/patch/", &retag).await;
    assert_eq!(number(db, "SELECT count(*) FROM patch_tag").await, 1);
    let path = format!("/admin/patchwork/patchcomment/{}", world.comment);
    let to = world.patches[1].to_string();
    browser
        .submit(
            &format!("{path}/do/"),
            &[("action", "move"), ("patch", &to)],
        )
        .await;
    assert_eq!(
        number(db, "SELECT patch_id FROM patch_tag").await,
        world.patches[1]
    );
    let nowhere = browser
        .submit(&format!("{path}/do/"), &[("action", "move")])
        .await;
    assert_eq!(nowhere.texts(".notice.failed p").len(), 1);
    assert_eq!(browser.get(&format!("{path}/")).await.status, 302);
    assert_eq!(
        browser
            .get(&format!(
                "{}/change/",
                path.replace("patchcomment", "covercomment")
            ))
            .await
            .status,
        404
    );
    let done = browser
        .post(&format!("{path}/delete/"), &[("confirmed", "1")])
        .await;
    assert_eq!(done.status, 303);
    assert_eq!(number(db, "SELECT count(*) FROM patch_tag").await, 0);
    assert_eq!(number(db, "SELECT count(*) FROM comment").await, 1);
    counts_are_right(db).await;
}

pub async fn deletes_take_what_they_say(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let cover = format!("/admin/patchwork/cover/{}/delete/", world.cover);
    assert_eq!(
        browser.post(&cover, &[("confirmed", "1")]).await.status,
        303
    );
    assert_eq!(
        number(db, "SELECT count(*) FROM series WHERE cover_id IS NULL").await,
        1
    );
    assert_eq!(number(db, "SELECT count(*) FROM patch").await, 2);
    counts_are_right(db).await;
    for number in 0..25 {
        seed::comment(
            db,
            Some(world.patches[0]),
            None,
            &format!("<more{number}@h>"),
            "x",
        )
        .await;
    }
    let id = world.patches[0].to_string();
    let path = format!("/admin/patchwork/patch/{id}/delete/");
    let page = browser.get(&path).await;
    assert_eq!(
        page.values("#id_name", "name"),
        ["name"],
        "more than twenty rows go"
    );
    assert_eq!(
        browser
            .post(&path, &[("confirmed", "1"), ("name", "wrong")])
            .await
            .status,
        422
    );
    assert_eq!(number(db, "SELECT count(*) FROM patch").await, 2);
    let done = browser
        .post(&path, &[("confirmed", "1"), ("name", "[1/2] pool: käse")])
        .await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert_eq!(texts(db, "SELECT msgid FROM patch").await, ["<2@h>"]);
    assert_eq!(number(db, "SELECT count(*) FROM patch_check").await, 0);
    assert_eq!(number(db, "SELECT count(*) FROM bundle").await, 1);
    counts_are_right(db).await;
}

pub async fn old_checks_are_deleted(db: &Db) {
    let world = world(db).await;
    for day in 2..5 {
        seed::check(db, world.patches[1], world.admin, day, 3, "ci-two").await;
    }
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let fields = [
        ("action", "expire"),
        ("old_context", "ci-two"),
        ("days", "365"),
    ];
    let seen = browser.submit("/admin/patchwork/check/", &fields).await;
    assert_eq!(seen.texts(".notice p"), ["3 checks were deleted."]);
    assert_eq!(
        texts(db, "SELECT context FROM patch_check").await,
        ["ci-one"]
    );
    let add = [
        ("patch_id", "<2@h>"),
        ("account_id", "root"),
        ("state", "3"),
        ("context", "ci-new"),
    ];
    assert_eq!(
        resend(&browser, "/admin/patchwork/check/add/", &add)
            .await
            .status,
        303
    );
    let events = "SELECT count(*) FROM event WHERE category = 'check-created'";
    assert_eq!(number(db, events).await, 1);
    let bad = [&add[..3], &[("context", "a b")]].concat();
    assert_eq!(
        resend(&browser, "/admin/patchwork/check/add/", &bad)
            .await
            .status,
        422
    );
    assert_eq!(number(db, "SELECT count(*) FROM audit").await, 2);
    counts_are_right(db).await;
}

pub async fn patches_move_to_another_project(db: &Db) {
    let world = world(db).await;
    let sea = seed::project(db, "sea").await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let ids: Vec<String> = world.patches.iter().map(i64::to_string).collect();
    let fields = [
        ("action", "project"),
        ("project", "sea"),
        ("id", &ids[0]),
        ("id", &ids[1]),
    ];
    let seen = browser.submit("/admin/patchwork/patch/", &fields).await;
    assert_eq!(
        seen.texts(".notice p"),
        ["2 patches moved to sea, out of their series."]
    );
    assert_eq!(
        number(db, "SELECT count(DISTINCT project_id) FROM patch").await,
        1
    );
    assert_eq!(number(db, "SELECT min(project_id) FROM patch").await, sea);
    assert_eq!(number(db, "SELECT count(*) FROM bundle_patch").await, 0);
    assert_eq!(browser.get("/project/sea/patch/1@h/").await.status, 200);
    counts_are_right(db).await;
}

pub async fn relations_are_edited(db: &Db) {
    let world = world(db).await;
    let mut tx = db.begin().await.expect("a transaction");
    let ids: Vec<_> = world
        .patches
        .iter()
        .map(|id| patchwork::domain::PatchId(*id))
        .collect();
    patchwork::store::relation::replace(&mut tx, &ids)
        .await
        .expect("a relation");
    tx.commit().await.expect("a commit");
    let id = number(db, "SELECT id FROM patch_relation").await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let page = browser
        .get(&format!("/admin/patchwork/patchrelation/{id}/change/"))
        .await;
    assert_eq!(page.texts(".members li").len(), 2);
    let done = browser
        .post(
            &format!("/admin/patchwork/patchrelation/{id}/delete/"),
            &[("confirmed", "1")],
        )
        .await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert_eq!(number(db, "SELECT count(*) FROM patch_relation").await, 0);
    assert_eq!(
        number(
            db,
            "SELECT count(*) FROM event WHERE category = 'patch-relation-changed'"
        )
        .await,
        2
    );
}

pub async fn series_are_split(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let act = format!("/admin/patchwork/series/{}/do/", world.series);
    browser
        .submit(&act, &[("action", "split"), ("at", "1")])
        .await;
    assert_eq!(number(db, "SELECT count(*) FROM series").await, 1);
    browser
        .submit(&act, &[("action", "split"), ("at", "2")])
        .await;
    let rows = "SELECT p.msgid || ' ' || p.number || ' of ' || s.total FROM patch p JOIN series s ON s.id = p.series_id ORDER BY p.id";
    assert_eq!(texts(db, rows).await, ["<1@h> 1 of 1", "<2@h> 1 of 1"]);
    assert_eq!(number(db, "SELECT count(*) FROM series").await, 2);
    let told = "SELECT category FROM event WHERE category LIKE 'series-%' ORDER BY category";
    assert_eq!(
        texts(db, told).await,
        ["series-completed", "series-created"]
    );
    counts_are_right(db).await;
}
