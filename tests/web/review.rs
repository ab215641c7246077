//! Whose turn it is, on pages; promises to review.

use patchwork::store::{Db, sql};

use super::{
    browser::Browser,
    letters,
    people::{browser, world},
    seed::{self, Patch},
};

const PATCH: &str = "/project/one/patch/1@h/";

pub async fn pages_say_whose_turn_it_is(db: &Db) {
    let world = world(db).await;
    let series = seed::series(db, world.one, "both", 2, None).await;
    let of = |msgid, number| Patch {
        project: world.one,
        name: "part",
        msgid,
        series: Some((series, number)),
        ..Patch::default()
    };
    let ids = seed::patches(db, &[of("<4@h>", 1), of("<5@h>", 2)]).await;
    seed::comment(db, Some(ids[1]), None, "<c@h>", "do this").await;
    let site = seed::site(db, |_| {}).await;
    let list = "/project/one/list/";
    let page = seed::get(&site, list).await;
    // Of a series its line says it, for all of its patches.
    assert_eq!(
        page.texts(".c-name > i"),
        ["maintainer", "reviewer", "author"]
    );
    let page = seed::get(&site, &format!("{list}?view=flat")).await;
    assert_eq!(
        page.texts(".c-name > i"),
        ["maintainer", "reviewer", "author", "reviewer"]
    );
    assert_eq!(page.statements(), 8);
    let page = seed::get(&site, &format!("/project/one/series/{series}/")).await;
    let waits = "waits for the author: a comment asks for action";
    assert_eq!(page.texts(".facts .waits"), [waits]);
    assert_eq!(page.texts("#patches .c-name > i"), ["reviewer", "author"]);
    let page = seed::get(&site, PATCH).await;
    let waits = "waits for the maintainer: on the delegate's desk";
    assert_eq!(page.texts(".facts .waits"), [waits]);
    letters::run(db, "UPDATE patch SET state_id = 3").await;
    let page = seed::get(&site, PATCH).await;
    assert!(page.texts(".waits").is_empty());
    assert!(
        seed::get(&site, &format!("{list}?state=*"))
            .await
            .texts(".c-name > i")
            .is_empty()
    );
}

pub async fn a_review_is_promised_and_ended(db: &Db) {
    let world = world(db).await;
    let series = seed::series(db, world.one, "letter", 1, None).await;
    let only = Patch {
        project: world.one,
        name: "only",
        msgid: "<4@h>",
        from: ("Cyd", "cyd@example.org"),
        series: Some((series, 1)),
        ..Patch::default()
    };
    seed::patch(db, only).await;
    let site = seed::site(db, |_| {}).await;
    // Who sent it, and who is not known, are not offered to.
    for (who, user, _) in world.everybody() {
        let browser = browser(&site, db, user).await;
        let offered = browser.get(PATCH).await.texts(".review button");
        let expected: &[&str] = match who {
            "anonymous" | "submitter" => &[],
            _ => &["I will review"],
        };
        assert_eq!(offered, expected, "{who}");
    }
    let user = Browser::of(&site, db, world.user).await;
    let review = format!("/review/patch/{}/", world.patch);
    let page = user.submit(&review, &[("days", "14")]).await;
    let until = patchwork::domain::Timestamp::now()
        .plus_minutes(14 * 24 * 60)
        .day();
    assert_eq!(
        page.texts("#notices p"),
        [format!("You review this until {until}.")]
    );
    assert_eq!(
        page.texts(".review button"),
        ["End the review of user", "Promise anew"]
    );
    let anon = seed::get(&site, PATCH).await;
    assert_eq!(
        anon.texts(".review"),
        [format!("user reviews this until {until}")]
    );
    let waits = "waits for the reviewer: a review is promised";
    assert_eq!(anon.texts(".waits"), [waits]);
    let page = user.get("/user/todo/").await;
    assert_eq!(page.texts("#waiting td.c-name a"), ["alpha"]);
    // Once more is in place of the first time.
    user.submit(&review, &[]).await;
    let end = user.get(PATCH).await.values(".claim form", "action");
    assert_eq!(end.len(), 1);
    let desk = Browser::of(&site, db, world.desk).await;
    assert!(desk.get(PATCH).await.texts(".claim form").is_empty());
    assert_eq!(desk.post(&end[0], &[]).await.status, 403);
    let mara = Browser::of(&site, db, world.mara).await;
    let page = mara.submit(&end[0], &[]).await;
    assert_eq!(page.texts("#notices p"), ["user reviews this no more."]);
    assert!(page.texts(".claim").is_empty());
    assert_eq!(mara.post(&end[0], &[]).await.status, 404);
    let address = format!("/review/series/{series}/");
    let page = mara.submit(&address, &[("days", "3")]).await;
    assert_eq!(page.texts(".claim strong"), ["mara"]);
    assert_eq!(page.texts(".waits"), [waits]);
    let page = mara.get("/project/one/patch/4@h/").await;
    assert!(
        page.texts(".claim p")[0].starts_with("mara reviews this and the rest of the series until")
    );
    // With the series its patches are promised.
    assert_eq!(page.texts(".review button"), ["End the review of mara"]);
    for (path, days, told) in [
        (&address, "5", "A review is promised for 3, 7 or 14 days."),
        (
            &review,
            "for ever",
            "A review is promised for 3, 7 or 14 days.",
        ),
    ] {
        let page = mara.submit(path, &[("days", days)]).await;
        assert_eq!(page.texts("#notices .failed p"), [told]);
    }
    letters::run(db, "UPDATE patch SET state_id = 3").await;
    let page = mara.submit(&review, &[]).await;
    assert_eq!(
        page.texts("#notices .failed p"),
        ["Nobody has to review that any more."]
    );
    for path in [
        "/review/patch/999/",
        "/review/series/999/",
        "/review/end/999/",
        "/review/end/x/",
    ] {
        assert_eq!(mara.post(path, &[]).await.status, 404, "{path}");
    }
}

pub async fn a_promise_ends_by_itself(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let user = Browser::of(&site, db, world.user).await;
    user.submit(&format!("/review/patch/{}/", world.patch), &[])
        .await;
    let mut tx = db.begin().await.expect("a transaction");
    sql("UPDATE review_claim SET made = $1, ends = $2")
        .bind(seed::day(1))
        .bind(seed::day(2))
        .run(&mut tx)
        .await
        .expect("a change");
    tx.commit().await.expect("a commit");
    let page = user.get(PATCH).await;
    assert!(page.texts(".claim").is_empty());
    assert_eq!(page.texts(".review button"), ["I will review"]);
    let page = user.get("/user/todo/").await;
    assert!(page.texts("#waiting td.c-name a").is_empty());
}

pub async fn a_promise_changes_a_part_of_the_page(db: &Db) {
    let world = world(db).await;
    let series = seed::series(db, world.one, "letter", 1, None).await;
    let only = Patch {
        project: world.one,
        msgid: "<4@h>",
        series: Some((series, 1)),
        ..Patch::default()
    };
    seed::patch(db, only).await;
    let site = seed::site(db, |_| {}).await;
    let user = Browser::of(&site, db, world.user).await;
    let htmx = [("HX-Request", "true"), ("HX-Target", "review")];
    for (review, path) in [
        (format!("/review/patch/{}/", world.patch), PATCH.to_owned()),
        (
            format!("/review/series/{series}/"),
            format!("/project/one/series/{series}/"),
        ),
    ] {
        let done = user.post_with(&review, &[], &htmx).await;
        assert_eq!((done.status, done.header("Location")), (303, path.as_str()));
        let part = user.get_with(&path, &htmx).await;
        assert!(part.texts("h1").is_empty());
        assert_eq!(part.texts(".claim strong"), ["user"]);
        assert_eq!(part.values("#standing", "hx-swap-oob"), ["true"]);
        assert_eq!(part.texts("#standing .waits").len(), 1);
        assert_eq!(part.texts("#notices p").len(), 1);
    }
}
