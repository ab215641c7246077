//! Events: what they tell, and a feed that skips none.

use patchwork::{
    domain::{
        PatchId, StateId, Timestamp, UserId,
        change::{Actor, PatchChange},
    },
    store::{self, Kind, sql},
};
use serde_json::json;

use super::seed::{self, keys};

/// What the events of a category carry, in order.
const PAYLOADS: &[(&str, &[&str])] = &[
    ("cover-created", &["cover"]),
    ("patch-created", &["patch"]),
    ("patch-completed", &["patch", "series"]),
    (
        "patch-state-changed",
        &["patch", "previous_state", "current_state"],
    ),
    (
        "patch-delegated",
        &["patch", "previous_delegate", "current_delegate"],
    ),
    (
        "patch-relation-changed",
        &["patch", "previous_relation", "current_relation"],
    ),
    ("check-created", &["patch", "check"]),
    ("series-created", &["series"]),
    ("series-completed", &["series"]),
    ("cover-comment-created", &["cover", "comment"]),
    ("patch-comment-created", &["patch", "comment"]),
];

on_both! {
    async fn events_tell_of_things(db: Db) {
        let site = seed::site(&db).await;
        let change = json!({"state": "accepted", "delegate": 1, "related": [2]});
        site.patch("m", "patches/1/", change).await.is(200);
        site.post("m", "patches/1/checks/", json!({"state": "fail"})).await.is(201);
        // 41
        for (category, expected) in PAYLOADS {
            let seen = site.get(&format!("events/?per_page=1&category={category}")).await.is(200);
            let payload = seen.text.split_once("\"payload\":").expect(&seen.text).1;
            assert_eq!(keys(payload.trim_end_matches(']').strip_suffix('}').expect("an object")), *expected, "{category}");
            let date = seen.json[0]["date"].as_str().expect("a date");
            assert!(date.len() == "2024-03-06T04:40:00.123456".len() && date.contains('.') || !date.contains('.'), "{date}");
            assert!(!date.ends_with('Z') && !date.contains('+'));
            let things = seen.json[0]["payload"].as_object().expect("an object");
            let missing = things.iter().filter(|(key, value)| value.is_null() && !key.contains("delegate") && !key.contains("relation"));
            assert_eq!(missing.count(), 0, "{category}: {things:?}");
        }
        // 42
        assert_eq!(site.get("1.2/events/?category=patch-comment-created").await.is(200).text, "[]");
        assert_eq!(site.get("events/?category=nosuch").await.is(200).text, "[]");
        // A word that means nothing makes nothing of all; one that the version does not know is left out.
        assert_eq!(site.get("events/?category=patch-created&category=bogus").await.is(200).text, "[]");
        let ids = site.get("1.2/events/?category=cover-created&category=patch-comment-created").await.is(200).ids();
        assert_eq!(ids.len(), 1);
        let old = site.get("1.2/events/?per_page=250").await;
        assert!(!old.text.contains("comment-created"), "older versions do not know comments");
        let both = site.get("events/?category=cover-created&category=check-created").await.ids();
        assert_eq!(both.len(), 2);
        for (query, count) in [("patch=1", 7), ("series=1", 5), ("cover=1", 2), ("actor=1", 5), ("actor=m", 5), ("project=q", 4)] {
            let seen = site.get(&format!("events/?per_page=250&{query}")).await.is(200);
            assert_eq!(seen.ids().len(), count, "{query}");
        }
        let ids = site.get("events/?per_page=250").await.ids();
        assert!(ids.windows(2).all(|two| two[0] > two[1]), "the newest first");
        let ids = site.get("events/?per_page=250&order=date").await.ids();
        assert!(ids.windows(2).all(|two| two[0] < two[1]));
        let since = site.get("events/?category=check-created").await.json[0]["date"].as_str().expect("a date").to_owned();
        let again = site.get(&format!("events/?since={since}")).await.ids();
        assert_eq!(again.len(), 1, "since is inclusive, to the microsecond");
        let (before, fraction) = since.split_once('.').expect("a fraction");
        let later = format!("{before}.{:06}", fraction.parse::<u32>().expect("digits") + 1);
        assert!(site.get(&format!("events/?since={later}")).await.is(200).ids().is_empty());
        assert_eq!(site.get(&format!("events/?since={since}&before={later}")).await.ids(), again);
    }
}

on_both! {
    async fn a_cursor_goes_on_where_it_was(db: Db) {
        let site = seed::site(&db).await;
        let mut last = 0;
        let mut seen = Vec::new();
        loop {
            let page = site.get(&format!("events/?after={last}&per_page=50")).await.is(200);
            let ids = page.ids();
            let Some(newest) = ids.last() else { break };
            last = *newest;
            seen.extend(ids);
        }
        let count = site.events().await;
        assert_eq!(seen.len() as i64, count);
        assert!(seen.windows(2).all(|two| two[0] < two[1]));
        site.patch("m", "patches/1/", json!({"state": "accepted"})).await.is(200);
        assert_eq!(site.get(&format!("events/?after={last}")).await.ids(), [last + 1]);
        let link = site.get("events/?after=0&per_page=2").await.header("Link").to_owned();
        assert!(link.starts_with("<http://pw.example.com/api/events/?after=2&per_page=2>; rel=\"next\""), "{link}");
        site.get("events/?after=x").await.is(404);
    }
}

on_both! {
    /// An event that is still being written has no id yet: none that is larger can be seen before it.
    async fn events_are_numbered_in_the_order_in_which_they_can_be_seen(db: Db) {
        if db.kind() == Kind::Sqlite {
            // One at a time writes there.
            return;
        }
        let site = seed::site(&db).await;
        let by = Actor { user: Some(UserId(1)), at: Timestamp::now() };
        let to = |state| PatchChange { state: Some(StateId(state)), ..PatchChange::default() };
        let mut slow = db.begin().await.expect("a transaction");
        store::patch::change::apply(&mut slow, &[PatchId(6)], &to(3), &by).await.expect("a change");
        let quick = async {
            let mut quick = db.begin().await.expect("a transaction");
            store::patch::change::apply(&mut quick, &[PatchId(7)], &to(3), &by).await.expect("a change");
            quick.commit().await.expect("a commit");
        };
        let before = site.events().await;
        let mut quick = Box::pin(quick);
        let waits = tokio::time::timeout(std::time::Duration::from_millis(300), &mut quick).await;
        assert!(waits.is_err(), "it waits for its turn");
        assert_eq!(site.events().await, before);
        slow.commit().await.expect("a commit");
        quick.await;
        let told = site.get("events/?category=patch-state-changed&order=date&per_page=250").await.json;
        let patches: Vec<_> = told.as_array().expect("a list").iter().map(|it| it["payload"]["patch"]["id"].clone()).collect();
        assert_eq!(patches, [json!(6), json!(7)]);
    }
}

on_both! {
    async fn of_many_events_nobody_counts_all(db: Db) {
        let site = seed::site(&db).await;
        let few = site.get("events/?since=1999-01-01&per_page=10").await.is(200);
        let total: i64 = few.header("X-Total-Count").parse().expect("a number");
        assert_eq!(total, site.events().await);
        site.run(sql(
            "INSERT INTO event (category, project_id, date, patch_id)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
             SELECT 'patch-created', 1, p.date, 1 FROM n JOIN patch p ON p.id = 1",
        )).await;
        let path = "events/?per_page=250&since=1999-01-01";
        let seen = site.get(path).await.is(200);
        assert_eq!(seen.header("X-Total-Count"), "");
        let url = "http://pw.example.com/api/events/?";
        let link = seen.header("Link");
        assert!(link.contains(&format!("<{url}page=last&per_page=250&since=1999-01-01>; rel=\"last\"")), "{link}");
        assert!(link.starts_with(&format!("<{url}after=")) && link.contains("&page=2&"), "{link}");
        // Who does ask for the last page gets it.
        let last = site.get(&format!("{path}&page=last")).await.is(200);
        let all = site.events().await;
        assert_eq!(last.header("X-Total-Count"), all.to_string());
        assert_eq!(last.ids().len() as i64, all % 250);
        site.get(&format!("{path}&page=99999")).await.is(404);
        site.get(&format!("{path}&page=3")).await.is(200);
        // Without a filter the number is known.
        assert_ne!(site.get("events/").await.header("X-Total-Count"), "");
        let html = site.ask(rocket::http::Method::Get, path).with("Accept", "text/html").seen().await.is(200);
        assert!(html.text.contains("<form"), "{}", html.text);
    }
}
