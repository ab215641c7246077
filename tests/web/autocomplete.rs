//! Who may be meant by what somebody is typing (`web.md §18`).

use patchwork::store::{Db, sql};

use super::{browser::Browser, people::world, seed};

/// Ten people called test 1 to test 10, and one without a name.
async fn people(db: &Db) {
    let mut tx = db.begin().await.expect("a transaction");
    for number in 1..=10 {
        let email = format!("test{number}@example.net");
        sql("INSERT INTO person (email, name, key) VALUES ($1, $2, $3)")
            .bind(&email)
            .bind(format!("name{number}"))
            .bind(format!("name{number} {email}"))
            .run(&mut tx)
            .await
            .expect("a person");
    }
    sql("INSERT INTO person (email, key) VALUES ('nameless@example.net', 'nameless@example.net')")
        .run(&mut tx)
        .await
        .expect("a person");
    tx.commit().await.expect("a commit");
}

fn names(body: &str) -> Vec<(Option<String>, Option<String>)> {
    let found: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let found = found.as_array().expect("a list");
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let entry = |entry: &serde_json::Value| {
        assert!(entry["pk"].is_i64());
        (text(&entry["name"]), text(&entry["email"]))
    };
    found.iter().map(entry).collect()
}

pub async fn submitters_are_suggested(db: &Db) {
    let world = world(db).await;
    people(db).await;
    let site = seed::site(db, |_| {}).await;
    let user = Browser::of(&site, db, world.user).await;
    let seen = user.get("/submitter/?q=nameless").await;
    assert_eq!(seen.header("Content-Type"), "application/json");
    assert_eq!(
        names(&seen.body),
        [(None, Some("nameless@example.net".into()))]
    );
    let find = async |query: &str| names(&user.get(&format!("/submitter/?{query}")).await.body);
    assert_eq!(
        find("q=test2").await,
        [(Some("name2".into()), Some("test2@example.net".into()))]
    );
    for (query, count) in [
        ("q=TEST", 10),
        ("q=test&l=5", 5),
        ("q=test&l=0", 10),
        ("q=test&l=x", 10),
        ("q=te", 0),
        ("", 0),
        ("q=example&project=one", 2),
        ("q=%25%25%25", 0),
    ] {
        assert_eq!(find(query).await.len(), count, "{query}");
    }
    assert_eq!(user.get("/submitter/?q=te").await.body, "[]");
    assert_eq!(
        user.get("/submitter/?q=test&project=none").await.status,
        404
    );
}

pub async fn anybody_is_told_less(db: &Db) {
    let world = world(db).await;
    people(db).await;
    let site = seed::site(db, |_| {}).await;
    let anon = async |path: &str| names(&seed::get(&site, path).await.body);
    assert_eq!(
        anon("/submitter/?q=test2").await,
        [(Some("name2".into()), Some("…@example.net".into()))]
    );
    // Thirteen match.
    assert_eq!(anon("/submitter/?q=example&l=50").await.len(), 10);
    assert_eq!(anon("/delegate/?q=user").await, []);
    assert_eq!(
        anon("/delegate/?q=mar").await,
        [(Some("mara".into()), None)]
    );
    let user = Browser::of(&site, db, world.user).await;
    let known = async |path: &str| names(&user.get(path).await.body);
    assert_eq!(
        known("/delegate/?q=USER").await,
        [(Some("user".into()), None)]
    );
    assert_eq!(known("/delegate/?q=user&project=one").await, []);
    assert_eq!(known("/delegate/?q=mara&project=one").await.len(), 1);
    let mut tx = db.begin().await.expect("a transaction");
    sql("UPDATE account SET is_active = FALSE WHERE username = 'mara'")
        .run(&mut tx)
        .await
        .expect("a change");
    tx.commit().await.expect("a commit");
    assert_eq!(anon("/delegate/?q=mar").await, []);
}
