//! The list of projects, and what there is to know about one.

use patchwork::{
    domain::{ProjectId, StateId, Timestamp},
    store::{self, Db, sql},
};

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
        page.body.contains("1 patch (and 1 archived)"),
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

/// The counts of a project's page and of the list of projects come from a table of counts, not from the patches.
pub async fn what_is_kept_is_what_counting_gives(db: &Db) {
    let site = seed::site(db, |_| {}).await;
    let projects = [
        seed::project(db, "one").await,
        seed::project(db, "two").await,
    ];
    let mut patches = Vec::new();
    for (at, (project, state, archived)) in [
        (0, 1, false),
        (0, 1, false),
        (0, 1, true),
        (0, 3, false),
        (1, 2, true),
    ]
    .into_iter()
    .enumerate()
    {
        patches.push(Patch {
            project: projects[project],
            msgid: ["<1@h>", "<2@h>", "<3@h>", "<4@h>", "<5@h>"][at],
            day: 5 - at as i64,
            state,
            archived,
            ..Patch::default()
        });
    }
    seed::patches(db, &patches).await;
    let mut conn = db.reader().await.expect("a reader");
    for project in projects {
        let kept = store::project::load(&mut conn, ProjectId(project)).await;
        let kept: Vec<_> = kept
            .expect("loads")
            .iter()
            .map(|load| (load.archived, load.state_id, load.count, load.oldest))
            .collect();
        let counting = sql(
            "SELECT archived, state_id, count(*), min(date) FROM patch WHERE project_id = $1 \
             GROUP BY archived, state_id ORDER BY archived, state_id",
        );
        let counted: Vec<(bool, StateId, i64, Timestamp)> =
            counting.bind(project).all(&mut conn).await.expect("counts");
        assert_eq!(kept, counted);
        assert!(!kept.is_empty());
    }
    let overview = store::project::overview(&mut conn).await.expect("projects");
    drop(conn);
    let open: Vec<i64> = overview.iter().map(|one| one.open).collect();
    assert_eq!(open, [2, 0], "new ones wait for somebody");
    assert_eq!(get(&site, "/").await.texts("td.num"), ["2 open", "0 open"]);
}
