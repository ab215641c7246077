//! Answers that still hold: their tags, for whom, and what is told without a body.

use rocket::http::Method;
use serde_json::json;

use super::seed::{self, Site};

async fn again(site: &Site, who: &str, path: &str, tag: &str) -> seed::Seen {
    let ask = site.ask(Method::Get, path).by(who);
    ask.with("If-None-Match", tag).seen().await
}

on_both! {
    async fn who_has_an_answer_is_told_so(db: Db) {
        let site = seed::site(&db).await;
        for path in ["patches/?per_page=5", "patches/1/", "series/1/", "series/1/diff/2/", "events/", "projects/p/", "patches/1/comments/"] {
            let seen = site.get(path).await.is(200);
            let tag = seen.header("ETag").to_owned();
            assert!(tag.starts_with("W/\"") && tag.len() == 36, "{path}: {tag}");
            let same = again(&site, "", path, &tag).await.is(304);
            assert_eq!((same.text.as_str(), same.header("ETag")), ("", tag.as_str()), "{path}");
            again(&site, "", path, "W/\"0123\", \"x\"").await.is(200);
            again(&site, "", path, &format!("\"x\", {tag}")).await.is(304);
            let head = site.ask(Method::Head, path).with("If-None-Match", &tag).seen().await;
            head.is(304);
        }
        // Another process of the site.
        let other = seed::reopened(&db).await;
        let tag = other.get("patches/2/").await.is(200).header("ETag").to_owned();
        assert_eq!(site.get("patches/2/").await.header("ETag"), tag);
        // Something else was written: the same answer, made again.
        site.patch("m", "patches/1/", json!({"state": "rfc"})).await.is(200);
        again(&site, "", "patches/2/", &tag).await.is(304);
        site.patch("m", "patches/2/", json!({"state": "rfc"})).await.is(200);
        let seen = again(&site, "", "patches/2/", &tag).await.is(200);
        assert_eq!(seen.json["state"], "rfc");
    }
}

on_both! {
    async fn answers_are_kept_apart_by_who_asks(db: Db) {
        let site = seed::site(&db).await;
        site.post("n", "bundles/", json!({"name": "b", "patches": [1]})).await.is(201);
        for path in ["bundles/", "users/3/", "patches/1/"] {
            let own = site.get_as("n", path).await.is(200).header("ETag").to_owned();
            let other = site.get_as("m", path).await.is(200).header("ETag").to_owned();
            assert_ne!(own, other, "{path}");
            again(&site, "n", path, &own).await.is(304);
        }
        let own = site.get_as("n", "bundles/").await;
        let seen = again(&site, "", "bundles/", own.header("ETag")).await.is(200);
        assert!(seen.ids().is_empty() && !own.ids().is_empty());
        again(&site, "", "bundles/1/", site.get_as("n", "bundles/1/").await.header("ETag")).await.is(404);
        let refused = site.ask(Method::Get, "patches/").with("Authorization", "Token x").with("If-None-Match", own.header("ETag")).seen().await;
        refused.is(403);
        let html = site.ask(Method::Get, "patches/1/").with("Accept", "text/html").seen().await.is(200);
        assert_ne!(html.header("ETag"), site.get("patches/1/").await.header("ETag"));
    }
}

on_both! {
    async fn a_list_that_grew_behind_the_page_is_another_answer(db: Db) {
        let site = seed::site(&db).await;
        let path = "patches/?q=buoy&project=p&per_page=45";
        let seen = site.get(path).await.is(200);
        assert!(!seen.header("Link").contains("rel=\"next\""), "{seen:?}");
        site.patch("m", "patches/6/", json!({"archived": true})).await.is(200);
        site.run(patchwork::store::sql("UPDATE patch SET project_id = 1, name = 'buoy', name_key = 'buoy' WHERE id = 51")).await;
        site.patch("m", "patches/6/", json!({"archived": false})).await.is(200);
        // The same 45 patches, but there is a next page now.
        let now = again(&site, "", path, seen.header("ETag")).await.is(200);
        assert_eq!(now.text, seen.text);
        assert!(now.header("Link").contains("rel=\"next\""), "{now:?}");
        assert_eq!(now.header("X-Total-Count"), "46");
    }
}
