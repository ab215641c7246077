//! The list of a project's patches: filters, order, pages (`web.md §6`).
//!
//! Six statements whatever is asked: project, words, desks, count, rows, marks. A list that turns out empty
//! spends the last one on finding out why.

use std::collections::HashMap;

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    comment,
    error::Result,
    guard::{Pairs, View},
    layout::{self, Frame, Tab},
    pager,
    parts::{self, Column, Table},
    query::{ACTION_REQUIRED, Listing, Query},
};
use crate::{
    domain::{
        MessageId, PatchId, Timestamp,
        filter::{Delegate, Order, OrderKey, States, Submitter},
        person,
        project::Project,
        series,
    },
    store::{
        self,
        patch::list::{Marks, Row},
        project::Desk,
        state::Vocabulary,
        submission,
    },
};

/// More patches than this are not counted, and not paged to by number.
const MOST: i64 = 10_000;

/// Returns the routes of lists.
pub fn routes() -> Vec<Route> {
    rocket::routes![list]
}

#[rocket::get("/project/<linkname>/list")]
async fn list(linkname: &str, view: View<'_>, pairs: Pairs, mut db: Db<'_>) -> Result<Answer> {
    let query = Query::read(&pairs.0);
    let project = store::project::by_linkname(&mut db, linkname)
        .await?
        .ok_or_else(Error::missing)?;
    if view.fragment.is_none()
        && let Some(address) = jump(&mut db, &view, query.get("q").unwrap_or_default()).await?
    {
        return Ok(Answer::Found(address));
    }
    let list = List::load(&mut db, project, query, view.options().items_per_page).await?;
    drop(db);
    Ok(match view.fragment {
        None => Answer::Page(whole(&view, &list)),
        Some(target) => Answer::Part {
            body: if target == "results" {
                results(&view, &list)
            } else {
                part(&view, &list)
            },
            address: Some(format!(
                "{}{}",
                view.links().list(&list.project.linkname),
                list.query.href().trim_start_matches("./")
            )),
        },
    })
}

/// Returns where a search that names one thing leads: a patch's number, a message id, an address of ours.
async fn jump(db: &mut Db<'_>, view: &View<'_>, text: &str) -> Result<Option<String>> {
    let text = text.trim();
    let number = text.strip_prefix("id:").unwrap_or(text);
    if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        let Ok(id) = number.parse() else {
            return Ok(None);
        };
        let place = submission::patch(db, PatchId(id)).await?;
        return Ok(place.map(|place| comment::address(view, &place, "")));
    }
    let Some(ids) = message_ids(text) else {
        return Ok(None);
    };
    let places = submission::by_message_id(db, &ids).await?;
    Ok(places
        .first()
        .map(|place| comment::address(view, place, "")))
}

/// Returns the message ids a search may mean, if it looks like one or like the address of one.
fn message_ids(text: &str) -> Option<Vec<MessageId>> {
    let text = text.strip_prefix("msgid:").unwrap_or(text);
    if text.contains(char::is_whitespace) || !text.contains('@') || text.starts_with("from:") {
        return None;
    }
    let mut parts = vec![text];
    if text.contains("://") {
        // `https://host/project/x/patch/<id>/` of ours, `https://archive/list/<id>/` of others.
        parts = text
            .split(['/', '#', '?'])
            .filter(|part| part.contains('@'))
            .collect();
    }
    let ids = parts
        .into_iter()
        .flat_map(|part| super::id::Asked::read(part).ids());
    Some(ids.collect())
}

/// Everything the page shows.
struct List {
    project: Project,
    query: Query,
    listing: Listing,
    vocabulary: Vocabulary,
    desks: Vec<Desk>,
    rows: Vec<Row>,
    marks: HashMap<PatchId, Marks>,
    total: i64,
    page: i64,
    pages: i64,
    /// Filters that nobody can match, and why.
    unmatched: Vec<(&'static str, String)>,
}

impl List {
    async fn load(db: &mut Db<'_>, project: Project, query: Query, size: i64) -> Result<List> {
        let vocabulary = store::state::vocabulary(db).await?;
        let desks = store::project::desks(db, project.id).await?;
        let listing = Listing::of(&query, project.id, &vocabulary);
        let size = size.clamp(1, 1000);
        let total =
            store::patch::list::count(db, &listing.filter, &vocabulary.states, MOST + 1).await?;
        let pages = (total.min(MOST) + size - 1) / size;
        let page = listing.page.min(pages.max(1));
        let (filter, order) = (&listing.filter, listing.order);
        let offset = (page - 1) * size;
        let rows =
            store::patch::list::page(db, filter, order, &vocabulary.states, size, offset).await?;
        let mut unmatched = listing.unknown.clone();
        let mut marks = HashMap::new();
        if rows.is_empty() {
            unmatched.extend(nobody(db, &listing).await?);
        } else {
            let ids: Vec<PatchId> = rows.iter().map(|row| row.id).collect();
            marks = store::patch::list::marks(db, &ids).await?;
        }
        Ok(List {
            project,
            query,
            listing,
            vocabulary,
            desks,
            rows,
            marks,
            total,
            page,
            pages,
            unmatched,
        })
    }

    fn has_more(&self) -> bool {
        self.total > MOST
    }
}

/// Says of an empty list whether it is because nobody has that name.
async fn nobody(db: &mut Db<'_>, listing: &Listing) -> Result<Option<(&'static str, String)>> {
    if let Some(Submitter::Matching(text)) = &listing.filter.submitter
        && !store::person::any_matching(db, text).await?
    {
        return Ok(Some((
            "submitter",
            format!("no submitter is called “{text}”"),
        )));
    }
    Ok(None)
}

fn whole(view: &View, list: &List) -> Markup {
    let title = format!("Patches of {}", list.project.name);
    let frame = Frame {
        search: false,
        ..Frame::project(&title, &list.project, Tab::Patches)
    };
    layout::page(view, &frame, part(view, list))
}

/// The page's content: part of the page, and alone the answer to links that change a filter or the order.
fn part(view: &View, list: &List) -> Markup {
    html! {
        div #list {
            h1.vh { "Patches of " (list.project.name) }
            (form(view, list))
            (results(view, list))
        }
    }
}

/// What was found: part of the page, and alone the answer to the filter form.
fn results(view: &View, list: &List) -> Markup {
    html! {
        section #results aria-label="Patches found" hx-target="#list" hx-swap="outerHTML" {
            div.summary {
                ul.chips aria-label="Filters in effect" hx-boost="true" {
                    @for chip in chips(list) { (drawn(&chip)) }
                }
                p.total { (total(list.total)) }
            }
            @if list.query.is_series() { (banner(view, list)) }
            @if list.rows.is_empty() { (empty()) } @else { (table(view, list)) }
            (pager::pager(list.page, list.pages, |page| list.query.with("page", &page.to_string()).href()))
            (beyond(list))
        }
    }
}

fn total(total: i64) -> String {
    match total {
        1 => "1 patch".into(),
        total if total > MOST => "more than 10 000 patches".into(),
        total => format!("{total} patches"),
    }
}

fn banner(view: &View, list: &List) -> Markup {
    html! {
        @if let Some(id) = list.listing.filter.series {
            p.banner {
                "All patches of one series. "
                a href=(view.links().series(&list.project.linkname, id)) { "Open the series" }
            }
        }
    }
}

fn empty() -> Markup {
    html! {
        div.empty {
            p { strong { "No patches to display." } }
            p.muted { "Drop one of the filters above to see more." }
        }
    }
}

fn table(view: &View, list: &List) -> Markup {
    let columns: Vec<Column> = [
        Column::Name,
        Column::Series,
        Column::Tags,
        Column::Checks,
        Column::Date,
        Column::Submitter,
        Column::Delegate,
        Column::State,
    ]
    .into_iter()
    .filter(|column| *column != Column::Tags || shows_tags(list))
    .collect();
    let table = Table {
        project: &list.project,
        vocabulary: &list.vocabulary,
        rows: &list.rows,
        marks: &list.marks,
        columns: &columns,
        caption: "Patches; the heads of columns sort",
    };
    parts::table(view, &table, |column| head(list, column))
}

fn shows_tags(list: &List) -> bool {
    list.project.use_tags && list.vocabulary.columns().next().is_some()
}

/// The head of a column: what it sorts by now, and a link that sorts by it or turns it round.
fn head(list: &List, column: Column) -> (Option<&'static str>, Markup) {
    if column == Column::Tags {
        return (None, parts::tag_head(&list.vocabulary));
    }
    let Some(key) = column.order_key() else {
        return (None, html! { (column.label()) });
    };
    let (current, descending) = (
        order_name(list.listing.order),
        list.listing.order.descending,
    );
    let sorted = current == Some(key);
    let wanted = match (sorted, descending) {
        (true, false) => format!("-{key}"),
        (true, true) => key.to_owned(),
        (false, _) if key == "date" => "-date".to_owned(),
        (false, _) => key.to_owned(),
    };
    let sort = sorted.then_some(if descending {
        "descending"
    } else {
        "ascending"
    });
    let link = html! {
        a href=(list.query.with("order", &wanted).href()) hx-boost="true" {
            (column.label())
            @if sorted { i aria-hidden="true" { @if descending { " ↓" } @else { " ↑" } } }
        }
    };
    (sort, link)
}

fn order_name(order: Order) -> Option<&'static str> {
    match order.key {
        OrderKey::Date => Some("date"),
        OrderKey::Name => Some("name"),
        OrderKey::State => Some("state"),
        OrderKey::Submitter => Some("submitter"),
        OrderKey::Delegate => Some("delegate"),
        OrderKey::Number => None,
    }
}

/// The way on behind the last numbered page: by date, for lists sorted by date.
fn beyond(list: &List) -> Markup {
    let order = list.listing.order;
    if !list.has_more() || list.page < list.pages || order.key != OrderKey::Date {
        return html! {};
    }
    let Some(last) = list.rows.last() else {
        return html! {};
    };
    let (key, moment) = if order.descending {
        // Patches of the same second must not be lost; a few may be seen twice.
        ("before", Timestamp(last.date.0.saturating_add(1_000_000)))
    } else {
        ("since", last.date)
    };
    html! {
        p.beyond hx-boost="true" { a rel="next" href=(list.query.with(key, &moment.iso()).href()) { "Further patches ›" } }
    }
}

/// A filter in effect, and the list without it.
struct Chip {
    text: String,
    drop: Option<Query>,
    warning: bool,
}

fn drawn(chip: &Chip) -> Markup {
    html! {
        li.chip.warning[chip.warning] {
            (chip.text)
            @if let Some(query) = &chip.drop {
                " " a href=(query.href()) aria-label={ "Drop filter: " (chip.text) } title="Drop this filter" { "×" }
            }
        }
    }
}

fn chips(list: &List) -> Vec<Chip> {
    let query = &list.query;
    let mut chips = Vec::new();
    let mut chip = |text: String, drop: Query| {
        chips.push(Chip {
            text,
            drop: Some(drop),
            warning: false,
        })
    };
    let refused = |key: &str| list.unmatched.iter().any(|(k, _)| *k == key);
    if list.listing.filter.series.is_some() {
        chip(
            format!("Series: {}", series_name(list)),
            query.without("series"),
        );
    }
    match &list.listing.filter.states {
        States::Any => {}
        States::ActionRequired => chip("Action required".into(), query.with("state", "*")),
        States::Among(_) if query.get("state") == Some(ACTION_REQUIRED) => {
            chip("Action required".into(), query.with("state", "*"));
        }
        States::Among(ids) if query.get("state").is_some() => {
            for value in query.all("state") {
                let named = list
                    .vocabulary
                    .states
                    .iter()
                    .find(|state| value == state.id.to_string() || state.is_called(value));
                let Some(state) = named else { continue };
                let rest = if ids.len() > 1 {
                    query.without_value("state", value)
                } else {
                    query.with("state", "*")
                };
                chip(format!("State: {}", state.name), rest);
            }
        }
        States::Among(_) => {}
    }
    match query.get("archive") {
        Some("true") => chip("Archived".into(), query.with("archive", "both")),
        Some("both") => {}
        _ if query.is_series() => {}
        _ => chip("Not archived".into(), query.with("archive", "both")),
    }
    if query.get("submitter").is_some() && !refused("submitter") {
        chip(
            format!("Submitter: {}", submitter_name(list)),
            query.without("submitter"),
        );
    }
    if query.get("delegate").is_some() {
        chip(
            format!("Delegate: {}", delegate_name(list)),
            query.without("delegate"),
        );
    }
    for (key, label) in [
        ("q", "Text"),
        ("since", "Since"),
        ("before", "Before"),
        ("checks", "Checks"),
        ("tag", "Tag"),
    ] {
        if let Some(value) = query.get(key).filter(|_| !refused(key) || key == "q") {
            chip(format!("{label}: {value}"), query.without(key));
        }
    }
    if list.listing.filter.unaddressed {
        chip("Open comments".into(), query.without("comments"));
    }
    for (key, why) in &list.unmatched {
        chips.push(Chip {
            text: why.clone(),
            drop: Some(query.without(key)),
            warning: true,
        });
    }
    chips
}

fn series_name(list: &List) -> String {
    let Some(id) = list.listing.filter.series else {
        return String::new();
    };
    match list.rows.first() {
        Some(row) => series::shown(row.series_name.as_deref(), id),
        None => format!("#{id}"),
    }
}

fn submitter_name(list: &List) -> String {
    match &list.listing.filter.submitter {
        Some(Submitter::Person(id)) => match list.rows.iter().find(|row| row.submitter_id == *id) {
            Some(row) => {
                person::shown(row.submitter_name.as_deref(), &row.submitter_email).to_owned()
            }
            None => format!("#{id}"),
        },
        Some(Submitter::Matching(text)) => text.clone(),
        None => String::new(),
    }
}

fn delegate_name(list: &List) -> String {
    match &list.listing.filter.delegate {
        Some(Delegate::Nobody) => "nobody".into(),
        Some(Delegate::User(id)) => match list.desks.iter().find(|desk| desk.id == *id) {
            Some(desk) => desk.username.clone(),
            None => format!("#{id}"),
        },
        Some(Delegate::Matching(text)) => text.clone(),
        None => String::new(),
    }
}

/// When the form asks by itself: at once for a choice, after a pause while somebody types.
const TRIGGER: &str = "submit, change from:.pick, input changed delay:150ms from:#f-q";

/// The filter form. It works alone; htmx only swaps what was found, so that nobody is interrupted while typing.
fn form(view: &View, list: &List) -> Markup {
    let query = &list.query;
    let value = |key| query.get(key).unwrap_or_default();
    let more = ["series", "since", "before", "checks", "tag", "comments"];
    let address = view.links().list(&list.project.linkname);
    html! {
        form.filters role="search" aria-label="Filter patches" action=(address) hx-get=(address) hx-target="#results"
            hx-swap="outerHTML" hx-sync="this:replace" hx-trigger=(TRIGGER) {
            (field("q", "Search", html! {
                input #f-q type="search" name="q" value=(value("q")) placeholder="Name, from:, -not, message id" data-key="/";
            }))
            (field("state", "State", states(list)))
            (field("submitter", "Submitter", html! {
                input #f-submitter name="submitter" value=(value("submitter")) placeholder="Name or address";
            }))
            (field("delegate", "Delegate", delegates(list)))
            (field("archive", "Archived", select("archive", value("archive"), &[("", "No"), ("true", "Yes"), ("both", "Both")])))
            details.more open[more.iter().any(|key| query.get(key).is_some())] {
                summary { "More filters" }
                div {
                    (field("series", "Series", html! {
                        input #f-series name="series" value=(value("series")) inputmode="numeric" placeholder="Number";
                    }))
                    (field("since", "Since", html! { input #f-since name="since" value=(value("since")) placeholder="2024-03-05"; }))
                    (field("before", "Before", html! { input #f-before name="before" value=(value("before")) placeholder="2024-03-05"; }))
                    (field("checks", "Checks", select("checks", value("checks"), &[
                        ("", "Any"), ("fail", "Failed"), ("warning", "Warnings"), ("success", "Passed"),
                        ("pending", "Pending"), ("none", "None"),
                    ])))
                    (field("tag", "Tag", tags(list)))
                    (field("comments", "Comments", select("comments", value("comments"), &[
                        ("", "Any"), ("unaddressed", "Open ones"),
                    ])))
                }
            }
            (field("order", "Sort", select("order", value("order"), &[
                ("", "Usual"), ("-date", "Newest first"), ("date", "Oldest first"), ("name", "Name"), ("-name", "Name, Z–A"),
                ("state", "State"), ("-state", "State, last first"), ("submitter", "Submitter"),
                ("-submitter", "Submitter, Z–A"), ("delegate", "Delegate"), ("-delegate", "Delegate, Z–A"),
            ])))
            button type="submit" { "Filter" }
        }
    }
}

fn field(name: &str, label: &str, input: Markup) -> Markup {
    html! {
        div.field.{ "f-" (name) }.pick[name != "q"] { label for={ "f-" (name) } { (label) } (input) }
    }
}

fn select(name: &str, current: &str, options: &[(&str, &str)]) -> Markup {
    html! {
        select id={ "f-" (name) } name=(name) {
            @for (value, label) in options {
                option value=(value) selected[*value == current] { (label) }
            }
        }
    }
}

fn states(list: &List) -> Markup {
    let current = list.query.get("state");
    // Without a state a series is shown whole, so that "action required" needs a name there.
    let (any, action) = match list.listing.filter.series {
        Some(_) => ("", ACTION_REQUIRED),
        None => ("*", ""),
    };
    html! {
        select #f-state name="state" {
            option value=(any) selected[current == Some("*")] { "Any" }
            option value=(action) selected[current.unwrap_or_default() == action] { "Action required" }
            @for state in &list.vocabulary.states {
                @let id = state.id.to_string();
                option value=(id) selected[current.is_some_and(|current| current == id || state.is_called(current))] {
                    (state.name)
                }
            }
        }
    }
}

fn delegates(list: &List) -> Markup {
    let current = list.query.get("delegate").unwrap_or_default();
    let known = list
        .desks
        .iter()
        .any(|desk| desk.id.to_string() == current || desk.username == current);
    html! {
        select #f-delegate name="delegate" {
            option value="" selected[current.is_empty()] { "Anyone" }
            option value="Nobody" selected[current.eq_ignore_ascii_case("nobody")] { "Nobody" }
            @if !current.is_empty() && !known && !current.eq_ignore_ascii_case("nobody") {
                option value=(current) selected { (current) }
            }
            @for desk in &list.desks {
                @let id = desk.id.to_string();
                option value=(id) selected[current == id || current == desk.username] { (desk.username) }
            }
        }
    }
}

fn tags(list: &List) -> Markup {
    let current = list.query.get("tag").unwrap_or_default();
    html! {
        select #f-tag name="tag" {
            option value="" { "Any" }
            @if current.contains(':') { option value=(current) selected { (current) } }
            @for tag in &list.vocabulary.tags {
                option value=(tag.abbrev) selected[current == tag.abbrev || current == tag.name] { (tag.name) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_for_one_mail_are_seen() {
        let first = |text| message_ids(text).map(|ids| ids[0].as_str().to_owned());
        assert_eq!(first("a@b"), Some("<a@b>".into()));
        assert_eq!(first("<a@b>"), Some("<a@b>".into()));
        assert_eq!(first("msgid:a@b"), Some("<a@b>".into()));
        assert_eq!(
            first("https://lore.example/list/a@b/T/#u"),
            Some("<a@b>".into())
        );
        assert_eq!(first("from:a@b"), None);
        assert_eq!(first("fix a@b leak"), None);
        assert_eq!(first("leak"), None);
    }
}
