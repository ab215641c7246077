//! Which revision of a series follows which.

use std::collections::BTreeSet;

use patchwork::{
    domain::{MessageId, SeriesId},
    store::{self, Db, sql},
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

on_both! {
    /// However many strangers send under a change-id, the sender's own revisions find each other, and only so many are looked at.
    async fn strangers_do_not_crowd_out_the_sender(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        stage::clear(&db).await;
        let mail = |id: &str, subject: &str, from: &str, minute: i64| {
            let mail = serde_json::json!({"id": id, "subject": subject, "from": from,
                "body": "x\n---\nchange-id: 20240101-that-0123456789ab\n{diff}"});
            scene::compose(&mail, minute * 60)
        };
        let own = "Ann Author <ann@example.com>";
        scene::receive(&db, &mail("a1", "[PATCH] this", own, 0)).await;
        scene::receive(&db, &mail("a2", "[PATCH v2] that", own, 1)).await;
        for number in 0..60 {
            let from = format!("Eve <eve{number}@example.org>");
            scene::receive(&db, &mail(&format!("e{number}"), "[PATCH v2] another", &from, 2 + number)).await;
        }
        scene::receive(&db, &mail("a3", "[PATCH v3] these", own, 90)).await;
        let mut conn = db.reader().await.expect("a connection");
        let found = rows::read(&mut conn).await;
        let links = found["revisions"].as_array().expect("links");
        for link in ["a2 after a1: change-id", "a3 after a2: change-id"] {
            assert!(links.iter().any(|it| it == link), "{links:?}");
        }
        let (last,): (SeriesId,) = sql("SELECT max(id) FROM series").one(&mut conn).await.expect("a series");
        let related = store::revision::related(&mut conn, &[last]).await.expect("what is related");
        assert_eq!(related.len(), 55, "itself, fifty by the id, the two of the same sender by the id and by the sender");
        drop(conn);
        db.close().await;
    }
}
