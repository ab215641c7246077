//! Bundles: made, changed, hidden.

use rocket::http::Method;
use serde_json::{Value, json};

use super::seed;

on_both! {
    async fn bundles_are_made_and_changed(db: Db) {
        let site = seed::site(&db).await;
        // 35
        for (who, path, body, status) in [
            ("m", "1.1/bundles/", json!({"name": "x", "patches": [1]}), 405),
            ("", "bundles/", json!({"name": "x", "patches": [1]}), 403),
            ("m", "bundles/", json!({"name": "x", "patches": []}), 400),
            ("m", "bundles/", json!({"name": "x"}), 400),
            ("m", "bundles/", json!({"name": "x", "patches": [1, 51]}), 400),
            ("m", "bundles/", json!({"name": "x", "patches": [999]}), 400),
            ("m", "bundles/", json!({"name": "a/b", "patches": [1]}), 400),
            ("m", "bundles/", json!({"name": "", "patches": [1]}), 400),
            ("m", "bundles/", json!({"patches": [1]}), 400),
            ("n", "bundles/", json!({"name": "b", "patches": [2, 1, 2]}), 201),
            ("n", "bundles/", json!({"name": "b", "patches": [1]}), 400),
            ("m", "bundles/", json!({"name": "b", "patches": [1]}), 201),
        ] {
            let seen = site.post(who, path, body.clone()).await;
            assert_eq!(seen.status, status, "{who} {body}: {seen:?}");
        }
        let one = site.ask(Method::Get, "bundles/1/").by("n").seen().await.is(200).json;
        assert_eq!((ids(&one), &one["public"], &one["owner"]["username"]), (vec![2, 1], &json!(false), &json!("n")));
        assert_eq!(one["web_url"], "http://pw.example.com/bundle/n/b/");
        assert_eq!(one["mbox"], "http://pw.example.com/bundle/n/b/mbox/");
        // 37
        let seen = site.patch("n", "bundles/1/", json!({"patches": [3, 1]})).await.is(200);
        assert_eq!(ids(&seen.json), [3, 1]);
        let seen = site.patch("n", "bundles/1/", json!({"name": "c", "public": "yes"})).await.is(200);
        assert_eq!((&seen.json["name"], &seen.json["public"]), (&json!("c"), &json!(true)));
        site.post("n", "bundles/", json!({"name": "d", "patches": [1]})).await.is(201);
        let taken = site.patch("n", "bundles/1/", json!({"name": "d"})).await.is(400);
        assert_eq!(taken.json["name"], json!(["A bundle with this name already exists."]));
        site.put("n", "bundles/1/", json!({"name": "c"})).await.is(400);
        site.put("n", "bundles/1/", json!({"name": "c", "patches": [51]})).await.is(200);
        let moved = site.get("bundles/1/").await.json;
        assert_eq!(moved["project"]["link_name"], "q", "the project is that of the first patch");
        let form = site.ask(Method::Put, "bundles/1/").by("n").form("name=c&patches=1&patches=3").seen().await.is(200);
        assert_eq!((ids(&form.json), &form.json["public"]), (vec![1, 3], &json!(false)));
        site.ask(Method::Delete, "bundles/1/").by("n").seen().await.is(204);
        site.ask(Method::Get, "bundles/1/").by("n").seen().await.is(404);
        site.get("patches/1/").await.is(200);
    }
}

fn ids(bundle: &Value) -> Vec<i64> {
    let patches = bundle["patches"].as_array().expect("a list");
    patches
        .iter()
        .map(|it| it["id"].as_i64().expect("an id"))
        .collect()
}

on_both! {
    async fn hidden_bundles_are_not_there(db: Db) {
        let site = seed::site(&db).await;
        site.post("n", "bundles/", json!({"name": "private", "patches": [1]})).await.is(201);
        site.post("n", "bundles/", json!({"name": "public", "patches": [1], "public": true})).await.is(201);
        // 36
        for (id, read, write) in [(1, 404, 404), (2, 200, 403)] {
            let path = format!("bundles/{id}/");
            for who in ["", "m", "root"] {
                site.ask(Method::Get, &path).by(who).seen().await.is(read);
                site.patch(who, &path, json!({"name": "x"})).await.is(write);
                site.ask(Method::Delete, &path).by(who).seen().await.is(write);
            }
            site.ask(Method::Get, &path).by("n").seen().await.is(200);
        }
        assert_eq!(site.get("bundles/").await.ids(), [2]);
        let list = async |who: &str, query: &str| site.ask(Method::Get, &format!("bundles/?{query}")).by(who).seen().await.ids();
        assert_eq!(list("n", "").await, [1, 2]);
        assert_eq!(list("n", "public=false").await, [1]);
        assert_eq!(list("n", "owner=N&project=p&q=PUB").await, [2]);
        assert_eq!(list("n", "owner=m").await, Vec::<i64>::new());
        for (method, path) in [(Method::Patch, "1.1/bundles/2/"), (Method::Delete, "1.0/bundles/2/"), (Method::Put, "1.1/bundles/2/")] {
            site.ask(method, path).by("n").json(json!({})).seen().await.is(405);
        }
    }
}
