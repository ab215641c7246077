//! The page of a submitter.

use patchwork::store::Db;

use super::seed::{self, Patch, get};

pub async fn a_submitter_has_a_page(db: &Db) {
    let project = seed::project(db, "one").await;
    seed::project(db, "two").await;
    let patch = |name, msgid, from| Patch {
        project,
        name,
        msgid,
        from,
        state: 3,
        archived: true,
        ..Patch::default()
    };
    let (ann, bob) = (
        ("Ann", "ann@example.org"),
        ("B\u{202e}ob", "bob@example.org"),
    );
    let all = [patch("by ann", "<a@h>", ann), patch("by bob", "<b@h>", bob)];
    let ids = seed::patches(db, &all).await;
    let reply = seed::comment(db, Some(ids[0]), None, "<c@h>", "Yes.").await;
    let site = seed::site(db, |_| {}).await;
    let page = get(&site, "/project/one/patch/b@h/").await;
    let links = page.values(".heading .facts a", "href");
    let address = links.first().expect("the submitter is a link");
    let page = get(&site, address).await;
    assert_eq!(page.texts("h1"), ["B⟨U+202E⟩ob"]);
    assert_eq!(page.texts("td.c-name"), ["by bob"]);
    assert_eq!(
        page.values(".written li a", "href"),
        [format!("/comment/{reply}/")]
    );
    assert_eq!(page.texts(".written li a"), ["by ann"]);
    assert_eq!(page.statements(), 7);
    let elsewhere = address.replace("/one/", "/two/");
    for missing in [
        elsewhere.as_str(),
        "/project/one/people/999/",
        "/project/one/people/x/",
    ] {
        assert_eq!(get(&site, missing).await.status, 404, "{missing}");
    }
}
