//! The list of patches: filters, orders, pages, fragments.

use patchwork::store::{Db, sql};

use super::seed::{self, Patch, get, get_with};

const NAMES: &str = ".patches td.c-name a";

async fn names(site: &rocket::local::asynchronous::Client, query: &str) -> String {
    let page = get(site, &format!("/project/one/list/{query}")).await;
    assert_eq!(page.status, 200, "{query}");
    page.texts(NAMES).join(" ")
}

/// Three patches of three people, in different orders by name, date, state, and sender.
async fn three(db: &Db) -> (i64, i64) {
    let project = seed::project(db, "one").await;
    let mara = seed::user(db, "mara", Some(project)).await;
    let patches = [
        Patch {
            project,
            name: "beta",
            msgid: "<1@h>",
            day: 1,
            state: 2,
            from: ("zoe", "z@h"),
            ..Patch::default()
        },
        Patch {
            project,
            name: "Alpha",
            msgid: "<2@h>",
            day: 2,
            state: 1,
            from: ("Yves", "y@h"),
            delegate: Some(mara),
            ..Patch::default()
        },
        Patch {
            project,
            name: "gamma",
            msgid: "<3@h>",
            day: 3,
            state: 1,
            from: ("", "aa@h"),
            ..Patch::default()
        },
    ];
    seed::patches(db, &patches).await;
    (project, mara)
}

pub async fn an_empty_list_says_so(db: &Db) {
    seed::project(db, "one").await;
    let site = seed::site(db, |_| {}).await;
    let page = get(&site, "/project/one/list/").await;
    assert!(page.body.contains("No patches to display"));
    assert_eq!(get(&site, "/project/two/list/").await.status, 404);
}

pub async fn lists_are_sorted(db: &Db) {
    three(db).await;
    let site = seed::site(db, |_| {}).await;
    for (order, expected) in [
        ("", "gamma Alpha beta"),
        ("date", "beta Alpha gamma"),
        ("-date", "gamma Alpha beta"),
        ("name", "Alpha beta gamma"),
        ("-name", "gamma beta Alpha"),
        ("state", "gamma Alpha beta"),
        ("-state", "beta Alpha gamma"),
        ("submitter", "gamma Alpha beta"),
        ("-submitter", "beta Alpha gamma"),
        ("delegate", "Alpha gamma beta"),
        ("-delegate", "Alpha beta gamma"),
        ("nonsense", "gamma Alpha beta"),
    ] {
        assert_eq!(
            names(&site, &format!("?order={order}")).await,
            expected,
            "{order}"
        );
        // The same with a filter that takes another way through the database.
        assert_eq!(
            names(&site, &format!("?order={order}&submitter=h")).await,
            expected,
            "{order}"
        );
        assert_eq!(
            names(&site, &format!("?order={order}&state=*&archive=both")).await,
            expected,
            "{order}"
        );
    }
    let page = get(&site, "/project/one/list/?order=name").await;
    assert_eq!(page.values("th[aria-sort]", "aria-sort"), ["ascending"]);
    assert_eq!(page.values("th[aria-sort] a", "href"), ["?order=-name"]);
}

pub async fn lists_are_filtered(db: &Db) {
    let (project, mara) = three(db).await;
    let more = [
        Patch {
            project,
            name: "done",
            msgid: "<4@h>",
            day: 4,
            state: 3,
            from: ("zoe", "z@h"),
            ..Patch::default()
        },
        Patch {
            project,
            name: "50%_off",
            msgid: "<5@h>",
            day: 5,
            archived: true,
            from: ("zoe", "z@h"),
            ..Patch::default()
        },
    ];
    let ids = seed::patches(db, &more).await;
    seed::check(db, ids[0], mara, 1, 3, "ci").await;
    seed::check(db, ids[0], mara, 2, 1, "ci").await;
    seed::comment(db, Some(ids[0]), None, "<c@h>", "hm").await;
    let mut tx = db.begin().await.expect("a transaction");
    sql("INSERT INTO patch_tag (patch_id, tag_id, count) VALUES ($1, 2, 2)")
        .bind(ids[0])
        .run(&mut tx)
        .await
        .expect("a tag");
    let (zoe,): (i64,) = sql("SELECT id FROM person WHERE email = 'z@h'")
        .one(&mut tx)
        .await
        .expect("zoe");
    tx.commit().await.expect("a commit");
    let site = seed::site(db, |_| {}).await;
    for (query, expected) in [
        ("?state=&archive=&submitter=", "gamma Alpha beta"),
        ("?state=*", "done gamma Alpha beta"),
        ("?state=accepted", "done"),
        ("?state=1&state=2", "gamma Alpha beta"),
        ("?state=*&archive=both", "50%_off done gamma Alpha beta"),
        ("?archive=true", "50%_off"),
        ("?archive=both&q=%25_", "50%_off"),
        ("?q=ALPHA", "Alpha"),
        ("?q=-alpha", "gamma beta"),
        ("?q=from:yves", "Alpha"),
        ("?q=-from:yves", "gamma beta"),
        ("?q=-delegate:mar", "gamma beta"),
        ("?q=-delegate:nobody", "Alpha"),
        (&format!("?q=-delegate:{mara}"), "gamma beta"),
        ("?q=-state:new", "beta"),
        ("?q=-state:new&order=name&submitter=h", "beta"),
        ("?q=is:cover", "gamma Alpha beta"),
        ("?q=%00ALPHA%00", "Alpha"),
        ("?submitter=%00z%00o", "beta"),
        ("?state=%00&tag=%00&series=%00", "gamma Alpha beta"),
        ("?submitter=me&delegate=me", "gamma Alpha beta"),
        ("?delegate=nobody-at-all", ""),
        ("?submitter=aa@h", "gamma"),
        ("?submitter=ZO", "beta"),
        ("?submitter=nobody-at-all", ""),
        (&format!("?submitter={zoe}&state=*"), "done beta"),
        ("?delegate=Nobody", "gamma beta"),
        ("?delegate=mar", "Alpha"),
        (&format!("?delegate={mara}"), "Alpha"),
        ("?state=*&checks=success", "done"),
        ("?state=*&checks=fail", ""),
        ("?checks=none", "gamma Alpha beta"),
        ("?state=*&tag=R:2", "done"),
        ("?state=*&tag=R:3", ""),
        ("?state=*&comments=unaddressed", "done"),
        ("?since=2023-11-17", "gamma"),
        ("?before=2023-11-16", "beta"),
        ("?since=-009998-01-01", "gamma Alpha beta"),
        ("?before=-000001-01-01T00:00:00Z", "gamma Alpha beta"),
        ("?since=0001-01-01&before=9999-12-30", "gamma Alpha beta"),
    ] {
        assert_eq!(names(&site, query).await, expected, "{query}");
    }
    for (query, expected) in [
        (
            "submitter=nobody-at-all",
            "no submitter is called “nobody-at-all” ×",
        ),
        (
            "delegate=nobody-at-all",
            "no delegate is called “nobody-at-all” ×",
        ),
        ("q=delegate:zz", "no delegate is called “zz” ×"),
        ("delegate=me", "“me” needs an account ×"),
        ("submitter=Me", "“Me” needs an account ×"),
        ("q=is:cover", "a list has patches only ×"),
        (
            "since=-009998-01-01",
            "“-009998-01-01” is no date like 2024-03-05 ×",
        ),
    ] {
        let page = get(&site, &format!("/project/one/list/?{query}")).await;
        assert_eq!(page.texts(".chip.warning"), [expected], "{query}");
        let drop = page.values(".chip.warning a", "href");
        assert_eq!(drop, ["./"], "{query}");
    }
    assert_eq!(
        get(&site, "/project/one/list/?submitter=%E2%98%83")
            .await
            .status,
        200
    );
}

pub async fn pages_are_clamped_and_linked(db: &Db) {
    let project = seed::project(db, "one").await;
    let texts: Vec<(String, String)> = (1..=10)
        .map(|n| (format!("p{n}"), format!("<{n}@h>")))
        .collect();
    let patches: Vec<Patch> = texts
        .iter()
        .zip(1..)
        .map(|((name, msgid), day)| Patch {
            project,
            name,
            msgid,
            day,
            ..Patch::default()
        })
        .collect();
    seed::patches(db, &patches).await;
    let site = seed::site(db, |options| options.items_per_page = 1).await;
    for (query, expected) in [
        ("?page=2", "p9"),
        ("?page=foo", "p10"),
        ("?page=0", "p10"),
        ("?page=-1", "p10"),
        ("?page=99", "p1"),
    ] {
        assert_eq!(names(&site, query).await, expected, "{query}");
    }
    for page in 1..=10 {
        let seen = get(&site, &format!("/project/one/list/?order=name&page={page}")).await;
        let links = seen.values(".pager a", "href");
        assert!(
            links
                .iter()
                .all(|link| link.starts_with("?order=name&page=")),
            "{links:?}"
        );
        let numbers = seen.values(".pager a[aria-label]", "href");
        let mut once = numbers.clone();
        once.dedup();
        assert_eq!(numbers, once);
        assert_eq!(
            seen.values("a[rel=prev]", "href").len(),
            usize::from(page > 1)
        );
        assert_eq!(
            seen.values("a[rel=next]", "href").len(),
            usize::from(page < 10)
        );
    }
    let all = seed::site(db, |_| {}).await;
    assert!(
        get(&all, "/project/one/list/")
            .await
            .values(".pager", "class")
            .is_empty()
    );
}

pub async fn a_series_is_shown_whole(db: &Db) {
    let project = seed::project(db, "one").await;
    let series = seed::series(db, project, "Both", 2, None).await;
    let of = |number, name, msgid, state, archived| Patch {
        project,
        name,
        msgid,
        state,
        archived,
        day: 5 - number,
        series: Some((series, number)),
        ..Patch::default()
    };
    seed::patches(
        db,
        &[
            of(2, "second", "<2@h>", 3, true),
            of(1, "first", "<1@h>", 1, false),
        ],
    )
    .await;
    let site = seed::site(db, |_| {}).await;
    assert_eq!(
        names(&site, &format!("?series={series}")).await,
        "first second"
    );
    assert_eq!(
        names(&site, &format!("?series={series}&state=*")).await,
        "first"
    );
    assert_eq!(
        names(
            &site,
            &format!("?series={series}&state=action-required&archive=both")
        )
        .await,
        "first"
    );
    let page = get(&site, &format!("/project/one/list/?series={series}")).await;
    assert_eq!(
        page.values(".banner a", "href"),
        [format!("/project/one/series/{series}/")]
    );
    assert_eq!(page.texts(".chip"), ["Series: Both ×"]);
    assert_eq!(page.statements(), 7);
}

pub async fn chips_drop_filters(db: &Db) {
    three(db).await;
    let site = seed::site(db, |_| {}).await;
    let chips = |page: &seed::Seen| page.values(".chip a", "href");
    let page = get(&site, "/project/one/list/").await;
    assert_eq!(chips(&page), ["?state=*", "?archive=both"]);
    let page = get(&site, "/project/one/list/?q=alpha&order=name&page=1&x=1").await;
    assert_eq!(
        chips(&page),
        [
            "?state=*&q=alpha&order=name",
            "?q=alpha&archive=both&order=name",
            "?order=name"
        ]
    );
    let page = get(&site, "/project/one/list/?state=1&state=2&archive=both").await;
    assert_eq!(
        chips(&page),
        ["?state=2&archive=both", "?state=1&archive=both"]
    );
}

pub async fn a_fragment_is_part_of_the_page(db: &Db) {
    three(db).await;
    let site = seed::site(db, |_| {}).await;
    let path = "/project/one/list/?q=alpha&unknown=1";
    let whole = get(&site, path).await;
    for target in ["results", "list"] {
        let part = get_with(
            &site,
            path,
            &[("HX-Request", "true"), ("HX-Target", target)],
        )
        .await;
        assert!(
            whole.body.contains(&part.body) && !part.body.contains("<html"),
            "{target}"
        );
        assert_eq!(part.header("HX-Push-Url"), "/project/one/list/?q=alpha");
    }
    let history = [
        ("HX-Request", "true"),
        ("HX-History-Restore-Request", "true"),
    ];
    assert_eq!(get_with(&site, path, &history).await.body, whole.body);
    assert!(whole.header("Vary").contains("HX-Request"));
    assert_eq!(whole.values("form.filters", "method"), [] as [&str; 0]);
}

pub async fn searches_jump(db: &Db) {
    three(db).await;
    let site = seed::site(db, |_| {}).await;
    for query in [
        "1",
        "1@h",
        "%3C1@h%3E",
        "msgid:1@h",
        "https://x.example/list/1@h/T/",
    ] {
        let seen = get(&site, &format!("/project/one/list/?q={query}")).await;
        assert_eq!(
            (seen.status, seen.header("Location")),
            (302, "/project/one/patch/1@h/"),
            "{query}"
        );
    }
    assert_eq!(get(&site, "/project/one/list/?q=77").await.status, 200);
    for (query, target) in [
        (
            "http://x.example/project/one/list/?series=3%26submitter=a@h",
            "/project/one/list/?series=3&submitter=a@h",
        ),
        (
            "https://x.example/pw/project/one/list/",
            "/project/one/list/",
        ),
    ] {
        let seen = get(&site, &format!("/project/one/list/?q={query}")).await;
        assert_eq!(
            (seen.status, seen.header("Location")),
            (302, target),
            "{query}"
        );
    }
    let foreign = "/project/one/list/?q=https://x.example/project/none/list/?series=3";
    assert_eq!(get(&site, foreign).await.status, 200);
}

pub async fn nothing_is_taken_for_markup(db: &Db) {
    let project = seed::project(db, "one").await;
    let from = ("<b>Ann</b>", "<i>@h");
    seed::patch(
        db,
        Patch {
            project,
            name: "<b>bold</b>",
            from,
            ..Patch::default()
        },
    )
    .await;
    let site = seed::site(db, |_| {}).await;
    let page = get(&site, "/project/one/list/?submitter=a%2526b=c&q=%3Cb%3E").await;
    assert!(
        !page.body.contains("&b=c") && !page.body.contains("<b>"),
        "{}",
        page.body
    );
    let page = get(&site, "/project/one/list/").await;
    assert_eq!(page.texts(NAMES), ["<b>bold</b>"]);
}

pub async fn a_queue_is_by_series(db: &Db) {
    let project = seed::project(db, "one").await;
    let series = seed::series(db, project, "Both <b>", 3, None).await;
    let mara = seed::user(db, "mara", Some(project)).await;
    let of = |name, msgid, number, day, delegate| Patch {
        project,
        name,
        msgid,
        day,
        delegate,
        series: Some((series, number)),
        ..Patch::default()
    };
    let alone = Patch {
        project,
        name: "alone",
        msgid: "<x@h>",
        day: 2,
        ..Patch::default()
    };
    let all = [
        of("[2/3] two", "<2@h>", 2, 3, None),
        alone,
        of("[1/3] one", "<1@h>", 1, 1, Some(mara)),
    ];
    seed::patches(db, &all).await;
    let site = seed::site(db, |_| {}).await;
    let page = get(&site, "/project/one/list/").await;
    assert_eq!(page.texts("tr.whole td.c-name a"), ["Both <b>"]);
    assert_eq!(page.texts("tr.whole td.c-name .n"), ["2 of 3"]);
    assert_eq!(page.texts("tr.whole td.c-desk"), ["several"]);
    assert_eq!(
        page.texts("tr[data-patch-id] td.c-name a"),
        ["1/3 one", "2/3 two", "alone"]
    );
    assert!(page.texts("th.c-series").is_empty());
    assert_eq!(page.statements(), 8);
    for flat in ["?view=flat", "?order=-date", "?order=name"] {
        let page = get(&site, &format!("/project/one/list/{flat}")).await;
        assert!(page.texts("tr.whole").is_empty(), "{flat}");
        assert_eq!(page.texts("th.c-series").len(), 1, "{flat}");
    }
    let flat = get(&site, "/project/one/list/?view=flat&order=-date").await;
    assert_eq!(
        flat.texts("td.c-name a"),
        ["[2/3] two", "alone", "[1/3] one"]
    );
}
