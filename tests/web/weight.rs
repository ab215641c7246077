//! What pages weigh (`ux.md B9`): bytes as they are and compressed, files a first visit fetches, and nothing of strangers.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use patchwork::{
    domain::{BundleId, PatchId, ProjectId, UserId},
    store::{self, Db, sql},
    web::assets,
};
use scraper::{ElementRef, Html};

use super::{
    people::browser,
    seed::{self, Patch},
};

/// The most bytes of a list of 100 patches, raw and compressed.
const LIST: (usize, usize) = (90_000, 15_000);
/// The most bytes of a patch's page, compressed.
const PATCH: usize = 12_000;
/// The most files that a first visit fetches, the page included.
const REQUESTS: usize = 4;
/// The most bytes of our files, compressed.
const FILES: [(&str, usize); 3] = [
    ("patchwork.css", 14_000),
    ("htmx-2.0.11.min.js", 17_000),
    ("patchwork.js", 7_000),
];
/// The most bytes of all drawings in a page.
const DRAWINGS: usize = 3_000;

fn packed(text: &[u8]) -> usize {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(text).expect("memory");
    packed.finish().expect("memory").len()
}

/// A hundred patches as a list gets them: a series of 97 and three alone, all with checks, some with tags and replies.
pub struct Queue {
    /// Who maintains the project and has all of them on the desk.
    pub mara: i64,
    /// Pages with the patches, one or all of them.
    pub pages: Vec<String>,
    patch: String,
}

/// A patch of the usual length: most change some forty lines of one or two files.
fn usual_diff() -> String {
    let hunk = |file: &str, at: usize| {
        let line = |sign: &str, n: usize| {
            format!(
                "{sign}\tret = probe_{file}_{n}(dev, &state, {});\n",
                n * 7919 % 997
            )
        };
        let lines: String = (at..at + 20)
            .map(|n| line([" ", "-", "+", " "][n % 4], n))
            .collect();
        format!("@@ -{at},15 +{at},15 @@ static int {file}_probe(struct device *dev)\n{lines}")
    };
    let file = |name: &str| {
        let head = format!(
            "diff --git a/drivers/base/{name}.c b/drivers/base/{name}.c\nindex 1234567..89abcde 100644\n--- a/drivers/base/{name}.c\n+++ b/drivers/base/{name}.c\n"
        );
        head + &hunk(name, 40) + &hunk(name, 160)
    };
    file("core") + &file("deferred")
}

/// Makes them in a project; `mara` maintains it.
pub async fn queue(db: &Db, project: i64, mara: i64) -> Queue {
    let name = "driver core: rework the probing of deferred devices";
    let cover = seed::cover(db, project, "<0@h>", "[v3,00/97] driver core").await;
    let series = seed::series(db, project, name, 97, Some(cover)).await;
    let texts: Vec<(String, String)> = (1..=100)
        .map(|n| {
            let part = n * 37 % 97;
            let name = format!(
                "[v3,{n:02}/97] driver core: keep the order of deferred devices, part {part}"
            );
            (
                name,
                format!("<20260920{n:06}.1234-{}-ann@example.org>", n * 7919),
            )
        })
        .collect();
    let diff = usual_diff();
    let content = "The order in which deferred devices are probed again depends on when they were put off.\n\n".repeat(6)
        + "Signed-off-by: Ann <ann@example.org>\n";
    let patches: Vec<Patch> = texts
        .iter()
        .zip(1..)
        .map(|((name, msgid), number)| Patch {
            project,
            name,
            msgid,
            day: 10 + number,
            series: (number <= 97).then_some((series, number)),
            delegate: Some(mara),
            content: &content,
            diff: Some(&diff),
            ..Patch::default()
        })
        .collect();
    let ids = seed::patches(db, &patches).await;
    for id in &ids {
        seed::check(db, *id, mara, 1, id % 4, "build").await;
        seed::check(db, *id, mara, 1, 1, "test").await;
    }
    let said = "> +\tret = probe_core_41(dev, &state, 640);\n\nThis can fail.\n\nReviewed-by: Bob <bob@example.org>\n";
    seed::comment(db, Some(ids[1]), None, "<r1@h>", said).await;
    let mut tx = db.begin().await.expect("a transaction");
    let (owner, project) = (UserId(mara), ProjectId(project));
    let bundle: BundleId = store::bundle::insert(&mut tx, owner, project, "all", true)
        .await
        .expect("a bundle");
    let all: Vec<PatchId> = ids.iter().copied().map(PatchId).collect();
    store::bundle::append(&mut tx, bundle, &all)
        .await
        .expect("its patches");
    for id in ids.iter().step_by(3) {
        sql("INSERT INTO patch_tag (patch_id, tag_id, count) VALUES ($1, 2, 1)")
            .bind(*id)
            .run(&mut tx)
            .await
            .expect("a tag");
    }
    let (person,): (i64,) = sql("SELECT min(submitter_id) FROM patch")
        .one(&mut tx)
        .await
        .expect("a submitter");
    tx.commit().await.expect("a commit");
    let patch = format!(
        "/project/one/patch/{}/",
        texts[1].1.trim_matches(['<', '>'])
    );
    let series = format!("/project/one/series/{series}/");
    let person = format!("/project/one/people/{person}/");
    let pages = [
        "/project/one/",
        "/project/one/list/",
        "/project/one/cover/0@h/",
        "/bundle/mara/all/",
    ];
    let mut pages: Vec<String> = pages.map(str::to_owned).into();
    pages.extend([patch.clone(), series, person]);
    Queue { mara, pages, patch }
}

async fn usual_queue(db: &Db) -> Queue {
    let project = seed::project(db, "one").await;
    let mara = seed::user(db, "mara", Some(project)).await;
    queue(db, project, mara).await
}

pub async fn lists_and_patches_are_light(db: &Db) {
    let queue = usual_queue(db).await;
    let site = seed::site(db, |_| {}).await;
    for (who, user) in [("visitor", None), ("maintainer", Some(queue.mara))] {
        let browser = browser(&site, db, user).await;
        for query in ["", "?view=flat", "?order=name&state=*&archive=both"] {
            let page = browser.get(&format!("/project/one/list/{query}")).await;
            assert_eq!(page.texts("tr[data-patch-id] td.c-name a").len(), 100);
            let (raw, packed) = (page.body.len(), packed(page.body.as_bytes()));
            assert!(
                raw <= LIST.0 && packed <= LIST.1,
                "{who} {query}: {raw} bytes, {packed} compressed"
            );
        }
        let page = browser.get(&queue.patch).await;
        assert_eq!((page.status, page.texts(".reply").len()), (200, 1));
        let packed = packed(page.body.as_bytes());
        assert!(packed <= PATCH, "{who}: {packed} bytes of a patch");
    }
}

#[test]
fn our_files_are_light() {
    let mut names: Vec<&str> = assets::all().iter().map(|asset| asset.plain).collect();
    names.sort_unstable();
    let mut known = FILES.map(|(name, _)| name);
    known.sort_unstable();
    assert_eq!(names, known);
    for (name, most) in FILES {
        let file = assets::all().iter().find(|asset| asset.plain == name);
        let bytes = file.expect("a file").bytes;
        let packed = packed(bytes);
        assert!(packed <= most, "{name}: {packed} bytes");
        let text = String::from_utf8_lossy(bytes);
        if name.ends_with(".css") {
            let fetched = text.matches("url(").count() - text.matches("url(\"data:").count();
            assert_eq!(
                fetched - text.matches("url(data:").count(),
                0,
                "the style sheet fetches"
            );
            assert!(!text.contains("@import") && !text.contains("@font-face"));
        }
    }
}

/// What a browser fetches when it opens a page: addresses, as they are written there.
fn fetched(page: &str) -> Vec<String> {
    let html = Html::parse_document(page);
    let elements = html.tree.nodes().filter_map(ElementRef::wrap);
    let addresses = elements.flat_map(|element| {
        let value = element.value();
        let names: &[&str] = match value.name() {
            "link"
                if matches!(
                    value.attr("rel"),
                    Some("alternate" | "canonical" | "next" | "prev")
                ) =>
            {
                &[]
            }
            "link" | "use" | "image" => &["href", "xlink:href"],
            "object" => &["data"],
            _ => &["src", "srcset", "poster", "background"],
        };
        let asks_at_once =
            |trigger: &&str| trigger.contains("load") || trigger.contains("revealed");
        let at_once = value.attr("hx-trigger").filter(asks_at_once);
        let found = names.iter().filter_map(move |name| value.attr(name));
        found.chain(at_once).map(str::to_owned).collect::<Vec<_>>()
    });
    addresses
        .filter(|address| !address.starts_with("data:") && !address.starts_with('#'))
        .collect()
}

pub async fn a_visit_fetches_little(db: &Db) {
    let mut queue = usual_queue(db).await;
    queue.pages.extend(
        [
            "/user/todo/?all=1",
            "/user/todo/one/",
            "/user/",
            "/user/bundles/",
            "/",
        ]
        .map(str::to_owned),
    );
    let site = seed::site(db, |_| {}).await;
    for user in [None, Some(queue.mara)] {
        let browser = browser(&site, db, user).await;
        for path in &queue.pages {
            let page = browser.get(path).await;
            if page.status == 302 {
                continue;
            }
            assert_eq!(page.status, 200, "{path}");
            let fetched = fetched(&page.body);
            // The page itself is one, too.
            assert!(
                !fetched.is_empty() && fetched.len() < REQUESTS,
                "{path}: {fetched:?}"
            );
            for address in &fetched {
                assert!(address.starts_with("/static/"), "{path}: {address}");
            }
            assert_eq!(page.values("script", "src").len(), 2, "{path}");
            assert_eq!(page.values("script[defer]", "src").len(), 2, "{path}");
            let drawings = page.body.split("<svg").skip(1);
            let drawn = drawings.map(|svg| svg.find("</svg>").unwrap_or_default());
            assert!(drawn.sum::<usize>() <= DRAWINGS, "{path}");
        }
    }
}

pub async fn a_login_needs_no_script(db: &Db) {
    let site = seed::site(db, |_| {}).await;
    let browser = browser(&site, db, None).await;
    for (path, status) in [
        ("/user/login/", 200),
        ("/user/password-reset/", 200),
        ("/register/", 200),
        ("/nothing/", 404),
        ("/project/none/list/", 404),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, status, "{path}");
        assert!(page.values("script", "src").is_empty(), "{path}");
        assert_eq!(fetched(&page.body).len(), 1, "{path}: the style sheet");
    }
}

#[test]
fn what_is_fetched_is_found() {
    let page = "<link rel=stylesheet href=/static/a.css><link rel=icon href='data:x'><script src=//x/y.js></script>\
                <img src=/b.png><svg><use href='#c'/><use href='/c.svg#c'/></svg><div hx-get=/d hx-trigger=load></div>";
    let found = ["/static/a.css", "//x/y.js", "/b.png", "/c.svg#c", "load"];
    assert_eq!(fetched(page), found);
}
