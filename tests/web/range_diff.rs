//! Two revisions compared.

use patchwork::store::Db;

use super::seed::{self, Patch, get, get_with};

fn new_file(name: &str, lines: impl Iterator<Item = u32>) -> String {
    let lines: String = lines.map(|line| format!("+{name} {line}\n")).collect();
    let count = lines.lines().count();
    format!(
        "diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{count} @@\n{lines}"
    )
}

const HEADERS: &str = "From: Ann <ann@example.org>\nSubject: [PATCH] <b>one</b>";

/// Two revisions: one patch stays, one changes, one goes, one comes.
async fn revisions(db: &Db, project: i64) -> [i64; 2] {
    let first = seed::series(db, project, "All of it", 3, None).await;
    let second = seed::series(db, project, "[v2] All of it", 3, None).await;
    let [same, was, is, gone, comes] = [
        new_file("same", 0..20),
        new_file("x", 0..20),
        new_file("x", 0..19),
        new_file("gone", 0..20),
        new_file("new", 0..20),
    ];
    let of = |series, number, name, msgid, diff| Patch {
        project,
        name,
        msgid,
        series: Some((series, number)),
        content: "Why.\n---\nnotes\n",
        headers: HEADERS,
        diff: Some(diff),
        ..Patch::default()
    };
    let patches = [
        of(first, 1, "same", "<1@h>", same.as_str()),
        of(first, 2, "<b>one</b>", "<2@h>", &was),
        of(first, 3, "gone", "<3@h>", &gone),
        of(second, 1, "[v2,1/3] comes", "<21@h>", &comes),
        of(second, 2, "[v2,2/3] same", "<22@h>", &same),
        of(second, 3, "[v2,3/3] <b>one</b>", "<a/23@h>", &is),
    ];
    seed::patches(db, &patches).await;
    [first, second]
}

pub async fn two_series_are_compared(db: &Db) {
    let project = seed::project(db, "one").await;
    let [first, second] = revisions(db, project).await;
    let elsewhere = seed::project(db, "two").await;
    let foreign = seed::series(db, elsewhere, "Foreign", 1, None).await;
    let site = seed::site(db, |_| {}).await;
    let address = format!("/project/one/series/{first}/diff/{second}/");
    let page = get(&site, &address).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.texts("h1"), ["Changes: All of it"]);
    let cells = page.texts("#matrix tbody td");
    let rows: Vec<&[String]> = cells.chunks(4).collect();
    let told: Vec<String> = rows.iter().map(|row| row[..3].join(" ")).collect();
    assert_eq!(
        told,
        [
            "– >added 1",
            "1 =unchanged 2",
            "2 !changed 3",
            "3 <dropped –",
        ]
    );
    assert_eq!(
        page.texts("details.pair summary .path"),
        ["2 ! 3 <b>one</b>"]
    );
    assert_eq!(page.values("#matrix tr.changed a", "href"), ["#p3"]);
    assert_eq!(page.texts(".diff .h a"), ["@@ x (new)"]);
    assert_eq!(page.values(".diff .h a", "href"), ["#p3-h1"]);
    assert_eq!(page.texts(".diff .old.a"), ["only old: +x 19"]);
    let text = get(&site, &format!("{address}raw/")).await;
    assert_eq!(text.header("Content-Type"), "text/plain; charset=utf-8");
    assert!(text.body.contains(" = 2: "), "{}", text.body);
    assert!(text.body.contains("\n    @@ x (new)\n"), "{}", text.body);
    assert!(text.body.contains("\n    -+x 19\n"), "{}", text.body);
    // The other way round what came is what goes.
    let back = get(
        &site,
        &format!("/project/one/series/{second}/diff/{first}/"),
    )
    .await;
    assert_eq!(back.texts(".diff .new.a"), ["only new: +x 19"]);
    // A series has nothing against itself.
    let itself = get(&site, &format!("/project/one/series/{first}/diff/{first}/")).await;
    assert_eq!(itself.texts("#matrix tbody .sign"), ["=", "=", "="]);
    for wrong in [
        format!("/project/one/series/{first}/diff/{foreign}/"),
        format!("/project/one/series/{foreign}/diff/{first}/"),
        format!("/project/one/series/{first}/diff/x/"),
        format!("/project/no/series/{first}/diff/{second}/"),
        format!("/project/one/series/{first}/diff/99999/raw/"),
    ] {
        assert_eq!(get(&site, &wrong).await.status, 404, "{wrong}");
    }
}

pub async fn two_patches_are_compared(db: &Db) {
    let project = seed::project(db, "one").await;
    revisions(db, project).await;
    let site = seed::site(db, |_| {}).await;
    let page = get(&site, "/project/one/patch/2@h/diff/a%252F23@h/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.texts(".diff .old.a"), ["only old: +x 19"]);
    // Whatever they have in common.
    let page = get(&site, "/project/one/patch/3@h/diff/2@h/").await;
    assert_eq!(page.texts("#matrix tbody .sign"), ["!"]);
    let text = get(&site, "/project/one/patch/3@h/diff/2@h/raw/").await;
    assert_eq!(text.header("Content-Type"), "text/plain; charset=utf-8");
    assert!(
        text.body.contains("    - ## gone (new) ##\n"),
        "{}",
        text.body
    );
    for wrong in [
        "2@h/diff/no@h/",
        "no@h/diff/2@h/",
        "2@h/diff/",
        "2@h/raw/diff/3@h/",
    ] {
        let address = format!("/project/one/patch/{wrong}");
        assert_eq!(get(&site, &address).await.status, 404, "{wrong}");
    }
}

pub async fn a_long_comparison_comes_on_demand(db: &Db) {
    let project = seed::project(db, "one").await;
    let series = [
        seed::series(db, project, "Long", 2, None).await,
        seed::series(db, project, "[v2] Long", 2, None).await,
    ];
    let diffs = [
        new_file("x", 0..6000),
        new_file("y", 0..30),
        new_file(
            "x",
            (0..6000).map(|n| if n % 8 == 0 { n + 9000 } else { n }),
        ),
        new_file("y", 1..30),
    ];
    let of = |at: usize, msgid| Patch {
        project,
        msgid,
        series: Some((series[at / 2], (at % 2) as i64 + 1)),
        headers: HEADERS,
        diff: Some(&diffs[at]),
        ..Patch::default()
    };
    let patches = [
        of(0, "<1@h>"),
        of(1, "<2@h>"),
        of(2, "<3@h>"),
        of(3, "<4@h>"),
    ];
    seed::patches(db, &patches).await;
    let site = seed::site(db, |_| {}).await;
    let address = format!("/project/one/series/{}/diff/{}/", series[0], series[1]);
    let page = get(&site, &address).await;
    assert_eq!(
        page.values("details.pair[open]", "id"),
        Vec::<String>::new()
    );
    let more = format!("{address}?pair=1");
    assert_eq!(
        page.values("#p1 .more", "hx-get"),
        std::slice::from_ref(&more)
    );
    assert_eq!(page.values("#p1 .more a", "href"), [format!("{more}#p1")]);
    let part = get_with(&site, &more, &[("HX-Request", "true")]).await;
    assert_eq!(part.texts("h1"), Vec::<String>::new());
    assert!(part.texts(".diff .new").len() == 750);
    let whole = get(&site, &more).await;
    assert_eq!(whole.values("details.pair[open]", "id"), ["p1"]);
    let none = get_with(
        &site,
        &format!("{address}?pair=9"),
        &[("HX-Request", "true")],
    )
    .await;
    assert_eq!(none.status, 404);
}
