//! Users: accounts (`rest.md §8.3`). For those who are logged in; everybody changes their own.

use super::{
    answer::Reply,
    endpoint::Body,
    error::{Faults, Problem, Result},
    field::{self, Change, Field, Holds, Takes},
    input::{Input, Text},
    json::Json,
    page::Page,
    request::Cx,
    version::Version::V1_2,
};
use crate::{
    domain::{
        UserId,
        permission::Scope,
        user::{MOST_ITEMS, User},
    },
    store::{self, user::By},
};

/// An account as the API shows it.
pub struct Item {
    user: User,
    is_own: bool,
}

/// The fields of a user.
pub const FIELDS: &[Field<Item>] = &[
    Field::<Item>::new("id", Holds::Int, |it, _, json| json.int(it.user.id.0)),
    Field::<Item>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &format!("users/{}/", it.user.id));
    }),
    Field::<Item>::new("username", Holds::Text, |it, _, json| {
        json.text(&it.user.username)
    }),
    Field::<Item>::new("first_name", Holds::Text, |it, _, json| {
        json.text(&it.user.first_name)
    }),
    Field::<Item>::new("last_name", Holds::Text, |it, _, json| {
        json.text(&it.user.last_name)
    }),
    Field::<Item>::new("email", Holds::Text, |it, _, json| {
        json.text(&it.user.email)
    }),
    Field::<Item>::new("settings", Holds::One("Settings"), |it, cx, json| {
        field::write(SETTINGS, &it.user, true, cx, json);
    })
    .since(V1_2)
    .in_detail_only()
    .only_if(|it| it.is_own),
];

/// What a user has chosen.
pub const SETTINGS: &[Field<User>] = &[
    Field::<User>::new("send_email", Holds::Bool, |it, _, json| {
        json.bool(it.send_email)
    })
    .since(V1_2),
    Field::<User>::new("items_per_page", Holds::Int, |it, _, json| {
        json.int(it.items_per_page)
    })
    .since(V1_2),
    Field::<User>::new("show_ids", Holds::Bool, |it, _, json| {
        json.bool(it.show_ids)
    })
    .since(V1_2),
];

/// What lists may be sorted by.
pub const ORDERS: &[(&str, By)] = &[
    ("id", By::Id),
    ("username", By::Username),
    ("email", By::Email),
];

/// What may be written.
pub const CHANGES: &[Change] = &[
    Change::new("first_name", Takes::Text(NAME)),
    Change::new("last_name", Takes::Text(NAME)),
    Change::new("settings", Takes::Object(SETTING_CHANGES))
        .since(V1_2)
        .required(),
];

/// What may be written of what a user has chosen.
pub const SETTING_CHANGES: &[Change] = &[
    Change::new("send_email", Takes::Flag),
    Change::new("items_per_page", Takes::Count(MOST_ITEMS)),
    Change::new("show_ids", Takes::Flag),
];

/// Answers the list of users.
pub async fn list(cx: &Cx<'_>) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let words = cx.query.words();
    let place = Page::asked(cx)?.within(store::user::count(&mut conn, &words).await?)?;
    let order = cx.query.order(ORDERS);
    let found = store::user::page(&mut conn, &words, &order, place.window()).await?;
    let item = |user| Item {
        user,
        is_own: false,
    };
    let found = found.map(item);
    Ok(place.answer(cx, found.rows, found.next, |json, it| {
        field::write(FIELDS, it, false, cx, json);
    }))
}

/// Answers one user.
pub async fn detail(cx: &Cx<'_>, id: i64) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let user = store::user::by_id(&mut conn, UserId(id)).await?;
    Ok(told(cx, user.ok_or(Problem::Missing("User"))?))
}

fn told(cx: &Cx<'_>, user: User) -> Reply {
    let is_own = cx
        .caller
        .as_ref()
        .is_some_and(|caller| caller.user.id == user.id);
    let mut json = Json::default();
    field::write(FIELDS, &Item { user, is_own }, true, cx, &mut json);
    Reply::ok(json.into_string())
}

const NAME: Text = Text {
    most: 150,
    blank: true,
    null: false,
};

/// Changes the caller's own account.
pub async fn update(cx: &Cx<'_>, id: i64, body: Body, is_put: bool) -> Result<Reply> {
    let mut tx = cx.begin().await?;
    let user = store::user::by_id(&mut tx, UserId(id)).await?;
    let mut user = user.ok_or(Problem::Missing("User"))?;
    let caller = cx.writer(Scope::Write)?;
    if caller.user.id != user.id {
        return Err(Problem::Forbidden);
    }
    let input = body.read().await?;
    let mut faults = Faults::default();
    for (field, value) in [
        ("first_name", &mut user.first_name),
        ("last_name", &mut user.last_name),
    ] {
        let given = input.get(field).map(|given| given.text(NAME));
        if let Some(text) = given.and_then(|read| faults.take(field, read)) {
            *value = text.unwrap_or_default();
        }
    }
    if cx.version >= V1_2 {
        settings(&input, &mut user, is_put, &mut faults);
    }
    let user = faults.none(user)?;
    store::user::update(&mut tx, &user).await?;
    tx.commit().await?;
    Ok(told(cx, user))
}

fn settings(input: &Input, user: &mut User, is_put: bool, faults: &mut Faults) {
    let inner = match input.inner("settings") {
        None if is_put => {
            return faults.add("settings", "This field is required.");
        }
        None => return,
        Some(Ok(inner)) => inner,
        Some(Err(_)) if input.get("settings").is_some_and(|given| given.is_null()) => {
            return faults.add("settings", "This field may not be null.");
        }
        Some(Err(why)) => {
            let mut detail = Faults::default();
            detail.add("detail", why);
            return faults.add_inner("settings", detail);
        }
    };
    let mut wrong = Faults::default();
    for (field, value) in [
        ("send_email", &mut user.send_email),
        ("show_ids", &mut user.show_ids),
    ] {
        if let Some(flag) = inner.flag(field, is_put, &mut wrong) {
            *value = flag;
        }
    }
    if let Some(given) = inner.get("items_per_page")
        && let Some(count) = wrong.take("items_per_page", given.count(1, MOST_ITEMS))
    {
        user.items_per_page = count;
    }
    faults.add_inner("settings", wrong);
}
