//! The page of a cover letter.

use patchwork::store::Db;

use super::seed::{self, Patch, get};

pub async fn a_cover_shows_its_patches(db: &Db) {
    let project = seed::project(db, "one").await;
    let cover = seed::cover(db, project, "<0@h>", "[0/2] Both").await;
    let series = seed::series(db, project, "Both", 2, Some(cover)).await;
    let of = |number, msgid| Patch {
        project,
        msgid,
        series: Some((series, number)),
        ..Patch::default()
    };
    seed::patches(db, &[of(2, "<2@h>"), of(1, "<1@h>")]).await;
    let comment = seed::comment(db, None, Some(cover), "<c@h>", "<b>fine</b>").await;
    let site = seed::site(db, |_| {}).await;
    let page = get(&site, "/project/one/cover/0@h/").await;
    assert_eq!(page.texts("h1"), ["[0/2] Both"]);
    assert_eq!(
        page.values("#patches td.c-name a", "href"),
        ["/project/one/patch/1@h/", "/project/one/patch/2@h/"]
    );
    assert_eq!(page.values("article.reply", "id"), [comment.to_string()]);
    assert!(!page.body.contains("<b>fine"));
    assert_eq!(page.statements(), 9);
}
