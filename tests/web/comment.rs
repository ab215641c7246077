//! Marking comments as addressed (`web.md §7.3`), whoever may.

use patchwork::store::{Db, sql};

use super::{
    people::{browser, events, world},
    seed,
};

async fn addressed(db: &Db, id: i64) -> Option<bool> {
    let mut conn = db.reader().await.expect("a reader");
    let (addressed,) = sql("SELECT addressed FROM comment WHERE id = $1")
        .bind(id)
        .one(&mut conn)
        .await
        .expect("a comment");
    addressed
}

async fn set(db: &Db, id: i64, addressed: Option<bool>) {
    let mut tx = db.begin().await.expect("a transaction");
    sql("UPDATE comment SET addressed = $1 WHERE id = $2")
        .bind(addressed)
        .bind(id)
        .run(&mut tx)
        .await
        .expect("a change");
    tx.commit().await.expect("a commit");
}

/// Gives the author of all comments an account.
async fn author(db: &Db) -> i64 {
    let bob = seed::user(db, "bob", None).await;
    let mut tx = db.begin().await.expect("a transaction");
    sql("UPDATE person SET account_id = $1 WHERE email = 'bob@example.org'")
        .bind(bob)
        .run(&mut tx)
        .await
        .expect("a change");
    tx.commit().await.expect("a commit");
    bob
}

pub async fn comments_are_marked_by_those_who_may(db: &Db) {
    let world = world(db).await;
    let cover = seed::cover(db, world.one, "<0@h>", "letter").await;
    let on_patch = seed::comment(db, Some(world.patch), None, "<c1@h>", "do this").await;
    let on_cover = seed::comment(db, None, Some(cover), "<c2@h>", "and that").await;
    let bob = author(db).await;
    let site = seed::site(db, |_| {}).await;
    let mut readers = world.everybody().to_vec();
    readers.push(("author", Some(bob), true));
    for (who, user, may) in readers {
        let browser = browser(&site, db, user).await;
        for (id, page) in [
            (on_patch, "/project/one/patch/1@h/"),
            (on_cover, "/project/one/cover/0@h/"),
        ] {
            // Who has a patch on the desk has nothing to do with the cover.
            let may = may && (id == on_patch || user != Some(world.desk));
            set(db, id, Some(false)).await;
            let buttons = browser.get(page).await.texts(".reply .tools button");
            let is_mara = user == Some(world.mara);
            let expected: &[&str] = match (may, is_mara) {
                (false, _) => &[],
                (true, false) => &["Mark addressed"],
                (true, true) => &["Mark addressed", "Clear mark"],
            };
            assert_eq!(buttons, expected, "{who} on {page}");
            let path = format!("/comment/{id}/");
            let seen = browser.post(&path, &[("addressed", "true")]).await;
            let status = match (user, may) {
                (None, _) => 302,
                (_, true) => 303,
                (_, false) => 403,
            };
            assert_eq!(seen.status, status, "{who} on {page}");
            assert_eq!(addressed(db, id).await, Some(may), "{who} on {page}");
            if !may {
                continue;
            }
            assert_eq!(seen.header("Location"), format!("{page}#{id}"));
            assert_eq!(
                browser.get(page).await.texts("#notices p"),
                ["1 comment updated."]
            );
            let again = browser.get(page).await;
            assert_eq!(again.texts(".reply .label"), ["addressed"]);
            assert_eq!(again.texts(".reply .tools button")[0], "Mark unaddressed");
            browser.post(&path, &[("addressed", "false")]).await;
            assert_eq!(addressed(db, id).await, Some(false));
            let cleared = browser.post(&path, &[("addressed", "")]).await;
            assert_eq!(cleared.status, if is_mara { 303 } else { 403 }, "{who}");
            assert_eq!(
                addressed(db, id).await,
                if is_mara { None } else { Some(false) }
            );
        }
    }
    assert!(events(db).await.is_empty());
}

pub async fn marks_that_make_no_sense_change_nothing(db: &Db) {
    let world = world(db).await;
    let id = seed::comment(db, Some(world.patch), None, "<c1@h>", "do this").await;
    set(db, id, None).await;
    let site = seed::site(db, |_| {}).await;
    let mara = browser(&site, db, Some(world.mara)).await;
    let page = mara.get("/project/one/patch/1@h/").await;
    assert_eq!(page.texts(".reply .tools button"), ["Mark action required"]);
    mara.post(&format!("/comment/{id}/"), &[("addressed", "maybe")])
        .await;
    assert_eq!(addressed(db, id).await, None);
    assert_eq!(
        mara.post("/comment/999/", &[("addressed", "true")])
            .await
            .status,
        404
    );
}

pub async fn a_reply_is_marked_alone(db: &Db) {
    let world = world(db).await;
    let cover = seed::cover(db, world.one, "<0@h>", "letter").await;
    let on_patch = seed::comment(db, Some(world.patch), None, "<c1@h>", "do this").await;
    let on_cover = seed::comment(db, None, Some(cover), "<c2@h>", "and that").await;
    let site = seed::site(db, |_| {}).await;
    let mara = browser(&site, db, Some(world.mara)).await;
    for (id, page) in [
        (on_patch, "/project/one/patch/1@h/"),
        (on_cover, "/project/one/cover/0@h/"),
    ] {
        let (target, path) = (format!("by-{id}"), format!("/comment/{id}/"));
        let htmx = [("HX-Request", "true"), ("HX-Target", target.as_str())];
        let whole = mara.get(page).await;
        assert_eq!(whole.values(".reply header", "id"), [target.as_str()]);
        assert_eq!(
            whole.values(".reply header form", "hx-post"),
            [path.as_str(), path.as_str()]
        );
        assert_eq!(whole.texts("#reply-count"), ["Replies 1 (1 open)"]);
        mara.post_with(&path, &[("addressed", "true")], &htmx).await;
        let part = mara.get_with(page, &htmx).await;
        assert!(part.body.starts_with("<header"), "{}", part.body);
        assert_eq!(part.texts(".label"), ["addressed"]);
        assert_eq!(part.texts("#reply-count"), ["Replies 1"]);
        assert_eq!(part.texts("#notices p"), ["1 comment updated."]);
        assert_eq!(
            part.values("#reply-count, #notices", "hx-swap-oob"),
            ["true", "true"]
        );
    }
}
