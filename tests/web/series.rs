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
    assert!(page.statements() <= 10, "{}", page.statements());
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

/// What was given in replies is shown before it is taken along: by whom, onto which patches, and what they have already.
pub async fn trailers_are_shown_before_they_are_taken(db: &Db) {
    let project = seed::project(db, "one").await;
    let cover = seed::cover(db, project, "<0@h>", "[0/2] Both").await;
    let series = seed::series(db, project, "Both", 2, Some(cover)).await;
    let of = |number, msgid, content| Patch {
        project,
        msgid,
        content,
        series: Some((series, number)),
        ..Patch::default()
    };
    let ids = seed::patches(
        db,
        &[
            of(1, "<1@h>", "One.\n\nAcked-by: Bob <bob@example.org>\n"),
            of(2, "<2@h>", "Two.\n"),
        ],
    )
    .await;
    let to_cover =
        "For all:\nAcked-by: Bob <bob@example.org>\nTested-by: <b>Eve</b> <eve@example.com>\n";
    seed::comment(db, None, Some(cover), "<c0@h>", to_cover).await;
    let to_first =
        "> quoted\nACKED-BY: bob <bob@example.org>\nReviewed-by: Bob <BOB@example.org>\n";
    let reply = seed::comment(db, Some(ids[0]), None, "<c1@h>", to_first).await;
    seed::comment(db, Some(ids[1]), None, "<c2@h>", "Who else, by-by?\n").await;
    let site = seed::site(db, |_| {}).await;
    let page = get(&site, &format!("/project/one/series/{series}/")).await;
    assert_eq!(
        page.texts("#trailers > ul code"),
        [
            "Reviewed-by: Bob <BOB@example.org>",
            "Acked-by: Bob <bob@example.org>",
            "Tested-by: <b>Eve</b> <eve@example.com>",
        ]
    );
    assert_eq!(
        page.texts("#trailers > ul p"),
        [
            "onto 1 reply by Bob",
            "onto 2 given to the cover letter by Bob",
            "onto all 2 given to the cover letter by Bob from another address",
        ]
    );
    assert_eq!(
        page.texts("#trailers details code"),
        ["ACKED-BY: bob <bob@example.org>"]
    );
    assert!(
        page.values("#trailers > ul a", "href")
            .contains(&format!("/comment/{reply}/"))
    );
    // What is shown is what the mailbox has.
    let mbox = get(&site, &format!("/series/{series}/mbox/?trailers=cover")).await;
    let (first, second) = mbox
        .body
        .split_once("\n\nFrom patchwork ")
        .expect("two mails");
    let trailers = |mail: &str| {
        let lines = mail.lines().filter(|line| line.contains("-by: "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        trailers(first),
        [
            "Acked-by: Bob <bob@example.org>",
            "Reviewed-by: Bob <BOB@example.org>",
            "Tested-by: <b>Eve</b> <eve@example.com>",
        ]
    );
    assert_eq!(
        trailers(second),
        [
            "Acked-by: Bob <bob@example.org>",
            "Tested-by: <b>Eve</b> <eve@example.com>",
        ]
    );
    let plain = get(&site, &format!("/series/{series}/mbox/")).await;
    assert!(!plain.body.contains("Eve"), "as clients know it");
    let commands = page.texts(".get .command code");
    assert!(
        commands[0].contains(&format!("/series/{series}/mbox/?trailers=cover'")),
        "{commands:?}"
    );
    assert_eq!(commands[1], "b4 shazam 0@h");
}

/// A series is answered where it begins; who maintains the project can tell what was applied.
pub async fn a_series_is_answered_and_thanked_for(db: &Db) {
    let project = seed::project(db, "one").await;
    let series = seed::series(db, project, "Two of them", 2, None).await;
    let of = |number, msgid, content| Patch {
        project,
        msgid,
        content,
        series: Some((series, number)),
        ..Patch::default()
    };
    let patches = [of(1, "<1@h>", "First words & more\n"), of(2, "<2@h>", "")];
    let ids = seed::patches(db, &patches).await;
    let mara = seed::user(db, "mara", Some(project)).await;
    let site = seed::site(db, |_| {}).await;
    let address = format!("/project/one/series/{series}/");
    let decoded = |href: &String| {
        let href = rocket::http::RawStr::new(href).percent_decode_lossy();
        href.into_owned()
    };
    let answers = |page: &seed::Seen| -> Vec<String> {
        let hrefs = page.values("#answer a.button", "href");
        hrefs.iter().map(decoded).collect()
    };
    let page = get(&site, &address).await;
    assert!(page.texts("#trailers").is_empty());
    let [answer] = &answers(&page)[..] else {
        panic!("one way to answer");
    };
    assert!(answer.contains("in-reply-to=<1@h>"), "{answer}");
    assert!(answer.contains("> First words & more"), "{answer}");
    assert!(page.texts("#answer code")[0].starts_with("git send-email --in-reply-to='<1@h>'"));
    let mut tx = db.begin().await.expect("a transaction");
    sql("UPDATE patch SET commit_ref = $1 WHERE id = $2")
        .bind("0123456789abcdef")
        .bind(ids[1])
        .run(&mut tx)
        .await
        .expect("a commit");
    tx.commit().await.expect("a commit");
    assert_eq!(
        answers(&get(&site, &address).await).len(),
        1,
        "no maintainer"
    );
    let mara = Browser::of(&site, db, mara).await;
    let thanks = answers(&mara.get(&address).await);
    assert_eq!(thanks.len(), 2);
    for told in ["Applied, thanks!", "[2/2]", "commit: 0123456789abcdef"] {
        assert!(thanks[1].contains(told), "{}", thanks[1]);
    }
    assert!(!thanks[1].contains("[1/2]"), "{}", thanks[1]);
}
