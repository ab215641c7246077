//! What others do meanwhile: pages whose last entry changes or goes, names taken at the same time, many who write.

use patchwork::store::sql;
use rocket::{futures::future::join_all, http::Method};
use serde_json::json;

use super::{page::follow, seed};

/// A list by an order, and how its last entry is changed so that it stands elsewhere, as SQL.
const MOVES: &[(&str, &str, &str)] = &[
    (
        "patches/",
        "state",
        "UPDATE patch SET state_id = 9 WHERE id = $1",
    ),
    (
        "patches/",
        "-state",
        "UPDATE patch SET state_id = 1 WHERE id = $1",
    ),
    (
        "patches/",
        "archived",
        "UPDATE patch SET archived = TRUE WHERE id = $1",
    ),
    (
        "patches/",
        "-archived,date",
        "UPDATE patch SET archived = TRUE WHERE id = $1",
    ),
    (
        "patches/",
        "name",
        "UPDATE patch SET name = 'zzz' WHERE id = $1",
    ),
    (
        "patches/",
        "-name,id",
        "UPDATE patch SET name = 'zzz' WHERE id = $1",
    ),
    (
        "patches/",
        "check",
        "INSERT INTO patch_check (patch_id, account_id, date, state, context) \
         SELECT id, 1, date, 2, 'ci' FROM patch WHERE id = $1",
    ),
    (
        "patches/",
        "project,-date",
        "UPDATE patch SET project_id = 2 WHERE id = $1",
    ),
    (
        "patches/",
        "submitter",
        "UPDATE patch SET submitter_id = 1 WHERE id = $1",
    ),
    (
        "patches/",
        "date",
        "UPDATE patch SET date = (SELECT date FROM patch WHERE id = 1) WHERE id = $1",
    ),
    (
        "patches/",
        "id",
        "UPDATE patch SET archived = TRUE WHERE id = $1",
    ),
    (
        "series/",
        "name",
        "UPDATE series SET name = 'zzz' WHERE id = $1",
    ),
    (
        "series/",
        "-received_all",
        "UPDATE series SET total = 9 WHERE id = $1",
    ),
    (
        "series/",
        "received_all,-date",
        "UPDATE series SET total = 1 WHERE id = $1",
    ),
];

on_both! {
    async fn a_last_entry_that_moves_makes_nobody_miss_another(db: Db) {
        let site = seed::site(&db).await;
        for (list, order, change) in MOVES {
            let mut left = site.get(&format!("{list}?per_page=250")).await.is(200).ids();
            let mut next = format!("/api/{list}?per_page=10&order={order}");
            while !next.is_empty() {
                let page = site.get(&next).await.is(200);
                let ids = page.ids();
                // One that has moved may come a second time; no other may.
                left.retain(|id| !ids.contains(id));
                site.run(sql(change).bind(ids[ids.len() - 1])).await;
                next = follow(page.header("Link"));
            }
            assert!(left.is_empty(), "{list} {order}: {left:?}");
        }
    }
}

on_both! {
    async fn a_last_entry_that_goes_ends_no_list(db: Db) {
        let site = seed::site(&db).await;
        for number in 1..=6 {
            let name = format!("b{number}");
            site.post("n", "bundles/", json!({"name": name, "patches": [1], "public": true})).await.is(201);
        }
        for order in ["name", "-name", "id", "-id", "owner,-name"] {
            let all = site.get(&format!("bundles/?order={order}")).await.is(200).ids();
            let page = site.get(&format!("bundles/?per_page=1&order={order}")).await.is(200);
            let mut seen = page.ids();
            site.ask(Method::Delete, &format!("bundles/{}/", seen[0])).by("n").seen().await.is(204);
            let mut next = follow(page.header("Link"));
            while !next.is_empty() {
                let page = site.get(&next).await.is(200);
                seen.extend(page.ids());
                next = follow(page.header("Link"));
            }
            assert_eq!(seen, all, "{order}");
        }
    }
}

on_both! {
    async fn a_comment_that_goes_ends_no_list(db: Db) {
        let site = seed::site(&db).await;
        for number in 3..=8 {
            site.run(
                sql("INSERT INTO comment (id, patch_id, submitter_id, msgid, date, headers, content) \
                     SELECT $1, patch_id, submitter_id, $2, date, headers, content FROM comment WHERE id = 1")
                    .bind(number + 100)
                    .bind(format!("<x{number}@example.com>")),
            ).await;
        }
        for order in ["", "&order=-subject", "&order=date,-id"] {
            let all = site.get(&format!("patches/1/comments/?per_page=250{order}")).await.is(200).ids();
            let mut next = format!("/api/patches/1/comments/?per_page=2{order}");
            let mut seen = Vec::new();
            while !next.is_empty() {
                let page = site.get(&next).await.is(200);
                let ids = page.ids();
                seen.extend_from_slice(&ids);
                if seen.len() == 2 {
                    site.run(sql("DELETE FROM comment WHERE id = $1").bind(ids[1])).await;
                }
                next = follow(page.header("Link"));
            }
            assert_eq!(seen, all, "{order}");
        }
    }
}

on_both! {
    async fn places_of_other_lists_find_nothing(db: Db) {
        let site = seed::site(&db).await;
        let cursor = |text: &str| {
            use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
            BASE64_URL_SAFE_NO_PAD.encode(text)
        };
        for (order, text) in [("name", "[1, 7]"), ("name", "[\"a\", \"b\", 7]"), ("id", "[\"a\", 7]"), ("date", "[\"2024\", 7]"), ("archived", "[\"x\", 7]")] {
            let path = format!("patches/?order={order}&after={}", cursor(text));
            assert_eq!(site.get(&path).await.is(200).text, "[]", "{order} {text}");
        }
        for bad in ["x", "-1", "[1]", &cursor("{}"), &cursor("[]"), &cursor("[\"a\"]")] {
            site.get(&format!("patches/?after={bad}")).await.is(404);
        }
        // The id alone names the entry as it is now.
        assert_eq!(site.get("patches/?after=49").await.ids(), [50, 51]);
        assert_eq!(site.get("patches/?order=-date,-id&after=2").await.ids(), [1]);
    }
}

on_both! {
    async fn of_two_who_take_a_name_at_once_one_is_told(db: Db) {
        let site = seed::site(&db).await;
        for round in 0..5 {
            let body = json!({"name": format!("same {round}"), "patches": [1]});
            let both = join_all((0..4).map(|_| site.post("n", "bundles/", body.clone()))).await;
            let mut statuses: Vec<u16> = both.iter().map(|seen| seen.status).collect();
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 400, 400, 400], "{both:?}");
            let refused = both.iter().find(|seen| seen.status == 400).expect("one");
            assert_eq!(refused.json, json!({"name": ["A bundle with this name already exists."]}));
        }
        let ids = site.get_as("n", "bundles/").await.ids();
        let renamed = join_all(ids.iter().map(async |id| {
            site.patch("n", &format!("bundles/{id}/"), json!({"name": "one"})).await.status
        })).await;
        let count = |status| renamed.iter().filter(|it| **it == status).count();
        assert_eq!((count(200), count(400)), (1, 4), "{renamed:?}");
    }
}

on_both! {
    async fn dots_are_no_names(db: Db) {
        let site = seed::site(&db).await;
        for (name, status) in [(".", 400), ("..", 400), (" .. ", 400), ("...", 201), (".a", 201)] {
            site.post("n", "bundles/", json!({"name": name, "patches": [1]})).await.is(status);
        }
    }
}

on_both! {
    async fn who_gets_in_anothers_way_waits_and_writes(db: Db) {
        let site = seed::site(&db).await;
        let ids = |down: bool| {
            let mut ids: Vec<i64> = (1..=40).collect();
            if down {
                ids.reverse();
            }
            ids
        };
        let writes = (0..8).map(|number| {
            let state = ["rfc", "accepted"][number % 2];
            site.patch("m", "patches/", json!({"ids": ids(number % 2 == 0), "state": state}))
        });
        for seen in join_all(writes).await {
            seen.is(200);
        }
    }
}

on_both! {
    async fn a_change_costs_a_fixed_number_of_statements(db: Db) {
        let site = seed::site(&db).await;
        let many: Vec<i64> = (1..=50).collect();
        let ways = [
            (Method::Patch, "patches/1/", json!({"state": "rfc"}), 11),
            (Method::Patch, "patches/", json!({"ids": [2, 3], "state": "rfc"}), 12),
            // SQLite takes so many events in several statements.
            (Method::Patch, "patches/", json!({"ids": many, "state": "accepted"}), 16),
            // One of them locks the patch with which it is noted.
            (Method::Patch, "patches/1/comments/1/", json!({"addressed": true}), 9),
            (Method::Patch, "projects/p/", json!({"web_url": "https://p.example.org/"}), 6),
            (Method::Patch, "users/1/", json!({"first_name": "Mia"}), 4),
            (Method::Post, "patches/1/checks/", json!({"state": "success"}), 9),
            (Method::Post, "bundles/", json!({"name": "x", "patches": [1]}), 14),
            (Method::Put, "bundles/1/", json!({"name": "x", "patches": many}), 18),
            (Method::Delete, "bundles/1/", json!({}), 4),
        ];
        for (method, path, body, most) in ways {
            let seen = site.ask(method, path).by("m").json(body).seen().await;
            assert!(seen.status < 300 && seen.statements() <= most, "{method} {path}: {seen:?}");
        }
    }
}
