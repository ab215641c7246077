//! Cover letters (`rest.md §8.8`). Only to read.

use std::{collections::HashMap, sync::Arc};

use super::{
    answer::Reply,
    embed::{self, PersonRef, SeriesRef},
    error::{Problem, Result},
    field::{self, Field, Holds},
    filter::{Filter, Means},
    json::Json,
    page::{self, Page},
    patch::headers,
    query::{Wanted, msgid, one, some},
    request::{Cx, Projects},
    search::sought,
    version::Version::{V1_1, V1_2},
};
use crate::{
    domain::{CoverId, Project, SeriesId, cover::Cover},
    store::{
        self, Conn,
        cover::{By, Search},
    },
};

/// A cover letter as the API shows it.
pub struct Item {
    cover: Cover,
    project: Arc<Project>,
    series: Option<SeriesRef>,
}

impl Item {
    fn path(&self, cx: &Cx<'_>) -> String {
        cx.site
            .links
            .cover(&self.project.linkname, &self.cover.msgid)
    }
}

/// The fields of a cover letter.
pub const FIELDS: &[Field<Item>] = &[
    Field::<Item>::new("id", Holds::Int, |it, _, json| json.int(it.cover.id.0)),
    Field::<Item>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &format!("covers/{}/", it.cover.id));
    }),
    Field::<Item>::new("web_url", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&it.path(cx)))
    })
    .since(V1_1),
    Field::<Item>::new("project", Holds::One("Project"), |it, cx, json| {
        field::write(embed::PROJECT, &*it.project, true, cx, json);
    }),
    Field::<Item>::new("msgid", Holds::MessageId, |it, _, json| {
        json.text(it.cover.msgid.as_str())
    }),
    Field::<Item>::new("list_archive_url", Holds::OptionalText, |it, _, json| {
        json.optional(it.project.archive_url(&it.cover.msgid).as_deref());
    })
    .since(V1_2),
    Field::<Item>::new("date", Holds::Moment, |it, _, json| {
        json.moment(it.cover.date)
    }),
    Field::<Item>::new("name", Holds::Text, |it, _, json| json.text(&it.cover.name)),
    Field::<Item>::new("submitter", Holds::One("Person"), |it, cx, json| {
        let person = PersonRef {
            id: it.cover.submitter_id,
            name: it.cover.submitter_name.clone(),
            email: it.cover.submitter_email.clone(),
        };
        field::write(embed::PERSON, &person, true, cx, json);
    }),
    Field::<Item>::new("mbox", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&format!("{}mbox/", it.path(cx))));
    })
    .since(V1_1),
    Field::<Item>::new("series", Holds::Many("Series"), |it, cx, json| {
        json.list(&it.series, |json, series| {
            field::write(embed::SERIES, series, true, cx, json);
        });
    }),
    Field::<Item>::new("comments", Holds::Url, |it, cx, json| {
        json.text(&cx.newest_url(&format!("covers/{}/comments/", it.cover.id)));
    })
    .since(V1_1),
    Field::<Item>::new("headers", Holds::Headers, |it, _, json| {
        headers(&it.cover.headers, json)
    })
    .in_detail_only(),
    Field::<Item>::new("content", Holds::OptionalText, |it, _, json| {
        json.optional(it.cover.content.as_deref());
    })
    .in_detail_only(),
];

/// What lists may be sorted by.
pub const ORDERS: &[(&str, By)] = &[
    ("id", By::Id),
    ("name", By::Name),
    ("date", By::Date),
    ("submitter", By::Submitter),
];

/// What lists may be filtered by.
pub const FILTERS: &[Filter] = &[
    Filter::new("project", Means::Project),
    Filter::new("series", Means::Id),
    Filter::new("submitter", Means::Person),
    Filter::new("msgid", Means::Text),
    Filter::new("since", Means::Since),
    Filter::new("before", Means::Before),
];

/// Answers the list of cover letters.
pub async fn list(cx: &Cx<'_>) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let page = Page::asked(cx)?;
    let Some(search) = search_of(cx, &mut conn).await? else {
        return page::empty(cx);
    };
    let place = page.within(store::cover::count(&mut conn, &search).await?)?;
    let order = cx.query.order(ORDERS);
    let found = store::cover::page(&mut conn, &search, &order, place.window()).await?;
    let items = items(&mut conn, found.rows).await?;
    Ok(place.answer(cx, items, found.next, |json, it| {
        field::write(FIELDS, it, false, cx, json);
    }))
}

async fn search_of(cx: &Cx<'_>, conn: &mut Conn) -> Result<Option<Search>> {
    let projects = cx.projects(conn).await?;
    let submitters = cx.people(conn, "submitter").await?;
    let (words, asked) = sought(cx, conn).await?;
    let query = &cx.query;
    let series: Wanted<Vec<SeriesId>> = query.ids("series", SeriesId);
    Ok((|| {
        Some(Search {
            projects: some(projects)?,
            series: some(series)?,
            submitters: some(submitters)?,
            msgid: query.last("msgid").map(msgid),
            since: one(query.moment("since"))?,
            before: one(query.moment("before"))?,
            words,
            asked,
        })
    })())
}

async fn items(conn: &mut Conn, covers: Vec<Cover>) -> Result<Vec<Item>> {
    let ids: Vec<SeriesId> = covers.iter().filter_map(|cover| cover.series_id).collect();
    let rows = store::series::rows(conn, &ids).await?;
    let by_id = rows
        .into_iter()
        .map(|row| (row.sent.series.id, row.sent.series));
    let mut series: HashMap<_, _> = by_id.collect();
    let projects =
        Projects::read(conn, covers.iter().map(|cover| cover.project_id).collect()).await?;
    let item = |cover: Cover| {
        let project = projects.get(cover.project_id)?.clone();
        let opened = cover.series_id.and_then(|id| series.remove(&id));
        Some(Item {
            series: opened.map(|series| SeriesRef::new(series, &project)),
            project,
            cover,
        })
    };
    Ok(covers.into_iter().filter_map(item).collect())
}

/// Answers one cover letter.
pub async fn detail(cx: &Cx<'_>, id: i64) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let cover = store::cover::by_id(&mut conn, CoverId(id)).await?;
    let cover = cover.ok_or(Problem::Missing("Cover"))?;
    let items = items(&mut conn, vec![cover]).await?;
    let item = items.first().ok_or(Problem::Missing("Cover"))?;
    let mut json = Json::default();
    field::write(FIELDS, item, true, cx, &mut json);
    Ok(Reply::ok(json.into_string()))
}
