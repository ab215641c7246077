//! Checks: what CI reports of a patch (`rest.md §8.7`). They are never changed, only followed by newer ones.

use super::{
    answer::Reply,
    embed::{self, CHECK_STATES, UserRef},
    endpoint::Body,
    error::{Faults, Problem, Result},
    field::{self, Change, Field, Holds, Takes},
    filter::{Filter, Means},
    input::{Given, Input, Text},
    json::Json,
    page::{self, Page},
    person::users,
    query::{one, some},
    request::Cx,
};
use crate::{
    auth::Caller,
    domain::{
        CheckId, PatchId,
        check::{Check, CheckState, Fault, NewCheck},
        permission::Scope,
    },
    store::{
        self, Conn,
        check::{By, Search},
    },
};

/// A check as the API shows it.
pub struct Item {
    check: Check,
    user: UserRef,
}

impl Item {
    fn path(&self) -> String {
        format!("patches/{}/checks/{}/", self.check.patch_id, self.check.id)
    }
}

/// The fields of a check.
pub const FIELDS: &[Field<Item>] = &[
    Field::<Item>::new("id", Holds::Int, |it, _, json| json.int(it.check.id.0)),
    Field::<Item>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &it.path())
    }),
    Field::<Item>::new("user", Holds::One("User"), |it, cx, json| {
        field::write(embed::USER, &it.user, true, cx, json);
    }),
    Field::<Item>::new("date", Holds::Moment, |it, _, json| {
        json.moment(it.check.date)
    }),
    Field::<Item>::new("state", Holds::Word(CHECK_STATES), |it, _, json| {
        json.text(it.check.state.word());
    }),
    Field::<Item>::new("target_url", Holds::OptionalText, |it, _, json| {
        json.optional(it.check.target_url.as_deref());
    }),
    Field::<Item>::new("context", Holds::Text, |it, _, json| {
        json.text(&it.check.context)
    }),
    Field::<Item>::new("description", Holds::OptionalText, |it, _, json| {
        json.optional(it.check.description.as_deref());
    }),
];

/// What lists may be sorted by.
pub const ORDERS: &[(&str, By)] = &[
    ("id", By::Id),
    ("user", By::User),
    ("date", By::Date),
    ("state", By::State),
    ("target_url", By::TargetUrl),
    ("context", By::Context),
    ("description", By::Description),
];

/// What lists may be filtered by.
pub const FILTERS: &[Filter] = &[
    Filter::new("user", Means::User),
    Filter::new("state", Means::Result),
    Filter::new("context", Means::Text),
    Filter::new("since", Means::Since),
    Filter::new("before", Means::Before),
];

/// What may be said of a new check.
pub const CHANGES: &[Change] = &[
    Change::new("state", Takes::Word(CHECK_STATES)).required(),
    Change::new("target_url", Takes::Like(URL_OR_NONE, &[], URL)),
    Change::new("context", Takes::Like(SLUG, &["integer"], CONTEXT)),
    Change::new("description", Takes::Text(ANY)),
];

const SLUG: &str = "^[-a-zA-Z0-9_]+$";
const URL_OR_NONE: &str = r"^(?:\s*|(?:https?|ftps?)://[^\s\u0000-\u001f\u007f-\u009f/?#][^\s\u0000-\u001f\u007f-\u009f]*)$";

/// Answers all checks of a patch.
pub async fn list(cx: &Cx<'_>, patch: i64) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let patch = store::patch::by_id(&mut conn, PatchId(patch)).await?;
    let patch = patch.ok_or(Problem::Missing("Patch"))?.id;
    let page = Page::asked(cx)?;
    let Some(search) = search_of(cx, &mut conn).await? else {
        return page::empty(cx);
    };
    let place = page.within(store::check::count(&mut conn, patch, &search).await?)?;
    let order = cx.query.order(ORDERS);
    let found = store::check::page(&mut conn, patch, &search, &order, place.window()).await?;
    let items = items(&mut conn, found.rows).await?;
    Ok(place.answer(cx, items, found.next, |json, it| {
        field::write(FIELDS, it, false, cx, json);
    }))
}

async fn search_of(cx: &Cx<'_>, conn: &mut Conn) -> Result<Option<Search>> {
    if cx.query.has_nul() {
        return Ok(None);
    }
    let wanted = cx.query.all("state");
    let states: Vec<CheckState> = wanted.iter().filter_map(|text| state(text)).collect();
    if states.len() < wanted.len() {
        return Ok(None);
    }
    let users = cx.users(conn, "user").await?;
    let (since, before) = (cx.query.moment("since"), cx.query.moment("before"));
    Ok((|| {
        Some(Search {
            users: some(users)?,
            states,
            context: cx.query.last("context").map(str::to_owned),
            since: one(since)?,
            before: one(before)?,
        })
    })())
}

/// Reads a result: a word, or its number.
fn state(text: &str) -> Option<CheckState> {
    match super::query::number(text) {
        Some(number) => CheckState::from_number(number),
        None => CheckState::from_word(text),
    }
}

async fn items(conn: &mut Conn, checks: Vec<Check>) -> Result<Vec<Item>> {
    let users = users(conn, checks.iter().map(|check| check.user_id).collect()).await?;
    let item = |check: Check| {
        let user = users.get(&check.user_id)?.clone();
        Some(Item { check, user })
    };
    Ok(checks.into_iter().filter_map(item).collect())
}

/// Answers one check.
pub async fn detail(cx: &Cx<'_>, patch: i64, id: i64) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let patch = store::patch::by_id(&mut conn, PatchId(patch)).await?;
    let patch = patch.ok_or(Problem::Missing("Patch"))?.id;
    let check = store::check::by_id(&mut conn, patch, CheckId(id)).await?;
    let (json, _) = told(cx, &mut conn, check.ok_or(Problem::Missing("Check"))?).await?;
    Ok(Reply::ok(json))
}

/// Returns a check as JSON, and its address.
async fn told(cx: &Cx<'_>, conn: &mut Conn, check: Check) -> Result<(String, String)> {
    let items = items(conn, vec![check]).await?;
    let item = items.first().ok_or(Problem::Missing("User"))?;
    let mut json = Json::default();
    field::write(FIELDS, item, true, cx, &mut json);
    Ok((json.into_string(), cx.url(&item.path())))
}

/// Reports a check.
pub async fn create(cx: &Cx<'_>, patch: i64, body: Body) -> Result<Reply> {
    let mut tx = cx.begin().await?;
    let patch = store::patch::by_id(&mut tx, PatchId(patch)).await?;
    let patch = patch.ok_or(Problem::Missing("Patch"))?;
    // Compatibility: whoever is nobody is told the same as whoever may not.
    let caller = cx.writer(Scope::Checks).map_err(|_| Problem::Forbidden)?;
    if !caller.rights.may_edit(&patch) {
        return Err(Problem::Forbidden);
    }
    let input = body.read().await?;
    let new = new_check(&input, patch.id, caller)?;
    let id = store::check::insert(&mut tx, &new, cx.now).await?;
    let check = store::check::by_id(&mut tx, patch.id, id).await?;
    let (json, location) = told(cx, &mut tx, check.ok_or(Problem::Missing("Check"))?).await?;
    tx.commit().await?;
    Ok(Reply::created(json, location))
}

const ANY: Text = Text {
    most: usize::MAX,
    blank: true,
    null: true,
};
const URL: Text = Text {
    most: 200,
    blank: true,
    null: true,
};
const CONTEXT: Text = Text {
    most: 255,
    blank: false,
    null: false,
};

fn new_check(input: &Input, patch: PatchId, caller: &Caller) -> Result<NewCheck> {
    let mut faults = Faults::default();
    let reporter = input.get("user").map(|given| is_caller(&given, caller));
    if reporter == Some(false) {
        faults.add("user", "Checks are reported in one's own name.");
    }
    let found = input.get("state").filter(|given| !is_empty(given));
    let found = found.map(|given| result(&given));
    let found = match found {
        None => {
            faults.add("state", "A check must have a state.");
            None
        }
        Some(read) => faults.take("state", read),
    };
    let text = |name, rule| input.get(name).map(|given| given.text(rule));
    let url = text("target_url", URL)
        .and_then(|read| faults.take("target_url", read))
        .flatten();
    let context = text("context", CONTEXT)
        .and_then(|read| faults.take("context", read))
        .flatten();
    let words = text("description", ANY)
        .and_then(|read| faults.take("description", read))
        .flatten();
    let new = NewCheck::new(
        patch,
        caller.user.id,
        found.unwrap_or(CheckState::Pending),
        context.as_deref(),
        url.as_deref(),
        words.as_deref(),
    );
    match new {
        Ok(new) => faults.none(new),
        Err(wrong) => {
            for fault in wrong {
                tell(&fault, &mut faults);
            }
            Err(Problem::Fields(faults))
        }
    }
}

fn tell(fault: &Fault, faults: &mut Faults) {
    match fault {
        Fault::Context(_) => faults.add(
            "context",
            "Enter a valid \"slug\" consisting of letters, numbers, underscores or hyphens.",
        ),
        Fault::TargetUrl(_) => faults.add("target_url", "Enter a valid URL."),
    }
}

fn is_empty(given: &Given<'_>) -> bool {
    given
        .text(ANY)
        .is_ok_and(|text| text.unwrap_or_default().is_empty())
}

/// Says whether `user` names the caller. Compatibility: CI sends it empty, or as the own id.
fn is_caller(given: &Given<'_>, caller: &Caller) -> bool {
    let user = &caller.user;
    given.text(ANY).is_ok_and(|text| {
        let text = text.unwrap_or_default();
        text.is_empty() || text == user.id.to_string() || text.eq_ignore_ascii_case(&user.username)
    })
}

fn result(given: &Given<'_>) -> Result<CheckState, String> {
    let text = given.text(ANY)?.unwrap_or_default();
    state(&text).ok_or_else(|| format!("\"{text}\" is not a valid choice."))
}
