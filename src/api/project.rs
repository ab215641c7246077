//! Projects (`rest.md §8.2`).

use std::collections::HashMap;

use super::{
    answer::Reply,
    embed::{self, UserRef},
    endpoint::Body,
    error::{Faults, Problem, Result},
    field::{self, Change, Field, Holds, Takes},
    input::Text,
    json::Json,
    page::Page,
    person::users,
    query::number,
    request::Cx,
    version::Version::{V1_1, V1_2, V1_4},
};
use crate::{
    domain::{Project, ProjectId, permission::Scope},
    store::{self, Conn, project::By},
};

/// A project as the API shows it.
pub struct Item {
    project: Project,
    maintainers: Vec<UserRef>,
}

/// The fields of a project.
pub const FIELDS: &[Field<Item>] = &[
    Field::<Item>::new("id", Holds::Int, |it, _, json| json.int(it.project.id.0)),
    Field::<Item>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &format!("projects/{}/", it.project.id));
    }),
    Field::<Item>::new("name", Holds::Text, |it, _, json| {
        json.text(&it.project.name)
    }),
    Field::<Item>::new("link_name", Holds::Text, |it, _, json| {
        json.text(&it.project.linkname)
    }),
    Field::<Item>::new("list_id", Holds::Text, |it, _, json| {
        json.text(it.project.list_id.as_str());
    }),
    Field::<Item>::new("list_email", Holds::Text, |it, _, json| {
        json.text(&it.project.list_email)
    }),
    Field::<Item>::new("web_url", Holds::Text, |it, _, json| {
        json.text(&it.project.web_url)
    }),
    Field::<Item>::new("scm_url", Holds::Text, |it, _, json| {
        json.text(&it.project.scm_url)
    }),
    Field::<Item>::new("webscm_url", Holds::Text, |it, _, json| {
        json.text(&it.project.webscm_url)
    }),
    Field::<Item>::new("maintainers", Holds::Many("User"), |it, cx, json| {
        json.list(&it.maintainers, |json, user| {
            field::write(embed::USER, user, true, cx, json)
        });
    }),
    Field::<Item>::new("subject_match", Holds::Text, |it, _, json| {
        json.text(&it.project.subject_match);
    })
    .since(V1_1),
    Field::<Item>::new("list_archive_url", Holds::Text, |it, _, json| {
        json.text(&it.project.list_archive_url);
    })
    .since(V1_2),
    Field::<Item>::new("list_archive_url_format", Holds::Text, |it, _, json| {
        json.text(&it.project.list_archive_url_format);
    })
    .since(V1_2),
    Field::<Item>::new("commit_url_format", Holds::Text, |it, _, json| {
        json.text(&it.project.commit_url_format);
    })
    .since(V1_2),
    Field::<Item>::new("show_dependencies", Holds::Bool, |it, _, json| {
        json.bool(it.project.show_dependencies);
    })
    .since(V1_4),
];

/// What lists may be sorted by.
pub const ORDERS: &[(&str, By)] = &[
    ("id", By::Id),
    ("name", By::Name),
    ("link_name", By::Linkname),
    ("list_id", By::ListId),
];

/// What may be written. Compatibility: also what the version asked for does not show.
pub const CHANGES: &[Change] = &[
    Change::new("web_url", Takes::Text(ADDRESS)),
    Change::new("scm_url", Takes::Text(ADDRESS)),
    Change::new("webscm_url", Takes::Text(ADDRESS)),
    Change::new("list_archive_url", Takes::Text(ADDRESS)),
    Change::new(
        "list_archive_url_format",
        Takes::Like(ONE_PLACE, &[], ADDRESS),
    ),
    Change::new("commit_url_format", Takes::Like(ONE_PLACE, &[], ADDRESS)),
    Change::new("show_dependencies", Takes::Flag),
];

/// What [`is_format_of_one`] says, as a pattern.
const ONE_PLACE: &str = r"^(?:\s*|[^{}\u0000]*\{\}[^{}\u0000]*)$";

/// Answers the list of projects.
pub async fn list(cx: &Cx<'_>) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let words = cx.query.words();
    let place = Page::asked(cx)?.within(store::project::count(&mut conn, &words).await?)?;
    let order = cx.query.order(ORDERS);
    let found = store::project::page(&mut conn, &words, &order, place.window()).await?;
    let items = items(&mut conn, found.rows).await?;
    Ok(place.answer(cx, items, found.next, |json, it| {
        field::write(FIELDS, it, false, cx, json);
    }))
}

/// Answers one project.
pub async fn detail(cx: &Cx<'_>, name: &str) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let project = called(&mut conn, name).await?;
    told(cx, &mut conn, project).await
}

/// Returns the project with this id, else the one with exactly this name in URLs.
async fn called(conn: &mut Conn, name: &str) -> Result<Project> {
    if let Some(id) = number(name)
        && let Some(project) = store::project::by_id(conn, ProjectId(id)).await?
    {
        return Ok(project);
    }
    let project = store::project::by_linkname(conn, name).await?;
    project.ok_or(Problem::Missing("Project"))
}

async fn told(cx: &Cx<'_>, conn: &mut Conn, project: Project) -> Result<Reply> {
    let items = items(conn, vec![project]).await?;
    let mut json = Json::default();
    for item in &items {
        field::write(FIELDS, item, true, cx, &mut json);
    }
    Ok(Reply::ok(json.into_string()))
}

async fn items(conn: &mut Conn, projects: Vec<Project>) -> Result<Vec<Item>> {
    let ids: Vec<ProjectId> = projects.iter().map(|project| project.id).collect();
    let pairs = store::user::maintainers(conn, &ids).await?;
    let users = users(conn, pairs.iter().map(|(_, user)| *user).collect()).await?;
    let mut by_project: HashMap<ProjectId, Vec<UserRef>> = HashMap::new();
    for (project, user) in pairs {
        let known = users.get(&user).cloned();
        by_project.entry(project).or_default().extend(known);
    }
    let item = |project: Project| Item {
        maintainers: by_project.remove(&project.id).unwrap_or_default(),
        project,
    };
    Ok(projects.into_iter().map(item).collect())
}

const ADDRESS: Text = Text {
    most: 2000,
    blank: true,
    null: false,
};

/// Changes what maintainers may change of their project.
pub async fn update(cx: &Cx<'_>, name: &str, body: Body, is_put: bool) -> Result<Reply> {
    let mut tx = cx.begin().await?;
    let mut project = called(&mut tx, name).await?;
    let caller = cx.writer(Scope::Write)?;
    if !caller.rights.maintains(project.id) {
        return Err(Problem::Forbidden);
    }
    let input = body.read().await?;
    let mut faults = Faults::default();
    for (field, value, is_format) in [
        ("web_url", &mut project.web_url, false),
        ("scm_url", &mut project.scm_url, false),
        ("webscm_url", &mut project.webscm_url, false),
        ("list_archive_url", &mut project.list_archive_url, false),
        (
            "list_archive_url_format",
            &mut project.list_archive_url_format,
            true,
        ),
        ("commit_url_format", &mut project.commit_url_format, true),
    ] {
        let Some(given) = input.get(field) else {
            continue;
        };
        let read = given.text(ADDRESS).and_then(|text| {
            let text = text.unwrap_or_default();
            match is_format && !is_format_of_one(&text) {
                true => {
                    Err("Write {} once, where the id is to stand, and no other braces.".to_owned())
                }
                false => Ok(text),
            }
        });
        if let Some(text) = faults.take(field, read) {
            *value = text;
        }
    }
    if let Some(is_shown) = input.flag("show_dependencies", is_put, &mut faults) {
        project.show_dependencies = is_shown;
    }
    let project = faults.none(project)?;
    store::project::update(&mut tx, &project).await?;
    let reply = told(cx, &mut tx, project).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Says whether a text has one place for an id and no other braces; an empty one is none at all.
fn is_format_of_one(text: &str) -> bool {
    let rest = text.replacen("{}", "", 1);
    text.is_empty() || (rest.len() < text.len() && !rest.contains(['{', '}']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_one_place() {
        for good in ["", "https://x/{}", "https://x/{}/a"] {
            assert!(is_format_of_one(good), "{good}");
        }
        for bad in ["https://x", "https://x/{}{}", "{x}", "{", "{}}"] {
            assert!(!is_format_of_one(bad), "{bad}");
        }
    }
}
