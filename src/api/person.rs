//! People: whoever was seen on a list (`rest.md §8.4`). For those who are logged in, and only to read.

use std::collections::HashMap;

use super::{
    answer::Reply,
    embed::{self, UserRef},
    error::{Problem, Result},
    field::{self, Field, Holds},
    json::Json,
    page::Page,
    request::Cx,
};
use crate::{
    domain::{Person, PersonId, UserId},
    store::{self, Conn, person::By},
};

/// Somebody as the API shows them.
pub struct Item {
    person: Person,
    user: Option<UserRef>,
}

/// The fields of a person.
pub const FIELDS: &[Field<Item>] = &[
    Field::<Item>::new("id", Holds::Int, |it, _, json| json.int(it.person.id.0)),
    Field::<Item>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &format!("people/{}/", it.person.id));
    }),
    Field::<Item>::new("name", Holds::OptionalText, |it, _, json| {
        json.optional(it.person.name.as_deref());
    }),
    Field::<Item>::new("email", Holds::Text, |it, _, json| {
        json.text(&it.person.email)
    }),
    Field::<Item>::new("user", Holds::Optional("User"), |it, cx, json| {
        embed::optional(embed::USER, it.user.as_ref(), cx, json);
    }),
];

/// What lists may be sorted by.
pub const ORDERS: &[(&str, By)] = &[("id", By::Id), ("name", By::Name), ("email", By::Email)];

/// Answers the list of people.
pub async fn list(cx: &Cx<'_>) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let words = cx.query.words();
    let place = Page::asked(cx)?.within(store::person::count(&mut conn, &words).await?)?;
    let order = cx.query.order(ORDERS);
    let found = store::person::page(&mut conn, &words, &order, place.window()).await?;
    let items = items(&mut conn, found.rows).await?;
    Ok(place.answer(cx, items, found.next, |json, it| {
        field::write(FIELDS, it, false, cx, json);
    }))
}

/// Answers one person.
pub async fn detail(cx: &Cx<'_>, id: i64) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let person = store::person::by_id(&mut conn, PersonId(id)).await?;
    let person = person.ok_or(Problem::Missing("Person"))?;
    let items = items(&mut conn, vec![person]).await?;
    let mut json = Json::default();
    for item in &items {
        field::write(FIELDS, item, true, cx, &mut json);
    }
    Ok(Reply::ok(json.into_string()))
}

async fn items(conn: &mut Conn, people: Vec<Person>) -> Result<Vec<Item>> {
    let users = users(
        conn,
        people.iter().filter_map(|person| person.user_id).collect(),
    )
    .await?;
    let item = |person: Person| Item {
        user: person.user_id.and_then(|id| users.get(&id).cloned()),
        person,
    };
    Ok(people.into_iter().map(item).collect())
}

/// Returns users by their ids.
pub async fn users(
    conn: &mut Conn,
    mut ids: Vec<UserId>,
) -> store::Result<HashMap<UserId, UserRef>> {
    ids.sort_unstable();
    ids.dedup();
    let found = store::user::by_ids(conn, &ids).await?;
    Ok(found
        .iter()
        .map(|user| (user.id, UserRef::from(user)))
        .collect())
}
