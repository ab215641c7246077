//! Patches (`rest.md §8.5`).

use std::{collections::HashMap, sync::Arc};

use super::{
    answer::Reply,
    embed::{self, CHECK_STATES, MailRef, PersonRef, SeriesRef, UserRef},
    endpoint::Body,
    error::{Faults, Problem, Result},
    field::{self, Change, Field, Holds, Takes},
    filter::{Filter, Means},
    input::{Given, Input, NOT_BLANK, Text, kind},
    json::Json,
    page::{self, Page},
    query::{Query, Wanted},
    request::{Cx, Projects},
    version::Version::{V1_1, V1_2},
};
use crate::{
    auth::Caller,
    domain::{
        MessageId, Patch, PatchBody, PatchId, Project, ProjectId, RelationId, SeriesId, State,
        change::PatchChange, check::CheckState, permission::Scope,
    },
    mail,
    store::{
        self, Conn, Tx,
        patch::search::{self, Brief, Field as By, Row, Search},
    },
};

/// A patch as the API shows it.
pub struct Item {
    patch: Patch,
    project: Arc<Project>,
    state: String,
    submitter: PersonRef,
    delegate: Option<UserRef>,
    series: Option<SeriesRef>,
    check: CheckState,
    related: Vec<MailRef>,
    body: PatchBody,
}

impl Item {
    fn path(&self, cx: &Cx<'_>) -> String {
        cx.site
            .links
            .patch(&self.project.linkname, &self.patch.msgid)
    }
}

/// The fields of a patch.
pub const FIELDS: &[Field<Item>] = &[
    Field::<Item>::new("id", Holds::Int, |it, _, json| json.int(it.patch.id.0)),
    Field::<Item>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &format!("patches/{}/", it.patch.id));
    }),
    Field::<Item>::new("web_url", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&it.path(cx)))
    })
    .since(V1_1),
    Field::<Item>::new("project", Holds::One("Project"), |it, cx, json| {
        field::write(embed::PROJECT, &*it.project, true, cx, json);
    }),
    Field::<Item>::new("msgid", Holds::MessageId, |it, _, json| {
        json.text(it.patch.msgid.as_str())
    }),
    Field::<Item>::new("list_archive_url", Holds::OptionalText, |it, _, json| {
        json.optional(it.project.archive_url(&it.patch.msgid).as_deref());
    })
    .since(V1_2),
    Field::<Item>::new("date", Holds::Moment, |it, _, json| {
        json.moment(it.patch.date)
    }),
    Field::<Item>::new("name", Holds::Text, |it, _, json| json.text(&it.patch.name)),
    Field::<Item>::new("commit_ref", Holds::OptionalText, |it, _, json| {
        json.optional(it.patch.commit_ref.as_deref());
    }),
    Field::<Item>::new("pull_url", Holds::OptionalText, |it, _, json| {
        json.optional(it.patch.pull_url.as_deref());
    }),
    Field::<Item>::new("state", Holds::Text, |it, _, json| json.text(&it.state)),
    Field::<Item>::new("archived", Holds::Bool, |it, _, json| {
        json.bool(it.patch.archived)
    }),
    Field::<Item>::new("hash", Holds::Hash, |it, _, json| {
        json.optional(it.patch.hash.as_ref().map(|hash| hash.as_str()));
    }),
    Field::<Item>::new("submitter", Holds::One("Person"), |it, cx, json| {
        field::write(embed::PERSON, &it.submitter, true, cx, json);
    }),
    Field::<Item>::new("delegate", Holds::Optional("User"), |it, cx, json| {
        embed::optional(embed::USER, it.delegate.as_ref(), cx, json);
    }),
    Field::<Item>::new("mbox", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&format!("{}mbox/", it.path(cx))));
    }),
    Field::<Item>::new("series", Holds::Many("Series"), |it, cx, json| {
        json.list(&it.series, |json, series| {
            field::write(embed::SERIES, series, true, cx, json);
        });
    }),
    // Compatibility: the lists below are always named in the newest form.
    Field::<Item>::new("comments", Holds::Url, |it, cx, json| {
        json.text(&cx.newest_url(&format!("patches/{}/comments/", it.patch.id)));
    })
    .since(V1_1),
    Field::<Item>::new("check", Holds::Word(CHECK_STATES), |it, _, json| {
        json.text(it.check.word())
    }),
    Field::<Item>::new("checks", Holds::Url, |it, cx, json| {
        json.text(&cx.newest_url(&format!("patches/{}/checks/", it.patch.id)));
    }),
    // Compatibility: there are tags, but this has always been empty, and a client takes it for a map of counts.
    Field::<Item>::new("tags", Holds::Empty, |_, _, json| json.object(|_| {})),
    Field::<Item>::new("related", Holds::Many("Patch"), |it, cx, json| {
        json.list(&it.related, |json, one| {
            field::write(embed::PATCH, one, true, cx, json)
        });
    })
    .since(V1_2),
    Field::<Item>::new("headers", Holds::Headers, |it, _, json| {
        headers(&it.body.headers, json)
    })
    .in_detail_only(),
    Field::<Item>::new("content", Holds::OptionalText, |it, _, json| {
        json.optional(it.body.content.as_deref());
    })
    .in_detail_only(),
    Field::<Item>::new("diff", Holds::OptionalText, |it, _, json| {
        json.optional(it.body.diff.as_deref());
    })
    .in_detail_only(),
    Field::<Item>::new("prefixes", Holds::Texts, |it, _, json| {
        json.list(prefixes(&it.patch.name), Json::text);
    })
    .in_detail_only(),
];

/// Writes headers as an object: one that occurs several times is a list, under its first spelling.
pub fn headers(stored: &str, json: &mut Json) {
    let mut by_name: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, value) in mail::header::fields(stored) {
        match by_name
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            Some((_, values)) => values.push(value),
            None => by_name.push((name, vec![value])),
        }
    }
    json.object(|members| {
        for (name, values) in &by_name {
            let value = members.key(name);
            match &values[..] {
                [one] => value.text(one),
                many => value.list(many, |json, one| json.text(one)),
            }
        }
    });
}

/// Returns what stands in brackets before a name.
fn prefixes(name: &str) -> impl Iterator<Item = &str> {
    let inside = name.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    inside.into_iter().flat_map(|(inside, _)| inside.split(','))
}

/// What lists may be sorted by.
pub const ORDERS: &[(&str, By)] = &[
    ("id", By::Id),
    ("name", By::Name),
    ("project", By::Project),
    ("date", By::Date),
    ("state", By::State),
    ("archived", By::Archived),
    ("submitter", By::Submitter),
    ("check", By::Check),
];

/// What lists may be filtered by.
pub const FILTERS: &[Filter] = &[
    Filter::new("project", Means::Project),
    Filter::new("series", Means::Id),
    Filter::new("submitter", Means::Person),
    Filter::new("delegate", Means::User),
    Filter::new("state", Means::State),
    Filter::new("archived", Means::Bool),
    Filter::new("since", Means::Since),
    Filter::new("before", Means::Before),
    Filter::new("hash", Means::Text).since(V1_2),
    Filter::new("msgid", Means::Text).since(V1_2),
];

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

/// Answers the list of patches.
pub async fn list(cx: &Cx<'_>) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let page = Page::asked(cx)?;
    let Some(search) = search_of(cx, &mut conn).await? else {
        return page::empty(cx);
    };
    let place = page.within(search::count(&mut conn, &search).await?)?;
    let order = cx.query.order(ORDERS);
    let rows = search::page(&mut conn, &search, &order, place.window()).await?;
    let items = items(&mut conn, rows).await?;
    drop(conn);
    Ok(place.answer(
        cx,
        items,
        |it| it.patch.id.0,
        |json, it| {
            field::write(FIELDS, it, false, cx, json);
        },
    ))
}

/// Returns what the query asks for; `None` when nothing can match.
async fn search_of(cx: &Cx<'_>, conn: &mut Conn) -> Result<Option<Search>> {
    let query = &cx.query;
    let wanted = (
        cx.projects(conn).await?,
        query.ids("series", SeriesId),
        cx.people(conn, "submitter").await?,
        cx.users(conn, "delegate").await?,
        cx.states(conn).await?,
        query.moment("since"),
        query.moment("before"),
    );
    let (projects, series, submitters, delegates, states, since, before) = wanted;
    let search = (|| {
        Some(Search {
            projects: some(projects)?,
            series: some(series)?,
            submitters: some(submitters)?,
            delegates: some(delegates)?,
            states: some(states)?,
            archived: query.bool("archived"),
            since: one(since)?,
            before: one(before)?,
            hash: None,
            msgid: None,
            words: query.words(),
        })
    })();
    Ok(search.map(|search| match cx.version >= V1_2 {
        // Compatibility: older versions do not know these filters, and leave the list as it is.
        true => with_texts(search, query),
        false => search,
    }))
}

fn with_texts(search: Search, query: &Query) -> Search {
    Search {
        hash: query.last("hash").map(str::to_lowercase),
        msgid: query.last("msgid").map(msgid),
        ..search
    }
}

/// Takes a message id with or without its brackets.
pub fn msgid(text: &str) -> MessageId {
    MessageId::from_url(text.trim_matches(['<', '>']))
}

/// Returns what a filter asks for, as a list in which nothing means anything; `None` when nothing can match.
pub fn some<T>(wanted: Wanted<Vec<T>>) -> Option<Vec<T>> {
    match wanted {
        Wanted::Any => Some(Vec::new()),
        Wanted::These(some) => Some(some),
        Wanted::Nothing => None,
    }
}

/// Returns what a filter asks for, if it does; the outer `None` when nothing can match.
pub fn one<T>(wanted: Wanted<T>) -> Option<Option<T>> {
    match wanted {
        Wanted::Any => Some(None),
        Wanted::These(one) => Some(Some(one)),
        Wanted::Nothing => None,
    }
}

/// Completes rows with what they refer to.
async fn items(conn: &mut Conn, rows: Vec<Row>) -> Result<Vec<Item>> {
    let relations: Vec<RelationId> = rows.iter().filter_map(|row| row.patch.related_id).collect();
    let mut related: HashMap<RelationId, Vec<Brief>> = HashMap::new();
    for brief in search::related(conn, &relations).await? {
        if let Some(relation) = brief.related_id {
            related.entry(relation).or_default().push(brief);
        }
    }
    let own = rows.iter().map(|row| row.patch.project_id);
    let others = related.values().flatten().map(|brief| brief.project_id);
    let projects = Projects::read(conn, own.chain(others).collect()).await?;
    let items = rows
        .into_iter()
        .filter_map(|row| item(row, &projects, &related));
    Ok(items.collect())
}

fn item(row: Row, projects: &Projects, related: &HashMap<RelationId, Vec<Brief>>) -> Option<Item> {
    let project = projects.get(row.patch.project_id)?.clone();
    let check = row.check();
    let patch = row.patch;
    let relation = patch.related_id.and_then(|relation| related.get(&relation));
    let others = relation
        .into_iter()
        .flatten()
        .filter(|brief| brief.id != patch.id);
    let others =
        others.filter_map(|brief| Some(MailRef::patch(brief, projects.get(brief.project_id)?)));
    let series = patch.series_id.zip(row.series_date).zip(row.series_version);
    Some(Item {
        related: others.collect(),
        state: row.state,
        submitter: PersonRef {
            id: patch.submitter_id,
            name: row.submitter_name,
            email: row.submitter_email,
        },
        delegate: patch
            .delegate_id
            .zip(row.delegate_username)
            .map(|(id, username)| UserRef {
                id,
                username,
                first_name: row.delegate_first.unwrap_or_default(),
                last_name: row.delegate_last.unwrap_or_default(),
                email: row.delegate_email.unwrap_or_default(),
            }),
        series: series.map(|((id, date), version)| SeriesRef {
            id,
            project: project.clone(),
            name: row.series_name,
            date,
            version,
        }),
        body: PatchBody::default(),
        check,
        project,
        patch,
    })
}

/// Answers one patch.
pub async fn detail(cx: &Cx<'_>, id: i64) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let whole = search::whole(&mut conn, PatchId(id)).await?;
    let whole = whole.ok_or(Problem::Missing("Patch"))?;
    let mut item = items(&mut conn, vec![whole.row]).await?;
    drop(conn);
    let mut item = item.pop().ok_or(Problem::Missing("Patch"))?;
    item.body = whole.body;
    let mut json = Json::default();
    field::write(FIELDS, &item, true, cx, &mut json);
    Ok(Reply::ok(json.into_string()))
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
    match input.get("archived") {
        Some(given) => asked.change.archived = faults.take("archived", given.bool()),
        // Compatibility: browsers do not send a box that is not ticked.
        None if is_put && input.is_form() => asked.change.archived = Some(false),
        None => {}
    }
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
    let Some(user) = store::user::by_id(tx, crate::domain::UserId(id)).await? else {
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
            Some(ids) => known(tx, "ids", &ids, faults).await?,
            None => Vec::new(),
        },
        (None, Some(given)) => match faults.take("series", given.id()) {
            Some(id) => search::of_series(tx, &[SeriesId(id)]).await?,
            None => return Ok(Vec::new()),
        },
        _ => {
            faults.add(
                "ids",
                "Name the patches by `ids`, or all of a series by `series`.",
            );
            return Ok(Vec::new());
        }
    };
    if found.is_empty() {
        faults.add("ids", "There are no such patches.");
    }
    Ok(found.into_iter().map(|brief| brief.id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_what_stands_in_brackets() {
        let of = |name| prefixes(name).collect::<Vec<_>>();
        assert_eq!(of("[v2,1/2] a"), ["v2", "1/2"]);
        assert_eq!(of("[GIT,PULL] a"), ["GIT", "PULL"]);
        assert!(of("a [b]").is_empty() && of("[a").is_empty());
    }

    #[test]
    fn headers_that_repeat_are_lists_under_their_first_spelling() {
        let mut json = Json::default();
        headers(
            "To: a\nReceived: x\n y\nReceived: z\nSubject: =?x?q?y?=\nTO: b\n",
            &mut json,
        );
        assert_eq!(
            json.into_string(),
            r#"{"To":["a","b"],"Received":["x\n y","z"],"Subject":"=?x?q?y?="}"#
        );
    }
}
