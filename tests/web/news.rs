//! What has happened since a page was drawn.

use patchwork::{
    domain::Timestamp,
    ingest,
    store::{Db, sql},
};
use serde_json::Value;

use super::{
    browser::Browser,
    seed::{self, get},
};

const FIRST: &str = "From: Ann <ann@example.org>\nList-Id: <one.example.org>\n";

async fn receive(db: &Db, rest: &str) {
    let mail = format!("{FIRST}{rest}");
    let options = ingest::Options::default();
    let outcome = ingest::receive(db, mail.as_bytes(), None, &options, Timestamp::now()).await;
    outcome.expect("a delivery");
}

fn told(seen: &seed::Seen) -> (i64, i64, String) {
    assert_eq!(seen.status, 200, "{}", seen.body);
    let json: Value = serde_json::from_str(&seen.body).expect("JSON");
    (
        json["since"].as_i64().expect("a moment"),
        json["count"].as_i64().expect("a number"),
        json["text"].as_str().expect("a text").to_owned(),
    )
}

const DIFF: &str = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n";

pub async fn pages_hear_of_news(db: &Db) {
    let project = seed::project(db, "one").await;
    let list_id = sql("UPDATE project SET list_id = 'one.example.org' WHERE id = $1");
    let mut tx = db.begin().await.expect("a transaction");
    list_id.bind(project).run(&mut tx).await.expect("a list");
    tx.commit().await.expect("a commit");
    receive(
        db,
        &format!("Subject: [PATCH 1/2] a\nMessage-Id: <1@h>\n\nwords\n---\n{DIFF}"),
    )
    .await;
    let mara = seed::user(db, "mara", Some(project)).await;
    let site = seed::site(db, |_| {}).await;
    let news = |page: &seed::Seen, part: &str| page.values(part, "data-news").remove(0);
    let list = news(&get(&site, "/project/one/list/?q=a").await, "#results");
    let patch = news(&get(&site, "/project/one/patch/1@h/").await, "#main");
    let series = news(&get(&site, "/project/one/series/1/").await, "#main");
    assert_eq!(list, "/news/list/one/?q=a");
    let (since, count, text) = told(&get(&site, &format!("{list}&age=0")).await);
    assert_eq!((count, text.as_str()), (0, ""));
    assert!((Timestamp::now().0 - since) < 60_000_000);
    let after = |address: &str| {
        let mark = if address.contains('?') { '&' } else { '?' };
        format!("{address}{mark}told={since}")
    };
    receive(db, &format!("Subject: [PATCH 2/2] also a\nMessage-Id: <2@h>\nIn-Reply-To: <1@h>\n\nwords\n---\n{DIFF}")).await;
    receive(
        db,
        &format!("Subject: [PATCH] other\nMessage-Id: <3@h>\n\nwords\n---\n{DIFF}"),
    )
    .await;
    receive(
        db,
        "Subject: Re: [PATCH 1/2] a\nMessage-Id: <4@h>\nIn-Reply-To: <1@h>\n\nnice\n",
    )
    .await;
    let seen = get(&site, &after(&list)).await;
    assert_eq!(told(&seen), (since, 1, "1 new patch".to_owned()));
    assert!(seen.statements() <= 4, "{}", seen.statements());
    let whole = after("/news/list/one/");
    assert_eq!(told(&get(&site, &whole).await).2, "2 new patches");
    assert_eq!(told(&get(&site, &after(&patch)).await).2, "1 new reply");
    let seen = get(&site, &after(&series)).await;
    assert_eq!(told(&seen).2, "2 new replies and changes");
    assert!(seen.statements() <= 1, "{}", seen.statements());
    let mara = Browser::of(&site, db, mara).await;
    let change = [("action", "update"), ("state", "3"), ("delegate", "")];
    mara.post("/project/one/patch/1@h/", &change).await;
    assert_eq!(told(&get(&site, &after(&patch)).await).1, 2);
    assert_eq!(
        told(&mara.get(&after(&patch)).await).1,
        1,
        "one's own changes are no news"
    );
    let unchanged = get(&site, &after(&patch)).await;
    assert!(
        !unchanged.header("ETag").is_empty(),
        "so that it costs nothing to ask again"
    );
    for gone in ["/news/list/two/", "/news/patch/x/"] {
        assert_eq!(get(&site, gone).await.status, 404, "{gone}");
    }
}
