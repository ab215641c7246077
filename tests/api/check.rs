//! Checks: reported, listed, counted.

use rocket::http::Method;
use serde_json::{Value, json};

use super::seed;

on_both! {
    async fn checks_are_reported(db: Db) {
        let site = seed::site(&db).await;
        let path = "patches/1/checks/";
        // 28
        for (who, status) in [("", 403), ("n", 403), ("root", 403), ("s", 201), ("m", 201)] {
            let seen = site.post(who, path, json!({"state": "success", "context": "a"})).await.is(status);
            match status {
                201 => assert_eq!(seen.header("Location"), seen.json["url"].as_str().expect("an address")),
                _ => assert_eq!(seen.json["detail"], "You do not have permission to perform this action."),
            }
        }
        site.post("d", "patches/2/checks/", json!({"state": "success"})).await.is(201);
        // 29
        let long = format!("https://x/{}", "a".repeat(191));
        let bad: &[(Value, &str, &str)] = &[
            (json!({}), "state", "A check must have a state."),
            (json!({"state": ""}), "state", "A check must have a state."),
            (json!({"state": "SUCCESS"}), "state", "\"SUCCESS\" is not a valid choice."),
            (json!({"state": "success", "context": "a b"}), "context",
             "Enter a valid \"slug\" consisting of letters, numbers, underscores or hyphens."),
            (json!({"state": "success", "context": ""}), "context", "This field may not be blank."),
            (json!({"state": "success", "context": null}), "context", "This field may not be null."),
            (json!({"state": "success", "target_url": "x"}), "target_url", "Enter a valid URL."),
            (json!({"state": "success", "target_url": long}), "target_url", "Ensure this field has no more than 200 characters."),
            (json!({"state": "success", "user": 2}), "user", "Checks are reported in one's own name."),
        ];
        for (body, field, text) in bad {
            let seen = site.post("m", path, body.clone()).await.is(400);
            assert_eq!(seen.json[*field], json!([text]), "{body}");
        }
        // 30
        let seen = site.ask(Method::Post, path).by("m").form("user=&state=success&context=c").seen().await.is(201);
        assert_eq!((&seen.json["user"]["username"], &seen.json["context"]), (&json!("m"), &json!("c")));
        for (body, field, expected) in [
            (json!({"state": 3}), "state", json!("fail")),
            (json!({"state": "2"}), "state", json!("warning")),
            (json!({"state": "pending", "user": 1, "patch": 7, "date": "x"}), "context", json!("default")),
            (json!({"state": "success", "target_url": "", "description": null}), "target_url", json!("")),
            (json!({"state": "success", "target_url": "http://localhost"}), "target_url", json!("http://localhost")),
        ] {
            let seen = site.post("m", path, body).await.is(201);
            assert_eq!(seen.json[field], expected);
        }
        // 31
        let own = format!("{path}1/");
        for method in [Method::Put, Method::Patch, Method::Delete] {
            site.ask(method, &own).by("m").json(json!({})).seen().await.is(405);
        }
        site.get("patches/1/checks/999/").await.is(404);
        assert_eq!(site.get("patches/999/checks/").await.is(404).json["detail"], "No Patch matches the given query.");
        site.get("patches/2/checks/1/").await.is(404);
    }
}

on_both! {
    async fn checks_are_found_and_combined(db: Db) {
        let site = seed::site(&db).await;
        let report = async |who: &str, context: &str, state: &str| {
            site.post(who, "patches/1/checks/", json!({"context": context, "state": state})).await.is(201);
        };
        let combined = async || site.get("patches/1/").await.json["check"].clone();
        assert_eq!(combined().await, "pending");
        report("m", "build", "success").await;
        assert_eq!(combined().await, "success");
        report("m", "test", "warning").await;
        assert_eq!(combined().await, "warning");
        report("s", "build", "fail").await;
        assert_eq!(combined().await, "fail");
        report("s", "build", "pending").await;
        report("m", "test", "success").await;
        assert_eq!(combined().await, "pending");
        assert_eq!(site.get("patches/?order=-check&per_page=1").await.ids(), [51], "pending like the others, so the id decides");
        // 32
        let ids = async |query: &str| site.get(&format!("patches/1/checks/?{query}")).await.is(200).ids();
        assert_eq!(ids("context=build&order=-date,-id&per_page=1").await, [4]);
        assert_eq!(ids("state=success").await, [1, 5]);
        assert_eq!(ids("state=1").await, [1, 5]);
        assert_eq!(ids("state=SUCCESS").await, Vec::<i64>::new());
        assert_eq!(ids("user=m").await, [1, 2, 5]);
        assert_eq!(ids("user=2").await, [3, 4]);
        assert_eq!(ids("user=nosuch").await, Vec::<i64>::new());
        assert_eq!(ids("context=Build").await, Vec::<i64>::new());
        assert_eq!(ids("").await, [1, 2, 3, 4, 5]);
        let told = site.get("events/?category=check-created&per_page=1").await.json;
        assert_eq!(told[0]["payload"]["check"]["context"], "test");
        assert_eq!(told[0]["actor"]["username"], "m");
    }
}
