//! What all kinds of things have in common: lists, forms, deletes, history, CSV.

use patchwork::store::{Db, sql};

use super::{
    super::{browser::Browser, seed},
    MODELS, number, resend, run, superuser, world,
};

pub async fn every_list_takes_every_search(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    for model in MODELS {
        let path = format!("/admin/{model}/");
        let plain = browser.get(&path).await;
        assert_eq!(plain.status, 200, "{path}: {}", plain.body);
        for q in [
            "'",
            "%25",
            "_",
            "%C3%A4%E2%98%83",
            "%5C",
            "%22%3E%3Cscript%3E",
            "a+b+c",
            "%00",
        ] {
            let seen = browser.get(&format!("{path}?q={q}")).await;
            assert_eq!(seen.status, 200, "{path}?q={q}: {}", seen.body);
            assert!(!seen.body.contains("<script>"), "{path}?q={q}");
        }
        let columns = plain.texts(".things thead th").len();
        for order in 1..=columns as i64 {
            for order in [order, -order] {
                let seen = browser.get(&format!("{path}?order={order}")).await;
                assert_eq!(seen.status, 200, "{path}?order={order}: {}", seen.body);
            }
        }
        for name in plain.values(".sift select, .sift input", "name") {
            for value in ["1", "0", "x'", "2023-11", "tide", "yes"] {
                let seen = browser.get(&format!("{path}?{name}={value}")).await;
                assert_eq!(seen.status, 200, "{path}?{name}={value}: {}", seen.body);
            }
        }
        let csv = browser.get(&format!("{path}?format=csv")).await;
        assert_eq!(
            (csv.status, csv.header("Content-Type")),
            (200, "text/csv; charset=utf-8")
        );
        assert!(csv.body.starts_with("id,"), "{path}");
        for href in plain.values(".things tbody th a", "href") {
            let form = browser.get(&href).await;
            assert_eq!(form.status, 200, "{href}: {}", form.body);
            let history = browser.get(&href.replace("change", "history")).await;
            assert_eq!(history.status, 200, "{href}: {}", history.body);
            let delete = browser.get(&href.replace("change", "delete")).await;
            assert!(
                matches!(delete.status, 200 | 403),
                "{href}: {}",
                delete.body
            );
        }
        let add = browser.get(&format!("{path}add/")).await;
        assert!(matches!(add.status, 200 | 403), "{path}: {}", add.body);
    }
}

pub async fn searches_find_what_they_say(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    for (path, expected) in [
        ("bundle/?q=MIN", 1),
        ("bundle/?q=root", 1),
        ("bundle/?q=root+nothing", 0),
        ("check/?q=ci-one", 1),
        ("check/?q=pool", 1),
        ("check/?q=root", 1),
        ("check/?q=zzz", 0),
        ("patch/?q=50%25_", 1),
        ("patch/?q=%25", 1),
        ("patch/?q=done's", 1),
        ("patch/?q=K%C3%84SE", 1),
        ("patch/?q=bob", 1),
        ("patch/?q=pool+bob", 1),
        ("patch/?q=k%C3%A4se+bob", 0),
        ("patch/?submitter=bob@example.org", 1),
        ("patch/?date=2023-11-15", 1),
        ("patch/?date=2023", 2),
        ("series/?q=%3Clate@h%3E", 1),
        ("project/?q=tide.example", 1),
        ("state/?q=review", 1),
        ("seriesreference/?q=late", 1),
        ("check/?state=success", 1),
        ("check/?state=fail", 0),
        ("bundle/?public=0", 0),
        ("patch/?series=yes", 2),
    ] {
        let seen = browser.get(&format!("/admin/patchwork/{path}")).await;
        assert_eq!(seen.texts(".things tbody tr").len(), expected, "{path}");
    }
    let newest = browser.get("/admin/patchwork/patch/").await;
    assert!(
        newest.texts(".things tbody th")[0].starts_with("[2/2]"),
        "the newest first"
    );
    let sorted = browser.get("/admin/patchwork/patch/?order=1").await;
    assert!(sorted.texts(".things tbody th")[0].starts_with("[1/2]"));
    assert_eq!(
        sorted.values(".things th[aria-sort]", "aria-sort"),
        ["ascending"]
    );
}

pub async fn long_lists_have_pages(db: &Db) {
    let root = superuser(db, "root").await;
    for count in 0..250 {
        let insert = sql("INSERT INTO person (email, key) VALUES ($1, $1)");
        run(db, insert.bind(format!("p{count:03}@example.org"))).await;
    }
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, root).await;
    let first = browser.get("/admin/patchwork/person/?order=2").await;
    assert_eq!(first.texts(".things tbody tr").len(), 100);
    assert_eq!(first.texts(".total"), ["250 found"]);
    let third = browser.get("/admin/patchwork/person/?order=2&page=3").await;
    assert_eq!(third.texts(".things tbody th").len(), 50);
    assert_eq!(third.texts(".things tbody th")[0], "p200@example.org");
    assert_eq!(third.values("a[rel=prev]", "href"), ["?order=2&page=2"]);
    let statements = |seen: &seed::Seen| seen.statements();
    assert_eq!(statements(&first), statements(&third));
    let all = [("action", "delete"), ("all", "1")];
    let asked = browser.post("/admin/patchwork/person/?q=p00", &all).await;
    assert_eq!(asked.status, 200);
    assert_eq!(asked.texts("h1"), ["Delete 10 people?"]);
    assert_eq!(number(db, "SELECT count(*) FROM person").await, 250);
}

pub async fn nobody_overwrites_what_another_changed(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let path = "/admin/patchwork/state/2/change/";
    let mut mine = browser.get(path).await.form("form.thing");
    assert_eq!(
        resend(&browser, path, &[("name", "Theirs")]).await.status,
        303
    );
    mine.retain(|(name, _)| name != "name");
    mine.push(("name".into(), "Mine".into()));
    let fields: Vec<(&str, &str)> = mine
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let conflict = browser.post(path, &fields).await;
    assert_eq!(conflict.status, 409);
    assert_eq!(conflict.texts(".things tbody td"), ["Theirs", "Mine"]);
    assert_eq!(
        number(db, "SELECT count(*) FROM state WHERE name = 'Theirs'").await,
        1
    );
    let again = conflict.form("form.thing");
    let again: Vec<(&str, &str)> = again
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(browser.post(path, &again).await.status, 303);
    assert_eq!(
        number(db, "SELECT count(*) FROM state WHERE name = 'Mine'").await,
        1
    );
    let history = browser.get("/admin/patchwork/state/2/history/").await;
    assert_eq!(
        history.texts(".changes li"),
        ["Name: Theirs Mine", "Name: Under Review Theirs"]
    );
}

pub async fn what_is_wrong_stands_beside_its_field(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let seen = resend(
        &browser,
        "/admin/patchwork/state/2/change/",
        &[("name", ""), ("ordering", "x")],
    )
    .await;
    assert_eq!(seen.status, 422);
    assert_eq!(seen.values("[aria-invalid]", "name"), ["name", "ordering"]);
    assert_eq!(
        seen.values("#id_ordering", "value"),
        ["x"],
        "what was entered is there"
    );
    let described = seen.values("#id_name", "aria-describedby");
    assert!(described[0].contains("name-error"));
    assert_eq!(number(db, "SELECT count(*) FROM audit").await, 0);
    // Nothing changed is no change.
    assert_eq!(
        resend(&browser, "/admin/patchwork/state/2/change/", &[])
            .await
            .status,
        303
    );
    assert_eq!(number(db, "SELECT count(*) FROM audit").await, 0);
}

pub async fn the_way_back_keeps_the_filters(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let list = browser.get("/admin/patchwork/patch/?q=pool&order=1").await;
    let href = &list.values(".things tbody th a", "href")[0];
    let saved = resend(&browser, href, &[("commit_ref", "abc")]).await;
    assert_eq!(
        saved.header("Location"),
        "/admin/patchwork/patch/?q=pool&order=1"
    );
    let outside = browser.get("/admin/patchwork/patch/add/").await;
    assert_eq!(outside.status, 403, "patches come by mail");
}

pub async fn formulas_in_csv_are_text(db: &Db) {
    let world = world(db).await;
    run(db, sql("UPDATE bundle SET name = '=1+1'")).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let csv = browser.get("/admin/patchwork/bundle/?format=csv").await;
    assert!(csv.body.contains("\"'=1+1\""), "{}", csv.body);
}
