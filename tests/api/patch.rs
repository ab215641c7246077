//! Changing patches: values, relations, many at a time.

use rocket::http::Method;
use serde_json::{Value, json};

use super::seed;

/// A body, the status, and what one field is then (or what is said of it).
fn values() -> Vec<(Value, u16, &'static str, Value)> {
    vec![
        // 22
        (
            json!({"state": "Under Review"}),
            200,
            "state",
            json!("under-review"),
        ),
        (
            json!({"state": "bogus"}),
            400,
            "state",
            json!([
                "Invalid state bogus. Expected one of: new, under-review, accepted, \
            rejected, rfc, not-applicable, changes-requested, awaiting-upstream, superseded, deferred"
            ]),
        ),
        (
            json!({"state": ""}),
            400,
            "state",
            json!(["This field may not be blank."]),
        ),
        (
            json!({"state": null}),
            400,
            "state",
            json!(["This field may not be null."]),
        ),
        (
            json!({"state": 1}),
            400,
            "state",
            json!(["Incorrect type. Expected string value, received int."]),
        ),
        (
            json!({"state": []}),
            400,
            "state",
            json!(["Incorrect type. Expected string value, received list."]),
        ),
        // 23
        (json!({"archived": "yes"}), 200, "archived", json!(true)),
        (json!({"archived": 0}), 200, "archived", json!(false)),
        (
            json!({"archived": "maybe"}),
            400,
            "archived",
            json!(["Must be a valid boolean."]),
        ),
        (
            json!({"archived": null}),
            400,
            "archived",
            json!(["This field may not be null."]),
        ),
        // 24
        (
            json!({"delegate": "1"}),
            200,
            "delegate.username",
            json!("m"),
        ),
        (json!({"delegate": null}), 200, "delegate", json!(null)),
        (json!({"delegate": 1}), 200, "delegate.username", json!("m")),
        (json!({"delegate": ""}), 200, "delegate", json!(null)),
        (
            json!({"delegate": "m"}),
            400,
            "delegate",
            json!(["Incorrect type. Expected pk value, received str."]),
        ),
        (
            json!({"delegate": 99}),
            400,
            "delegate",
            json!(["Invalid pk \"99\" - object does not exist."]),
        ),
        (
            json!({"delegate": 2}),
            400,
            "delegate",
            json!(["User 's' is not a maintainer for project 'Pool'"]),
        ),
        // 25
        (
            json!({"name": "x", "hash": 7, "foo": {}}),
            200,
            "name",
            json!("[1/3] pump: start it"),
        ),
        (json!({}), 200, "archived", json!(false)),
        (
            json!({"commit_ref": " abc "}),
            200,
            "commit_ref",
            json!("abc"),
        ),
        (json!({"commit_ref": 12}), 200, "commit_ref", json!("12")),
        (json!({"commit_ref": null}), 200, "commit_ref", json!(null)),
        (
            json!({"commit_ref": "x".repeat(256)}),
            400,
            "commit_ref",
            json!(["Ensure this field has no more than 255 characters."]),
        ),
        (
            json!({"commit_ref": true}),
            400,
            "commit_ref",
            json!(["Not a valid string."]),
        ),
        (json!({"pull_url": ""}), 200, "pull_url", json!("")),
        (
            json!({"related": null}),
            400,
            "related",
            json!(["This field may not be null."]),
        ),
        (
            json!({"related": "1"}),
            400,
            "related",
            json!(["Expected a list of items but got type \"str\"."]),
        ),
        (
            json!({"related": [99]}),
            400,
            "related",
            json!(["Invalid pk \"99\" - object does not exist."]),
        ),
    ]
}

on_both! {
    async fn values_are_checked(db: Db) {
        let site = seed::site(&db).await;
        for (body, status, field, expected) in values() {
            let seen = site.patch("m", "patches/1/", body.clone()).await;
            let found = field.split('.').fold(&seen.json, |json, key| &json[key]);
            assert_eq!((seen.status, found), (status, &expected), "{body}");
        }
        // All faults are told at once, in the order of the fields, and nothing is stored.
        let seen = site.patch("m", "patches/1/", json!({"state": "x", "archived": "x", "commit_ref": "kept"})).await.is(400);
        assert_eq!(seen.keys(), ["state", "archived"]);
        assert_eq!(site.get("patches/1/").await.json["commit_ref"], json!(null));
        // 26
        let seen = site.put("m", "patches/1/", json!({})).await.is(400);
        assert_eq!(seen.json, json!({"state": ["This field is required."], "delegate": ["This field is required."]}));
        site.put("m", "patches/1/", json!({"state": "new", "delegate": null})).await.is(200);
        site.patch("m", "patches/1/", json!({"archived": true})).await.is(200);
        let form = site.ask(Method::Put, "patches/1/").by("m").form("state=new&delegate=").seen().await.is(200);
        assert_eq!(form.json["archived"], false, "a box that is not ticked is not sent");
        // 19
        site.patch("", "patches/999/", json!({})).await.is(404);
        site.patch("m", "patches/999/", json!({})).await.is(404);
    }
}

on_both! {
    async fn changes_are_told_once(db: Db) {
        let site = seed::site(&db).await;
        let before = site.events().await;
        site.patch("m", "patches/1/", json!({"state": "accepted", "delegate": 1, "commit_ref": "abc"})).await.is(200);
        site.patch("m", "patches/1/", json!({"state": "accepted", "delegate": 1})).await.is(200);
        assert_eq!(site.events().await - before, 2);
        let told = site.get("events/?patch=1&category=patch-state-changed").await.json;
        assert_eq!(told[0]["payload"]["previous_state"], "new");
        assert_eq!(told[0]["payload"]["current_state"], "accepted");
        assert_eq!(told[0]["actor"]["username"], "m");
    }
}

on_both! {
    async fn relations_grow_and_end(db: Db) {
        let site = seed::site(&db).await;
        let relate = async |id: i64, others: Value| site.patch("m", &format!("patches/{id}/"), json!({"related": others})).await;
        let related = async |id: i64| {
            let patch = site.get(&format!("patches/{id}/")).await.json;
            let list = patch["related"].as_array().expect("a list").clone();
            list.iter().map(|it| it["id"].as_i64().expect("an id")).collect::<Vec<_>>()
        };
        // 27
        let seen = relate(1, json!([])).await.is(200);
        assert_eq!(seen.json["related"], json!([]));
        relate(1, json!([2])).await.is(200);
        assert_eq!((related(1).await, related(2).await), (vec![2], vec![1]));
        relate(1, json!([3, 1])).await.is(200);
        assert_eq!(related(2).await, [1, 3]);
        relate(2, json!([])).await.is(200);
        assert_eq!((related(1).await, related(2).await), (vec![3], vec![]));
        relate(1, json!([])).await.is(200);
        assert_eq!(related(3).await, Vec::<i64>::new());
        relate(1, json!([2])).await.is(200);
        relate(6, json!([7])).await.is(200);
        let seen = relate(1, json!([6])).await.is(409);
        assert!(seen.json["detail"].as_str().is_some_and(|text| text.starts_with("At least one patch is already part")), "{seen:?}");
        let seen = relate(1, json!([51])).await.is(403);
        assert_eq!(seen.json["detail"], "At least one patch is part of a project you are not maintaining.");
        site.patch("s", "patches/1/", json!({"related": [3]})).await.is(403);
        // Older versions do not know relations.
        site.patch("m", "1.1/patches/1/", json!({"related": []})).await.is(200);
        assert_eq!(related(1).await, [2]);
        site.put("s", "patches/1/", json!({"state": "new", "delegate": null})).await.is(200);
        assert_eq!(related(1).await, [2], "what is not named is not changed");
    }
}

on_both! {
    async fn many_are_changed_together_or_none(db: Db) {
        let site = seed::site(&db).await;
        let change = async |who: &str, body: Value| site.patch(who, "patches/", body).await;
        let before = site.events().await;
        let ids: Vec<i64> = (6..=50).collect();
        let seen = change("m", json!({"ids": ids, "state": "accepted", "archived": true})).await.is(200);
        assert_eq!(seen.ids(), ids);
        assert_eq!(site.events().await - before, 45);
        assert_eq!(site.get("patches/?state=accepted&archived=true&per_page=250").await.ids(), ids);
        let seen = change("s", json!({"series": 1, "state": "rfc"})).await.is(200);
        assert_eq!(seen.ids(), [1, 2, 3]);
        // One that may not be changed, or is not there, and nothing is.
        for (who, body, status) in [
            ("s", json!({"ids": [1, 4], "state": "new"}), 403),
            ("m", json!({"ids": [1, 51], "state": "new"}), 403),
            ("", json!({"ids": [1], "state": "new"}), 403),
            ("m", json!({"ids": [1, 99], "state": "new"}), 400),
            ("m", json!({"ids": [], "state": "new"}), 400),
            ("m", json!({"state": "new"}), 400),
            ("m", json!({"ids": [1], "series": 1, "state": "new"}), 400),
            ("m", json!({"ids": [1], "state": "bogus"}), 400),
            ("m", json!({"ids": [1], "related": [2]}), 400),
            ("m", json!({"series": 99, "state": "new"}), 400),
        ] {
            assert_eq!(change(who, body.clone()).await.status, status, "{body}");
        }
        assert_eq!(site.get("patches/1/").await.json["state"], "rfc");
        for (body, faults) in [
            (json!({"series": 99}), json!({"series": ["Invalid pk \"99\" - object does not exist."]})),
            (json!({"series": "x"}), json!({"series": ["Incorrect type. Expected pk value, received str."]})),
            (json!({"ids": [1, 99]}), json!({"ids": ["Invalid pk \"99\" - object does not exist."]})),
            (json!({"ids": []}), json!({"ids": ["There are no such patches."]})),
        ] {
            assert_eq!(change("m", body).await.is(400).json, faults);
        }
        let form = site.ask(Method::Patch, "patches/").by("m").form("ids=1&ids=2&state=deferred").seen().await.is(200);
        assert_eq!(form.ids(), [1, 2]);
    }
}
