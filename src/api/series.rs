//! Series (`rest.md §8.9`). Written is only which one is before: to be read by all, to be put right by maintainers.

use std::{collections::HashMap, sync::Arc};

use super::{
    answer::Reply,
    embed::{self, MailRef, PersonRef},
    endpoint::Body,
    error::{Faults, Problem, Result},
    field::{self, Change, Field, Holds, Takes},
    filter::{Filter, Means},
    input::Given,
    json::Json,
    page::{self, Page},
    patch::no_object,
    query::{one, some},
    request::{Cx, Projects},
    search::sought,
    version::Version::{self, V1_1, V1_4, V1_5},
};
use crate::{
    domain::{
        Project, Series, SeriesId,
        change::Actor,
        permission::Scope,
        revision::{self, Unfit},
    },
    ingest,
    store::{
        self, Conn, Tx,
        patch::search::{self, Brief},
        revision::Link,
        series::{By, Row, Search},
    },
};

/// A series as the API shows it.
pub struct Item {
    series: Series,
    project: Arc<Project>,
    submitter: PersonRef,
    cover: Option<MailRef>,
    patches: Vec<MailRef>,
    needs: Vec<SeriesId>,
    needed_by: Vec<SeriesId>,
    previous: Option<Link>,
    following: Vec<SeriesId>,
}

impl Item {
    fn received(&self) -> i64 {
        self.patches.len() as i64
    }
}

/// The fields of a series.
pub const FIELDS: &[Field<Item>] = &[
    Field::<Item>::new("id", Holds::Int, |it, _, json| json.int(it.series.id.0)),
    Field::<Item>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &format!("series/{}/", it.series.id));
    }),
    Field::<Item>::new("web_url", Holds::Url, |it, cx, json| {
        json.text(
            &cx.web(
                &cx.site
                    .links
                    .series_list(&it.project.linkname, it.series.id),
            ),
        );
    })
    .since(V1_1),
    Field::<Item>::new("project", Holds::One("Project"), |it, cx, json| {
        field::write(embed::PROJECT, &*it.project, true, cx, json);
    }),
    Field::<Item>::new("name", Holds::OptionalText, |it, _, json| {
        json.optional(it.series.name.as_deref());
    }),
    Field::<Item>::new("date", Holds::Moment, |it, _, json| {
        json.moment(it.series.date)
    }),
    Field::<Item>::new("submitter", Holds::One("Person"), |it, cx, json| {
        field::write(embed::PERSON, &it.submitter, true, cx, json);
    }),
    Field::<Item>::new("version", Holds::Int, |it, _, json| {
        json.int(it.series.version)
    }),
    Field::<Item>::new("total", Holds::Int, |it, _, json| json.int(it.series.total)),
    Field::<Item>::new("received_total", Holds::Int, |it, _, json| {
        json.int(it.received())
    }),
    Field::<Item>::new("received_all", Holds::Bool, |it, _, json| {
        json.bool(it.series.total <= it.received());
    }),
    Field::<Item>::new("mbox", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&cx.site.links.series_mbox(it.series.id)));
    }),
    Field::<Item>::new("cover_letter", Holds::Optional("Cover"), |it, cx, json| {
        embed::optional(embed::COVER, it.cover.as_ref(), cx, json);
    }),
    Field::<Item>::new("patches", Holds::Many("Patch"), |it, cx, json| {
        json.list(&it.patches, |json, one| {
            field::write(embed::PATCH, one, true, cx, json)
        });
    }),
    Field::<Item>::new("dependencies", Holds::Urls, |it, cx, json| {
        addresses(&it.needs, cx, json)
    })
    .since(V1_4)
    .only_if(|it| it.project.show_dependencies),
    Field::<Item>::new("dependents", Holds::Urls, |it, cx, json| {
        addresses(&it.needed_by, cx, json)
    })
    .since(V1_4)
    .only_if(|it| it.project.show_dependencies),
    Field::<Item>::new("minor", Holds::Int, |it, _, json| json.int(it.series.minor)).since(V1_5),
    Field::<Item>::new("previous", Holds::OptionalText, |it, cx, json| {
        match it.previous.as_ref().and_then(|link| link.earlier) {
            Some(id) => cx.write_url(json, &format!("series/{id}/")),
            None => json.optional(None),
        }
    })
    .since(V1_5),
    Field::<Item>::new("previous_reason", Holds::OptionalText, |it, _, json| {
        json.optional(it.previous.as_ref().map(|link| link.reason.word()));
    })
    .since(V1_5),
    Field::<Item>::new("previous_claimed", Holds::Bool, |it, _, json| {
        json.bool(it.previous.as_ref().is_some_and(|link| link.claimed));
    })
    .since(V1_5),
    Field::<Item>::new("following", Holds::Urls, |it, cx, json| {
        addresses(&it.following, cx, json)
    })
    .since(V1_5),
];

/// What may be written.
pub const CHANGES: &[Change] = &[Change::new("previous", Takes::Revision).since(V1_5)];

fn addresses(series: &[SeriesId], cx: &Cx<'_>, json: &mut Json) {
    json.list(series, |json, id| {
        cx.write_url(json, &format!("series/{id}/"))
    });
}

/// What lists may be sorted by.
pub const ORDERS: &[(&str, By)] = &[
    ("id", By::Id),
    ("name", By::Name),
    ("date", By::Date),
    ("submitter", By::Submitter),
    ("received_all", By::Received),
];

/// What lists may be filtered by.
pub const FILTERS: &[Filter] = &[
    Filter::new("project", Means::Project),
    Filter::new("submitter", Means::Person),
    Filter::new("since", Means::Since),
    Filter::new("before", Means::Before),
];

/// Answers the list of series.
pub async fn list(cx: &Cx<'_>) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let page = Page::asked(cx)?;
    let projects = cx.projects(&mut conn).await?;
    let submitters = cx.people(&mut conn, "submitter").await?;
    let (words, asked) = sought(cx, &mut conn).await?;
    let query = &cx.query;
    let search = (|| {
        Some(Search {
            projects: some(projects)?,
            submitters: some(submitters)?,
            since: one(query.moment("since"))?,
            before: one(query.moment("before"))?,
            words,
            asked,
        })
    })();
    let Some(search) = search else {
        return page::empty(cx);
    };
    let place = page.within(store::series::count(&mut conn, &search).await?)?;
    let order = query.order(ORDERS);
    let found = store::series::page(&mut conn, &search, &order, place.window()).await?;
    let items = items(&mut conn, found.rows, cx.version).await?;
    Ok(place.answer(cx, items, found.next, |json, it| {
        field::write(FIELDS, it, false, cx, json);
    }))
}

/// Answers one series.
pub async fn detail(cx: &Cx<'_>, id: i64) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let rows = store::series::rows(&mut conn, &[SeriesId(id)]).await?;
    let items = items(&mut conn, rows, cx.version).await?;
    let item = items.first().ok_or(Problem::Missing("Series"))?;
    let mut json = Json::default();
    field::write(FIELDS, item, true, cx, &mut json);
    Ok(Reply::ok(json.into_string()))
}

/// Which series is to be the one before.
enum Asked {
    /// This one.
    Earlier(SeriesId),
    /// None.
    Nothing,
    /// What the mails say.
    Find,
}

/// What asks for the series before to be found anew.
pub const FIND: &str = "find";

fn asked(given: &Given<'_>) -> Result<Asked, String> {
    let wrong = || format!("Name a series by its id or its address, or write {FIND}.");
    match (given.optional_id(), given.last()) {
        (Ok(None), _) => Ok(Asked::Nothing),
        (Ok(Some(id)), _) => Ok(Asked::Earlier(SeriesId(id))),
        (Err(_), Some(FIND)) => Ok(Asked::Find),
        (Err(_), Some(text)) => revision::series_in(text)
            .map(Asked::Earlier)
            .ok_or_else(wrong),
        (Err(_), None) => Err(wrong()),
    }
}

/// Says which series is before one, and answers that as it is then.
pub async fn update(cx: &Cx<'_>, id: i64, body: Body) -> Result<Reply> {
    let mut tx = cx.begin().await?;
    let sent = store::series::by_id(&mut tx, SeriesId(id)).await?;
    let series = sent.ok_or(Problem::Missing("Series"))?.series;
    let caller = cx.writer(Scope::Write)?;
    if !caller.rights.maintains(series.project_id) {
        return Err(Problem::Forbidden);
    }
    let input = body.read().await?;
    let mut faults = Faults::default();
    let given = input.get("previous");
    let asked = given.and_then(|given| faults.take("previous", asked(&given)));
    if let Some(asked) = faults.none(asked)? {
        store::project::lock(&mut tx, series.project_id).await?;
        link(&mut tx, cx, &series, asked).await?;
    }
    tx.commit().await?;
    detail(cx, id).await
}

async fn link(tx: &mut Tx, cx: &Cx<'_>, series: &Series, asked: Asked) -> Result<()> {
    let earlier = match asked {
        Asked::Find => {
            ingest::revision::find(tx, series.id, cx.now).await?;
            return Ok(());
        }
        Asked::Nothing => None,
        Asked::Earlier(id) => Some(id),
    };
    let by = Actor {
        user: cx.caller.as_ref().map(|caller| caller.user.id),
        at: cx.now,
    };
    let unfit = ingest::revision::follow(tx, series, earlier, &by).await?;
    match earlier.zip(unfit) {
        Some((id, unfit)) => Err(Faults::one("previous", fault(id, unfit))),
        None => Ok(()),
    }
}

fn fault(id: SeriesId, unfit: Unfit) -> String {
    match unfit {
        Unfit::Unknown => no_object(id.0),
        unfit => unfit.told().to_owned(),
    }
}

async fn items(conn: &mut Conn, rows: Vec<Row>, version: Version) -> Result<Vec<Item>> {
    let ids: Vec<SeriesId> = rows.iter().map(|row| row.sent.series.id).collect();
    let mut members: HashMap<SeriesId, Vec<Brief>> = HashMap::new();
    for brief in search::of_series(conn, &ids).await? {
        if let Some(series) = brief.series_id {
            members.entry(series).or_default().push(brief);
        }
    }
    let projects = Projects::read(
        conn,
        rows.iter().map(|row| row.sent.series.project_id).collect(),
    )
    .await?;
    let needs = store::series::needs(conn, &ids).await?;
    let links = match version >= V1_5 {
        true => store::revision::links_around(conn, &ids).await?,
        false => Vec::new(),
    };
    let item = |row: Row| {
        let series = row.sent.series;
        let project = projects.get(series.project_id)?.clone();
        let cover = row.cover_msgid.zip(row.cover_date).zip(row.cover_name);
        let patches = members.remove(&series.id).unwrap_or_default();
        Some(Item {
            submitter: PersonRef {
                id: series.submitter_id,
                name: row.sent.submitter_name,
                email: row.sent.submitter_email,
            },
            cover: series
                .cover_id
                .zip(cover)
                .map(|(id, ((msgid, date), name))| MailRef {
                    id: id.0,
                    project: project.clone(),
                    msgid,
                    date,
                    name,
                }),
            patches: patches
                .iter()
                .map(|it| MailRef::patch(it, &project))
                .collect(),
            needs: needs
                .iter()
                .filter(|(from, _)| *from == series.id)
                .map(|(_, to)| *to)
                .collect(),
            needed_by: needs
                .iter()
                .filter(|(_, to)| *to == series.id)
                .map(|(from, _)| *from)
                .collect(),
            previous: links.iter().find(|link| link.series == series.id).cloned(),
            following: links
                .iter()
                .filter(|link| link.earlier == Some(series.id))
                .map(|link| link.series)
                .collect(),
            project,
            series,
        })
    };
    Ok(rows.into_iter().filter_map(item).collect())
}
