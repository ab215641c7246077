//! Events: how CI follows a server (`rest.md §8.11`). Only to read.
//!
//! `after=` takes the id of the last event seen and answers those that happened since, oldest first. Ids are given in
//! the order in which transactions end, so nothing that is still to come lies before what is there.

use std::{collections::HashMap, sync::Arc};

use super::{
    answer::Reply,
    embed::{self, CheckRef, CommentRef, MailRef, SeriesRef, UserRef},
    error::Result,
    field::{self, Field, Holds},
    filter::{Filter, Means},
    page::{self, Page},
    person::users,
    query::{Wanted, one, some},
    request::{Cx, Projects},
    search::asked,
    version::Version::{self, V1_2, V1_3},
};
use crate::{
    domain::{CheckId, CoverId, PatchId, Project, SeriesId, UserId, check::Check, event::Category},
    store::{
        self, Conn,
        event::{Count, Mail, Order, Row, Search},
        patch::search::{self, Brief},
    },
};

/// An event as the API shows it.
pub struct Item {
    row: Row,
    project: Arc<Project>,
    payload: Payload,
}

impl Item {
    /// Returns its id.
    pub fn id(&self) -> i64 {
        self.row.id.0
    }

    /// Returns it as it is stored.
    pub fn row(&self) -> &Row {
        &self.row
    }
}

/// What an event tells of.
#[derive(Default)]
struct Payload {
    actor: Option<UserRef>,
    patch: Option<MailRef>,
    series: Option<SeriesRef>,
    cover: Option<MailRef>,
    comment: Option<CommentRef>,
    check: Option<CheckRef>,
    previous_delegate: Option<UserRef>,
    current_delegate: Option<UserRef>,
}

/// The fields of an event.
pub const FIELDS: &[Field<Item>] = &[
    Field::<Item>::new("id", Holds::Int, |it, _, json| json.int(it.row.id.0)),
    Field::<Item>::new("category", Holds::Text, |it, _, json| {
        json.text(&it.row.category)
    }),
    Field::<Item>::new("project", Holds::One("Project"), |it, cx, json| {
        field::write(embed::PROJECT, &*it.project, true, cx, json);
    }),
    Field::<Item>::new("date", Holds::Moment, |it, _, json| {
        json.moment(it.row.date)
    }),
    Field::<Item>::new("actor", Holds::Optional("User"), |it, cx, json| {
        embed::optional(embed::USER, it.payload.actor.as_ref(), cx, json);
    }),
    Field::<Item>::new("payload", Holds::One("Payload"), |it, cx, json| {
        let category = Category::from_word(&it.row.category);
        field::write(category.map_or(&[], payload), it, true, cx, json);
    }),
];

/// What the events of a category tell of.
pub fn payload(category: Category) -> &'static [Field<Item>] {
    match category {
        Category::CoverCreated => &[COVER],
        Category::PatchCreated => &[PATCH],
        Category::PatchCompleted => &[PATCH, SERIES],
        Category::PatchStateChanged => &[PATCH, PREVIOUS_STATE, CURRENT_STATE],
        Category::PatchDelegated => &[PATCH, PREVIOUS_DELEGATE, CURRENT_DELEGATE],
        Category::PatchRelationChanged => &[PATCH, PREVIOUS_RELATION, CURRENT_RELATION],
        Category::CheckCreated => &[PATCH, CHECK],
        Category::SeriesCreated | Category::SeriesCompleted => &[SERIES],
        Category::CoverCommentCreated => &[COVER, COMMENT],
        Category::PatchCommentCreated => &[PATCH, COMMENT],
    }
}

const PATCH: Field<Item> = Field::<Item>::new("patch", Holds::One("Patch"), |it, cx, json| {
    embed::optional(embed::PATCH, it.payload.patch.as_ref(), cx, json);
});
const COVER: Field<Item> = Field::<Item>::new("cover", Holds::One("Cover"), |it, cx, json| {
    embed::optional(embed::COVER, it.payload.cover.as_ref(), cx, json);
});
const SERIES: Field<Item> = Field::<Item>::new("series", Holds::One("Series"), |it, cx, json| {
    embed::optional(embed::SERIES, it.payload.series.as_ref(), cx, json);
});
const COMMENT: Field<Item> =
    Field::<Item>::new("comment", Holds::One("Comment"), |it, cx, json| {
        embed::optional(embed::COMMENT, it.payload.comment.as_ref(), cx, json);
    });
const CHECK: Field<Item> = Field::<Item>::new("check", Holds::One("Check"), |it, cx, json| {
    embed::optional(embed::CHECK, it.payload.check.as_ref(), cx, json);
});
const PREVIOUS_STATE: Field<Item> =
    Field::<Item>::new("previous_state", Holds::Text, |it, _, json| {
        json.optional(it.row.previous_state.as_deref());
    });
const CURRENT_STATE: Field<Item> =
    Field::<Item>::new("current_state", Holds::Text, |it, _, json| {
        json.optional(it.row.current_state.as_deref());
    });
const PREVIOUS_DELEGATE: Field<Item> = Field::<Item>::new(
    "previous_delegate",
    Holds::Optional("User"),
    |it, cx, json| {
        embed::optional(embed::USER, it.payload.previous_delegate.as_ref(), cx, json);
    },
);
const CURRENT_DELEGATE: Field<Item> = Field::<Item>::new(
    "current_delegate",
    Holds::Optional("User"),
    |it, cx, json| {
        embed::optional(embed::USER, it.payload.current_delegate.as_ref(), cx, json);
    },
);
// Compatibility: which relations were left and joined was never told.
const PREVIOUS_RELATION: Field<Item> =
    Field::<Item>::new("previous_relation", Holds::Null, |_, _, json| json.null());
const CURRENT_RELATION: Field<Item> =
    Field::<Item>::new("current_relation", Holds::Null, |_, _, json| json.null());

/// What lists may be sorted by.
pub const ORDERS: &[(&str, ())] = &[("date", ())];

/// What lists may be filtered by.
pub const FILTERS: &[Filter] = &[
    Filter::new("project", Means::Project),
    Filter::new("category", Means::Category),
    Filter::new("series", Means::Id),
    Filter::new("patch", Means::Id),
    Filter::new("cover", Means::Id),
    Filter::new("since", Means::Since),
    Filter::new("before", Means::Before),
    Filter::new("actor", Means::User).since(V1_2),
];

/// Returns the categories that a version knows.
pub fn categories(version: Version) -> impl Iterator<Item = Category> {
    let is_comment = |category: &Category| {
        matches!(
            category,
            Category::CoverCommentCreated | Category::PatchCommentCreated
        )
    };
    let known = move |category: &Category| version >= V1_3 || !is_comment(category);
    Category::ALL.into_iter().filter(known)
}

/// How many of the events that are asked for are counted; of more than these nobody is told the number.
const MOST_COUNTED: i64 = 10_000;

/// Answers the list of events.
pub async fn list(cx: &Cx<'_>) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let page = Page::asked(cx)?;
    let Ok(search) = search_of(cx, &mut conn).await? else {
        return page::empty(cx);
    };
    let is_behind = page.is_behind();
    let most = if page.is_last() {
        i64::MAX
    } else {
        MOST_COUNTED
    };
    let place = match store::event::count(&mut conn, &search, most).await? {
        Count::Exactly(total) => page.within(total)?,
        Count::Many => page.within_many(),
    };
    let order = match cx.query.order(ORDERS).first() {
        _ if is_behind => Order::Written,
        Some((_, false)) => Order::Oldest,
        _ => Order::Newest,
    };
    let found = store::event::page(&mut conn, &search, order, place.window()).await?;
    place.is_there(&found)?;
    let items = items(&mut conn, found.rows).await?;
    Ok(place.answer(cx, items, found.next, |json, it| {
        field::write(FIELDS, it, false, cx, json);
    }))
}

/// Reads which events are asked for; where a filter names nothing, its key.
///
/// # Errors
/// When `q` says nothing that can be understood, or the database is away.
pub async fn search_of(cx: &Cx<'_>, conn: &mut Conn) -> Result<Result<Search, &'static str>> {
    let query = &cx.query;
    let projects = cx.projects(conn).await?;
    let actors = match cx.version >= V1_2 {
        true => cx.users(conn, "actor").await?,
        false => Wanted::Any,
    };
    let asked = asked(cx, conn).await?;
    Ok((|| {
        Ok(Search {
            projects: some(projects).ok_or("project")?,
            categories: wanted(cx).ok_or("category")?,
            series: some(query.ids("series", SeriesId)).ok_or("series")?,
            patches: some(query.ids("patch", PatchId)).ok_or("patch")?,
            covers: some(query.ids("cover", CoverId)).ok_or("cover")?,
            actors: some(actors).ok_or("actor")?,
            since: one(query.moment("since")).ok_or("since")?,
            before: one(query.moment("before")).ok_or("before")?,
            asked,
        })
    })())
}

/// Returns the categories that are asked for, as far as the version knows them; `None` when there are none, or a word
/// is none.
fn wanted(cx: &Cx<'_>) -> Option<Vec<Category>> {
    let wanted = cx.query.all("category");
    let mut known = wanted.iter().map(|word| Category::from_word(word));
    if known.any(|category| category.is_none()) {
        return None;
    }
    let is_wanted = |category: &Category| wanted.is_empty() || wanted.contains(&category.word());
    let some: Vec<Category> = categories(cx.version).filter(is_wanted).collect();
    (!some.is_empty()).then_some(some)
}

/// What the events of a page tell of, by ids.
struct Things {
    projects: Projects,
    users: HashMap<UserId, UserRef>,
    patches: HashMap<PatchId, Brief>,
    series: HashMap<SeriesId, store::series::Row>,
    covers: HashMap<i64, Mail>,
    comments: HashMap<i64, Mail>,
    checks: HashMap<CheckId, Check>,
}

impl Things {
    async fn read(conn: &mut Conn, rows: &[Row]) -> store::Result<Things> {
        let ids = |of: fn(&Row) -> Option<i64>| {
            let mut ids: Vec<i64> = rows.iter().filter_map(of).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let patches: Vec<PatchId> = ids(|row| row.patch_id.map(|id| id.0))
            .into_iter()
            .map(PatchId)
            .collect();
        let series: Vec<SeriesId> = ids(|row| row.series_id.map(|id| id.0))
            .into_iter()
            .map(SeriesId)
            .collect();
        let covers: Vec<CoverId> = ids(|row| row.cover_id.map(|id| id.0))
            .into_iter()
            .map(CoverId)
            .collect();
        let comments = ids(|row| row.comment_id.map(|id| id.0));
        let comments: Vec<_> = comments.into_iter().map(crate::domain::CommentId).collect();
        let checks: Vec<CheckId> = ids(|row| row.check_id.map(|id| id.0))
            .into_iter()
            .map(CheckId)
            .collect();
        let people = rows.iter().flat_map(|row| {
            [
                row.actor_id,
                row.previous_delegate_id,
                row.current_delegate_id,
            ]
        });
        Ok(Things {
            users: users(conn, people.flatten().collect()).await?,
            projects: Projects::read(conn, rows.iter().map(|row| row.project_id).collect()).await?,
            patches: search::briefs(conn, &patches)
                .await?
                .into_iter()
                .map(|it| (it.id, it))
                .collect(),
            series: store::series::rows(conn, &series)
                .await?
                .into_iter()
                .map(|it| (it.sent.series.id, it))
                .collect(),
            covers: by_id(store::event::covers(conn, &covers).await?),
            comments: by_id(store::event::comments(conn, &comments).await?),
            checks: store::check::by_ids(conn, &checks)
                .await?
                .into_iter()
                .map(|it| (it.id, it))
                .collect(),
        })
    }

    fn payload(&self, row: &Row, project: &Arc<Project>) -> Payload {
        let user = |id: Option<UserId>| id.and_then(|id| self.users.get(&id).cloned());
        let mail = |it: &Mail| MailRef {
            id: it.id,
            project: project.clone(),
            msgid: it.msgid.clone(),
            date: it.date,
            name: it.name.clone(),
        };
        let parent = match (row.patch_id, row.cover_id) {
            (Some(patch), _) => format!("patches/{patch}"),
            (None, cover) => format!("covers/{}", cover.map_or(0, |id| id.0)),
        };
        Payload {
            actor: user(row.actor_id),
            previous_delegate: user(row.previous_delegate_id),
            current_delegate: user(row.current_delegate_id),
            patch: row
                .patch_id
                .and_then(|id| self.patches.get(&id))
                .map(|brief| MailRef::patch(brief, project)),
            series: row
                .series_id
                .and_then(|id| self.series.get(&id))
                .map(|it| SeriesRef::new(it.sent.series.clone(), project)),
            cover: row.cover_id.and_then(|id| self.covers.get(&id.0)).map(mail),
            comment: row
                .comment_id
                .and_then(|id| Some((id, self.comments.get(&id.0)?)))
                .map(|(id, it)| CommentRef {
                    id,
                    parent,
                    project: project.clone(),
                    msgid: it.msgid.clone(),
                    date: it.date,
                }),
            check: row
                .check_id
                .and_then(|id| self.checks.get(&id))
                .map(|it| CheckRef {
                    id: it.id,
                    patch: it.patch_id,
                    date: it.date,
                    state: it.state,
                    target_url: it.target_url.clone(),
                    context: it.context.clone(),
                }),
        }
    }
}

fn by_id(mails: Vec<Mail>) -> HashMap<i64, Mail> {
    mails.into_iter().map(|mail| (mail.id, mail)).collect()
}

/// Reads what events tell of.
///
/// # Errors
/// When the database is away.
pub async fn items(conn: &mut Conn, rows: Vec<Row>) -> store::Result<Vec<Item>> {
    let things = Things::read(conn, &rows).await?;
    let item = |row: Row| {
        let project = things.projects.get(row.project_id)?.clone();
        Some(Item {
            payload: things.payload(&row, &project),
            project,
            row,
        })
    };
    Ok(rows.into_iter().filter_map(item).collect())
}
