//! The page of a series.

use patchwork::store::Db;

use super::seed::{self, Patch, get};

pub async fn a_series_names_what_is_missing(db: &Db) {
    let project = seed::project(db, "one").await;
    let first = seed::series(db, project, "Both", 3, None).await;
    let again = seed::series(db, project, "[v2] both", 1, None).await;
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
        page.values(".members li a", "href"),
        [format!("/project/one/series/{again}/")]
    );
    assert!(page.statements() <= 8, "{}", page.statements());
    assert_eq!(get(&site, "/project/one/series/99/").await.status, 404);
}
