//! The search over all projects.

use patchwork::store::{Db, sql};

use super::{
    people::browser,
    seed::{self, Patch, get},
};
use crate::store::search::indexed;

/// Two patches, a cover letter and a comment in two projects; mara has one of the patches.
async fn scene(db: &Db) -> i64 {
    let (one, two) = (
        seed::project(db, "one").await,
        seed::project(db, "two").await,
    );
    let mara = seed::user(db, "mara", Some(one)).await;
    let diff = "--- a/drivers/net/x.c\n+++ b/drivers/net/x.c\n@@ -1,2 +1,2 @@ int probe(void)\n around\n-kfree(foo_bar);\n+put(foo_bar);\n";
    let patches = [
        Patch {
            project: one,
            name: "net: plug a leak",
            msgid: "<leak@h>",
            day: 2,
            delegate: Some(mara),
            content: "Nobody frees it.\n\nReviewed-by: Zoe Quill <zoe@example.org>\n",
            diff: Some(diff),
            ..Patch::default()
        },
        Patch {
            project: two,
            name: "mm: a leak elsewhere",
            msgid: "<mm@h>",
            day: 3,
            state: 3,
            from: ("Bob", "bob@example.org"),
            content: "Use after free & more.\n",
            ..Patch::default()
        },
    ];
    let patches = seed::patches(db, &patches).await;
    seed::cover(db, one, "<cover@h>", "plugging leaks").await;
    seed::comment(
        db,
        Some(patches[0]),
        None,
        "<c@h>",
        "> a leak\nThat kfree is wrong.",
    )
    .await;
    indexed(db).await;
    mara
}

const TITLES: &str = ".hits .title a";

/// Reads a search to its end, page by page. Returns the address of the last one, and the titles.
async fn paged(site: &rocket::local::asynchronous::Client, first: &str) -> (String, Vec<String>) {
    let (mut path, mut seen) = (first.to_owned(), Vec::new());
    loop {
        let page = get(site, &format!("/search/{path}")).await;
        seen.extend(page.texts(TITLES));
        match page.values(".pager [rel=next]", "href").pop() {
            Some(next) => path = next,
            None => return (path, seen),
        }
    }
}

async fn titles(site: &rocket::local::asynchronous::Client, query: &str) -> String {
    let page = get(site, &format!("/search/?{query}")).await;
    assert_eq!(page.status, 200, "{query}");
    assert_eq!(page.texts("#fault"), [] as [&str; 0], "{query}");
    page.texts(TITLES).join(" | ")
}

pub async fn mails_are_found(db: &Db) {
    scene(db).await;
    let site = seed::site(db, |_| {}).await;
    let (leak, mm, cover, comment) = (
        "net: plug a leak",
        "mm: a leak elsewhere",
        "plugging leaks",
        "Re: net: plug a leak",
    );
    for (query, expected) in [
        ("leak", vec![mm, leak]),
        ("LEAK -elsewhere", vec![leak]),
        ("leak*", vec![mm, leak, cover]),
        ("-leak*", vec![comment]),
        ("lea", vec![]),
        ("\"after free\"", vec![mm]),
        ("\"free after\"", vec![]),
        ("kfree", vec![comment, leak]),
        ("diff:kfree", vec![leak]),
        ("diff:around", vec![]),
        ("diff:probe", vec![leak]),
        ("comment:kfree", vec![comment]),
        ("body:kfree", vec![]),
        ("foo_bar", vec![leak]),
        ("file:drivers/net", vec![leak]),
        ("file:net/drivers", vec![]),
        ("subject:leak", vec![mm, leak]),
        ("body:nobody OR body:letter", vec![leak, cover]),
        ("(kfree OR elsewhere) -is:comment", vec![mm, leak]),
        ("from:bob", vec![comment, mm]),
        ("from:ann@example.org is:patch", vec![leak]),
        ("reviewed-by:zo", vec![leak]),
        ("reviewed-by:ann", vec![]),
        ("state:new", vec![comment, leak]),
        ("-state:new -is:cover", vec![mm]),
        ("is:closed", vec![mm]),
        ("is:cover", vec![cover]),
        ("delegate:mara is:patch", vec![leak]),
        ("has:comments is:patch", vec![leak]),
        ("has:open-comments is:comment", vec![comment]),
        ("has:checks-none is:patch", vec![mm, leak]),
        ("project:two", vec![mm]),
        ("leak project:ONE", vec![leak]),
        ("leak after:2023-11-17", vec![mm]),
        ("before:2023-11-15", vec![cover]),
        ("msgid:mm@h leak", vec![mm]),
    ] {
        let encoded = patchwork::domain::link::encoded(query);
        let found = titles(&site, &format!("q={encoded}")).await;
        assert_eq!(found, expected.join(" | "), "{query}");
    }
    let page = get(&site, "/search/?q=leak+kfree").await;
    assert_eq!(page.texts(".hits .title mark"), ["leak"]);
    assert_eq!(page.texts(".hits .line mark"), ["kfree"]);
    assert_eq!(page.texts(".hits .line"), ["-kfree(foo_bar);"]);
    assert_eq!(page.texts(".hits .state"), ["New"]);
    assert_eq!(page.texts(".summary .chip"), ["leak ×", "kfree ×"]);
    assert_eq!(
        page.values(".summary .chip a", "href"),
        ["?q=kfree", "?q=leak"]
    );
    // A comment's own line, not the one it quotes.
    let page = get(&site, "/search/?q=wrong").await;
    assert_eq!(page.texts(".hits .line"), ["That kfree is wrong."]);
    assert_eq!(page.values(TITLES, "href"), ["/comment/1/"]);
    // In one project.
    let page = get(&site, "/search/?q=leak&project=two").await;
    assert_eq!(page.texts(TITLES), [mm]);
    assert_eq!(page.values(".summary .chip a", "href"), ["?q=leak"]);
    assert_eq!(get(&site, "/search/?q=leak&project=no").await.status, 404);
}

pub async fn what_is_wrong_with_a_search_is_underlined(db: &Db) {
    scene(db).await;
    let site = seed::site(db, |_| {}).await;
    for (query, wrong) in [
        ("leak is:shut", "is:shut"),
        ("form:ann", "form:ann"),
        ("(a b", "("),
        ("ä state:gone", "state:gone"),
        ("project:three", "project:three"),
        ("from:me", "from:me"),
        ("<b> after:soon", "after:soon"),
    ] {
        let encoded = patchwork::domain::link::encoded(query);
        let page = get(&site, &format!("/search/?q={encoded}")).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.texts("#fault mark"), [wrong], "{query}");
        assert_eq!(page.texts("#fault .asked"), [query]);
        assert_eq!(page.values("#f-q", "aria-describedby"), ["fault"]);
        assert_eq!(page.values("#f-q", "value"), [query]);
    }
    for odd in [
        "%00",
        "%22",
        "*",
        "-",
        "%27%20%5C",
        "a%3A*%26!",
        "(((",
        "NEAR(a%20b)",
        "extra%3Ax",
    ] {
        let page = get(&site, &format!("/search/?q={odd}")).await;
        assert_eq!(page.status, 200, "{odd}");
    }
}

pub async fn a_search_is_paged_and_leads_on(db: &Db) {
    let mara = scene(db).await;
    let ids: Vec<String> = (0..60).map(|number| format!("<{number}@h>")).collect();
    let names: Vec<String> = (0..60).map(|number| format!("tern {number}")).collect();
    let patches = ids.iter().zip(&names).enumerate();
    let patches: Vec<Patch> = patches
        .map(|(day, (msgid, name))| Patch {
            project: 1,
            msgid,
            name,
            day: day as i64 / 3,
            ..Patch::default()
        })
        .collect();
    seed::patches(db, &patches).await;
    indexed(db).await;
    let site = seed::site(db, |_| {}).await;
    let (_, seen) = paged(&site, "?q=tern").await;
    let newest: Vec<String> = names.iter().rev().cloned().collect();
    assert_eq!(seen, newest);
    // The best of them: a subject with the word before a text with it, whatever is newer.
    let subject = Patch {
        project: 1,
        msgid: "<s@h>",
        name: "plover",
        day: 1,
        ..Patch::default()
    };
    let text = Patch {
        project: 1,
        msgid: "<t@h>",
        name: "other",
        day: 9,
        content: "one plover",
        ..Patch::default()
    };
    seed::patches(db, &[subject, text]).await;
    indexed(db).await;
    assert_eq!(titles(&site, "q=plover").await, "other | plover");
    assert_eq!(titles(&site, "q=plover&order=best").await, "plover | other");
    let (path, mut seen) = paged(&site, "?q=tern&order=best").await;
    assert_eq!(path, "?q=tern&order=best&page=3");
    seen.sort();
    let mut all = names.clone();
    all.sort();
    assert_eq!(seen, all);
    assert_eq!(
        titles(&site, "q=is:cover&order=best&page=1").await,
        "plugging leaks"
    );
    // What names one thing leads there.
    let mut tx = db.begin().await.expect("a transaction");
    let commit = "UPDATE patch SET commit_ref = '0123456789abcdef0123456789abcdef01234567' WHERE msgid = '<mm@h>'";
    sql(commit).run(&mut tx).await.expect("a commit id");
    tx.commit().await.expect("a commit");
    for query in [
        "mm@h",
        "0123456789ab",
        "0123456789ABCDEF0123456789abcdef01234567",
        "https://x.example/two/mm@h/T/",
    ] {
        let page = get(&site, &format!("/search/?q={query}")).await;
        assert_eq!(
            page.header("Location"),
            "/project/two/patch/mm@h/",
            "{query}"
        );
    }
    assert_eq!(get(&site, "/search/?q=abcdefa").await.status, 200);
    // Whoever is logged in is somebody.
    let browser = browser(&site, db, Some(mara)).await;
    assert_eq!(
        browser
            .get("/search/?q=delegate:me+is:patch")
            .await
            .texts(TITLES),
        ["net: plug a leak"]
    );
    assert_eq!(
        browser.get("/search/?q=from:me").await.texts(TITLES),
        [] as [&str; 0]
    );
    // An index that is being made says so.
    let mut tx = db.begin().await.expect("a transaction");
    patchwork::store::search::begin_anew(&mut tx)
        .await
        .expect("a beginning");
    tx.commit().await.expect("a commit");
    let page = get(&site, "/search/?q=tern").await;
    assert!(page.texts("#results .banner")[0].contains("still being indexed"));
}

pub async fn the_search_is_found_and_explained(db: &Db) {
    scene(db).await;
    let site = seed::site(db, |_| {}).await;
    for (path, project) in [
        ("/", None),
        ("/about/", None),
        ("/project/one/patch/leak@h/", Some("one")),
    ] {
        let page = get(&site, path).await;
        assert_eq!(
            page.values(".bar form.find", "action"),
            ["/search/"],
            "{path}"
        );
        let hidden = page.values(".bar form.find input[name=project]", "value");
        assert_eq!(hidden, Vec::from_iter(project), "{path}");
    }
    let page = get(&site, "/search/").await;
    assert_eq!(page.texts("h1"), ["Search"]);
    assert_eq!(page.texts(".hits"), [] as [&str; 0]);
    let help = get(&site, "/search/help/").await;
    let examples = help.values(".prose dt a", "href");
    assert!(examples.len() > 20);
    for example in examples {
        let page = get(&site, &example).await;
        let is_fine = page.status == 302 || page.status == 200;
        let said = page.texts("#fault p");
        let needs = ["needs an account", "There is no project “demo”"];
        let is_told = said
            .first()
            .is_none_or(|why| needs.iter().any(|need| why.contains(need)));
        assert!(is_fine && is_told, "{example}: {said:?}");
    }
}

pub async fn lists_ask_the_index(db: &Db) {
    scene(db).await;
    let site = seed::site(db, |_| {}).await;
    for (query, expected) in [
        ("file:drivers/net/x.c", vec!["net: plug a leak"]),
        ("-file:x.c", vec![]),
        ("file:y.c", vec![]),
        ("diff:kfree leak", vec!["net: plug a leak"]),
        ("comment:wrong", vec!["net: plug a leak"]),
        ("comment:leak", vec![]),
        ("reviewed-by:quill", vec!["net: plug a leak"]),
        ("has:comments", vec!["net: plug a leak"]),
        ("msgid:leak@h plug", vec!["net: plug a leak"]),
        ("body:nobody -has:comments", vec![]),
    ] {
        let encoded = patchwork::domain::link::encoded(query);
        let page = get(&site, &format!("/project/one/list/?q={encoded}")).await;
        assert_eq!(page.texts(".patches td.c-name a"), expected, "{query}");
    }
    for (query, why) in [
        (
            "a OR b",
            "OR and brackets are for the search over all projects ×",
        ),
        (
            "form:ann",
            "There is no “form:”. Is “from:” meant? Else put the word in quotation marks. ×",
        ),
    ] {
        let encoded = patchwork::domain::link::encoded(query);
        let page = get(&site, &format!("/project/one/list/?q={encoded}")).await;
        assert_eq!(page.texts(".chip.warning"), [why]);
    }
}
