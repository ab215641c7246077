//! Changing patches: one, or many at a time; all that a body says, or nothing.

use std::collections::HashMap;

use super::{FIELDS, detail, items};
use crate::{
    api::{
        answer::Reply,
        endpoint::Body,
        error::{Faults, Problem, Result},
        field::{self, Change, Takes},
        input::{Given, Input, NOT_BLANK, Text, kind},
        json::Json,
        request::Cx,
        version::Version::V1_2,
    },
    auth::Caller,
    domain::{
        Patch, PatchId, ProjectId, RelationId, SeriesId, State, UserId, change::PatchChange,
        permission::Scope,
    },
    store::{
        self, Conn, Tx,
        patch::search::{self, Brief},
    },
};

/// What may be written.
pub const CHANGES: &[Change] = &[
    Change::new("commit_ref", Takes::Text(REF)),
    Change::new("pull_url", Takes::Text(REF)),
    Change::new("state", Takes::Like(NOT_BLANK, &[], STATE)).required(),
    Change::new("archived", Takes::Flag),
    Change::new("delegate", Takes::OptionalId).required(),
    RELATED,
];

const RELATED: Change = Change::new("related", Takes::Ids(0, usize::MAX)).since(V1_2);

/// What chooses the patches of a change to many: one of these.
pub const CHOICES: &[Change] = &[
    Change::new("ids", Takes::Ids(1, MOST)),
    Change::new("series", Takes::Id),
];

/// Returns what may be written of many patches at once.
pub fn changes_of_many() -> impl Iterator<Item = &'static Change> {
    let own = CHANGES.iter().filter(|change| change.name != RELATED.name);
    CHOICES.iter().chain(own)
}

/// What the body of a change says, checked as far as that needs no database.
#[derive(Default)]
struct Asked {
    change: PatchChange,
    delegate: Option<Option<i64>>,
    related: Option<Vec<i64>>,
}

/// The states that a body may name.
async fn states(conn: &mut Conn) -> Result<Vec<State>> {
    Ok(store::state::all(conn).await?)
}

const REF: Text = Text {
    most: 255,
    blank: true,
    null: true,
};

const STATE: Text = Text {
    most: usize::MAX,
    blank: false,
    null: false,
};

fn asked(input: &Input, states: &[State], cx: &Cx<'_>, is_put: bool, faults: &mut Faults) -> Asked {
    let mut asked = Asked::default();
    if let Some(given) = input.get("commit_ref") {
        asked.change.commit_ref = faults.take("commit_ref", given.text(REF));
    }
    if let Some(given) = input.get("pull_url") {
        asked.change.pull_url = faults.take("pull_url", given.text(REF));
    }
    match input.get("state") {
        Some(given) => {
            let read = state(&given, states);
            asked.change.state = faults.take("state", read).map(|state| state.id);
        }
        None if is_put => faults.add("state", "This field is required."),
        None => {}
    }
    asked.change.archived = input.flag("archived", is_put, faults);
    match input.get("delegate") {
        Some(given) => asked.delegate = faults.take("delegate", given.optional_id()),
        None if is_put => faults.add("delegate", "This field is required."),
        None => {}
    }
    if let Some(given) = input.get("related").filter(|_| cx.version >= V1_2) {
        asked.related = faults.take("related", given.ids());
    }
    asked
}

fn state<'a>(given: &Given<'_>, states: &'a [State]) -> Result<&'a State, String> {
    if let Given::Json(value) = given
        && !value.is_string()
        && !value.is_null()
    {
        let kind = kind(value);
        return Err(format!(
            "Incorrect type. Expected string value, received {kind}."
        ));
    }
    let text = given.text(STATE)?;
    let slug = text.unwrap_or_default().to_lowercase().replace(' ', "-");
    states
        .iter()
        .find(|state| state.slug == slug)
        .ok_or_else(|| {
            let all: Vec<&str> = states.iter().map(|state| state.slug.as_str()).collect();
            format!("Invalid state {slug}. Expected one of: {}", all.join(", "))
        })
}

/// Changes one patch and answers it as it is then.
pub async fn update(cx: &Cx<'_>, id: i64, body: Body, is_put: bool) -> Result<Reply> {
    let mut tx = cx.begin().await?;
    let patch = store::patch::by_id(&mut tx, PatchId(id)).await?;
    let patch = patch.ok_or(Problem::Missing("Patch"))?;
    let caller = cx.writer(Scope::Write)?;
    if !caller.rights.may_edit(&patch) {
        return Err(Problem::Forbidden);
    }
    let input = body.read().await?;
    let states = states(&mut tx).await?;
    let mut faults = Faults::default();
    let mut asked = asked(&input, &states, cx, is_put, &mut faults);
    delegate(&mut tx, &mut asked, &[&patch], &mut faults).await?;
    let others = others(&mut tx, &mut asked, &mut faults).await?;
    let (asked, others) = faults.none((asked, others))?;
    let by = cx.actor(caller);
    store::patch::change::apply(&mut tx, &[patch.id], &asked.change, &by).await?;
    if let Some(others) = others {
        relate(&mut tx, cx, caller, &patch, &others).await?;
    }
    tx.commit().await?;
    detail(cx, id).await
}

/// Sees that the user named may have patches on the desk.
async fn delegate(
    tx: &mut Tx,
    asked: &mut Asked,
    patches: &[&Patch],
    faults: &mut Faults,
) -> Result<()> {
    let Some(wanted) = asked.delegate else {
        return Ok(());
    };
    let Some(id) = wanted else {
        asked.change.delegate = Some(None);
        return Ok(());
    };
    let Some(user) = store::user::by_id(tx, UserId(id)).await? else {
        faults.add("delegate", no_object(id));
        return Ok(());
    };
    let mut projects: Vec<ProjectId> = patches.iter().map(|patch| patch.project_id).collect();
    projects.sort_unstable();
    projects.dedup();
    let rights = store::user::rights(tx, user.id).await?;
    for project in projects
        .into_iter()
        .filter(|project| !rights.maintains(*project))
    {
        let project = store::project::by_id(tx, project).await?;
        let name = project.map(|project| project.name).unwrap_or_default();
        let user = user.shown();
        faults.add(
            "delegate",
            format!("User '{user}' is not a maintainer for project '{name}'"),
        );
    }
    asked.change.delegate = Some(Some(user.id));
    Ok(())
}

/// Says that nothing has an id.
pub fn no_object(id: i64) -> String {
    format!("Invalid pk \"{id}\" - object does not exist.")
}

/// Returns the patches that are to be related.
async fn others(tx: &mut Tx, asked: &mut Asked, faults: &mut Faults) -> Result<Option<Vec<Brief>>> {
    match asked.related.take() {
        None => Ok(None),
        Some(ids) => known(tx, "related", &ids, faults).await.map(Some),
    }
}

/// Returns patches in the order in which they are named, each once.
pub async fn known(
    conn: &mut Conn,
    field: &'static str,
    ids: &[i64],
    faults: &mut Faults,
) -> Result<Vec<Brief>> {
    let wanted: Vec<PatchId> = ids.iter().map(|id| PatchId(*id)).collect();
    let found = search::briefs(conn, &wanted).await?;
    let mut by_id: HashMap<PatchId, Brief> = found.into_iter().map(|it| (it.id, it)).collect();
    let missing = wanted.iter().find(|id| !by_id.contains_key(*id));
    if let Some(missing) = missing {
        faults.add(field, no_object(missing.0));
    }
    Ok(wanted.iter().filter_map(|id| by_id.remove(id)).collect())
}

const FOREIGN: &str = "At least one patch is part of a project you are not maintaining.";

/// Relates a patch to others, or takes it out of its relation when there are none (`domain.md §3`).
async fn relate(
    tx: &mut Tx,
    cx: &Cx<'_>,
    caller: &Caller,
    patch: &Patch,
    others: &[Brief],
) -> Result<()> {
    let relations: Vec<RelationId> = patch.related_id.into_iter().collect();
    let now = search::related(tx, &relations).await?;
    let involved = now.iter().chain(others).map(|brief| brief.project_id);
    let mut involved = involved.chain([patch.project_id]);
    if !involved.all(|project| caller.rights.maintains(project)) {
        return Err(Problem::ForbiddenFor(FOREIGN));
    }
    let by = cx.actor(caller);
    if others.is_empty() {
        return Ok(store::relation::leave(tx, patch.id, &by).await?);
    }
    let ids: Vec<PatchId> = others.iter().map(|brief| brief.id).collect();
    store::relation::extend(tx, patch.id, &ids, &by)
        .await?
        .map_err(|_| Problem::relations())
}

/// How many patches are changed at once.
const MOST: usize = 1000;

/// Makes the same change to many patches, all or none: those of `ids`, or of `series`. Answers them as they are then.
pub async fn update_many(cx: &Cx<'_>, body: Body) -> Result<Reply> {
    let caller = cx.writer(Scope::Write)?;
    let input = body.read().await?;
    let mut tx = cx.begin().await?;
    let mut faults = Faults::default();
    let ids = chosen(&mut tx, &input, &mut faults).await?;
    let ids = faults.none(ids)?;
    let rows = search::rows(&mut tx, &ids).await?;
    let patches: Vec<&Patch> = rows.iter().map(|row| &row.patch).collect();
    if !patches.iter().all(|patch| caller.rights.may_edit(patch)) {
        return Err(Problem::Forbidden);
    }
    let states = states(&mut tx).await?;
    let mut faults = Faults::default();
    let mut asked = asked(&input, &states, cx, false, &mut faults);
    if asked.related.take().is_some() {
        faults.add("related", "Relations are changed for one patch at a time.");
    }
    delegate(&mut tx, &mut asked, &patches, &mut faults).await?;
    let asked = faults.none(asked)?;
    let by = cx.actor(caller);
    store::patch::change::apply(&mut tx, &ids, &asked.change, &by).await?;
    tx.commit().await?;
    let mut conn = cx.reader().await?;
    let mut rows = search::rows(&mut conn, &ids).await?;
    rows.sort_by_cached_key(|row| ids.iter().position(|id| *id == row.patch.id));
    let items = items(&mut conn, rows).await?;
    let mut json = Json::default();
    json.list(&items, |json, it| field::write(FIELDS, it, false, cx, json));
    Ok(Reply::ok(json.into_string()))
}

/// Returns the patches that a body chooses.
async fn chosen(tx: &mut Tx, input: &Input, faults: &mut Faults) -> Result<Vec<PatchId>> {
    let found = match (input.get("ids"), input.get("series")) {
        (Some(given), None) => match faults.take("ids", given.ids()) {
            Some(ids) if ids.len() > MOST => {
                faults.add(
                    "ids",
                    format!("Ensure this field has no more than {MOST} elements."),
                );
                Vec::new()
            }
            Some(ids) if ids.is_empty() => {
                faults.add("ids", "There are no such patches.");
                Vec::new()
            }
            Some(ids) => known(tx, "ids", &ids, faults).await?,
            None => Vec::new(),
        },
        (None, Some(given)) => match faults.take("series", given.id()) {
            Some(id) => of_series(tx, id, faults).await?,
            None => Vec::new(),
        },
        _ => {
            faults.add(
                "ids",
                "Name the patches by `ids`, or all of a series by `series`.",
            );
            Vec::new()
        }
    };
    Ok(found.into_iter().map(|brief| brief.id).collect())
}

/// Returns the patches of a series; one without patches may as well not be there.
async fn of_series(tx: &mut Tx, id: i64, faults: &mut Faults) -> Result<Vec<Brief>> {
    let found = search::of_series(tx, &[SeriesId(id)]).await?;
    if found.is_empty() {
        faults.add("series", no_object(id));
    }
    Ok(found)
}
