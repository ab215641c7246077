//! What readers see when there is no page.

use std::time::Duration;

use patchwork::store::{Db, Options};

use super::seed::{self, get};

pub async fn errors_are_pages(db: &Db) {
    seed::project(db, "one").await;
    let site = seed::site(db, |_| {}).await;
    let missing = get(&site, "/nothing/%3Cb%3E/").await;
    assert_eq!(
        (missing.status, missing.texts("h1")),
        (404, vec!["Not found".to_owned()])
    );
    assert!(
        missing.body.contains("/nothing/&lt;b&gt;/"),
        "{}",
        missing.body
    );
    for path in [
        "/project/one/list/",
        "/about/",
        "/project/one/patch/a@h/",
        "/",
        "/static/patchwork.css",
    ] {
        for request in [
            site.post(path),
            site.put(path),
            site.delete(path),
            site.patch(path),
        ] {
            let response = request.dispatch().await;
            assert_eq!(response.status().code, 405, "{path}");
            assert_eq!(response.headers().get_one("Allow"), Some("GET, HEAD"));
        }
        let head = site.head(path).dispatch().await;
        assert_ne!(head.status().code, 405, "{path}");
        assert_eq!(head.into_string().await.unwrap_or_default(), "");
    }
}

pub async fn without_a_database_pages_are_503() {
    let options = Options {
        timeout: Duration::from_millis(300),
        ..Options::default()
    };
    let away = Db::open("postgres://nobody@127.0.0.1:1/none", &options).expect("an address");
    let site = seed::site(&away, |_| {}).await;
    for path in ["/", "/project/one/list/", "/patch/1/"] {
        let seen = get(&site, path).await;
        assert_eq!(
            (seen.status, seen.header("Retry-After")),
            (503, "30"),
            "{path}"
        );
        assert_eq!(seen.texts("h1"), ["Back in a moment"]);
    }
    assert_eq!(get(&site, "/about/").await.status, 200);
    assert_eq!(get(&site, "/healthz").await.status, 200);
    assert_eq!(get(&site, "/readyz").await.status, 503);
}
