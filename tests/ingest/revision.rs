//! Which revision of a series follows which.

use std::collections::BTreeSet;

use patchwork::{
    domain::MessageId,
    store::{Db, sql},
};
use serde_json::Value;

use super::{
    rows,
    scene::{self, play_all, play_all_splits},
    stage,
};
use crate::support::Random;

const SCENES: &str = include_str!("../data/ingest/revision.json");

on_both! {
    async fn revisions_find_each_other(fresh: Fresh) {
        play_all(&fresh.url, SCENES).await;
    }
}

on_both! {
    async fn revisions_find_each_other_however_many_come_at_once(fresh: Fresh) {
        play_all_splits(&fresh.url, SCENES).await;
    }
}

/// Delivers the mails of a scene to an empty database, in a random order.
async fn play_shuffled(db: &Db, scene: &Value, random: &mut Random) {
    stage::clear(db).await;
    let mails = scene["mails"].as_array().expect("mails").iter();
    let mut mails: Vec<Vec<u8>> = mails
        .enumerate()
        .map(|(at, mail)| {
            let minute = mail["minute"].as_i64().unwrap_or(0);
            scene::compose(mail, at as i64 + minute * 60)
        })
        .collect();
    random.shuffle(&mut mails);
    for mail in &mails {
        scene::receive(db, mail).await;
    }
}

on_both! {
    async fn revisions_find_each_other_in_any_order(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let scenes: Vec<Value> = serde_json::from_str(SCENES).expect("a table");
        let mut random = Random::new(7);
        let links = |found: &Value| -> BTreeSet<String> {
            let links = found["revisions"].as_array().expect("links").iter();
            links.map(|link| link.as_str().expect("a link").to_owned()).collect()
        };
        for scene in &scenes {
            for _ in 0..6 {
                play_shuffled(&db, scene, &mut random).await;
                let found = rows::read(&mut db.reader().await.expect("a connection")).await;
                assert_eq!(links(&found), links(scene), "{}", scene["name"]);
            }
        }
        db.close().await;
    }
}

/// The state of each patch, by the name of its mail.
async fn states(db: &Db) -> Vec<(String, String)> {
    let mut conn = db.reader().await.expect("a connection");
    let rows: Vec<(MessageId, String)> = sql(
        "SELECT p.msgid, s.slug FROM patch p JOIN state s ON s.id = p.state_id ORDER BY p.msgid",
    )
    .all(&mut conn)
    .await
    .expect("patches");
    let rows = rows.into_iter();
    rows.map(|(msgid, state)| (rows::short(&msgid), state))
        .collect()
}

on_both! {
    async fn a_complete_newer_revision_replaces_the_one_before_where_the_project_wants_it(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let scenes: Vec<Value> = serde_json::from_str(include_str!("../data/ingest/supersede.json")).expect("a table");
        let mut random = Random::new(11);
        for (scene, wanted) in scenes.iter().flat_map(|scene| [(scene, true), (scene, false)]) {
            let mut tx = db.begin().await.expect("a transaction");
            sql("UPDATE project SET supersede = $1").bind(wanted).run(&mut tx).await.expect("a setting");
            tx.commit().await.expect("a commit");
            for _ in 0..4 {
                play_shuffled(&db, scene, &mut random).await;
                let replaced: Vec<String> = states(&db).await.into_iter()
                    .filter(|(_, state)| state == "superseded").map(|(name, _)| name).collect();
                let expected: Vec<&str> = match wanted {
                    true => scene["superseded"].as_array().expect("names").iter().filter_map(Value::as_str).collect(),
                    false => Vec::new(),
                };
                assert_eq!(replaced, expected, "{}, {wanted}", scene["name"]);
            }
        }
        db.close().await;
    }
}
