//! What monitors ask for: who may read the numbers, and that they are there.

use patchwork::store::Db;
use rocket::http::Header;

use super::seed::{self, get};

/// To whom it was not told it is not there.
pub async fn numbers_are_for_those_who_may(db: &Db) {
    let closed = seed::site(db, |_| {}).await;
    assert_eq!(get(&closed, "/metrics").await.status, 404);
    let site = seed::site(db, |options| options.metrics = "a-token-of-monitors".into()).await;
    assert_eq!(get(&site, "/metrics").await.status, 404);
    for (token, status) in [("a-token-of-monitors", 200), ("another", 404), ("", 404)] {
        let request = site
            .get("/metrics")
            .header(Header::new("Authorization", format!("Bearer {token}")));
        assert_eq!(request.dispatch().await.status().code, status, "{token}");
    }
    let local = seed::site(db, |options| options.metrics = "local".into()).await;
    let here = "127.0.0.1:4000".parse().expect("an address");
    let there = "192.0.2.1:4000".parse().expect("an address");
    let asked = |remote| local.get("/metrics").remote(remote);
    assert_eq!(asked(here).dispatch().await.status().code, 200);
    assert_eq!(asked(there).dispatch().await.status().code, 404);
    let passed_on = asked(here).header(Header::new("X-Forwarded-For", "192.0.2.1"));
    assert_eq!(passed_on.dispatch().await.status().code, 404);
}

/// Requests by family and status, how long they took, queues; and no address of a page.
pub async fn numbers_tell_of_requests_and_queues(db: &Db) {
    let project = seed::project(db, "one").await;
    seed::any_patch(db, project).await;
    let site = seed::site(db, |options| options.metrics = "local".into()).await;
    get(&site, "/project/one/list/").await;
    get(&site, "/project/none/list/").await;
    get(&site, "/nowhere/").await;
    let here = "127.0.0.1:4000".parse().expect("an address");
    let answer = site.get("/metrics").remote(here).dispatch().await;
    let kind = answer.content_type().map(|kind| kind.to_string());
    assert_eq!(
        kind.as_deref(),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let text = answer.into_string().await.expect("a body");
    for line in [
        "patchwork_requests_total{family=\"project\",status=\"200\"} 1",
        "patchwork_requests_total{family=\"project\",status=\"404\"} 1",
        "patchwork_request_duration_seconds_count{family=\"project\"} 2",
        "patchwork_database_up 1",
        "# TYPE patchwork_queue_length gauge",
    ] {
        assert!(
            text.lines().any(|seen| seen == line),
            "{line} is not in\n{text}"
        );
    }
    assert!(
        !text.contains("nowhere") && !text.contains("/one"),
        "{text}"
    );
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, number) = line.rsplit_once(' ').expect("a name and a number");
        assert!(
            name.starts_with("patchwork_") && number.parse::<f64>().is_ok(),
            "{line}"
        );
    }
}

/// A front server's name of a request comes back, unless it could hurt a log.
pub async fn names_of_requests_come_back(db: &Db) {
    let site = seed::site(db, |_| {}).await;
    for (given, back) in [("abc-1", Some("abc-1")), ("a b", None), ("", None)] {
        let request = site
            .get("/healthz")
            .header(Header::new("X-Request-Id", given));
        let answer = request.dispatch().await;
        assert_eq!(answer.headers().get_one("X-Request-Id"), back, "{given}");
    }
}
