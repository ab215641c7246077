//! Who may be meant by what somebody is typing (`web.md §18`): JSON that scripts know.

use std::time::Instant;

use rocket::{Route, State, http::ContentType};
use serde::Serialize;

use super::{
    Db, Error,
    error::Result,
    guard::{Pairs, View},
    pace::Pace,
};
use crate::{
    domain::{PersonId, ProjectId, UserId},
    store,
};

/// Shorter texts find nobody.
const LEAST_CHARS: usize = 3;
/// How many are told at most, and how many to those who are not logged in.
const MOST: i64 = 50;
const MOST_TO_ANYBODY: i64 = 10;

/// Returns the routes of suggestions.
pub fn routes() -> Vec<Route> {
    rocket::routes![submitter, delegate]
}

#[derive(Serialize)]
struct Submitter {
    pk: i64,
    name: Option<String>,
    email: String,
}

#[derive(Serialize)]
struct Delegate {
    pk: i64,
    name: String,
}

#[rocket::get("/submitter")]
async fn submitter(
    view: View<'_>,
    pairs: Pairs,
    pace: &State<Pace>,
    mut db: Db<'_>,
) -> Result<(ContentType, String)> {
    let Some(asked) = Asked::read(&mut db, &view, &pairs, pace).await? else {
        return Ok(json::<Submitter>(&[]));
    };
    let found = store::person::suggested(&mut db, asked.text, asked.project, asked.most).await?;
    let shown = |(id, name, email): (PersonId, Option<String>, String)| Submitter {
        pk: id.0,
        name,
        email: match asked.is_known {
            true => email,
            false => shortened(&email),
        },
    };
    Ok(json(&found.into_iter().map(shown).collect::<Vec<_>>()))
}

#[rocket::get("/delegate")]
async fn delegate(
    view: View<'_>,
    pairs: Pairs,
    pace: &State<Pace>,
    mut db: Db<'_>,
) -> Result<(ContentType, String)> {
    let Some(asked) = Asked::read(&mut db, &view, &pairs, pace).await? else {
        return Ok(json::<Delegate>(&[]));
    };
    let only_maintainers = !asked.is_known;
    let found = store::user::suggested(
        &mut db,
        asked.text,
        asked.project,
        only_maintainers,
        asked.most,
    )
    .await?;
    let shown = |(id, name): (UserId, String)| Delegate { pk: id.0, name };
    Ok(json(&found.into_iter().map(shown).collect::<Vec<_>>()))
}

/// What was asked.
struct Asked<'a> {
    text: &'a str,
    project: Option<ProjectId>,
    most: i64,
    is_known: bool,
}

impl<'a> Asked<'a> {
    /// Reads it; `None` where nobody can be found.
    async fn read(
        db: &mut Db<'_>,
        view: &View<'_>,
        pairs: &'a Pairs,
        pace: &Pace,
    ) -> Result<Option<Asked<'a>>> {
        let text = pairs.last("q").unwrap_or_default();
        if text.chars().count() < LEAST_CHARS || text.contains('\0') {
            return Ok(None);
        }
        pace.count(view.client(), Instant::now())?;
        let project = match pairs
            .last("project")
            .filter(|linkname| !linkname.is_empty())
        {
            None => None,
            Some(linkname) => match store::project::by_linkname(db, linkname).await? {
                Some(project) => Some(project.id),
                None => return Err(Error::no_project()),
            },
        };
        let is_known = view.user().is_some();
        let most = if is_known { MOST } else { MOST_TO_ANYBODY };
        let asked = pairs.last("l").and_then(|limit| limit.parse().ok());
        Ok(Some(Asked {
            text,
            project,
            most: asked.filter(|limit| *limit > 0).unwrap_or(most).min(most),
            is_known,
        }))
    }
}

/// Returns an address of which only the host can be read.
fn shortened(email: &str) -> String {
    let host = email.rsplit_once('@').map_or("", |(_, host)| host);
    format!("…@{host}")
}

fn json<T: Serialize>(found: &[T]) -> (ContentType, String) {
    let text = serde_json::to_string(found).unwrap_or_else(|_| "[]".to_owned());
    (ContentType::JSON, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shortened_to_their_host() {
        assert_eq!(shortened("ann.lee@example.org"), "…@example.org");
        assert_eq!(shortened("ann"), "…@");
    }
}
