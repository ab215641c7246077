//! Events as they happen: over a connection that stays open, from where a client was.

use std::time::Duration;

use patchwork::{
    api,
    store::event::{self, Order, Search},
    web,
};
use rocket::{
    http::{
        Header,
        uri::{Authority, Host},
    },
    local::asynchronous::LocalResponse,
    tokio::{io::AsyncReadExt, time::timeout},
};
use serde_json::{Value, json};

use super::seed::{self, Site};

/// Longer than a stream looks for what is new.
const SOON: Duration = Duration::from_secs(20);

/// A stream as its client reads it.
struct Told<'a> {
    response: LocalResponse<'a>,
    text: String,
}

impl Told<'_> {
    /// Reads until so many events have come; returns their ids and what they say.
    async fn events(&mut self, count: usize) -> Vec<(i64, Value)> {
        let mut buffer = [0; 4096];
        while self.text.matches("\ndata: ").count() < count || !self.text.ends_with("\n\n") {
            let read = timeout(SOON, self.response.read(&mut buffer)).await;
            let read = read
                .unwrap_or_else(|_| panic!("nothing comes after {:?}", self.text))
                .expect("a stream");
            if read == 0 {
                break;
            }
            self.text
                .push_str(std::str::from_utf8(&buffer[..read]).expect("text"));
        }
        events(&std::mem::take(&mut self.text))
    }
}

fn events(text: &str) -> Vec<(i64, Value)> {
    let blocks = text.split("\n\n").filter(|block| block.contains("data: "));
    let event = |block: &str| {
        let (id, data) = block.split_once("\ndata: ").expect(block);
        let id = id.strip_prefix("id: ").expect(block);
        (
            id.parse().expect("a number"),
            serde_json::from_str(data).expect("JSON"),
        )
    };
    blocks.map(event).collect()
}

async fn open<'a>(site: &'a Site, query: &str, last: Option<i64>) -> Told<'a> {
    let mut request = site.client.get(format!("/events/stream{query}"));
    let host = Authority::parse_owned("pw.example.com".to_owned()).expect("a host");
    request.inner_mut().set_host(Host::new(host));
    if let Some(last) = last {
        request.add_header(Header::new("Last-Event-ID", last.to_string()));
    }
    let response = request.dispatch().await;
    assert_eq!(response.status().code, 200, "{query}");
    assert_eq!(
        response.content_type().expect("a kind").to_string(),
        "text/event-stream"
    );
    assert_eq!(
        response.headers().get_one("Cache-Control"),
        Some("no-store")
    );
    Told {
        response,
        text: String::new(),
    }
}

on_both! {
    async fn a_stream_tells_what_the_list_has(db: Db) {
        let closing = api::Options { streams: 0, ..api::Options::default() };
        let site = seed::site_as(&db, web::Options::default(), closing).await;
        for query in ["", "&category=patch-completed&category=series-completed", "&series=1", "&project=q", "&cover=1"] {
            let told = open(&site, &format!("?after=0{query}"), None).await.events(usize::MAX).await;
            let list = site.get(&format!("events/?after=0&per_page=250{query}")).await.is(200);
            let ids: Vec<i64> = told.iter().map(|(id, _)| *id).collect();
            assert_eq!(ids, list.ids(), "{query}");
            let said: Vec<Value> = told.into_iter().map(|(_, value)| value).collect();
            assert_eq!(Value::Array(said), list.json, "{query}");
        }
        let all = open(&site, "?after=0", None).await.events(usize::MAX).await;
        let (third, last) = (all[2].0, all[all.len() - 1].0);
        let rest = open(&site, "?after=0", Some(third)).await.events(usize::MAX).await;
        assert_eq!(rest[0].0, all[3].0, "the header counts more: it is where the client was");
        for query in [String::new(), format!("?after={last}")] {
            assert!(open(&site, &query, None).await.events(usize::MAX).await.is_empty(), "{query}");
        }
    }
}

on_both! {
    async fn a_stream_goes_on_with_what_happens(db: Db) {
        let site = seed::site(&db).await;
        let mut all = open(&site, "", None).await;
        let mut some = open(&site, "?category=check-created&after=0", None).await;
        // Nobody has changed a patch yet; the first thing that comes is how soon to come back.
        assert!(all.events(0).await.is_empty());
        site.patch("m", "patches/1/", json!({"state": "accepted"})).await.is(200);
        site.post("m", "patches/1/checks/", json!({"state": "fail"})).await.is(201);
        site.post("m", "patches/2/checks/", json!({"state": "success"})).await.is(201);
        let told = all.events(3).await;
        let categories: Vec<&str> = told.iter().map(|(_, it)| it["category"].as_str().expect("a word")).collect();
        assert_eq!(categories, ["patch-state-changed", "check-created", "check-created"]);
        let checks = some.events(2).await;
        assert_eq!(checks, told[1..]);
        drop(all);
        site.post("m", "patches/3/checks/", json!({"state": "success"})).await.is(201);
        assert_eq!(some.events(1).await[0].0, checks[1].0 + 1);
    }
}

on_both! {
    /// What the event alone does not tell is asked of the database, then as later.
    async fn a_stream_is_asked_in_the_language_of_searches(db: Db) {
        let site = seed::site(&db).await;
        let past = site.get("events/?q=file:c.c&order=date&per_page=250").await.is(200).ids();
        let mut told = open(&site, "?after=0&q=file:c.c", None).await;
        let begun: Vec<i64> = told.events(past.len()).await.iter().map(|(id, _)| *id).collect();
        assert_eq!(begun, past);
        site.post("m", "patches/1/checks/", json!({"state": "fail"})).await.is(201);
        site.post("m", "patches/3/checks/", json!({"state": "fail"})).await.is(201);
        let (_, event) = told.events(1).await.remove(0);
        assert_eq!(event["payload"]["patch"]["id"], 3);
        // Of a cover letter, a series, a comment, too; what has not the word is passed over.
        for (query, found) in [("comment:shorten", "patch-comment-created"), ("body:about", "cover-created"), ("three", "series-created")] {
            let mut told = open(&site, &format!("?after=0&category={found}&q={query}"), None).await;
            assert_eq!(told.events(1).await[0].1["category"], found, "{query}");
        }
        assert!(open(&site, "?q=file:no/such&after=0", None).await.events(0).await.is_empty());
    }
}

on_both! {
    /// Whoever is cut off before anything has happened knows all the same where to begin again.
    async fn a_stream_says_first_where_it_begins(db: Db) {
        let site = seed::site(&db).await;
        let newest = site.get("events/?per_page=1").await.ids()[0];
        for query in ["", "?after=99999999"] {
            let mut cut = open(&site, query, None).await;
            let mut buffer = [0; 256];
            let read = cut.response.read(&mut buffer).await.expect("a begin");
            let text = std::str::from_utf8(&buffer[..read]).expect("text");
            assert!(text.ends_with(&format!("\nid: {newest}\n\n")), "{query}: {text:?}");
        }
        site.patch("m", "patches/1/", json!({"state": "accepted"})).await.is(200);
        let told = open(&site, "", Some(newest)).await.events(1).await;
        assert_eq!(told[0].1["category"], "patch-state-changed");
    }
}

on_both! {
    async fn a_stream_that_is_wrong_says_why(db: Db) {
        let few = api::Options { streams: 2, ..api::Options::default() };
        let site = seed::site_as(&db, web::Options::default(), few).await;
        for (query, status, why) in [
            ("?after=x", 400, "after"),
            ("?project=nosuch", 400, "project"),
            ("?category=bogus", 400, "category"),
            ("?since=yesterday", 400, "since"),
            ("?actor=nobody-at-all", 400, "actor"),
        ] {
            let response = site.client.get(format!("/events/stream{query}")).dispatch().await;
            assert_eq!(response.status().code, status, "{query}");
            let text = response.into_string().await.expect("a text");
            assert!(text.starts_with(&format!("{{\"detail\":\"{why}: ")), "{text}");
        }
        let held = [open(&site, "", None).await, open(&site, "", None).await];
        let response = site.client.get("/events/stream").dispatch().await;
        assert_eq!(response.status().code, 503);
        assert!(response.headers().get_one("Retry-After").is_some());
        drop(held);
        open(&site, "", None).await;
    }
}

on_both! {
    /// What streams pick out of the news is what the database would have found.
    async fn events_are_picked_as_the_database_does(db: Db) {
        let site = seed::site(&db).await;
        site.patch("m", "patches/1/", json!({"state": "accepted", "delegate": 1})).await.is(200);
        site.post("d", "patches/2/checks/", json!({"state": "fail"})).await.is(201);
        let mut conn = db.reader().await.expect("a connection");
        let window = || patchwork::store::window::Window { limit: 1000, offset: 0, after: None };
        let all = event::page(&mut conn, &Search::default(), Order::Written, window()).await.expect("events").rows;
        let mut tried = 0;
        for row in &all {
            let category = patchwork::domain::event::Category::from_word(&row.category).expect("a category");
            let searches = [
                Search { projects: vec![row.project_id], ..Search::default() },
                Search { categories: vec![category], ..Search::default() },
                Search { series: row.series_id.into_iter().collect(), ..Search::default() },
                Search { patches: row.patch_id.into_iter().collect(), categories: vec![category], ..Search::default() },
                Search { covers: row.cover_id.into_iter().collect(), ..Search::default() },
                Search { actors: row.actor_id.into_iter().collect(), ..Search::default() },
                Search { since: Some(row.date), ..Search::default() },
                Search { before: Some(row.date), ..Search::default() },
            ];
            for search in searches {
                let found = event::page(&mut conn, &search, Order::Written, window()).await.expect("events").rows;
                let found: Vec<i64> = found.iter().map(|it| it.id.0).collect();
                let picked: Vec<i64> = all.iter().filter(|it| search.has(it)).map(|it| it.id.0).collect();
                assert_eq!(picked, found, "{search:?}");
                tried += 1;
            }
        }
        assert!(tried > 100);
    }
}
