//! Many deliveries at once: whatever the order, one series, and each event once.

use std::collections::BTreeMap;

use patchwork::store::Db;
use serde_json::json;
use tokio::task::LocalSet;

use super::{rows, scene, stage};
use crate::support::tally;

const PATCHES: usize = 8;

/// A series with its cover and a reply, so written that only `threaded` mails name each other.
fn mails(threaded: bool) -> Vec<Vec<u8>> {
    let mut mails = vec![json!({"id": "c", "subject": "[PATCH 0/8] all"})];
    for number in 1..=PATCHES {
        let mut patch = json!({"id": format!("p{number}"), "subject": format!("[PATCH {number}/8] step {number}")});
        if threaded {
            patch["reply"] = json!(["c"]);
        }
        mails.push(patch);
    }
    mails.push(json!({"id": "r", "subject": "Re: [PATCH 1/8] step 1", "reply": ["p1"]}));
    let composed = mails.iter().enumerate();
    composed
        .map(|(second, mail)| scene::compose(mail, second as i64))
        .collect()
}

/// Delivers all mails, beginning somewhere else for each `turn`.
async fn deliver(db: Db, mut mails: Vec<Vec<u8>>, turn: usize) {
    let count = mails.len();
    mails.rotate_left(turn * 3 % count);
    if turn % 2 == 1 {
        mails.reverse();
    }
    for mail in &mails {
        scene::receive(&db, mail).await;
    }
}

/// Checks that there is one series, and that everything happened once.
async fn check_series(db: &Db) {
    let mut conn = db.reader().await.expect("a connection");
    let found = rows::read(&mut conn).await;
    let series = found["series"].as_array().expect("series");
    tally::is_right(db).await;
    assert_eq!(series.len(), 1, "{series:?}");
    assert_eq!(series[0]["cover"], "c");
    assert_eq!(series[0]["name"], "all");
    assert_eq!(series[0]["patches"].as_array().map(Vec::len), Some(PATCHES));
    assert_eq!(found["comments"], json!({"p1": ["r"]}));
    assert_eq!(found["awaited"], json!([]));
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for event in found["events"].as_array().expect("events") {
        *times.entry(event.as_str().expect("an event")).or_default() += 1;
    }
    assert!(times.values().all(|count| *count == 1), "{times:?}");
    // Created: the cover, the patches, the series, the comment. Completed: the patches, the series.
    assert_eq!(times.len(), 1 + PATCHES + 1 + 1 + PATCHES + 1, "{times:?}");
    let kept = found["kept"].as_array().map(Vec::len);
    assert_eq!(kept, Some(1 + PATCHES + 1), "{}", found["kept"]);
}

async fn sixteen_tasks(databases: &[Db], threaded: bool) {
    let tasks = LocalSet::new();
    let running: Vec<_> = (0..16)
        .map(|turn| {
            let db = databases[turn % databases.len()].clone();
            tasks.spawn_local(deliver(db, mails(threaded), turn))
        })
        .collect();
    tasks.await;
    for task in running {
        task.await.expect("a task that ends well");
    }
    check_series(&databases[0]).await;
}

on_both! {
    async fn sixteen_tasks_make_one_series(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        for threaded in [true, false] {
            stage::clear(&db).await;
            sixteen_tasks(std::slice::from_ref(&db), threaded).await;
        }
    }
}

on_both! {
    async fn tasks_of_two_pools_make_one_series(fresh: Fresh) {
        let databases = [stage::open(&fresh.url).await, stage::open_again(&fresh.url)];
        for threaded in [true, false] {
            stage::clear(&databases[0]).await;
            sixteen_tasks(&databases, threaded).await;
        }
    }
}

on_both! {
    async fn eight_threads_make_one_series(fresh: Fresh) {
        let db = stage::open(&fresh.url).await;
        let threads: Vec<_> = (0..8)
            .map(|turn| {
                let url = fresh.url.clone();
                std::thread::spawn(move || {
                    crate::support::database::block_on(async {
                        let db = stage::open_again(&url);
                        deliver(db.clone(), mails(true), turn).await;
                        db.close().await;
                    });
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("a thread that ends well");
        }
        check_series(&db).await;
    }
}
