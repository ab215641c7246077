//! Which revision of a series follows which.

use std::collections::BTreeSet;

use patchwork::{
    domain::{MessageId, Series, SeriesId, Timestamp, change::Actor, revision::Unfit},
    ingest::revision,
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
        // Her other address is of the same account.
        let mut tx = db.begin().await.expect("a transaction");
        for text in [
            "INSERT INTO account (username, password, email, first_name, last_name, date_joined) VALUES ('ann', '', '', '', '', $1)",
            "INSERT INTO person (email, name, key) SELECT 'ann@example.net', 'Ann Author', 'ann author ann@example.net' WHERE $1 = $1",
            "UPDATE person SET account_id = (SELECT max(id) FROM account) WHERE email LIKE 'ann@%' AND $1 = $1",
        ] {
            sql(text).bind(Timestamp(0)).run(&mut tx).await.expect(text);
        }
        tx.commit().await.expect("a commit");
        for number in 0..120 {
            let from = format!("Eve <eve{number}@example.org>");
            scene::receive(&db, &mail(&format!("e{number}"), "[PATCH v2] another", &from, 2 + number)).await;
        }
        scene::receive(&db, &mail("a3", "[PATCH v3] these", "Ann Author <ann@example.net>", 130)).await;
        let mut conn = db.reader().await.expect("a connection");
        let found = rows::read(&mut conn).await;
        let links = found["revisions"].as_array().expect("links");
        for link in ["a2 after a1: change-id", "a3 after a2: change-id"] {
            assert!(links.iter().any(|it| it == link), "{links:?}");
        }
        // Of the chain its sender's own come first, however many claim to be part of it.
        let mut ids: Vec<SeriesId> = Vec::new();
        for id in ["<a1@example.com>", "<a2@example.com>", "<a3@example.com>"] {
            let (id,): (SeriesId,) = sql("SELECT series_id FROM patch WHERE msgid = $1").bind(id).one(&mut conn).await.expect("a patch");
            ids.push(id);
        }
        let chain = store::revision::chain(&mut conn, ids[2]).await.expect("a chain");
        assert!(ids.iter().all(|id| chain.iter().any(|one| one.id == *id)), "{chain:?}");
        let (last,): (SeriesId,) = sql("SELECT max(id) FROM series").one(&mut conn).await.expect("a series");
        let related = store::revision::related(&mut conn, &[last]).await.expect("what is related");
        assert_eq!(related.len(), 53, "itself, fifty by the id, the two of the same sender");
        drop(conn);
        db.close().await;
    }
}

on_both! {
    /// What is read again says what it said when it came, whichever patch of a mend said it.
    async fn a_relink_changes_nothing(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        stage::clear(&db).await;
        for (at, (id, subject, body)) in [
            ("a1", "[PATCH v5 1/3] one", "x\n{diff}"),
            ("a2", "[PATCH v5 2/3] two", "x\n{diff}"),
            ("a3", "[PATCH v5 3/3] three", "x\n{diff}"),
            ("b2", "[PATCH v5.1 2/3] two again", "x\n{diff}"),
            ("b3", "[PATCH v5.1 3/3] else", "x\n\nSupersedes: <a3@example.com>\n{diff}"),
        ].into_iter().enumerate() {
            let mut mail = serde_json::json!({"id": id, "subject": subject, "body": body});
            if at > 0 {
                mail["reply"] = serde_json::json!([if at < 3 { "a1" } else { "b2" }]);
            }
            if at == 3 {
                mail.as_object_mut().expect("a mail").remove("reply");
            }
            scene::receive(&db, &scene::compose(&mail, at as i64 * 60)).await;
        }
        let links = async || rows::read(&mut db.reader().await.expect("a connection")).await["revisions"].clone();
        let before = links().await;
        assert!(before.as_array().is_some_and(|links| !links.is_empty()), "{before}");
        let mut tx = db.begin().await.expect("a transaction");
        patchwork::ingest::revision::relink(&mut tx, SeriesId(0), Timestamp(1)).await.expect("a step");
        tx.commit().await.expect("a commit");
        assert_eq!(links().await, before);
        db.close().await;
    }
}

on_both! {
    /// Whoever was left alone because a link by hand led round in a circle, is linked again when that goes.
    async fn what_a_hand_has_undone_is_found_again(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        stage::clear(&db).await;
        for (at, version) in ["", " v2"].into_iter().enumerate() {
            let mail = serde_json::json!({"id": format!("a{at}"), "subject": format!("[PATCH{version}] net: mend it")});
            scene::receive(&db, &scene::compose(&mail, at as i64 * 60)).await;
        }
        let mut tx = db.begin().await.expect("a transaction");
        let mut all: Vec<Series> = Vec::new();
        for id in ["<a0@example.com>", "<a1@example.com>"] {
            let (id,): (SeriesId,) = sql("SELECT series_id FROM patch WHERE msgid = $1").bind(id).one(&mut tx).await.expect("a patch");
            all.push(store::series::by_id(&mut tx, id).await.expect("a row").expect("a series").series);
        }
        let by = Actor { user: None, at: Timestamp(1) };
        let (first, second) = (&all[0], &all[1]);
        for (series, earlier) in [(second, None), (first, Some(second.id))] {
            assert_eq!(revision::follow(&mut tx, series, earlier, &by).await.expect("a link"), None);
        }
        assert_eq!(revision::find(&mut tx, second.id, by.at).await.expect("a look"), None);
        assert_eq!(revision::follow(&mut tx, second, Some(first.id), &by).await.expect("no link"), Some(Unfit::Circle));
        revision::follow(&mut tx, first, None, &by).await.expect("a link");
        let links = store::revision::links(&mut tx, &[second.id]).await.expect("links");
        assert_eq!(links.first().map(|link| link.earlier), Some(Some(first.id)));
        drop(tx);
        db.close().await;
    }
}
