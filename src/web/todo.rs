//! What waits for whoever looks (`web.md §11`): over all projects in sections, and in one project as a list.

use std::collections::{HashMap, HashSet};

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    bulk::{self, Bar},
    error::Result,
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
        PatchId, ProjectId, SeriesId, StateId, Timestamp,
        filter::{Delegate, Order, OrderKey, PatchFilter, States, Submitter},
        project::Project,
        series,
        state::CHANGES_REQUESTED,
    },
    store::{
        self,
        patch::list::{Marks, Row},
        state::Vocabulary,
    },
};

/// More patches of a section are not shown.
const MOST: i64 = 200;
/// More patches that nobody has on the desk are not shown: the project's list has them.
const MOST_UNASSIGNED: i64 = 50;

/// Returns the routes of what waits.
pub fn routes() -> Vec<Route> {
    rocket::routes![all, change_all, of_project, change_of_project]
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
    let page = Page::load(&mut db, &view, session, waiting).await?;
    drop(db);
    Ok(Answer::Page(page.drawn(&view)))
}

#[rocket::post("/user/todo", data = "<form>")]
async fn change_all(view: View<'_>, mut db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let session = view.logged_in()?;
    let waiting = store::patch::todo::by_project(&mut db, session.caller.user.id).await?;
    let mut page = Page::load(&mut db, &view, session, waiting).await?;
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
    marks: HashMap<PatchId, Marks>,
    bar: Option<Bar>,
}

impl Page {
    async fn load(
        db: &mut Db<'_>,
        view: &View<'_>,
        session: &Session,
        waiting: Vec<(ProjectId, i64)>,
    ) -> Result<Page> {
        let vocabulary = store::state::vocabulary(db).await?;
        let rights = &session.caller.rights;
        let sections = [
            delegated(db, session, &vocabulary).await?,
            submitted(db, session, &vocabulary).await?,
            unassigned(db, &rights.maintains, &vocabulary).await?,
        ];
        let rows = || sections.iter().flatten();
        let ids: HashSet<PatchId> = rows().map(|row| row.id).collect();
        let shown = rows().map(|row| row.project_id);
        let shown = shown.chain(rights.maintains.iter().copied());
        let shown: Vec<ProjectId> = shown.collect::<HashSet<_>>().into_iter().collect();
        Ok(Page {
            projects: store::project::by_ids(db, &shown).await?,
            marks: store::patch::list::marks(db, &Vec::from_iter(ids), Timestamp::now()).await?,
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
        let [delegated, submitted, unassigned] = &self.sections;
        let tables = html! {
            (self.section(view, "waiting", "Waiting for me", &explanation(&self.vocabulary), delegated, "Nothing waits for you."))
            (self.section(view, "mine", "My submissions needing action",
                "Patches of yours with comments that ask for something, or with changes requested.", submitted,
                "Nothing of yours needs you."))
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
                div.todo { (bulk::form(view, &place, self.bar.as_ref(), tables)) }
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
        let most = match id {
            "unassigned" => MOST_UNASSIGNED,
            _ => MOST,
        };
        let is_cut = rows.len() as i64 > most;
        let rows = &rows[..rows.len().min(most as usize)];
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

async fn rows(
    db: &mut Db<'_>,
    filter: &PatchFilter,
    vocabulary: &Vocabulary,
    most: i64,
) -> Result<Vec<Row>> {
    let states = &vocabulary.states;
    Ok(store::patch::list::few(db, filter, OLDEST_FIRST, states, most + 1).await?)
}

/// Returns what lies on the reader's desk: series together, the one that waits longest first.
async fn delegated(
    db: &mut Db<'_>,
    session: &Session,
    vocabulary: &Vocabulary,
) -> Result<Vec<Row>> {
    let filter = PatchFilter {
        delegate: Some(Delegate::User(session.caller.user.id)),
        ..PatchFilter::default()
    };
    Ok(by_series(rows(db, &filter, vocabulary, MOST).await?))
}

/// Returns what the reader has sent and has to do something about.
async fn submitted(
    db: &mut Db<'_>,
    session: &Session,
    vocabulary: &Vocabulary,
) -> Result<Vec<Row>> {
    let states = |wanted: fn(&crate::domain::State) -> bool| {
        let found = vocabulary.states.iter().filter(|state| wanted(state));
        found.map(|state| state.id).collect::<Vec<StateId>>()
    };
    let mut filter = PatchFilter {
        submitter: Some(Submitter::Account(session.caller.user.id)),
        states: States::Among(states(|state| state.slug == CHANGES_REQUESTED)),
        ..PatchFilter::default()
    };
    let mut found = rows(db, &filter, vocabulary, MOST).await?;
    filter.unaddressed = true;
    filter.states = States::Among(states(|state| {
        state.action_required || state.slug == CHANGES_REQUESTED
    }));
    for row in rows(db, &filter, vocabulary, MOST).await? {
        if !found.iter().any(|known| known.id == row.id) {
            found.push(row);
        }
    }
    found.sort_by_key(|row| (row.date, row.id));
    Ok(by_series(found))
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
    Ok(by_series(
        rows(db, &filter, vocabulary, MOST_UNASSIGNED).await?,
    ))
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
