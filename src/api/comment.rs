//! Comments of patches and covers (`rest.md §8.6`).

use std::{cmp::Ordering, sync::Arc};

use super::{
    answer::Reply,
    embed::{self, PersonRef},
    endpoint::Body,
    error::{Faults, Problem, Result},
    field::{self, Change, Field, Holds, Takes},
    json::Json,
    page::Page,
    patch::headers,
    request::Cx,
    version::Version::{V1_1, V1_2, V1_3},
};
use crate::{
    domain::{
        CommentId, CoverId, Patch, PatchId, Project,
        comment::{Comment, Parent},
        cover::Cover,
        permission::Scope,
    },
    mail,
    store::{
        self, Conn,
        comment::Whole,
        window::{After, Part, Window},
    },
};

/// A comment as the API shows it.
pub struct Item {
    comment: Comment,
    headers: String,
    project: Arc<Project>,
    parent: Parent,
}

impl Item {
    fn path(&self) -> String {
        let id = self.comment.id;
        match self.parent {
            Parent::Patch(parent) => format!("patches/{parent}/comments/{id}/"),
            Parent::Cover(parent) => format!("covers/{parent}/comments/{id}/"),
        }
    }

    /// Returns the subject as it was sent.
    fn subject(&self) -> &str {
        let mut fields = mail::header::fields(&self.headers);
        let found = fields.find(|(name, _)| name.eq_ignore_ascii_case("subject"));
        found.map_or("", |(_, value)| value)
    }
}

/// The fields of a comment.
pub const FIELDS: &[Field<Item>] = &[
    Field::<Item>::new("id", Holds::Int, |it, _, json| json.int(it.comment.id.0)).since(V1_1),
    Field::<Item>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &it.path())
    })
    .since(V1_3),
    Field::<Item>::new("web_url", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&cx.site.links.comment(it.comment.id)));
    })
    .since(V1_1),
    Field::<Item>::new("msgid", Holds::MessageId, |it, _, json| {
        json.text(it.comment.msgid.as_str());
    })
    .since(V1_1),
    Field::<Item>::new("list_archive_url", Holds::OptionalText, |it, _, json| {
        json.optional(it.project.archive_url(&it.comment.msgid).as_deref());
    })
    .since(V1_2),
    Field::<Item>::new("date", Holds::Moment, |it, _, json| {
        json.moment(it.comment.date)
    })
    .since(V1_1),
    Field::<Item>::new("subject", Holds::Text, |it, _, json| {
        json.text(it.subject())
    })
    .since(V1_1),
    Field::<Item>::new("submitter", Holds::One("Person"), |it, cx, json| {
        let person = PersonRef {
            id: it.comment.submitter_id,
            name: it.comment.submitter_name.clone(),
            email: it.comment.submitter_email.clone(),
        };
        field::write(embed::PERSON, &person, true, cx, json);
    })
    .since(V1_1),
    Field::<Item>::new("content", Holds::OptionalText, |it, _, json| {
        json.optional(it.comment.content.as_deref());
    })
    .since(V1_1),
    Field::<Item>::new("headers", Holds::Headers, |it, _, json| {
        headers(&it.headers, json)
    })
    .since(V1_1),
    Field::<Item>::new("addressed", Holds::OptionalBool, |it, _, json| {
        json.optional_bool(it.comment.addressed);
    })
    .since(V1_3),
];

/// What a comment hangs on.
enum On {
    Patch(Patch),
    Cover(Cover),
}

impl On {
    async fn read(conn: &mut Conn, parent: Parent) -> Result<On> {
        match parent {
            Parent::Patch(id) => {
                let patch = store::patch::by_id(conn, id).await?;
                patch.map(On::Patch).ok_or(Problem::Missing("Patch"))
            }
            Parent::Cover(id) => {
                let cover = store::cover::by_id(conn, id).await?;
                cover.map(On::Cover).ok_or(Problem::Missing("Cover"))
            }
        }
    }

    async fn project(&self, conn: &mut Conn) -> Result<Arc<Project>> {
        let id = match self {
            On::Patch(patch) => patch.project_id,
            On::Cover(cover) => cover.project_id,
        };
        let project = store::project::by_id(conn, id).await?;
        Ok(Arc::new(project.ok_or(Problem::Missing("Project"))?))
    }
}

/// What lists may be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The id.
    Id,
    /// When it was written.
    Date,
    /// The id of who wrote it.
    Submitter,
    /// The subject.
    Subject,
}

/// What lists may be sorted by, as queries spell it.
pub const ORDERS: &[(&str, By)] = &[
    ("id", By::Id),
    ("date", By::Date),
    ("submitter", By::Submitter),
    ("subject", By::Subject),
];

/// What may be written.
pub const CHANGES: &[Change] = &[Change::new("addressed", Takes::OptionalFlag)];

/// Answers the comments on a patch.
pub async fn of_patch(cx: &Cx<'_>, id: i64) -> Result<Reply> {
    list(cx, Parent::Patch(PatchId(id))).await
}

/// Answers the comments on a cover letter.
pub async fn of_cover(cx: &Cx<'_>, id: i64) -> Result<Reply> {
    list(cx, Parent::Cover(CoverId(id))).await
}

/// A thread is short: it is read whole, and sorted and cut here.
async fn list(cx: &Cx<'_>, parent: Parent) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let project = On::read(&mut conn, parent)
        .await?
        .project(&mut conn)
        .await?;
    let found = store::comment::whole(&mut conn, parent).await?;
    drop(conn);
    let mut items: Vec<Item> = found
        .into_iter()
        .map(|it| item(it, parent, &project))
        .collect();
    let words: Vec<String> = cx
        .query
        .words()
        .iter()
        .map(|word| word.to_lowercase())
        .collect();
    items.retain(|it| {
        let subject = it.subject().to_lowercase();
        words.iter().all(|word| subject.contains(word))
    });
    let order = cx.query.order(ORDERS);
    let mut items: Vec<(After, Item)> = items
        .into_iter()
        .map(|it| (place(&it, &order), it))
        .collect();
    items.sort_by(|(a, _), (b, _)| compare(a, b, &order));
    let page = Page::asked(cx)?.within(items.len() as i64)?;
    let part = part(items, &page.window(), &order);
    Ok(page.answer(cx, part.rows, part.next, |json, it| {
        field::write(FIELDS, it, false, cx, json);
    }))
}

/// Returns the place of a comment in a sorted list.
fn place(it: &Item, order: &[(By, bool)]) -> After {
    let key = |by: By| match by {
        By::Id => it.comment.id.0.into(),
        By::Date => it.comment.date.0.into(),
        By::Submitter => it.comment.submitter_id.0.into(),
        By::Subject => it.subject().into(),
    };
    After {
        keys: order.iter().map(|(by, _)| key(*by)).collect(),
        id: it.comment.id.0,
    }
}

/// Compares two places of a list that is sorted so.
fn compare(a: &After, b: &After, order: &[(By, bool)]) -> Ordering {
    let pairs = a.keys.iter().zip(&b.keys).zip(order);
    let by_key = pairs.map(|((a, b), (_, down))| {
        let ordering = match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.as_str().cmp(&b.as_str()),
        };
        if *down { ordering.reverse() } else { ordering }
    });
    by_key
        .fold(Ordering::Equal, Ordering::then)
        .then(a.id.cmp(&b.id))
}

/// Cuts a window out of a sorted list.
fn part(items: Vec<(After, Item)>, window: &Window, order: &[(By, bool)]) -> Part<Item> {
    let is_at = |id: i64| move |(it, _): &(After, Item)| it.id == id;
    let first = match &window.after {
        None => usize::try_from(window.offset).unwrap_or(usize::MAX),
        Some(after) if after.keys.len() == order.len() => {
            items.partition_point(|(it, _)| compare(it, after, order) != Ordering::Greater)
        }
        // The id alone: the entry has to be there still.
        Some(after) if after.keys.is_empty() => {
            let found = items.iter().position(is_at(after.id));
            found.map_or(items.len(), |at| at + 1)
        }
        Some(_) => items.len(),
    };
    let limit = usize::try_from(window.limit).unwrap_or(usize::MAX);
    let is_more = items.len().saturating_sub(first) > limit;
    let shown: Vec<_> = items.into_iter().skip(first).take(limit).collect();
    let last = shown.last().filter(|_| is_more);
    Part {
        next: last.map(|(place, _)| place.clone()),
        rows: shown.into_iter().map(|(_, it)| it).collect(),
    }
}

fn item(whole: Whole, parent: Parent, project: &Arc<Project>) -> Item {
    Item {
        comment: whole.comment,
        headers: whole.headers,
        project: project.clone(),
        parent,
    }
}

/// Answers one comment on a patch.
pub async fn detail_of_patch(cx: &Cx<'_>, parent: i64, id: i64) -> Result<Reply> {
    detail(cx, Parent::Patch(PatchId(parent)), id).await
}

/// Answers one comment on a cover letter.
pub async fn detail_of_cover(cx: &Cx<'_>, parent: i64, id: i64) -> Result<Reply> {
    detail(cx, Parent::Cover(CoverId(parent)), id).await
}

async fn detail(cx: &Cx<'_>, parent: Parent, id: i64) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let project = On::read(&mut conn, parent)
        .await?
        .project(&mut conn)
        .await?;
    let whole = one(&mut conn, parent, id).await?;
    let mut json = Json::default();
    field::write(FIELDS, &item(whole, parent, &project), true, cx, &mut json);
    Ok(Reply::ok(json.into_string()))
}

async fn one(conn: &mut Conn, parent: Parent, id: i64) -> Result<Whole> {
    let thing = match parent {
        Parent::Patch(_) => "PatchComment",
        Parent::Cover(_) => "CoverComment",
    };
    let whole = store::comment::by_id(conn, parent, CommentId(id)).await?;
    whole.ok_or(Problem::Missing(thing))
}

/// Marks a comment on a patch.
pub async fn update_of_patch(cx: &Cx<'_>, parent: i64, id: i64, body: Body) -> Result<Reply> {
    update(cx, Parent::Patch(PatchId(parent)), id, body).await
}

/// Marks a comment on a cover letter.
pub async fn update_of_cover(cx: &Cx<'_>, parent: i64, id: i64, body: Body) -> Result<Reply> {
    update(cx, Parent::Cover(CoverId(parent)), id, body).await
}

/// Says whether what a comment asks for is done. No event tells of it (`domain.md §5`).
async fn update(cx: &Cx<'_>, parent: Parent, id: i64, body: Body) -> Result<Reply> {
    let mut tx = cx.begin().await?;
    let on = On::read(&mut tx, parent).await?;
    let author = one(&mut tx, parent, id).await?.comment.submitter_id;
    let rights = &cx.writer(Scope::Write)?.rights;
    let may = match &on {
        On::Patch(patch) => rights.may_address(author, patch),
        On::Cover(cover) => rights.may_address_cover(author, cover.submitter_id, cover.project_id),
    };
    if !may {
        return Err(Problem::Forbidden);
    }
    let input = body.read().await?;
    let mut faults = Faults::default();
    let given = input.get("addressed").map(|given| given.optional_bool());
    let addressed = given.and_then(|read| faults.take("addressed", read));
    if let Some(addressed) = faults.none(addressed)? {
        store::comment::set_addressed(&mut tx, CommentId(id), addressed).await?;
    }
    tx.commit().await?;
    detail(cx, parent, id).await
}
