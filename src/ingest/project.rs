//! Which project a mail belongs to (`mail.md §4`).

use std::rc::Rc;

use super::{delivery::Delivery, rulebook::Claim};
use crate::{
    domain::{ListId, Project, id::cut, pattern},
    mail::Message,
    store::{self, Conn, Result},
};

/// Returns the project of the list a mail came by; `list` overrules what its headers say.
pub async fn of(
    d: &mut Delivery<'_>,
    message: &Message,
    list: Option<&ListId>,
) -> Result<Option<Rc<Project>>> {
    let candidates = match list {
        Some(list) => std::slice::from_ref(list),
        None => &message.list_ids,
    };
    for list in candidates {
        let claims = d.rulebook.claims(d.tx, list).await?;
        if let Some(project) = claimed(&claims, &message.subject) {
            return Ok(Some(project));
        }
    }
    let lists: Vec<&str> = candidates.iter().map(|list| cut(list.as_str())).collect();
    tracing::info!(
        "{} belongs to no project; its lists: {}",
        message.id,
        lists.join(", ")
    );
    Ok(None)
}

/// The first project whose pattern matches, else the one that takes all.
fn claimed(claims: &[Claim], subject: &str) -> Option<Rc<Project>> {
    let matching = |claim: &&Claim| {
        claim
            .pattern
            .as_ref()
            .is_some_and(|pattern| pattern.is_match(subject))
    };
    let found = claims
        .iter()
        .find(matching)
        .or_else(|| claims.iter().find(|claim| claim.pattern.is_none()));
    found.map(|claim| claim.project.clone())
}

/// Returns the linkname of the project that a mail of a list with this subject would go to.
///
/// # Errors
/// When the database is away.
pub async fn by_subject(conn: &mut Conn, list: &ListId, subject: &str) -> Result<Option<String>> {
    let projects: Vec<Project> = store::project::by_list_id(conn, list)
        .await?
        .into_iter()
        .map(|listed| listed.project)
        .collect();
    let matching = |project: &&Project| {
        !project.subject_match.is_empty()
            && pattern::compile(&project.subject_match).is_ok_and(|it| it.is_match(subject))
    };
    let found = projects.iter().find(matching);
    let found = found.or_else(|| {
        projects
            .iter()
            .find(|project| project.subject_match.is_empty())
    });
    Ok(found.map(|project| project.linkname.clone()))
}
