//! How a site is set up, and what its answers have in common: prefix, scheme, host, compression.

use patchwork::{api, web};
use rocket::http::Method;
use serde_json::json;

use super::seed::{self, Seen, Site};

async fn prefixed(site: &Site, method: Method, path: &str) -> Seen {
    site.ask(method, &format!("/pw/api/{path}")).seen().await
}

on_both! {
    async fn a_site_may_live_below_a_prefix(db: Db) {
        let web = web::Options { base: "/pw".into(), ..web::Options::default() };
        let api = api::Options { base: "/pw".into(), ..api::Options::default() };
        let site = seed::site_as(&db, web, api).await;
        let patch = prefixed(&site, Method::Get, "1.2/patches/1/").await.is(200).json;
        for (key, address) in [
            ("url", "http://pw.example.com/pw/api/1.2/patches/1/"),
            ("comments", "http://pw.example.com/pw/api/patches/1/comments/"),
            ("web_url", "http://pw.example.com/pw/project/p/patch/s1@example.com/"),
            ("mbox", "http://pw.example.com/pw/project/p/patch/s1@example.com/mbox/"),
        ] {
            assert_eq!(patch[key], address);
        }
        let list = prefixed(&site, Method::Get, "patches/?per_page=1").await.is(200);
        assert!(list.header("Link").starts_with("<http://pw.example.com/pw/api/patches/?after=1&page=2&per_page=1>; rel=\"next\""), "{list:?}");
        let slash = prefixed(&site, Method::Get, "patches?q=x").await.is(301);
        assert_eq!(slash.header("Location"), "/pw/api/patches/?q=x");
        assert_eq!(prefixed(&site, Method::Get, "").await.is(200).json["events"], "http://pw.example.com/pw/api/events/");
        site.get("patches/").await.is(404);
        prefixed(&site, Method::Get, "openapi.json").await.is(200);
        let made = site.ask(Method::Post, "/pw/api/patches/1/checks/").by("m").json(json!({"state": "success"})).seen().await.is(201);
        assert_eq!(made.header("Location"), "http://pw.example.com/pw/api/patches/1/checks/1/");
    }
}

on_both! {
    async fn addresses_have_the_scheme_of_the_request_or_of_the_settings(db: Db) {
        let site = seed::site(&db).await;
        let url = async |site: &Site, scheme: &str| {
            let ask = site.ask(Method::Get, "patches/1/").with("X-Forwarded-Proto", scheme);
            ask.seen().await.is(200).json["url"].as_str().unwrap_or_default().to_owned()
        };
        assert_eq!(url(&site, "http").await, "http://pw.example.com/api/patches/1/");
        assert_eq!(url(&site, "https").await, "https://pw.example.com/api/patches/1/");
        // What was asked by the one is no answer to the other.
        let tag = site.get("patches/1/").await.header("ETag").to_owned();
        let other = site.ask(Method::Get, "patches/1/").with("X-Forwarded-Proto", "https").with("If-None-Match", &tag);
        other.seen().await.is(200);
        let other = site.ask(Method::Get, "patches/1/").with("Host", "pw.example.org:99").with("If-None-Match", &tag).seen().await.is(200);
        assert_eq!(other.json["url"], "http://pw.example.org:99/api/patches/1/");
    }
}

on_both! {
    async fn https_may_be_forced(db: Db) {
        let web = web::Options { force_https: true, ..web::Options::default() };
        let api = api::Options { force_https: true, ..api::Options::default() };
        let site = seed::site_as(&db, web, api).await;
        let seen = site.get("patches/?per_page=1").await.is(200);
        assert!(!seen.text.contains("http://pw.example.com") && !seen.header("Link").contains("http://"), "{seen:?}");
        assert_eq!(seen.json[0]["url"], "https://pw.example.com/api/patches/1/");
    }
}

on_both! {
    async fn the_address_of_the_site_may_be_set(db: Db) {
        let site_url = Some("https://patches.example.org/".to_owned());
        let web = web::Options { site_url: site_url.clone(), ..web::Options::default() };
        let api = api::Options { site_url, ..api::Options::default() };
        let site = seed::site_as(&db, web, api).await;
        let seen = site.get("patches/?per_page=1").await.is(200);
        assert_eq!(seen.json[0]["url"], "https://patches.example.org/api/patches/1/");
        assert!(seen.header("Link").starts_with("<https://patches.example.org/api/patches/?"), "{seen:?}");
        assert_eq!(site.get("events/?per_page=1").await.json[0]["project"]["url"].as_str().map(|url| &url[..28]), Some("https://patches.example.org/"));
    }
}

on_both! {
    async fn long_answers_are_packed_for_those_who_take_it(db: Db) {
        let web = web::Options { gzip: true, ..web::Options::default() };
        let site = seed::site_as(&db, web, api::Options::default()).await;
        let ask = |path: &str| site.ask(Method::Get, path).with("Accept-Encoding", "gzip, br");
        let packed = ask("patches/").seen().await.is(200);
        assert_eq!(packed.header("Content-Encoding"), "gzip");
        assert!(packed.header("Vary").contains("Accept"), "{packed:?}");
        let plain = site.get("patches/").await.is(200);
        assert_eq!(plain.header("Content-Encoding"), "");
        // On PostgreSQL the first half changes with whatever else the server does.
        assert_eq!(packed.header("ETag")[19..], plain.header("ETag")[19..]);
        let tag = packed.header("ETag").to_owned();
        assert_eq!(ask("patches/").with("If-None-Match", &tag).seen().await.is(304).header("Content-Encoding"), "");
        assert_eq!(ask("patches/?project=nosuch").seen().await.is(200).text, "[]");
    }
}

on_both! {
    async fn what_is_nowhere_is_not_sent_on(db: Db) {
        let site = seed::site(&db).await;
        for path in ["/api/6.9", "/api/nosuch", "/api/1.6", "/api/patches/x", "/api/1.2/patches/1/comments/1", "/api/1.2/nosuch?q=x"] {
            assert_eq!(site.get(path).await.is(404).json["detail"], "Not found.", "{path}");
        }
        for (path, location) in [
            ("/api", "/api/"),
            ("/api/1.2", "/api/1.2/"),
            ("/api/patches/1", "/api/patches/1/"),
            ("/api/1.3/patches/1/comments/1?a=%2F", "/api/1.3/patches/1/comments/1/?a=%2F"),
        ] {
            assert_eq!(site.get(path).await.is(301).header("Location"), location);
        }
    }
}

on_both! {
    async fn below_a_patch_addresses_and_links_keep_the_version(db: Db) {
        let site = seed::site(&db).await;
        for state in ["success", "fail"] {
            site.post("m", "patches/1/checks/", json!({"state": state, "context": state})).await.is(201);
        }
        let prefix = "http://pw.example.com/api";
        for (version, of) in [("1.0/", "/1.0"), ("1.3/", "/1.3"), ("", "")] {
            let list = site.get(&format!("{version}patches/1/checks/?per_page=1")).await.is(200);
            assert_eq!(list.json[0]["url"], format!("{prefix}{of}/patches/1/checks/1/"));
            assert_eq!(list.json[0]["user"]["url"], format!("{prefix}{of}/users/1/"));
            let next = format!("<{prefix}{of}/patches/1/checks/?after=1&page=2&per_page=1>; rel=\"next\"");
            assert!(list.header("Link").starts_with(&next), "{list:?}");
            let made = site.post("m", &format!("{version}patches/2/checks/"), json!({"state": "success"})).await.is(201);
            assert!(made.header("Location").starts_with(&format!("{prefix}{of}/patches/2/checks/")), "{made:?}");
        }
        let comment = site.get("1.3/patches/1/comments/").await.is(200);
        assert_eq!(comment.json[0]["url"], format!("{prefix}/1.3/patches/1/comments/1/"));
        assert!(comment.header("Link").contains("/api/1.3/patches/1/comments/?page=1>; rel=\"first\""), "{comment:?}");
        assert_eq!(site.get("covers/1/comments/").await.json[0]["url"], format!("{prefix}/covers/1/comments/2/"));
        assert_eq!(site.get("1.4/series/1/").await.json["patches"][0]["url"], format!("{prefix}/1.4/patches/1/"));
    }
}

on_both! {
    async fn options_tell_those_who_may_write_what(db: Db) {
        let site = seed::site(&db).await;
        site.post("n", "bundles/", json!({"name": "b", "patches": [1], "public": true})).await.is(201);
        let ask = async |who: &str, path: &str| {
            site.ask(Method::Options, path).by(who).seen().await.is(200).json["actions"].clone()
        };
        for (path, theirs) in [
            ("patches/1/", "ms"),
            ("patches/2/", "msd"),
            ("patches/51/", ""),
            ("patches/", "msnd"),
            ("patches/1/checks/", "ms"),
            ("patches/1/comments/1/", "ms"),
            ("covers/1/comments/2/", "ms"),
            ("projects/p/", "m"),
            ("users/3/", "n"),
            ("bundles/", "msnd"),
            ("bundles/1/", "n"),
            ("1.1/bundles/1/", ""),
            ("covers/1/", ""),
            ("patches/999/", ""),
        ] {
            for who in ["m", "s", "n", "d"] {
                assert_eq!(ask(who, path).await.is_object(), theirs.contains(who), "{path} by {who}");
            }
            if !path.starts_with("users") {
                assert!(ask("", path).await.is_null(), "{path}");
            }
        }
        let actions = ask("m", "patches/1/").await;
        assert_eq!(actions["PUT"]["state"], json!({"type": "string", "required": true, "read_only": false}));
        assert_eq!(actions["PATCH"]["state"]["required"], false);
        assert!(actions["PUT"].get("name").is_none());
        assert!(ask("m", "1.1/patches/1/").await["PUT"].get("related").is_none());
    }
}

on_both! {
    async fn pages_have_forms_that_need_no_script(db: Db) {
        let site = seed::site(&db).await;
        site.run(
            patchwork::store::sql("INSERT INTO session (key_hash, account_id, created, expires) VALUES ($1, 1, $2, $3)")
                .bind(patchwork::auth::token_hash("key"))
                .bind(seed::NOW)
                .bind(patchwork::domain::Timestamp::now().plus_minutes(60)),
        ).await;
        let by = |method, path: &str| {
            let ask = site.ask(method, path).with("Accept", "text/html");
            ask.with("Cookie", "sessionid=key; csrftoken=abc")
        };
        let page = async |path: &str| by(Method::Get, path).seen().await.is(200).text;
        // The filters of each list, with their values.
        let patches = page("patches/?state=new&state=rfc&project=P&submitter=sam@example.com&archived=false&q=a&order=-date&per_page=5").await;
        for part in [
            r#"name="q" value="a""#,
            r#"<input type="text" name="state" value="new">"#,
            r#"<input type="text" name="state" value="rfc">"#,
            r#"<option value="1" selected>p</option>"#,
            r#"<option value="sam@example.com" selected>"#,
            r#"<option value="false" selected>"#,
            r#"name="delegate""#,
            r#"name="hash""#,
            r#"list="orders" value="-date""#,
            r#"<option value="-check">"#,
            r#"name="per_page" min="1" value="5""#,
        ] {
            assert!(patches.contains(part), "{part}: {patches}");
        }
        assert!(!page("1.1/patches/").await.contains(r#"name="hash""#));
        let events = page("events/?category=series-created").await;
        assert!(events.contains(r#"<option value="series-created" selected>"#) && events.contains(r#"name="q""#), "{events}");
        assert!(!page("1.4/events/").await.contains(r#"name="q""#));
        assert!(!page("users/").await.contains("id_project"));
        // What may be written, as far as it may.
        let patch = page("patches/1/").await;
        for part in [
            r#"<form method="post" action="/api/patches/1/">"#,
            r#"<input type="hidden" name="csrfmiddlewaretoken" value="abc">"#,
            r#"name="_method" value="PATCH""#,
            "&quot;state&quot;: &quot;new&quot;",
            "&quot;delegate&quot;: null",
        ] {
            assert!(patch.contains(part), "{part}: {patch}");
        }
        // The bar of the site, with who is logged in; and the same answer for programs.
        assert!(patches.contains("<header class=\"bar\">") && patches.contains("href=\"/user/\""), "{patches}");
        assert!(patches.contains("per_page=5&amp;format=json"), "{patches}");
        for path in ["patches/51/", "covers/1/", "users/2/", "events/"] {
            assert!(!page(path).await.contains("method=\"post\""), "{path}");
        }
        let nobody = site.ask(Method::Get, "patches/1/").with("Accept", "text/html").seen().await.is(200);
        assert!(!nobody.text.contains("method=\"post\""));
        let send = async |path: &str, body: &str, status| by(Method::Post, path).form(body).seen().await.is(status);
        send("patches/1/", "_method=PATCH&_content=%7B%22state%22%3A%22rfc%22%7D", 403).await;
        send("patches/1/", "csrfmiddlewaretoken=abc&_method=PATCH&_content=%7B%22state%22%3A%22rfc%22%7D", 200).await;
        assert_eq!(site.get("patches/1/").await.json["state"], "rfc");
        send("patches/1/", "csrfmiddlewaretoken=abc&_method=PATCH&_content=%7B%22state%22%3A%22x%22%7D", 400).await;
        send("patches/51/", "csrfmiddlewaretoken=abc&_method=PATCH&_content=%7B%7D", 403).await;
        send("bundles/", "csrfmiddlewaretoken=abc&_method=POST&_content=%7B%22name%22%3A%22b%22%2C%22patches%22%3A%5B2%2C1%5D%7D", 201).await;
        assert!(page("bundles/1/").await.contains(r#"name="_method" value="DELETE""#));
        let gone = send("bundles/1/", "csrfmiddlewaretoken=abc&_method=DELETE", 303).await;
        assert_eq!(gone.header("Location"), "/api/bundles/");
        // Scripts that speak JSON know the methods.
        let json = site.ask(Method::Post, "patches/1/").by("m").form("_content=%7B%7D&_method=PATCH").seen().await;
        json.is(405);
    }
}
