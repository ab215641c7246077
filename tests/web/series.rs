//! The page of a series.

use patchwork::{
    domain::SeriesId,
    store::{Db, sql},
};

use super::{
    browser::Browser,
    seed::{self, Patch, get},
};

pub async fn a_series_names_what_is_missing(db: &Db) {
    let project = seed::project(db, "one").await;
    let first = seed::series(db, project, "Both", 3, None).await;
    let again = seed::series(db, project, "[v2] both", 1, None).await;
    link(db, again, first, "reply", false).await;
    let of = |number, msgid, state| Patch {
        project,
        msgid,
        state,
        series: Some((first, number)),
        ..Patch::default()
    };
    let ids = seed::patches(db, &[of(3, "<3@h>", 3), of(1, "<1@h>", 1)]).await;
    seed::comment(db, Some(ids[1]), None, "<c@h>", "hm").await;
    let site = seed::site(db, |_| {}).await;
    let page = get(&site, &format!("/project/one/series/{first}/")).await;
    assert_eq!(page.texts("h1"), ["Both"]);
    assert_eq!(page.texts(".facts .label"), ["2 of 3 received, missing 2"]);
    assert_eq!(page.texts("#patches td.c-no"), ["1", "3"]);
    assert_eq!(page.texts("#patches td.c-name .open"), ["1 open"]);
    assert_eq!(
        page.texts("#patches .states .state"),
        ["1 New", "1 Accepted"]
    );
    assert_eq!(
        page.values(".members li a[data-key]", "href"),
        [format!("/project/one/series/{again}/")]
    );
    assert!(page.statements() <= 8, "{}", page.statements());
    assert_eq!(get(&site, "/project/one/series/99/").await.status, 404);
}

async fn link(db: &Db, later: i64, earlier: i64, reason: &'static str, claimed: bool) {
    let mut tx = db.begin().await.expect("a transaction");
    sql("INSERT INTO revision_link (series_id, earlier_id, reason, claimed, date) VALUES ($1, $2, $3, $4, $5)")
        .bind(later)
        .bind(earlier)
        .bind(reason)
        .bind(claimed)
        .bind(seed::day(1))
        .run(&mut tx)
        .await
        .expect("a link");
    sql("UPDATE series SET version = 2 WHERE id = $1")
        .bind(later)
        .run(&mut tx)
        .await
        .expect("a version");
    tx.commit().await.expect("a commit");
}

async fn links(db: &Db, series: i64) -> Vec<(Option<i64>, String)> {
    let mut conn = db.reader().await.expect("a reader");
    let links = patchwork::store::revision::links(&mut conn, &[SeriesId(series)]).await;
    let links = links.expect("links").into_iter();
    links
        .map(|link| (link.earlier.map(|id| id.0), link.reason.word().to_owned()))
        .collect()
}

/// Revisions are shown with why they belong together, and put right by those who maintain the project.
pub async fn revisions_are_shown_and_put_right(db: &Db) {
    let project = seed::project(db, "one").await;
    let first = seed::series(db, project, "Both of them", 1, None).await;
    let second = seed::series(db, project, "Both of them, again", 1, None).await;
    let other = seed::series(db, project, "Something else", 1, None).await;
    let elsewhere = seed::project(db, "two").await;
    let foreign = seed::series(db, elsewhere, "Foreign", 1, None).await;
    link(db, second, first, "similar", true).await;
    let mara = seed::user(db, "mara", Some(project)).await;
    let site = seed::site(db, |_| {}).await;
    let address = format!("/project/one/series/{second}/");
    let page = get(&site, &address).await;
    assert_eq!(page.texts("#revisions .no"), ["v1", "v2"]);
    assert_eq!(page.texts("#revisions .label"), ["claimed"]);
    assert_eq!(
        page.texts("#revisions small.muted"),
        ["similar title, same sender"]
    );
    assert!(page.texts(".bundling summary").is_empty());
    let guest = Browser::of(&site, db, seed::user(db, "guest", None).await).await;
    let form = |action: &'static str, earlier: &str| {
        vec![
            ("action", action.to_owned()),
            ("earlier", earlier.to_owned()),
        ]
    };
    let post = async |browser: &Browser<'_>, action, earlier: &str| {
        let form = form(action, earlier);
        let form: Vec<(&str, &str)> = form
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        browser.post(&address, &form).await
    };
    assert_eq!(post(&guest, "follow", "").await.status, 403);
    let mara = Browser::of(&site, db, mara).await;
    for (entered, fault) in [
        ("999", "This project has no series “999”."),
        ("words", "This project has no series “words”."),
        (
            &foreign.to_string(),
            &format!("This project has no series “{foreign}”."),
        ),
        (
            &second.to_string(),
            "That series is this one or follows it: revisions cannot go round in a circle.",
        ),
    ] {
        let page = post(&mara, "follow", entered).await;
        assert_eq!(page.status, 422);
        assert_eq!(page.texts("#earlier-error"), [fault]);
        assert_eq!(page.values("input[name=earlier]", "value"), [entered]);
    }
    assert_eq!(
        post(
            &mara,
            "follow",
            &format!("https://example.org/series/{other}/")
        )
        .await
        .status,
        303
    );
    assert_eq!(links(db, second).await, [(Some(other), "hand".to_owned())]);
    assert_eq!(post(&mara, "follow", "").await.status, 303);
    assert_eq!(links(db, second).await, [(None, "none".to_owned())]);
    // What is found anew is what the mails say: the titles are alike.
    assert_eq!(post(&mara, "find", "").await.status, 303);
    assert_eq!(
        links(db, second).await,
        [(Some(first), "similar".to_owned())]
    );
}
