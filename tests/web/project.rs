//! The list of projects, and what there is to know about one.

use patchwork::store::Db;

use super::seed::{self, Patch, get};

pub async fn projects_are_listed(db: &Db) {
    let site = seed::site(db, |_| {}).await;
    assert!(get(&site, "/").await.body.contains("no project yet"));
    seed::project(db, "one").await;
    let only = get(&site, "/").await;
    assert_eq!(
        (only.status, only.header("Location")),
        (302, "/project/one/list/")
    );
    seed::project(db, "two").await;
    let page = get(&site, "/").await;
    assert_eq!(
        page.values("tbody th a", "href"),
        ["/project/one/list/", "/project/two/list/"]
    );
    assert_eq!(page.statements(), 1);
}

pub async fn a_project_tells_of_itself(db: &Db) {
    let site = seed::site(db, |_| {}).await;
    let project = seed::project(db, "one").await;
    seed::any_patch(db, project).await;
    seed::patch(
        db,
        Patch {
            project,
            msgid: "<b@h>",
            archived: true,
            ..Patch::default()
        },
    )
    .await;
    let page = get(&site, "/project/one/").await;
    assert!(
        page.body.contains("1 patches (and 1 archived)"),
        "{}",
        page.body
    );
    assert!(page.body.contains("None yet"));
    seed::user(db, "mara", Some(project)).await;
    let page = get(&site, "/project/one/").await;
    assert_eq!(page.texts("ul.plain li"), ["mara"]);
    assert_eq!(page.statements(), 6);
    assert_eq!(get(&site, "/project/none/").await.status, 404);
}
