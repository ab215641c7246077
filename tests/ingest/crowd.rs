//! Threads built to cost as much as they can: each mail of them still takes a bounded time.

use std::time::{Duration, Instant};

use patchwork::store::Db;
use serde_json::json;

use super::{rows, scene, stage};

/// What one mail may take at most, in a debug build on a busy machine.
const MOST: Duration = Duration::from_secs(5);

async fn receive(db: &Db, mail: &serde_json::Value) -> Duration {
    let raw = scene::compose(mail, 1);
    let begun = Instant::now();
    scene::receive(db, &raw).await;
    let took = begun.elapsed();
    assert!(took < MOST, "{} took {took:?}", mail["id"]);
    took
}

on_both! {
    async fn replies_that_all_refer_to_each_other_move_within_bounds(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let id = |number: usize| format!("r{number}");
        receive(&db, &json!({"id": "p", "subject": "[PATCH] a"})).await;
        const REPLIES: usize = 120;
        for number in 0..REPLIES {
            let others = (0..REPLIES).filter(|other| *other != number).map(id);
            let mut ids = vec!["x".to_owned()];
            ids.extend(others);
            ids.push("p".to_owned());
            receive(&db, &json!({"id": id(number), "subject": "Re: [PATCH] a", "reply": ids})).await;
        }
        let took = receive(&db, &json!({"id": "x", "subject": "[PATCH] b", "reply": ["p"]})).await;
        println!("the mail that {REPLIES} replies waited for took {took:?}");
        let found = rows::read(&mut db.reader().await.expect("a connection")).await;
        let moved = found["comments"]["x"].as_array().map(Vec::len);
        assert_eq!(moved, Some(REPLIES), "{}", found["comments"]);
    }
}

on_both! {
    async fn many_series_in_reply_to_the_same_mails_cost_no_more_than_a_few(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let ids: Vec<String> = (0..400).map(|number| format!("m{number}")).collect();
        for number in 0..60 {
            let subject = format!("[PATCH 1/{}] a", number + 2);
            receive(&db, &json!({"id": format!("p{number}"), "subject": subject, "reply": ids})).await;
        }
        let took = receive(&db, &json!({"id": "r", "subject": "Re: a", "reply": ids})).await;
        println!("a reply to them took {took:?}");
        let mut conn = db.reader().await.expect("a connection");
        let (most,): (i64,) = patchwork::store::sql(
            "SELECT max(n) FROM (SELECT count(*) AS n FROM series_reference GROUP BY msgid) crowds",
        )
        .one(&mut conn)
        .await
        .expect("a count");
        assert_eq!(most, 16);
    }
}
