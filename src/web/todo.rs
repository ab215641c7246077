//! What waits for whoever looks (`web.md §11`): over all projects in sections, and in one project as a list.

mod decided;
mod reply;

use std::collections::{HashMap, HashSet};

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    bulk::{self, Bar},
    error::Result,
    field,
    form::Form,
    guard::{Pairs, View},
    layout::{self, Frame, Tab},
    list::{self, List},
    listing::Place,
    parts::{self, Column, Table},
    query::Query,
};
use crate::{
    auth::session::Session,
    domain::{
        PatchId, ProjectId, SeriesId, Timestamp, UserId,
        attention::{Standing, Turn},
        filter::{Delegate, Order, OrderKey, PatchFilter, States, Submitter},
        project::Project,
        series,
    },
    store::{
        self,
        dashboard::Decided,
        patch::{
            attention,
            list::{Marks, Row},
        },
        state::Vocabulary,
    },
};

use reply::Replies;

/// More patches of a section are not shown: lists have them.
const MOST: i64 = 50;

/// Returns the routes of what waits.
pub fn routes() -> Vec<Route> {
    rocket::routes![all, change_all, of_project, change_of_project, reply::seen]
}

#[rocket::get("/user/todo")]
async fn all(view: View<'_>, pairs: Pairs, mut db: Db<'_>) -> Result<Answer> {
    let session = view.logged_in()?;
    let waiting = store::patch::todo::by_project(&mut db, session.caller.user.id).await?;
    // Compatibility: what waits in one project only is on that project's page.
    if let [(project, _)] = waiting[..]
        && pairs.last("all").is_none()
        && let Some(project) = store::project::by_id(&mut db, project).await?
    {
        return Ok(Answer::Found(view.links().todo(&project.linkname)));
    }
    let page = Page::load(&mut db, &view, session, waiting, &pairs).await?;
    drop(db);
    Ok(Answer::Page(page.drawn(&view)))
}

#[rocket::post("/user/todo", data = "<form>")]
async fn change_all(
    view: View<'_>,
    pairs: Pairs,
    mut db: Db<'_>,
    form: Form<'_>,
) -> Result<Answer> {
    let session = view.logged_in()?;
    let waiting = store::patch::todo::by_project(&mut db, session.caller.user.id).await?;
    let mut page = Page::load(&mut db, &view, session, waiting, &pairs).await?;
    drop(db);
    let faults = bulk::receive(&view, &form, &page.vocabulary, None).await?;
    if faults.is_empty() {
        return Ok(Answer::Done(everything(&view)));
    }
    if let Some(bar) = &mut page.bar {
        bar.refuse(&form, faults);
    }
    Ok(Answer::Invalid(page.drawn(&view)))
}

/// Returns the address of the page over all projects, even when there is only one.
fn everything(view: &View) -> String {
    view.links().user_page("todo/?all=1")
}

#[rocket::get("/user/todo/<linkname>")]
async fn of_project(
    linkname: &str,
    view: View<'_>,
    pairs: Pairs,
    mut db: Db<'_>,
) -> Result<Answer> {
    let list = in_project(&mut db, &view, linkname, &pairs).await?;
    drop(db);
    Ok(list.answer(&view, || whole(&view, &list)))
}

#[rocket::post("/user/todo/<linkname>", data = "<form>")]
async fn change_of_project(
    linkname: &str,
    view: View<'_>,
    pairs: Pairs,
    mut db: Db<'_>,
    form: Form<'_>,
) -> Result<Answer> {
    let mut list = in_project(&mut db, &view, linkname, &pairs).await?;
    let changed = list.change(&view, db, &form).await?;
    list.refuse(&form, &changed);
    Ok(list.answer_change(&view, &form, changed, || whole(&view, &list)))
}

async fn in_project(
    db: &mut Db<'_>,
    view: &View<'_>,
    linkname: &str,
    pairs: &Pairs,
) -> Result<List> {
    let project = store::project::by_linkname(db, linkname)
        .await?
        .ok_or_else(Error::no_project)?;
    view.logged_in()?;
    let place = Place::Todo(project.id);
    let address = view.links().todo(linkname);
    List::load(db, view, project, place, address, Query::read(&pairs.0)).await
}

fn whole(view: &View, list: &List) -> Markup {
    let title = format!("Waiting for you in {}", list.project.name);
    let frame = Frame {
        search: false,
        ..Frame::project(&title, &list.project, Tab::Patches)
    };
    layout::page(
        view,
        &frame,
        html! {
            header.heading {
                h1 { (title) }
                p.muted { (explanation(&list.vocabulary)) " " a href=(everything(view)) { "All that waits, in every project" } }
            }
            (list::part(view, list))
        },
    )
}

/// Says what waits: patches in which states.
fn explanation(vocabulary: &Vocabulary) -> String {
    let states = vocabulary.states.iter();
    let states = states.filter(|state| state.action_required);
    let names: Vec<&str> = states.map(|state| state.name.as_str()).collect();
    format!(
        "Patches delegated to you that are not archived and in a state in which somebody has to act: {}.",
        names.join(", ")
    )
}

/// Everything the page over all projects shows.
struct Page {
    vocabulary: Vocabulary,
    projects: Vec<Project>,
    waiting: Vec<(ProjectId, i64)>,
    mine: Vec<ProjectId>,
    sections: [Vec<Row>; 3],
    replies: Replies,
    decided: Vec<Decided>,
    marks: HashMap<PatchId, Marks>,
    bar: Option<Bar>,
}

impl Page {
    async fn load(
        db: &mut Db<'_>,
        view: &View<'_>,
        session: &Session,
        waiting: Vec<(ProjectId, i64)>,
        pairs: &Pairs,
    ) -> Result<Page> {
        let vocabulary = store::state::vocabulary(db).await?;
        let (rights, user) = (&session.caller.rights, session.caller.user.id);
        let now = Timestamp::now();
        let mut sections = [
            mine_to_do(db, session, &vocabulary, now).await?,
            submitted(db, session, &vocabulary).await?,
            unassigned(db, &rights.maintains, &vocabulary).await?,
        ];
        let rows = || sections.iter().flatten();
        let shown = rows().map(|row| row.project_id);
        let shown = shown.chain(rights.maintains.iter().copied());
        let shown: Vec<ProjectId> = shown.collect::<HashSet<_>>().into_iter().collect();
        let marks = store::patch::list::marks(db, rows(), now).await?;
        author_first(&mut sections[1], &marks, &vocabulary);
        Ok(Page {
            projects: store::project::by_ids(db, &shown).await?,
            replies: Replies::load(db, user, pairs).await?,
            decided: decided::load(db, user).await?,
            marks,
            bar: Bar::load(db, view, &shown)
                .await?
                .map(Bar::of_several_tables),
            mine: rights.maintains.clone(),
            vocabulary,
            waiting,
            sections,
        })
    }

    fn drawn(&self, view: &View) -> Markup {
        let place = bulk::Place {
            address: &everything(view),
            // What is selected says of which project a new bundle is.
            project: ProjectId(0),
            vocabulary: &self.vocabulary,
            matches: None,
            htmx: false,
        };
        let [waiting, submitted, unassigned] = &self.sections;
        let what = explanation(&self.vocabulary) + " And those you have promised to review.";
        let tables = html! {
            (self.section(view, "waiting", "Waiting for me", &what, waiting, "Nothing waits for you."))
            (self.replies.drawn(view))
            (self.section(view, "mine", "My submissions",
                "What you sent and nobody has decided on; first what waits for you.", submitted,
                "Nothing of yours is under way."))
            @if !self.mine.is_empty() {
                (self.section(view, "unassigned", "Unassigned in my projects",
                    "Patches on nobody's desk in projects you maintain, oldest first.", unassigned,
                    "Every patch has somebody."))
            }
        };
        layout::page(
            view,
            &Frame::site("Waiting for you"),
            html! {
                header.heading { h1 { "Waiting for you" } (self.by_project(view)) }
                div.todo {
                    (bulk::form(view, &place, self.bar.as_ref(), tables))
                    // Forms do not stand in forms.
                    (self.replies.form(view))
                    (decided::drawn(view, &self.vocabulary, &self.decided))
                }
            },
        )
    }

    /// In which projects how much waits, as links to the lists.
    fn by_project(&self, view: &View) -> Markup {
        let project = |id| self.projects.iter().find(|project| project.id == id);
        html! {
            @if !self.waiting.is_empty() {
                ul.chips.by-project aria-label="By project" {
                    @for (id, count) in &self.waiting {
                        @if let Some(project) = project(*id) {
                            li.chip { a href=(view.links().todo(&project.linkname)) { (project.name) " " (count) } }
                        }
                    }
                }
            }
        }
    }

    fn section(
        &self,
        view: &View,
        id: &str,
        title: &str,
        what: &str,
        rows: &[Row],
        none: &str,
    ) -> Markup {
        let many = self.projects.len() > 1;
        let is_cut = rows.len() as i64 > MOST;
        let rows = &rows[..rows.len().min(MOST as usize)];
        html! {
            section id=(id) {
                h2 { (title) span.n { (rows.len()) @if is_cut { "+" } } }
                @if rows.is_empty() { p.muted { (none) } }
                @else {
                    p.muted { (what) }
                    (self.table(view, title, rows, many))
                }
                @if is_cut { p { "More in: " (self.lists(view, id)) } }
            }
        }
    }

    /// The lists that show the rest of a section.
    fn lists(&self, view: &View, section: &str) -> Markup {
        let query = match section {
            "unassigned" => "?delegate=Nobody&order=date",
            "mine" => "?submitter=me&order=date",
            _ => "?delegate=me&order=date",
        };
        html! {
            @for project in &self.projects {
                a href={ (view.links().list(&project.linkname)) (query) } { (project.name) } " "
            }
        }
    }

    fn table(&self, view: &View, caption: &str, rows: &[Row], many: bool) -> Markup {
        let columns: Vec<Column> = [
            Column::Name,
            Column::Project,
            Column::Age,
            Column::Checks,
            Column::Submitter,
            Column::State,
        ]
        .into_iter()
        .filter(|column| many || *column != Column::Project)
        .collect();
        let heads = heads(view, rows);
        let table = Table {
            vocabulary: &self.vocabulary,
            rows,
            marks: &self.marks,
            columns: &columns,
            grouped: false,
            caption,
            bar: self.bar.as_ref(),
            places: None,
            heads: Some(&heads),
        };
        parts::table(view, &table, |column| (None, html! { (column.label()) }))
    }
}

/// Returns what stands before the first row of each series of several patches.
fn heads(view: &View, rows: &[Row]) -> HashMap<PatchId, Markup> {
    let mut heads = HashMap::new();
    let mut before = None;
    for row in rows {
        let total = row.series_total.unwrap_or_default();
        if row.series_id != before
            && total > 1
            && let Some(id) = row.series_id
        {
            let here = rows.iter().filter(|other| other.series_id == row.series_id);
            let name = series::shown(row.series_name.as_deref(), id);
            let version = row.series_version.filter(|version| *version > 1);
            heads.insert(
                row.id,
                html! {
                    a href=(view.links().series(&row.linkname, id)) { (parts::title(&name)) }
                    @if let Some(version) = version { " " span.version { "v" (version) } }
                    " " small { (here.count()) " of " (total) }
                },
            );
        }
        before = row.series_id;
    }
    heads
}

const OLDEST_FIRST: Order = Order {
    key: OrderKey::Date,
    descending: false,
};

async fn rows(db: &mut Db<'_>, filter: &PatchFilter, vocabulary: &Vocabulary) -> Result<Vec<Row>> {
    let states = &vocabulary.states;
    Ok(store::patch::list::few(db, filter, OLDEST_FIRST, states, MOST + 1).await?)
}

/// Returns what lies on the reader's desk, and what the reader has promised to review: series together, the one that waits
/// longest first.
async fn mine_to_do(
    db: &mut Db<'_>,
    session: &Session,
    vocabulary: &Vocabulary,
    now: Timestamp,
) -> Result<Vec<Row>> {
    let user = session.caller.user.id;
    let filter = PatchFilter {
        delegate: Some(Delegate::User(user)),
        ..PatchFilter::default()
    };
    let mut found = rows(db, &filter, vocabulary).await?;
    let promised = store::review::patches(db, user, now, MOST).await?;
    let is_new = |id: &PatchId| !found.iter().any(|row| row.id == *id);
    let others: Vec<PatchId> = promised.into_iter().filter(is_new).collect();
    found.extend(store::patch::list::rows(db, &others).await?);
    found.sort_by_key(|row| (row.date, row.id));
    Ok(by_series(found))
}

/// Returns what the reader has sent and is not decided: what is asked to be changed is not, either.
async fn submitted(
    db: &mut Db<'_>,
    session: &Session,
    vocabulary: &Vocabulary,
) -> Result<Vec<Row>> {
    let states = vocabulary.states.iter();
    let under_way = states.filter(|state| Standing::of(state) != Standing::Decided);
    let filter = PatchFilter {
        submitter: Some(Submitter::Account(session.caller.user.id)),
        states: States::Among(under_way.map(|state| state.id).collect()),
        ..PatchFilter::default()
    };
    Ok(by_series(rows(db, &filter, vocabulary).await?))
}

/// Puts what waits for its author before the rest; patches of a series stay together.
fn author_first(rows: &mut [Row], marks: &HashMap<PatchId, Marks>, vocabulary: &Vocabulary) {
    let none = Marks::default();
    let is_authors = |row: &Row| {
        let marks = marks.get(&row.id).unwrap_or(&none);
        attention::of(row, marks, vocabulary).turn == Turn::Author
    };
    let waiting = rows.iter().filter(|row| is_authors(row));
    let series: HashSet<SeriesId> = waiting.filter_map(|row| row.series_id).collect();
    rows.sort_by_cached_key(|row| {
        let with_others = row.series_id.is_some_and(|id| series.contains(&id));
        !(with_others || is_authors(row))
    });
}

/// Returns what nobody has on the desk in these projects.
async fn unassigned(
    db: &mut Db<'_>,
    projects: &[ProjectId],
    vocabulary: &Vocabulary,
) -> Result<Vec<Row>> {
    if projects.is_empty() {
        return Ok(Vec::new());
    }
    let filter = PatchFilter {
        among: projects.to_vec(),
        delegate: Some(Delegate::Nobody),
        ..PatchFilter::default()
    };
    Ok(by_series(rows(db, &filter, vocabulary).await?))
}

/// Puts the patches of each series together, in order; rows come oldest first.
fn by_series(mut rows: Vec<Row>) -> Vec<Row> {
    let mut oldest: HashMap<SeriesId, Timestamp> = HashMap::new();
    for row in &rows {
        if let Some(series) = row.series_id {
            oldest.entry(series).or_insert(row.date);
        }
    }
    rows.sort_by_key(|row| {
        let began = row.series_id.and_then(|series| oldest.get(&series));
        let series = row.series_id.map(|id| id.0);
        (
            *began.unwrap_or(&row.date),
            series.unwrap_or_default(),
            row.number,
            row.id,
        )
    });
    rows
}
