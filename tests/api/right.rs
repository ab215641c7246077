//! Who may do what: each way to write, for everybody.

use base64::{Engine, prelude::BASE64_STANDARD};
use rocket::http::Method;
use serde_json::{Value, json};

use patchwork::{auth, store::sql};

use super::seed;

/// Everybody: nobody, an account without rights, the submitter, the delegate of patch 2, the maintainer, a superuser.
const WHO: [&str; 6] = ["", "n", "s", "d", "m", "root"];

/// A way to write, and the status for each of [`WHO`].
fn ways() -> Vec<(Method, &'static str, Value, [u16; 6])> {
    let state = || json!({"state": "rfc", "delegate": null});
    vec![
        // 18
        (
            Method::Patch,
            "patches/1/",
            state(),
            [403, 403, 200, 403, 200, 403],
        ),
        (
            Method::Put,
            "patches/1/",
            state(),
            [403, 403, 200, 403, 200, 403],
        ),
        (
            Method::Patch,
            "patches/2/",
            json!({"archived": true}),
            [403, 403, 200, 200, 200, 403],
        ),
        (
            Method::Patch,
            "patches/4/",
            state(),
            [403, 403, 403, 403, 200, 403],
        ),
        (
            Method::Patch,
            "patches/51/",
            state(),
            [403, 403, 403, 403, 403, 403],
        ),
        (
            Method::Patch,
            "patches/",
            json!({"ids": [1, 2], "archived": true}),
            [403, 403, 200, 403, 200, 403],
        ),
        (
            Method::Patch,
            "patches/1/",
            json!({"related": [3]}),
            [403, 403, 403, 403, 200, 403],
        ),
        (
            Method::Post,
            "patches/1/checks/",
            json!({"state": "success"}),
            [403, 403, 201, 403, 201, 403],
        ),
        (
            Method::Post,
            "patches/2/checks/",
            json!({"state": "success"}),
            [403, 403, 201, 201, 201, 403],
        ),
        (
            Method::Post,
            "patches/51/checks/",
            json!({"state": "success"}),
            [403, 403, 403, 403, 403, 403],
        ),
        (
            Method::Patch,
            "patches/1/comments/1/",
            json!({"addressed": true}),
            [403, 403, 200, 403, 200, 403],
        ),
        (
            Method::Put,
            "patches/1/comments/1/",
            json!({"addressed": true}),
            [403, 403, 200, 403, 200, 403],
        ),
        (
            Method::Patch,
            "covers/1/comments/2/",
            json!({"addressed": true}),
            [403, 403, 200, 403, 200, 403],
        ),
        (
            Method::Put,
            "covers/1/comments/2/",
            json!({"addressed": true}),
            [403, 403, 200, 403, 200, 403],
        ),
        (
            Method::Patch,
            "series/2/",
            json!({"previous": 1}),
            [403, 403, 403, 403, 200, 403],
        ),
        (
            Method::Patch,
            "projects/p/",
            json!({"web_url": "https://p.example.org/"}),
            [403, 403, 403, 403, 200, 403],
        ),
        (
            Method::Put,
            "projects/1/",
            json!({}),
            [403, 403, 403, 403, 200, 403],
        ),
        (
            Method::Patch,
            "users/3/",
            json!({"first_name": "Nell"}),
            [403, 200, 403, 403, 403, 403],
        ),
        (
            Method::Put,
            "users/3/",
            json!({"settings": {}}),
            [403, 200, 403, 403, 403, 403],
        ),
        (
            Method::Post,
            "bundles/",
            json!({"name": "x", "patches": [1]}),
            [403, 201, 201, 201, 201, 201],
        ),
        (
            Method::Patch,
            "bundles/1/",
            json!({"public": true}),
            [403, 200, 403, 403, 403, 403],
        ),
        (
            Method::Put,
            "bundles/1/",
            json!({"name": "b", "patches": [1], "public": true}),
            [403, 200, 403, 403, 403, 403],
        ),
        // Once its owner has deleted it, it is gone for everybody.
        (
            Method::Delete,
            "bundles/2/",
            json!({}),
            [403, 403, 204, 404, 404, 404],
        ),
    ]
}

on_both! {
    async fn everybody_may_write_what_is_theirs(db: Db) {
        let site = seed::site(&db).await;
        for who in ["n", "s"] {
            site.post(who, "bundles/", json!({"name": "b", "patches": [1], "public": true})).await.is(201);
        }
        for (method, path, body, statuses) in ways() {
            for (who, status) in WHO.iter().zip(statuses) {
                let seen = site.ask(method, path).by(who).json(body.clone()).seen().await;
                assert_eq!(seen.status, status, "{method} {path} {body} by {who:?}: {seen:?}");
                let detail = match (*who, path) {
                    // Compatibility: who may not report a check is told the same, somebody or nobody.
                    ("", path) if !path.ends_with("checks/") => "Authentication credentials were not provided.",
                    _ => "You do not have permission to perform this action.",
                };
                let is_told = seen.json["detail"] == detail || path.contains("patches/1/") && body.get("related").is_some();
                assert!(status != 403 || is_told, "{method} {path} by {who:?}: {seen:?}");
            }
        }
    }
}

on_both! {
    async fn people_and_users_are_for_those_who_are_logged_in(db: Db) {
        let site = seed::site(&db).await;
        // 39
        for path in ["people/", "people/1/", "users/", "users/1/", "users/999/"] {
            for method in [Method::Get, Method::Head, Method::Options, Method::Post] {
                site.ask(method, path).seen().await.is(403);
            }
        }
        let get = async |path: &str| site.ask(Method::Get, path).by("n").seen().await;
        assert_eq!(get("people/999/").await.is(404).json["detail"], "No Person matches the given query.");
        assert_eq!(get("people/1/").await.is(200).json["user"]["username"], "s");
        assert_eq!(get("people/?q=GRACE").await.is(200).ids().len(), 1);
        assert_eq!(get("users/?q=root&project=p").await.is(200).ids(), [5]);
        site.ask(Method::Post, "people/").by("n").json(json!({})).seen().await.is(405);
        // 40
        assert!(get("1.1/users/3/").await.json.get("settings").is_none());
        assert_eq!(get("1.2/users/3/").await.json["settings"], json!({"send_email": false, "items_per_page": 100, "show_ids": false}));
        assert!(get("users/1/").await.json.get("settings").is_none());
        assert!(get("users/").await.json[2].get("settings").is_none());
        let change = async |body: Value| site.patch("n", "users/3/", body).await;
        let seen = change(json!({"settings": {"items_per_page": 20, "show_ids": true}, "username": "x"})).await.is(200);
        assert_eq!(seen.json["settings"], json!({"send_email": false, "items_per_page": 20, "show_ids": true}));
        assert_eq!(seen.json["username"], "n");
        for (body, field) in [
            (json!({"settings": null}), r#"{"settings":["This field may not be null."]}"#),
            (json!({"settings": "x"}), r#"{"settings":{"detail":["Invalid data. Expected a dictionary, but got str."]}}"#),
            (json!({"settings": {"items_per_page": -1}}), r#"{"settings":{"items_per_page":["Ensure this value is greater than or equal to 1."]}}"#),
            (json!({"settings": {"items_per_page": 0}}), r#"{"settings":{"items_per_page":["Ensure this value is greater than or equal to 1."]}}"#),
            (json!({"settings": {"items_per_page": 1001}}), r#"{"settings":{"items_per_page":["Ensure this value is less than or equal to 1000."]}}"#),
            (json!({"settings": {"items_per_page": "x"}}), r#"{"settings":{"items_per_page":["A valid integer is required."]}}"#),
            (json!({"first_name": "x".repeat(151)}), r#"{"first_name":["Ensure this field has no more than 150 characters."]}"#),
        ] {
            assert_eq!(change(body.clone()).await.is(400).text, field, "{body}");
        }
        assert_eq!(site.put("n", "users/3/", json!({})).await.is(400).json["settings"], json!(["This field is required."]));
        let form = site.ask(Method::Patch, "users/3/").by("n").form("settings.items_per_page=30&last_name=X").seen().await.is(200);
        assert_eq!((&form.json["settings"]["items_per_page"], &form.json["last_name"]), (&json!(30), &json!("X")));
        // A form that says all of a thing says no where it has no tick; one that changes it says nothing.
        assert_eq!(form.json["settings"]["show_ids"], json!(true));
        let put = async |form: &str| site.ask(Method::Put, "users/3/").by("n").form(form).seen().await;
        let settings = put("settings.items_per_page=40").await.is(200).json["settings"].clone();
        assert_eq!(settings, json!({"send_email": false, "items_per_page": 40, "show_ids": false}));
        assert_eq!(put("last_name=Y").await.is(400).json, json!({"settings": ["This field is required."]}));
    }
}

on_both! {
    async fn projects_keep_their_addresses_usable(db: Db) {
        let site = seed::site(&db).await;
        for (body, status) in [
            (json!({"list_archive_url_format": "https://x/{}"}), 200),
            (json!({"list_archive_url_format": "https://x/{}{}"}), 400),
            (json!({"commit_url_format": "https://x/{x}"}), 400),
            (json!({"commit_url_format": "{"}), 400),
            (json!({"commit_url_format": ""}), 200),
            (json!({"web_url": null}), 400),
            (json!({"web_url": "x".repeat(2001)}), 400),
            (json!({"show_dependencies": "maybe"}), 400),
            (json!({"show_dependencies": true, "name": "Other"}), 200),
        ] {
            assert_eq!(site.patch("m", "projects/p/", body.clone()).await.status, status, "{body}");
        }
        let form = async |method| site.ask(method, "projects/p/").by("m").form("web_url=").seen().await.is(200).json["show_dependencies"].clone();
        assert_eq!((form(Method::Patch).await, form(Method::Put).await), (json!(true), json!(false)));
        site.patch("m", "projects/p/", json!({"show_dependencies": true})).await.is(200);
        let project = site.get("projects/p/").await.is(200).json;
        assert_eq!((&project["name"], &project["show_dependencies"]), (&json!("Pool"), &json!(true)));
        assert_eq!(project["maintainers"][0]["username"], "m");
        assert_eq!(site.get("projects/P/").await.is(404).json["detail"], "No Project matches the given query.");
        // Where dependencies are shown is decided series by series.
        let list = site.get("series/?per_page=250").await.json;
        let shown: Vec<bool> = list.as_array().expect("a list").iter().map(|it| it.get("dependencies").is_some()).collect();
        assert_eq!(shown.iter().filter(|it| **it).count(), 48);
        assert!(site.get("1.3/series/1/").await.json.get("dependencies").is_none());
    }
}

on_both! {
    async fn comments_are_marked(db: Db) {
        let site = seed::site(&db).await;
        let before = site.events().await;
        // 33
        for (value, status, expected) in [
            (json!(true), 200, json!(true)),
            (json!(false), 200, json!(false)),
            (json!(null), 200, json!(null)),
            (json!(""), 200, json!(null)),
            (json!("x"), 400, json!(["Must be a valid boolean."])),
        ] {
            let seen = site.patch("s", "patches/1/comments/1/", json!({"addressed": value})).await.is(status);
            assert_eq!(seen.json["addressed"], expected, "{value}");
        }
        assert_eq!(site.events().await, before, "no event tells of it");
        for (path, thing) in [
            ("patches/1/comments/2/", "PatchComment"),
            ("covers/1/comments/1/", "CoverComment"),
            ("covers/9/comments/1/", "Cover"),
            ("patches/99/comments/1/", "Patch"),
        ] {
            let seen = site.get(path).await.is(404);
            assert_eq!(seen.json["detail"], format!("No {thing} matches the given query."), "{path}");
        }
    }
}

// When a token was last used is written down, but no more than once an hour, and no answer waits for it.
on_both! {
    async fn the_use_of_a_token_is_written_down(db: Db) {
        let db = &db;
        let site = seed::site(db).await;
        let used = async || {
            let mut conn = db.reader().await.expect("a reader");
            let (count,): (i64,) = sql("SELECT count(*) FROM token WHERE last_used IS NOT NULL")
                .one(&mut conn)
                .await
                .expect("a number");
            count
        };
        assert_eq!(used().await, 0);
        for _ in 0..100 {
            site.ask(Method::Get, "patches/1/").by("m").seen().await.is(200);
            if used().await == 1 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("nobody has written it down");
    }
}

on_both! {
    async fn passwords_cannot_be_tried_for_ever(db: Db) {
        let site = seed::site(&db).await;
        site.run(sql("UPDATE account SET password = $1").bind(auth::hash_password(seed::PASSWORD).expect("a hash").as_str())).await;
        let ask = async |password: &str| {
            let header = format!("Basic {}", BASE64_STANDARD.encode(format!("m:{password}")));
            site.ask(Method::Get, "1.3/bundles/").with("Authorization", &header).seen().await
        };
        // Right ones are no tries.
        for _ in 0..12 {
            ask(seed::PASSWORD).await.is(200);
        }
        for number in 0..10 {
            ask("wrong").await.is(403);
            // A script that knows the password does not give others more tries.
            if number < 9 {
                ask(seed::PASSWORD).await.is(200);
            }
        }
        let late = ask(seed::PASSWORD).await.is(429);
        assert!(late.json["detail"].as_str().is_some_and(|detail| detail.contains("Too many")));
        assert!(late.header("Retry-After").parse::<i64>().is_ok_and(|seconds| seconds > 800));
        site.get_as("m", "1.3/bundles/").await.is(200);
    }
}
