//! What readers see when there is no page.

use std::time::{Duration, Instant};

use patchwork::store::{Db, Options, sql};

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
    for (path, action) in [
        ("/nothing/", "/"),
        ("/project/none/list/", "/"),
        ("/project/one/patch/x@h/", "/project/one/list/"),
        ("/project/one/nothing/", "/project/one/list/"),
        ("/project/%00/list/", "/project/%00/list/"),
        ("/project/one/patch/%00@h/", "/project/one/list/"),
    ] {
        let page = get(&site, path).await;
        assert_eq!(page.status, 404, "{path}");
        assert_eq!(page.values("main form", "action"), [action], "{path}");
        assert_eq!(page.texts("main form button"), ["Search"]);
    }
    for (path, allow) in [
        ("/project/one/list/", "GET, HEAD, POST"),
        ("/about/", "GET, HEAD"),
        ("/project/one/patch/a@h/", "GET, HEAD, POST"),
        ("/", "GET, HEAD"),
        ("/static/patchwork.css", "GET, HEAD"),
    ] {
        for request in [
            site.post(path),
            site.put(path),
            site.delete(path),
            site.patch(path),
        ] {
            let response = request.dispatch().await;
            if allow.ends_with("POST") && response.status().code == 403 {
                // A form that comes from nowhere.
                continue;
            }
            assert_eq!(response.status().code, 405, "{path}");
            assert_eq!(response.headers().get_one("Allow"), Some(allow));
        }
        let head = site.head(path).dispatch().await;
        assert_ne!(head.status().code, 405, "{path}");
        assert_eq!(head.into_string().await.unwrap_or_default(), "");
    }
}

pub async fn the_front_page_finds_what_was_sought(db: &Db) {
    let project = seed::project(db, "one").await;
    seed::any_patch(db, project).await;
    let site = seed::site(db, |_| {}).await;
    for (query, target) in [
        ("", "/project/one/list/"),
        ("?q=a@h", "/project/one/patch/a@h/"),
        (
            "?q=fix+%26",
            "/project/one/list/?state=*&q=fix%20%26&archive=both",
        ),
    ] {
        let seen = get(&site, &format!("/{query}")).await;
        assert_eq!(seen.header("Location"), target, "{query}");
    }
    seed::project(db, "two").await;
    let page = get(&site, "/?q=fix").await;
    assert_eq!(
        page.values("table.projects th a", "href"),
        [
            "/project/one/list/?state=*&q=fix&archive=both",
            "/project/two/list/?state=*&q=fix&archive=both"
        ]
    );
    assert_eq!(page.texts(".banner").len(), 1);
}

pub async fn a_failure_has_a_reference(db: &Db) {
    seed::project(db, "one").await;
    let mut tx = db.begin().await.expect("a transaction");
    sql("ALTER TABLE tally RENAME TO gone")
        .run(&mut tx)
        .await
        .expect("another name");
    tx.commit().await.expect("a commit");
    let site = seed::site(db, |_| {}).await;
    let path = "/project/one/list/?state=*";
    let (first, second) = (get(&site, path).await, get(&site, path).await);
    assert_eq!((first.status, second.status), (500, 500));
    let (first, second) = (first.texts("#reference"), second.texts("#reference"));
    assert_eq!(first[0].len(), 8);
    assert_ne!(first, second);
}

pub async fn without_a_database_pages_are_503() {
    // The pool would wait for ten seconds: requests give up sooner.
    let options = Options {
        timeout: Duration::from_secs(10),
        ..Options::default()
    };
    let away = Db::open("postgres://nobody@127.0.0.1:1/none", &options).expect("an address");
    let site = seed::site(&away, |_| {}).await;
    for path in ["/", "/project/one/list/", "/patch/1/"] {
        let asked = Instant::now();
        let seen = get(&site, path).await;
        assert!(asked.elapsed() < Duration::from_secs(4), "{path}");
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
