//! What holds for all pages: headers, files, the path below which a site lives.

use patchwork::store::Db;

use super::seed::{self, Patch, get, get_with};

pub async fn pages_carry_their_headers(db: &Db) {
    let project = seed::project(db, "one").await;
    seed::any_patch(db, project).await;
    let site = seed::site(db, |_| {}).await;
    let path = "/project/one/list/";
    let page = get(&site, path).await;
    assert!(
        page.header("Content-Security-Policy")
            .starts_with("default-src 'self'; ")
    );
    assert_eq!(page.header("X-Content-Type-Options"), "nosniff");
    assert_eq!(page.header("Cache-Control"), "max-age=0");
    assert!(
        !page.body.contains("<style")
            && !page.body.contains(" style=")
            && !page.body.contains("onclick")
    );
    let etag = page.header("ETag").to_owned();
    assert!(etag.starts_with("W/\""));
    let again = get_with(&site, path, &[("If-None-Match", &etag)]).await;
    assert_eq!(
        (again.status, again.body.as_str(), again.header("ETag")),
        (304, "", etag.as_str())
    );
    let packed = get_with(&site, path, &[("Accept-Encoding", "gzip, br")]).await;
    assert_eq!(
        (packed.header("Content-Encoding"), packed.header("ETag")),
        ("gzip", etag.as_str())
    );
    let dark = get_with(&site, path, &[("Cookie", "theme=dark")]).await;
    assert_eq!(dark.values("html", "data-theme"), ["dark"]);
    assert!(page.values("html", "data-theme").is_empty());
    let plain = seed::site(db, |options| {
        (options.gzip, options.server_timing) = (false, false)
    })
    .await;
    let page = get_with(&plain, path, &[("Accept-Encoding", "gzip")]).await;
    assert_eq!(
        (
            page.header("Content-Encoding"),
            page.header("Server-Timing")
        ),
        ("", "")
    );
}

pub async fn a_site_lives_below_a_path(db: &Db) {
    let project = seed::project(db, "one").await;
    seed::patch(
        db,
        Patch {
            project,
            msgid: "<a/b@h>",
            ..Patch::default()
        },
    )
    .await;
    let site = seed::site(db, |options| options.base = "/pw".into()).await;
    for (path, status, target) in [
        ("/pw", 301, "/pw/"),
        ("/pw/", 302, "/pw/project/one/list/"),
        ("/pw/project/one/list", 301, "/pw/project/one/list/"),
        ("/pw/patch/1/", 302, "/pw/project/one/patch/a%252Fb@h/"),
    ] {
        let seen = get(&site, path).await;
        assert_eq!(
            (seen.status, seen.header("Location")),
            (status, target),
            "{path}"
        );
    }
    let page = get(&site, "/pw/project/one/patch/a/b@h/").await;
    assert_eq!(page.status, 200);
    let ours = |link: &String| link.starts_with('/');
    for link in page
        .values("a[href]", "href")
        .iter()
        .filter(|link| ours(link))
    {
        assert!(link.starts_with("/pw/"), "{link}");
    }
    let sheet = page.values("link[rel=stylesheet]", "href").remove(0);
    assert_eq!(get(&site, &sheet).await.status, 200);
    assert_eq!(get(&site, "/project/one/list/").await.status, 404);
}

pub async fn files_are_kept_for_good(db: &Db) {
    let site = seed::site(db, |_| {}).await;
    let page = get(&site, "/about/").await;
    let files = [
        page.values("link[rel=stylesheet]", "href"),
        page.values("script", "src"),
    ]
    .concat();
    assert_eq!(files.len(), 3);
    for file in files {
        let seen = get(&site, &file).await;
        assert_eq!(seen.status, 200, "{file}");
        assert_eq!(
            seen.header("Cache-Control"),
            "public, max-age=31536000, immutable"
        );
        assert!(seen.header("Content-Type").starts_with("text/"));
    }
    assert_eq!(
        get(&site, "/static/patchwork.css")
            .await
            .header("Cache-Control"),
        "max-age=0"
    );
    assert_eq!(get(&site, "/static/none.css").await.status, 404);
    assert!(
        get(&site, "/robots.txt")
            .await
            .body
            .contains("Disallow: /*/mbox/")
    );
    assert_eq!(
        get(&site, "/favicon.ico").await.header("Content-Type"),
        "image/svg+xml"
    );
}

pub async fn links_that_leave_keep_to_https(db: &Db) {
    let project = seed::project(db, "one").await;
    seed::any_patch(db, project).await;
    for (force_https, scheme) in [(false, "http://h.example/"), (true, "https://h.example/")] {
        let site = seed::site(db, |options| options.force_https = force_https).await;
        let path = "/project/one/patch/a@h/";
        let page = get_with(&site, path, &[("Host", "h.example")]).await;
        assert!(page.body.contains(scheme), "{scheme}: {}", page.body);
    }
}

pub async fn a_site_answers_under_its_names_only(db: &Db) {
    seed::project(db, "one").await;
    let hosts = |options: &mut patchwork::web::Options| {
        options.hosts = patchwork::web::Hosts::read("patches.example.org");
    };
    let site = seed::site(db, hosts).await;
    for (host, expected) in [("patches.example.org:81", 302), ("evil.example.net", 400)] {
        let seen = get_with(&site, "/", &[("Host", host)]).await;
        assert_eq!(seen.status, expected, "{host}");
    }
    let form = site.post("/user/login/").dispatch().await;
    assert_eq!(form.status().code, 400, "no host at all");
}
