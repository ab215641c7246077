//! Forms, versions, slashes, methods, errors, credentials.

use rocket::http::Method;
use serde_json::json;

use super::seed::{self, PASSWORD, keep_token, token};
use patchwork::domain::{UserId, permission::Scope};

on_both! {
    async fn addresses_and_versions(db: Db) {
        let site = seed::site(&db).await;
        // 1
        for (path, target) in [("/api", "/api/"), ("/api/1.2/patches?project=x", "/api/1.2/patches/?project=x")] {
            let seen = site.get(path).await.is(301);
            assert_eq!(seen.header("Location"), target);
        }
        // 2
        for path in ["1.6/", "2.0/patches/", "6.9/", "nosuch/", "patches/x/", "patches/1/nosuch/"] {
            let seen = site.get(path).await.is(404);
            assert_eq!(seen.text, r#"{"detail":"Not found."}"#, "{path}");
        }
        // 5: own addresses are in the version asked for, lists are not.
        let patch = site.get("1.2/patches/1/").await.is(200).json;
        assert_eq!(patch["url"], "http://pw.example.com/api/1.2/patches/1/");
        assert_eq!(patch["checks"], "http://pw.example.com/api/patches/1/checks/");
        assert_eq!(patch["comments"], "http://pw.example.com/api/patches/1/comments/");
        assert_eq!(patch["web_url"], "http://pw.example.com/project/p/patch/s1@example.com/");
        assert_eq!(patch["mbox"], "http://pw.example.com/project/p/patch/s1@example.com/mbox/");
        assert_eq!(patch["list_archive_url"], "https://lists.example.org/p/s1@example.com");
        assert_eq!(patch["series"][0]["web_url"], "http://pw.example.com/project/p/list/?series=1");
        let slash = site.get("patches/4/").await.json;
        assert_eq!(slash["web_url"], "http://pw.example.com/project/p/patch/single%252Fslash+1@example.com/");
        // Repeated slashes mean one.
        assert_eq!(site.get("/api//1.0//projects//p/").await.is(200).json["id"], 1);
        // 46
        let odd = site.ask(Method::Get, "").with("Host", "pw.example.org:99").seen().await;
        assert_eq!(odd.json["patches"], "http://pw.example.org:99/api/patches/");
        // 48
        let old = site.get("/patch/4/mbox/").await.is(302);
        let file = site.get(old.header("Location")).await.is(200);
        assert!(file.header("Content-Disposition").ends_with("filename=dock-paint-it.patch"), "{file:?}");
    }
}

/// The keys of each thing, since which version.
const KEYS: &[(&str, &[(&str, &str)])] = &[
    (
        "patches/1/",
        &[
            ("1.0", "id url"),
            ("1.1", "web_url"),
            ("1.0", "project msgid"),
            ("1.2", "list_archive_url"),
            (
                "1.0",
                "date name commit_ref pull_url state archived hash submitter delegate mbox series",
            ),
            ("1.1", "comments"),
            ("1.0", "check checks tags"),
            ("1.2", "related"),
            ("1.0", "headers content diff prefixes"),
        ],
    ),
    (
        "covers/1/",
        &[
            ("1.0", "id url"),
            ("1.1", "web_url"),
            ("1.0", "project msgid"),
            ("1.2", "list_archive_url"),
            ("1.0", "date name submitter"),
            ("1.1", "mbox"),
            ("1.0", "series"),
            ("1.1", "comments"),
            ("1.0", "headers content"),
        ],
    ),
    (
        "series/1/",
        &[
            ("1.0", "id url"),
            ("1.1", "web_url"),
            (
                "1.0",
                "project name date submitter version total received_total received_all mbox",
            ),
            ("1.0", "cover_letter patches"),
            (
                "1.5",
                "minor previous previous_reason previous_claimed following",
            ),
        ],
    ),
    (
        "series/1/diff/2/",
        &[("1.5", "url web_url text_url old new pairs remarks")],
    ),
    (
        "patches/1/diff/2/",
        &[("1.5", "url web_url text_url old new pairs remarks")],
    ),
    (
        "projects/1/",
        &[
            (
                "1.0",
                "id url name link_name list_id list_email web_url scm_url webscm_url maintainers",
            ),
            ("1.1", "subject_match"),
            (
                "1.2",
                "list_archive_url list_archive_url_format commit_url_format",
            ),
            ("1.4", "show_dependencies"),
        ],
    ),
    (
        "bundles/1/",
        &[
            ("1.0", "id url"),
            ("1.1", "web_url"),
            ("1.0", "project name owner patches public mbox"),
        ],
    ),
    (
        "patches/1/checks/1/",
        &[(
            "1.0",
            "id url user date state target_url context description",
        )],
    ),
    (
        "patches/1/comments/1/",
        &[(
            "1.3",
            "id url web_url msgid list_archive_url date subject submitter content headers addressed",
        )],
    ),
];

on_both! {
    async fn things_have_the_keys_of_their_version(db: Db) {
        let site = seed::site(&db).await;
        site.post("m", "bundles/", json!({"name": "b", "patches": [1], "public": true})).await.is(201);
        site.post("m", "patches/1/checks/", json!({"state": "success"})).await.is(201);
        // 3, 4
        for version in ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"] {
            for (path, table) in KEYS {
                let known = table.iter().filter(|(since, _)| *since <= version);
                let expected: Vec<&str> = known.flat_map(|(_, keys)| keys.split(' ')).collect();
                let seen = site.get(&format!("{version}/{path}")).await;
                match expected.is_empty() {
                    true => drop(seen.is(404)),
                    false => assert_eq!(seen.is(200).keys(), expected, "{version} {path}"),
                }
            }
        }
        // 34: in older versions lists of comments name neither their addresses nor whether they are done.
        let old = site.get("1.2/patches/1/comments/").await.is(200);
        let keys = old.json[0].as_object().expect("a comment").keys().cloned().collect::<Vec<_>>();
        assert!(!keys.contains(&"url".to_owned()) && !keys.contains(&"addressed".to_owned()), "{keys:?}");
        site.get("1.0/patches/1/comments/").await.is(404);
        // Lists leave the texts out.
        let list = site.get("patches/?per_page=1").await.json;
        assert!(list[0].get("diff").is_none() && list[0].get("name").is_some());
        // 6
        let pull = site.get("patches/5/").await.json;
        assert!(pull["hash"].is_null() && pull["diff"].is_null(), "{pull}");
        assert_eq!(pull["pull_url"], "https://git.example.com/dock.git for-linus");
        assert_eq!(site.get("patches/1/").await.json["prefixes"], json!(["1/3"]));
        let comment = site.get("patches/1/comments/1/").await.json;
        assert_eq!(comment["headers"]["X-Twice"], json!(["a", "b"]));
        assert_eq!(comment["subject"], "Re: [PATCH 1/3] pump: start it");
        assert_eq!(comment["web_url"], "http://pw.example.com/comment/1/");
    }
}

on_both! {
    async fn forms_of_answers(db: Db) {
        let site = seed::site(&db).await;
        // 45
        for (accept, query, status, kind) in [
            ("text/html", "", 200, "text/html; charset=utf-8"),
            ("*/*", "", 200, "application/json"),
            ("application/xml", "", 406, "application/json"),
            ("text/html", "?format=json", 200, "application/json"),
            ("*/*", "?format=api", 200, "text/html; charset=utf-8"),
            ("*/*", "?format=xml", 404, "application/json"),
        ] {
            let seen = site.ask(Method::Get, &format!("patches/{query}")).with("Accept", accept).seen().await.is(status);
            assert_eq!(seen.header("Content-Type"), kind, "{accept} {query}");
            assert!(seen.header("Vary").contains("Accept"));
        }
        let choices = site.ask(Method::Get, "patches/?msgid=0").with("Accept", "text/html").seen().await.text;
        assert!(choices.contains("<select id=\"id_project\"") && choices.contains("<option value=\"1\">p</option>"), "{choices}");
        assert!(choices.contains("<select id=\"id_submitter\"") && !choices.contains("sam@example.com"));
        let laid_out = site.ask(Method::Get, "").with("Accept", "application/json; indent=4").seen().await;
        assert!(laid_out.text.starts_with("{\n    \"projects\": "), "{laid_out:?}");
        let head = site.ask(Method::Head, "patches/").seen().await.is(200);
        assert!(head.text.is_empty() && head.header("Link").contains("rel=\"next\""), "{head:?}");
        let options = site.ask(Method::Options, "patches/1/").seen().await.is(200);
        assert_eq!(options.json["parses"][0], "application/json");
        for (method, path, allow) in [
            (Method::Post, "patches/", "GET, PATCH, HEAD, OPTIONS"),
            (Method::Delete, "patches/1/", "GET, PUT, PATCH, HEAD, OPTIONS"),
            (Method::Put, "covers/1/", "GET, HEAD, OPTIONS"),
            (Method::Put, "series/1/", "GET, PATCH, HEAD, OPTIONS"),
            (Method::Patch, "1.4/series/1/", "GET, PATCH, HEAD, OPTIONS"),
            (Method::Patch, "events/", "GET, HEAD, OPTIONS"),
        ] {
            let seen = site.ask(method, path).by("m").seen().await.is(405);
            assert_eq!((seen.header("Allow"), &seen.json["detail"]), (allow, &json!(format!("Method \"{method}\" not allowed."))));
        }
        assert_eq!(site.get("bundles/").await.header("Allow"), "GET, POST, HEAD, OPTIONS");
    }
}

on_both! {
    async fn bodies_that_make_no_sense(db: Db) {
        let site = seed::site(&db).await;
        let ask = |kind: &'static str, body: &'static str| {
            site.ask(Method::Patch, "patches/1/").by("m").body(kind, body).seen()
        };
        // 20
        ask("application/json", r#"{"state":"accepted"}"#).await.is(200);
        ask("application/json; charset=utf-8", r#"{"state":"new"}"#).await.is(200);
        assert_eq!(ask("application/x-www-form-urlencoded", "state=rfc&state=rejected").await.is(200).json["state"], "rejected");
        let parts = "--b\r\nContent-Disposition: form-data; name=\"state\"\r\n\r\nrfc\r\n--b--\r\n";
        assert_eq!(ask("multipart/form-data; boundary=b", parts).await.is(200).json["state"], "rfc");
        // 21
        assert_eq!(ask("text/plain", "x").await.is(415).text, r#"{"detail":"Unsupported media type \"text/plain\" in request."}"#);
        let broken = ask("application/json", "{bad").await.is(400);
        assert!(broken.text.starts_with(r#"{"detail":"JSON parse error - "#), "{broken:?}");
        assert_eq!(ask("application/json", "[]").await.is(400).text, r#"{"detail":["Invalid data. Expected a dictionary, but got list."]}"#);
        assert_eq!(ask("application/json", "null").await.is(400).text, r#"{"detail":["No data provided"]}"#);
        ask("application/json", "").await.is(200);
        let large = "x".repeat(9 << 20);
        let seen = site.ask(Method::Patch, "patches/1/").by("m").body("application/json", &large).seen().await;
        seen.is(413);
    }
}

on_both! {
    async fn credentials(db: Db) {
        let site = seed::site(&db).await;
        let with = |value: String| site.ask(Method::Get, "patches/1/").with("Authorization", &value);
        // 43
        for (header, detail) in [
            ("Token 0123".to_owned(), "Invalid token."),
            ("Token".to_owned(), "Invalid token header. No credentials provided."),
            ("Token a b".to_owned(), "Invalid token header. Token string should not contain spaces."),
            ("Basic".to_owned(), "Invalid basic header. No credentials provided."),
            ("Basic ???".to_owned(), "Invalid basic header. Credentials not correctly base64 encoded."),
            (basic("m", "wrong"), "Invalid username/password."),
            (basic("nobody", PASSWORD), "Invalid username/password."),
            // What the gateway makes of bytes that are no text.
            ("Token \u{fffd}".to_owned(), "Invalid authorization header. It should not contain invalid characters."),
        ] {
            let seen = with(header.clone()).seen().await.is(403);
            assert_eq!(seen.json["detail"], detail, "{header}");
            assert_eq!(seen.header("WWW-Authenticate"), "");
        }
        with("Negotiate x".to_owned()).seen().await.is(200);
        for good in [basic("m", PASSWORD), format!("token {}", token("m").to_uppercase()), format!("Bearer {}", token("m"))] {
            let seen = site.ask(Method::Patch, "patches/1/").with("Authorization", &good).json(json!({})).seen().await;
            seen.is(200);
        }
        let mut tx = db.begin().await.expect("a transaction");
        patchwork::store::sql("UPDATE account SET is_active = FALSE WHERE username = 'n'").run(&mut tx).await.expect("n");
        let (checks, read) = ("c".repeat(40), "d".repeat(40));
        keep_token(&mut tx, UserId(1), &checks, Scope::Checks).await;
        keep_token(&mut tx, UserId(1), &read, Scope::Read).await;
        let (over, lasting) = ("e".repeat(40), "f".repeat(40));
        for (key, minutes) in [(&over, -1), (&lasting, 5)] {
            keep_token(&mut tx, UserId(1), key, Scope::Write).await;
            patchwork::store::sql("UPDATE token SET expires = $2 WHERE key_hash = $1")
                .bind(patchwork::auth::token_hash(key))
                .bind(patchwork::domain::Timestamp::now().plus_minutes(minutes))
                .run(&mut tx)
                .await
                .expect("an end");
        }
        tx.commit().await.expect("a commit");
        assert_eq!(with(format!("Token {}", token("n"))).seen().await.is(403).json["detail"], "User inactive or deleted.");
        assert_eq!(with(basic("n", PASSWORD)).seen().await.is(403).json["detail"], "Invalid username/password.");
        assert_eq!(with(format!("Token {over}")).seen().await.is(403).json["detail"], "Invalid token.");
        with(format!("Token {lasting}")).seen().await.is(200);
        // A token may do no more than it was made for.
        for (key, change, report, look) in [(&checks, 403, 201, 200), (&read, 403, 403, 200)] {
            let by = format!("Token {key}");
            let ask = |method, path: &str, body| site.ask(method, path).with("Authorization", &by).json(body).seen();
            ask(Method::Patch, "patches/1/", json!({"archived": true})).await.is(change);
            ask(Method::Post, "patches/1/checks/", json!({"state": "success"})).await.is(report);
            site.ask(Method::Get, "people/").with("Authorization", &by).seen().await.is(look);
        }
    }
}

on_both! {
    async fn sessions_need_the_token_of_the_page(db: Db) {
        let site = seed::site(&db).await;
        let mut tx = db.begin().await.expect("a transaction");
        patchwork::store::sql("INSERT INTO session (key_hash, account_id, created, expires) VALUES ($1, 1, $2, $3)")
            .bind(patchwork::auth::token_hash("key"))
            .bind(seed::NOW)
            .bind(patchwork::domain::Timestamp::now().plus_minutes(60))
            .run(&mut tx)
            .await
            .expect("a session");
        tx.commit().await.expect("a commit");
        let ask = || site.ask(Method::Patch, "patches/1/").with("Cookie", "sessionid=key; csrftoken=abc").json(json!({}));
        // 44
        assert_eq!(ask().seen().await.is(403).json["detail"], "CSRF Failed: CSRF token missing.");
        let wrong = ask().with("X-CSRFToken", "abd").seen().await.is(403);
        assert!(wrong.json["detail"].as_str().is_some_and(|text| text.starts_with("CSRF Failed: CSRF token")), "{wrong:?}");
        ask().with("X-CSRFToken", "abc").seen().await.is(200);
        ask().by("m").seen().await.is(200);
        let form = site.ask(Method::Patch, "patches/1/").with("Cookie", "sessionid=key; csrftoken=abc");
        form.form("csrfmiddlewaretoken=abc&archived=true").seen().await.is(200);
        // The names of types are the same in any case, and of the three forms two have fields.
        let asked = |kind, body: &str| {
            let ask = site.ask(Method::Patch, "patches/1/").with("Cookie", "sessionid=key; csrftoken=abc");
            ask.body(kind, body).seen()
        };
        asked("Application/X-WWW-Form-Urlencoded; charset=utf-8", "csrfmiddlewaretoken=abc").await.is(200);
        let part = |token: &str| format!("--x\r\nContent-Disposition: form-data; name=\"csrfmiddlewaretoken\"\r\n\r\n{token}\r\n--x--\r\n");
        asked("multipart/form-data; boundary=x", &part("abc")).await.is(200);
        asked("multipart/form-data; boundary=x", &part("abd")).await.is(403);
        asked("application/json", "{\"csrfmiddlewaretoken\": \"abc\"}").await.is(403);
        // Browsers of today say themselves whose page asks.
        // Of another site's page, no token is taken.
        for (name, value, alone, with_token) in [
            ("Sec-Fetch-Site", "same-origin", 200, 200),
            ("Sec-Fetch-Site", "same-site", 403, 403),
            ("Sec-Fetch-Site", "none", 403, 200),
            ("Origin", "http://pw.example.com", 200, 200),
            ("Origin", "https://pw.example.com", 403, 403),
            ("Origin", "http://other.example.org", 403, 403),
            ("Origin", "null", 403, 403),
        ] {
            let seen = ask().with(name, value).seen().await;
            assert_eq!(seen.status, alone, "{name}: {value}");
            let seen = ask().with(name, value).with("X-CSRFToken", "abc").seen().await;
            assert_eq!(seen.status, with_token, "{name}: {value}");
        }
        ask().with("Origin", "https://pw.example.com").with("X-Forwarded-Proto", "https").seen().await.is(200);
        let people = site.ask(Method::Get, "people/").with("Cookie", "sessionid=key").seen().await;
        people.is(200);
        site.ask(Method::Get, "people/").with("Cookie", "sessionid=other").seen().await.is(403);
    }
}

fn basic(user: &str, password: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{user}:{password}"))
    )
}
