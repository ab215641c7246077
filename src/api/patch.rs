//! Patches (`rest.md §8.5`).

mod change;

use std::{collections::HashMap, sync::Arc};

use super::{
    answer::Reply,
    embed::{self, CHECK_STATES, MailRef, PersonRef, SeriesRef, UserRef},
    error::{Problem, Result},
    field::{self, Field, Holds},
    filter::{Filter, Means},
    json::Json,
    page::{self, Page},
    query::{Query, msgid, one, some},
    request::{Cx, Projects},
    search::sought,
    version::Version::{V1_1, V1_2},
};
use crate::{
    domain::{Patch, PatchBody, PatchId, Project, RelationId, SeriesId, check::CheckState},
    mail,
    store::{
        Conn,
        patch::search::{self, Brief, Field as By, Row, Search},
    },
};

pub use change::{CHANGES, CHOICES, changes_of_many, known, no_object, update, update_many};

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

/// Answers the list of patches.
pub async fn list(cx: &Cx<'_>) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let page = Page::asked(cx)?;
    let Some(search) = search_of(cx, &mut conn).await? else {
        return page::empty(cx);
    };
    let place = page.within(search::count(&mut conn, &search).await?)?;
    let order = cx.query.order(ORDERS);
    let found = search::page(&mut conn, &search, &order, place.window()).await?;
    let items = items(&mut conn, found.rows).await?;
    drop(conn);
    Ok(place.answer(cx, items, found.next, |json, it| {
        field::write(FIELDS, it, false, cx, json);
    }))
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
    let (words, asked) = sought(cx, conn).await?;
    let search = (|| {
        Some(Search {
            asked,
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
            words,
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
