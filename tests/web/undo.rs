//! Taking a change back.

use patchwork::store::{Db, sql};

use super::{
    browser::Browser,
    people::{browser, events, standing, world},
    seed,
};

const LIST: &str = "/project/one/list/?state=*&archive=both";

/// Changes both patches of project one, and returns the way back.
async fn changed(mara: &Browser<'_>, ids: [i64; 2]) -> String {
    let ticks = ids.map(|id| format!("patch_id:{id}"));
    let sent = [
        (ticks[0].as_str(), "on"),
        (ticks[1].as_str(), "on"),
        ("action", "update"),
        ("state", "3"),
        ("delegate", ""),
        ("archived", "True"),
    ];
    let page = mara.submit(LIST, &sent).await;
    let mut ways = page.values("#notices form", "action");
    assert_eq!(page.values("#notices input[name=next]", "value"), [LIST]);
    ways.pop().expect("a way back")
}

pub async fn a_change_is_taken_back_once(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    let undo = changed(&mara, [world.patch, world.other]).await;
    assert_eq!(standing(db, world.patch).await, (3, None, true));
    let page = mara.submit(&undo, &[("next", LIST)]).await;
    assert_eq!(page.texts("#notices p"), ["2 patches as before."]);
    assert_eq!(
        standing(db, world.patch).await,
        (1, Some(world.desk), false)
    );
    assert_eq!(standing(db, world.other).await, (1, None, false));
    let told = events(db).await;
    // Two states there and back, one desk there and back.
    assert_eq!(told.len(), 6);
    assert!(told.iter().all(|(_, actor)| *actor == Some(world.mara)));
    let page = mara.submit(&undo, &[("next", "//example.org/")]).await;
    assert_eq!(page.texts("h1"), ["Projects"]);
    assert_eq!(
        page.texts("#notices p"),
        ["It is too late to undo that, or it is undone already."]
    );
    assert_eq!(standing(db, world.patch).await.0, 1);
}

pub async fn what_was_changed_since_stays(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    let undo = changed(&mara, [world.patch, world.other]).await;
    let other = format!("patch_id:{}", world.other);
    let sent = [
        (other.as_str(), "on"),
        ("action", "update"),
        ("state", "4"),
        ("archived", "False"),
    ];
    mara.submit(LIST, &sent).await;
    let page = mara.submit(&undo, &[("next", LIST)]).await;
    assert_eq!(
        page.texts("#notices p"),
        ["1 patch of 2 undone; the others have been changed since."]
    );
    assert_eq!(
        standing(db, world.patch).await,
        (1, Some(world.desk), false)
    );
    assert_eq!(standing(db, world.other).await, (4, None, false));
}

pub async fn only_who_made_a_change_takes_it_back(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    let undo = changed(&mara, [world.patch, world.other]).await;
    for (who, user, _) in world.everybody() {
        if user == Some(world.mara) {
            continue;
        }
        let browser = browser(&site, db, user).await;
        let seen = browser.post(&undo, &[("next", LIST)]).await;
        assert_eq!(seen.status, if user.is_some() { 303 } else { 302 }, "{who}");
        assert_eq!(standing(db, world.patch).await, (3, None, true), "{who}");
    }
    // Who may not change the patches any more may not do so by undoing.
    let mut tx = db.begin().await.expect("a transaction");
    sql("DELETE FROM maintainer")
        .run(&mut tx)
        .await
        .expect("a change");
    tx.commit().await.expect("a commit");
    let page = mara.submit(&undo, &[("next", LIST)]).await;
    assert_eq!(
        page.texts("#notices p"),
        ["Nothing was undone: the patches have been changed since."]
    );
    assert_eq!(standing(db, world.patch).await, (3, None, true));
}

pub async fn after_ten_minutes_it_is_too_late(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    let undo = changed(&mara, [world.patch, world.other]).await;
    let mut tx = db.begin().await.expect("a transaction");
    let past = patchwork::domain::Timestamp::now().plus_minutes(-11);
    sql("UPDATE undo SET created = $1")
        .bind(past)
        .run(&mut tx)
        .await
        .expect("a change");
    tx.commit().await.expect("a commit");
    let page = mara.submit(&undo, &[("next", LIST)]).await;
    assert_eq!(
        page.texts("#notices p"),
        ["It is too late to undo that, or it is undone already."]
    );
    assert_eq!(standing(db, world.patch).await, (3, None, true));
    assert_eq!(mara.post("/undo/x/", &[]).await.status, 404);
}

/// Two tabs, and a page that was begun before: no way back is lost.
pub async fn every_way_back_is_told(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let mara = Browser::of(&site, db, world.mara).await;
    for (patch, state) in [(world.patch, "3"), (world.other, "4")] {
        let tick = format!("patch_id:{patch}");
        let sent = [
            (tick.as_str(), "on"),
            ("action", "update"),
            ("state", state),
        ];
        assert_eq!(mara.post(LIST, &sent).await.status, 303);
    }
    let page = mara.get(LIST).await;
    assert_eq!(page.values("#notices form", "action").len(), 2);
    assert!(
        mara.get(LIST)
            .await
            .values("#notices form", "action")
            .is_empty()
    );
}
