//! The list of a project's patches: filters, order, pages (`web.md §6`).
//!
//! Eight statements whatever is asked: project, words, desks, saved filters, count, page, rows, marks; one more where it is asked how many
//! open comments or bad checks there are. A list that turns out empty spends the last ones on finding out why. Who is logged in costs five more: session, rights, what waits, and what
//! the bar below the list offers: delegates and bundles.
//!
//! Bundles and what waits for somebody are lists, too: a [`List`] is of a [`Place`].

mod chip;
mod form;

use std::collections::{HashMap, HashSet};

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    bulk::{self, Asked, Bar, Chosen},
    error::Result,
    feed,
    field::Faults,
    form::Form,
    guard::{Pairs, View},
    jump,
    layout::{self, Frame, Tab},
    listing::{Ground, Listing, Place},
    pager,
    parts::{self, Column, Table},
    query::{ACTION_REQUIRED, Query},
    saved,
};
use crate::{
    domain::{
        PatchId, ProjectId, Timestamp,
        filter::{Archive, Delegate, Order, OrderKey, PatchFilter, States, Submitter},
        person,
        project::Project,
        series,
    },
    store::{
        self,
        patch::{
            extent::Extent,
            find::Stretch,
            list::{Marks, Row},
        },
        project::Desk,
        saved::Saved,
        state::Vocabulary,
    },
};

/// Returns the routes of lists.
pub fn routes() -> Vec<Route> {
    rocket::routes![list, change]
}

/// Returns the routes of feeds: their addresses are those of files.
pub fn feeds() -> Vec<Route> {
    rocket::routes![feed_file]
}

/// The list as everybody sees it first, for feed readers.
#[rocket::get("/project/<linkname>/feed.atom")]
async fn feed_file(linkname: &str, view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let own = format!("{}feed.atom", view.links().project(linkname));
    fed(&mut db, &view, linkname, Query::default(), &own).await
}

/// Answers what a query finds as a feed.
pub async fn fed(
    db: &mut Db<'_>,
    view: &View<'_>,
    linkname: &str,
    query: Query,
    own: &str,
) -> Result<Answer> {
    let project = store::project::by_linkname(db, linkname)
        .await?
        .ok_or_else(Error::no_project)?;
    let mut list = of_project(db, view, project, query).await?;
    list.rows.truncate(feed::ENTRIES);
    let page = list.here();
    let feed = feed::Feed {
        title: &format!("Patches of {}", list.project.name),
        project: &list.project,
        page: &page,
        own,
        rows: &list.rows,
        vocabulary: &list.vocabulary,
    };
    Ok(feed::answer(view, &feed))
}

#[rocket::get("/project/<linkname>/list")]
async fn list(linkname: &str, view: View<'_>, pairs: Pairs, mut db: Db<'_>) -> Result<Answer> {
    let query = Query::read(&pairs.0);
    if pairs.last("format") == Some("atom") {
        let own = view.here();
        return fed(&mut db, &view, linkname, query, &own).await;
    }
    // Whoever has filters of their own sees them in the address, and can take them off there: a question mark alone asks
    // for a list without any.
    let own = view
        .user()
        .map_or("", |user| user.display.list_filters.as_str());
    if !view.here().contains('?') && !own.is_empty() {
        return Ok(Answer::Found(format!(
            "{}?{own}",
            view.links().list(linkname)
        )));
    }
    let project = store::project::by_linkname(&mut db, linkname)
        .await?
        .ok_or_else(Error::no_project)?;
    if view.fragment.is_none()
        && let Some(address) =
            jump::jump(&mut db, &view, query.get("q").unwrap_or_default()).await?
    {
        return Ok(Answer::Found(address));
    }
    let list = of_project(&mut db, &view, project, query).await?;
    drop(db);
    Ok(list.answer(&view, || whole(&view, &list)))
}

#[rocket::post("/project/<linkname>/list", data = "<form>")]
async fn change(
    linkname: &str,
    view: View<'_>,
    pairs: Pairs,
    mut db: Db<'_>,
    form: Form<'_>,
) -> Result<Answer> {
    let project = store::project::by_linkname(&mut db, linkname)
        .await?
        .ok_or_else(Error::no_project)?;
    view.logged_in()?;
    let query = Query::read(&pairs.0);
    let mut list = of_project(&mut db, &view, project, query).await?;
    let changed = list.change(&view, db, &form).await?;
    list.refuse(&form, &changed);
    Ok(list.answer_change(&view, &form, changed, || whole(&view, &list)))
}

async fn of_project(
    db: &mut Db<'_>,
    view: &View<'_>,
    project: Project,
    query: Query,
) -> Result<List> {
    let address = view.links().list(&project.linkname);
    let place = Place::Project(project.id);
    List::load(db, view, project, place, address, query).await
}

/// A list of patches, and everything a page shows of it.
pub struct List {
    /// The project of the page.
    pub project: Project,
    place: Place,
    address: String,
    query: Query,
    listing: Listing,
    /// States and tags.
    pub vocabulary: Vocabulary,
    desks: Vec<Desk>,
    /// The filters that are saved for this list, of the project and of who reads it.
    saved: Vec<Saved>,
    /// The patches on this page.
    pub rows: Vec<Row>,
    marks: HashMap<PatchId, Marks>,
    /// How many patches the filter finds.
    pub extent: Extent,
    page: i64,
    pages: i64,
    /// Filters that nobody can match, and why.
    unmatched: Vec<(&'static str, String)>,
    /// What changes the patches, for those who are logged in.
    pub bar: Option<Bar>,
    /// Where in the reader's own bundle each patch stands, when the page shows its order.
    pub places: Option<HashMap<PatchId, usize>>,
}

/// What became of a form that changes patches of a list.
pub enum Changed {
    /// It was done.
    Done,
    /// Something is wrong with it.
    Invalid(Faults),
    /// It is about so many patches that it is asked once more.
    Unsure(i64, String),
}

impl List {
    /// Reads what a query finds in a place; `address` is the path of the page.
    pub async fn load(
        db: &mut Db<'_>,
        view: &View<'_>,
        project: Project,
        place: Place,
        address: String,
        query: Query,
    ) -> Result<List> {
        let vocabulary = store::state::vocabulary(db).await?;
        let desks = match place {
            Place::Project(id) => store::project::desks(db, id).await?,
            Place::Bundle(_) | Place::Todo(_) => Vec::new(),
        };
        let reader = view.user().map(|user| user.id);
        let saved = match place {
            Place::Project(id) => store::saved::of_list(db, id, reader).await?,
            Place::Bundle(_) | Place::Todo(_) => Vec::new(),
        };
        let listing = Listing::of(&query, Ground { place, reader }, &vocabulary);
        let size = view.items_per_page().clamp(1, 1000);
        let states = &vocabulary.states;
        let (filter, order) = (&listing.filter, listing.order);
        let stretch = Stretch {
            limit: size,
            offset: (listing.page - 1).saturating_mul(size),
        };
        let (extent, rows) =
            store::patch::list::stretch(db, filter, order, states, stretch).await?;
        let pages = (extent.total + size - 1) / size;
        let page = listing.page.min(pages.max(1));
        let mut unmatched = listing.unknown.clone();
        let mut marks = HashMap::new();
        if rows.is_empty() {
            unmatched.extend(nobody(db, &query, &listing.filter).await?);
        } else {
            marks = store::patch::list::marks(db, &rows, Timestamp::now()).await?;
        }
        let projects = rows.iter().map(|row| row.project_id).chain([project.id]);
        let projects: HashSet<ProjectId> = projects.collect();
        let bar = Bar::load(db, view, &Vec::from_iter(projects)).await?;
        Ok(List {
            project,
            place,
            address,
            query,
            listing,
            vocabulary,
            desks,
            saved,
            rows,
            marks,
            extent,
            page,
            pages,
            unmatched,
            bar,
            places: None,
        })
    }

    /// Returns the address of what is shown, with its filters.
    pub fn here(&self) -> String {
        let query = self.query.href();
        format!("{}{}", self.address, query.trim_start_matches("./"))
    }

    /// Says whether the rows stand in the order of the bundle.
    pub fn is_in_bundle_order(&self) -> bool {
        self.listing.order.key == OrderKey::Place
    }

    /// Answers the list: the whole page, or the part that htmx asks for.
    pub fn answer(&self, view: &View, whole: impl FnOnce() -> Markup) -> Answer {
        let Some(target) = view.fragment else {
            return Answer::Page(whole());
        };
        Answer::Part {
            body: html! {
                @if target == "results" { (results(view, self)) } @else { (part(view, self)) }
                @if !view.notices().is_empty() { (layout::notices(view)) }
            },
            address: Some(self.here()),
        }
    }

    /// Does what a form asks to be done with patches, in the name of who is logged in.
    pub async fn change(
        &self,
        view: &View<'_>,
        mut db: Db<'_>,
        form: &Form<'_>,
    ) -> Result<Changed> {
        let session = view.logged_in()?;
        let mut patches = bulk::ticked(form);
        if bulk::wants_all(form) {
            let (filter, states) = (&self.listing.filter, &self.vocabulary.states);
            let found = store::patch::find::all(&mut db, filter, states, bulk::MOST + 1).await?;
            if found.len() as i64 > bulk::MOST {
                let mut faults = Faults::default();
                let most = bulk::patches(bulk::MOST as usize);
                faults.add(
                    "",
                    format!("No more than {most} are changed at once. Narrow the filter."),
                );
                return Ok(Changed::Invalid(faults));
            }
            patches = match bulk::chosen(form, found) {
                Chosen::These(patches) => patches,
                Chosen::All(count, mark) => return Ok(Changed::Unsure(count, mark)),
            };
        }
        drop(db);
        let asked = Asked {
            session,
            form,
            vocabulary: &self.vocabulary,
            patches,
            project: Some(self.project.id),
        };
        let faults = bulk::carry_out(&asked).await?;
        Ok(match faults.is_empty() {
            true => Changed::Done,
            false => Changed::Invalid(faults),
        })
    }

    /// Shows a form that was not taken once more, and what is wrong with it.
    pub fn refuse(&mut self, form: &Form, changed: &Changed) {
        if let (Changed::Invalid(faults), Some(bar)) = (changed, &mut self.bar) {
            bar.refuse(form, faults.clone());
        }
    }

    /// Answers a form that changes patches; `whole` draws the page.
    pub fn answer_change(
        &self,
        view: &View,
        form: &Form,
        changed: Changed,
        whole: impl FnOnce() -> Markup,
    ) -> Answer {
        match changed {
            Changed::Done => Answer::Done(self.here()),
            Changed::Invalid(_) => Answer::Invalid(match view.fragment {
                Some(_) => part(view, self),
                None => whole(),
            }),
            Changed::Unsure(count, mark) => {
                let here = self.here();
                let place = self.bulk_place(&here);
                let asked = bulk::question(view, &place, self.bar.as_ref(), form, count, &mark);
                match view.fragment {
                    Some(_) => Answer::Part {
                        body: asked,
                        address: None,
                    },
                    None => {
                        let frame = Frame::project("Change patches?", &self.project, Tab::Patches);
                        Answer::Page(layout::page(view, &frame, asked))
                    }
                }
            }
        }
    }

    /// Returns where the form that changes patches is.
    fn bulk_place<'a>(&'a self, here: &'a str) -> bulk::Place<'a> {
        bulk::Place {
            address: here,
            project: self.project.id,
            vocabulary: &self.vocabulary,
            matches: (self.extent.total > self.rows.len() as i64).then(|| all(&self.extent)),
            htmx: matches!(self.place, Place::Project(_)),
        }
    }

    fn has_more(&self) -> bool {
        self.extent.more
    }
}

/// Says of an empty list whether it is because nobody has that name.
async fn nobody(
    db: &mut Db<'_>,
    query: &Query,
    filter: &PatchFilter,
) -> Result<Option<(&'static str, String)>> {
    // A name may have come as a word of the search, too.
    let given = |key, text: &str| match query.get(key) {
        Some(value) if value == text => key,
        _ => "q",
    };
    if let Some(Submitter::Matching(text)) = &filter.submitter
        && !store::person::any_matching(db, text).await?
    {
        let why = format!("no submitter is called “{text}”");
        return Ok(Some((given("submitter", text), why)));
    }
    if let Some(Delegate::Matching(text)) = &filter.delegate
        && !store::patch::list::any_delegate_matching(db, text).await?
    {
        let why = format!("no delegate is called “{text}”");
        return Ok(Some((given("delegate", text), why)));
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
pub fn part(view: &View, list: &List) -> Markup {
    html! {
        div #list {
            @if matches!(list.place, Place::Project(_)) { h1.vh { "Patches of " (list.project.name) } }
            (self::form::form(view, list))
            (results(view, list))
        }
    }
}

/// What was found: part of the page, and alone the answer to the filter form.
fn results(view: &View, list: &List) -> Markup {
    html! {
        section #results aria-label="Patches found" hx-target="#list" hx-swap="outerHTML" data-news=[news(view, list)] {
            div.summary {
                ul.chips aria-label="Filters in effect" hx-boost="true" {
                    @for chip in chip::chips(list) { (chip::drawn(view, &chip)) }
                }
                p.total { (total(&list.extent)) }
                @if has_views(list) { (views(list)) }
            }
            @if has_views(list) { (saved::above(view, &list.project.linkname, &list.saved, &list.query)) }
            @if list.query.is_series() { (banner(view, list)) }
            @if list.rows.is_empty() { (empty()) } @else { (table(view, list)) }
            (pager::pager(list.page, list.pages, |page| list.query.with("page", &page.to_string()).href()))
            (beyond(list))
            @if has_views(list) { p.feed { a href=(list.query.feed()) rel="alternate" type="application/atom+xml" { "This list as a feed" } } }
        }
    }
}

/// Returns where it is told what has come into the list; only of its first page, in the order in which new patches come first.
fn news(view: &View, list: &List) -> Option<String> {
    let is_of_project = matches!(list.place, Place::Project(_));
    let query = list.query.href();
    (is_of_project && list.page == 1).then(|| {
        let address = view.links().news_of_list(&list.project.linkname);
        format!("{address}{}", query.trim_start_matches("./"))
    })
}

fn all(extent: &Extent) -> String {
    match extent.more {
        true => format!("All of more than {}", grouped(extent.total)),
        false => format!("All {}", grouped(extent.total)),
    }
}

fn total(extent: &Extent) -> String {
    match (extent.total, extent.more) {
        (1, false) => "1 patch".into(),
        (total, true) => format!("more than {} patches", grouped(total)),
        (total, false) => format!("{} patches", grouped(total)),
    }
}

/// Writes a number of more than four digits in groups: 10 000.
fn grouped(number: i64) -> String {
    match number {
        ..10_000 => number.to_string(),
        _ => format!("{} {:03}", grouped(number / 1000), number % 1000),
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

/// Says whether patches of a series stand together: not where the reader wants them by another order, or one by one.
fn is_grouped(list: &List) -> bool {
    let is_usual = has_views(list) && list.query.get("order").is_none();
    is_usual && !list.query.is_series() && list.query.get("view") != Some("flat")
}

/// Says whether the list can be shown by series: bundles have an order of their own, and what waits is grouped anyway.
fn has_views(list: &List) -> bool {
    matches!(list.place, Place::Project(_))
}

/// The way to the other form of the list.
fn views(list: &List) -> Markup {
    let (grouped, flat) = (
        list.query.without("view").without("order"),
        list.query.with("view", "flat"),
    );
    let is_grouped = is_grouped(list);
    html! {
        nav.views aria-label="Form of the list" hx-boost="true" {
            a href=(grouped.href()) aria-current=[is_grouped.then_some("true")] { "By series" }
            a href=(flat.href()) aria-current=[(!is_grouped).then_some("true")] { "One by one" }
        }
    }
}

fn table(view: &View, list: &List) -> Markup {
    let grouped = is_grouped(list);
    let columns: Vec<Column> = [
        Column::Place,
        Column::Id,
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
    .filter(|column| match column {
        Column::Tags => shows_tags(list),
        Column::Place => list.places.is_some(),
        Column::Id => view.user().is_some_and(|user| user.show_ids),
        // All of these lie on the reader's own desk.
        Column::Delegate => !matches!(list.place, Place::Todo(_)),
        Column::Series => !grouped,
        _ => true,
    })
    .collect();
    let table = Table {
        vocabulary: &list.vocabulary,
        rows: &list.rows,
        marks: &list.marks,
        columns: &columns,
        caption: "Patches; the heads of columns sort",
        grouped,
        bar: list.bar.as_ref(),
        places: list.places.as_ref(),
        heads: None,
    };
    let table = parts::table(view, &table, |column| head(list, column));
    let here = list.here();
    let place = list.bulk_place(&here);
    bulk::form(view, &place, list.bar.as_ref(), table)
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
        OrderKey::Number | OrderKey::Place => None,
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
