//! A series: what it contains and what is missing, how far it is, its other revisions; and its mailbox.

use std::collections::HashMap;

use maud::{Markup, html};
use rocket::Route;

use self::trailers::Collected;
use super::{
    Db, Error,
    answer::Answer,
    bulk::{self, Bar},
    comment::number,
    download::{self, File},
    error::Result,
    field::Faults,
    form::Form,
    guard::{Pairs, View},
    jump,
    layout::{self, Frame, Tab},
    odd,
    parts::{self, Column, Table},
    review::{self, Reviews},
    text, thread,
};
use crate::{
    domain::{
        PatchId, SeriesId, TagId, Timestamp,
        check::{CheckCounts, CheckState},
        cover::Cover,
        filter::{Archive, Order, OrderKey, PatchFilter, States},
        project::Project,
        review::{Claim, Subject},
        series,
        tag::Counter,
    },
    store::{
        self,
        patch::{
            attention,
            list::{Marks, Row},
        },
        revision::Revision,
        series::{Neighbour, Sent},
        state::Vocabulary,
    },
};

mod revision;
mod trailers;

/// Longer letters are folded.
const SHOWN_LETTER: usize = 20;
/// More patches of one series are not shown.
const MOST: i64 = 1000;

/// Returns the routes of series.
pub fn routes() -> Vec<Route> {
    rocket::routes![detail, change, by_number, mbox]
}

#[rocket::get("/series/<id>")]
async fn by_number(id: &str, view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let id = SeriesId(number(id)?);
    let linkname = store::submission::series(&mut db, id)
        .await?
        .ok_or_else(Error::missing)?;
    Ok(Answer::Found(view.links().series(&linkname, id)))
}

#[rocket::get("/series/<id>/mbox")]
async fn mbox(id: &str, pairs: Pairs, mut db: Db<'_>) -> Result<Answer> {
    let id = SeriesId(number(id)?);
    let sent = store::series::by_id(&mut db, id)
        .await?
        .ok_or_else(Error::missing)?;
    let project = store::project::by_id(&mut db, sent.series.project_id)
        .await?
        .ok_or_else(Error::missing)?;
    let details = store::patch::details_of_series(&mut db, id, None).await?;
    let ids: Vec<PatchId> = details.iter().map(|detail| detail.patch.id).collect();
    let replies = store::patch::replies(&mut db, &ids).await?;
    let to_cover = match (pairs.last("trailers"), sent.series.cover_id) {
        (Some("cover"), Some(cover)) => store::comment::of_cover(&mut db, cover).await?,
        _ => Vec::new(),
    };
    let to_cover: Vec<&str> = to_cover
        .iter()
        .filter_map(|comment| comment.content.as_deref())
        .collect();
    let name = download::series_name(&sent);
    Ok(Answer::File(File::series(
        &project, &details, &replies, &to_cover, &name,
    )))
}

#[rocket::get("/project/<linkname>/series/<id>")]
async fn detail(linkname: &str, id: &str, view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let id = SeriesId(number(id)?);
    let sent = store::series::by_id(&mut db, id)
        .await?
        .ok_or_else(Error::missing)?;
    let project = store::project::by_id(&mut db, sent.series.project_id)
        .await?
        .ok_or_else(Error::missing)?;
    if project.linkname != linkname {
        return Ok(Answer::Found(view.links().series(&project.linkname, id)));
    }
    let page = Page::load(&mut db, &view, project, sent).await?;
    drop(db);
    if view.fragment == Some(review::PART) {
        let body = html! { (review::drawn(&view, &page.reviews())) (facts(&view, &page)) (layout::notices(&view)) };
        return Ok(Answer::Part {
            body,
            address: None,
        });
    }
    Ok(Answer::Page(whole(&view, &page)))
}

#[rocket::post("/project/<linkname>/series/<id>", data = "<form>")]
async fn change(
    linkname: &str,
    id: &str,
    view: View<'_>,
    mut db: Db<'_>,
    form: Form<'_>,
) -> Result<Answer> {
    let id = SeriesId(number(id)?);
    let sent = store::series::by_id(&mut db, id)
        .await?
        .ok_or_else(Error::missing)?;
    let project = store::project::by_id(&mut db, sent.series.project_id)
        .await?
        .filter(|project| project.linkname == linkname)
        .ok_or_else(Error::missing)?;
    let session = view.logged_in()?;
    let mut page = Page::load(&mut db, &view, project, sent).await?;
    drop(db);
    if revision::is_asked(&form) {
        page.faults = revision::change(session, &form, &page).await?;
        if page.faults.is_empty() {
            return Ok(Answer::Done(view.links().series(linkname, id)));
        }
        page.entered = Some(form.text("earlier").to_owned());
        return Ok(Answer::Invalid(whole(&view, &page)));
    }
    let faults = bulk::receive(&view, &form, &page.vocabulary, Some(page.project.id)).await?;
    if faults.is_empty() {
        return Ok(Answer::Done(view.links().series(linkname, id)));
    }
    if let Some(bar) = &mut page.bar {
        bar.refuse(&form, faults);
    }
    Ok(Answer::Invalid(whole(&view, &page)))
}

/// Returns the patches of a series in order, and what is counted of them.
pub async fn patches(
    db: &mut Db<'_>,
    id: SeriesId,
    vocabulary: &Vocabulary,
) -> Result<(Vec<Row>, HashMap<PatchId, Marks>)> {
    let filter = PatchFilter {
        series: Some(id),
        states: States::Any,
        archive: Archive::Both,
        ..PatchFilter::default()
    };
    let order = Order {
        key: OrderKey::Number,
        descending: false,
    };
    let rows = store::patch::list::few(db, &filter, order, &vocabulary.states, MOST).await?;
    let marks = store::patch::list::marks(db, &rows, Timestamp::now()).await?;
    Ok((rows, marks))
}

/// Draws the patches of a series.
pub fn table(
    view: &View,
    project: &Project,
    vocabulary: &Vocabulary,
    rows: &[Row],
    marks: &HashMap<PatchId, Marks>,
    bar: Option<&Bar>,
) -> Markup {
    let columns = [
        Column::Number,
        Column::Name,
        Column::Tags,
        Column::Checks,
        Column::Delegate,
        Column::State,
    ];
    let table = Table {
        vocabulary,
        rows,
        marks,
        columns: if project.use_tags {
            &columns
        } else {
            &WITHOUT_TAGS
        },
        caption: "Patches of the series, in order",
        grouped: false,
        bar,
        places: None,
        heads: None,
    };
    parts::table(view, &table, |column| match column {
        Column::Tags => (None, parts::tag_head(vocabulary)),
        _ => (None, html! { (column.label()) }),
    })
}

const WITHOUT_TAGS: [Column; 5] = [
    Column::Number,
    Column::Name,
    Column::Checks,
    Column::Delegate,
    Column::State,
];

/// Everything the page shows.
struct Page {
    project: Project,
    sent: Sent,
    cover: Option<Cover>,
    vocabulary: Vocabulary,
    rows: Vec<Row>,
    marks: HashMap<PatchId, Marks>,
    revisions: Vec<Revision>,
    neighbours: Vec<Neighbour>,
    collected: Collected,
    /// The patches that have been applied, for those who maintain the project: place, name and commit.
    committed: Vec<(Option<i64>, String, String)>,
    claims: Vec<Claim>,
    bar: Option<Bar>,
    /// What was entered for the revision before, and what is wrong with it.
    entered: Option<String>,
    faults: Faults,
}

impl Page {
    async fn load(db: &mut Db<'_>, view: &View<'_>, project: Project, sent: Sent) -> Result<Page> {
        let series = &sent.series;
        let vocabulary = store::state::vocabulary(db).await?;
        let (rows, marks) = patches(db, series.id, &vocabulary).await?;
        let cover = match series.cover_id {
            Some(id) => store::cover::by_id(db, id).await?,
            None => None,
        };
        let revisions = store::revision::chain(db, series.id).await?;
        let neighbours = match project.show_dependencies {
            true => store::series::dependencies(db, series.id).await?,
            false => Vec::new(),
        };
        let collected = Collected::load(db, series.id, cover.as_ref(), &rows).await?;
        let committed = match revision::may_change(view, &project) {
            true => store::patch::committed(db, series.id).await?,
            false => Vec::new(),
        };
        let claims = store::review::of_series(db, series.id, Timestamp::now()).await?;
        let bar = Bar::load(db, view, &[project.id]).await?;
        Ok(Page {
            claims,
            // A series is most often decided on as a whole.
            bar: bar.map(Bar::all_ticked),
            revisions,
            project,
            sent,
            cover,
            vocabulary,
            rows,
            marks,
            neighbours,
            collected,
            committed,
            entered: None,
            faults: Faults::default(),
        })
    }

    fn reviews(&self) -> Reviews<'_> {
        let series = &self.sent.series;
        let is_open = |row: &Row| {
            let state = self.vocabulary.state(row.state_id);
            !row.archived && state.is_some_and(|state| state.action_required)
        };
        Reviews {
            subject: Subject::Series(series.id),
            project: series.project_id,
            submitter: series.submitter_id,
            is_open: self.rows.iter().any(is_open),
            claims: &self.claims,
        }
    }

    fn name(&self) -> String {
        series::shown(self.sent.series.name.as_deref(), self.sent.series.id)
    }

    /// Returns the places nothing has been received for.
    fn missing(&self) -> Vec<i64> {
        let there: Vec<i64> = self.rows.iter().filter_map(|row| row.number).collect();
        (1..=self.sent.series.total.min(MOST))
            .filter(|number| !there.contains(number))
            .collect()
    }

    fn tags(&self) -> HashMap<TagId, i64> {
        let mut sum = self
            .collected
            .tags_of_cover(&Counter::new(&self.vocabulary.tags));
        for (tag, count) in self.marks.values().flat_map(|marks| &marks.tags) {
            *sum.entry(*tag).or_insert(0) += count;
        }
        sum
    }

    fn checks(&self) -> CheckCounts {
        let mut sum = CheckCounts::default();
        for marks in self.marks.values() {
            for state in CheckState::ALL {
                sum.add(state, marks.checks.of(state));
            }
        }
        sum
    }
}

fn whole(view: &View, page: &Page) -> Markup {
    let (series, project, name) = (&page.sent.series, &page.project, page.name());
    layout::page(
        view,
        &Frame::project(&name, project, Tab::Patches)
            .with_news(view.links().news_of_series(series.id)),
        html! {
            div.crumbs { nav aria-label="Breadcrumb" { ol {
                li { a href=(view.links().list(&project.linkname)) data-key="u" { (project.name) } }
                li aria-current="page" { "Series " (series.id) }
            } } }
            header.heading {
                h1 { (parts::title(&name)) @if label(page) != "v1" { " " span.version { (label(page)) } } }
                (facts(view, page))
                (review::drawn(view, &page.reviews()))
            }
            div.columns {
                div.reading {
                    @if let Some(cover) = &page.cover { (letter(view, page, cover)) }
                    section #patches {
                        header { h2 { "Patches" span.n { (page.rows.len()) } } p.states { (states(page)) } }
                        @if page.rows.is_empty() { p.muted { "No patch of this series has been received." } }
                        @else { (changeable(view, page)) }
                    }
                    (trailers::drawn(view, page))
                    (trailers::answer(page))
                }
                (side(view, page))
            }
        },
    )
}

/// The line below the name: part of the page, and beside who reviews when that is changed.
fn facts(view: &View, page: &Page) -> Markup {
    let (series, project) = (&page.sent.series, &page.project);
    let attention = attention::of_rows(&page.rows, &page.marks, &page.vocabulary);
    html! {
        p.facts #standing hx-swap-oob=[view.fragment.map(|_| "true")] {
            span { (parts::submitter(view, project, series.submitter_id, page.sent.submitter_name.as_deref(), &page.sent.submitter_email)) }
            span { (parts::moment(series.date)) }
            (received(page))
            @if page.checks() != CheckCounts::default() { span { (parts::checks(&page.checks())) } }
            (parts::tags(&page.vocabulary.tags, &page.tags()))
            (parts::waits(attention))
        }
    }
}

/// What the series calls itself: `v2`, `v5.1`.
fn label(page: &Page) -> String {
    let own = page.sent.series.id;
    let here = page.revisions.iter().find(|one| one.id == own);
    here.map_or_else(|| format!("v{}", page.sent.series.version), Revision::label)
}

fn changeable(view: &View, page: &Page) -> Markup {
    let (project, bar) = (&page.project, page.bar.as_ref());
    let rows = table(
        view,
        project,
        &page.vocabulary,
        &page.rows,
        &page.marks,
        bar,
    );
    let place = bulk::Place {
        address: &view.links().series(&project.linkname, page.sent.series.id),
        project: project.id,
        vocabulary: &page.vocabulary,
        matches: None,
        htmx: false,
    };
    bulk::form(view, &place, bar, rows)
}

fn received(page: &Page) -> Markup {
    let missing = page.missing();
    let total = page.sent.series.total;
    html! {
        @if missing.is_empty() {
            span { "all " (total) " received" }
        } @else {
            span.label.todo {
                (page.rows.len()) " of " (total) " received, missing "
                (missing.iter().take(8).map(i64::to_string).collect::<Vec<_>>().join(", "))
                @if missing.len() > 8 { " …" }
            }
        }
    }
}

/// How many patches are in which state, in words.
fn states(page: &Page) -> Markup {
    html! {
        @for state in &page.vocabulary.states {
            @let count = page.rows.iter().filter(|row| row.state_id == state.id).count();
            @if count > 0 { span.state.todo[state.action_required] { (count) " " (state.name) } " " }
        }
    }
}

fn letter(view: &View, page: &Page, cover: &Cover) -> Markup {
    let content = cover.content.as_deref().unwrap_or_default();
    let lines = content.trim_end().lines().count();
    let address = view.links().cover(&page.project.linkname, &cover.msgid);
    html! {
        section.message #cover {
            header { h2 { "Cover letter" } p { a href=(address) { "Replies and downloads" } } }
            @if lines > SHOWN_LETTER {
                details.letter {
                    summary { (lines) " lines" }
                    (text::message(content, &page.project))
                }
            } @else {
                (text::message(content, &page.project))
            }
        }
    }
}

fn side(view: &View, page: &Page) -> Markup {
    let (series, project) = (&page.sent.series, &page.project);
    let mbox = view.links().series_mbox(series.id);
    let first = page
        .cover
        .as_ref()
        .map(|cover| &cover.msgid)
        .or_else(|| page.rows.first().map(|row| &row.msgid));
    html! {
        aside #facts aria-label="Details" {
            div.get {
                p.buttons {
                    a.button href=(mbox) { "mbox" }
                    @if let Some(cover) = &page.cover {
                        a.button href={ (view.links().cover(&project.linkname, &cover.msgid)) "mbox/" } { "cover" }
                    }
                    a.button href={ (view.links().list(&project.linkname)) "?series=" (series.id) } { "as list" }
                }
                @if let Some(msgid) = first { (trailers::commands(view, page, &mbox, msgid)) }
            }
            (revision::drawn(view, page))
            (neighbours(view, page, "Depends on", true))
            (neighbours(view, page, "Needed by", false))
        }
    }
}

fn neighbours(view: &View, page: &Page, title: &str, needed: bool) -> Markup {
    let found: Vec<&Neighbour> = page
        .neighbours
        .iter()
        .filter(|neighbour| neighbour.needed == needed)
        .collect();
    html! {
        @if !found.is_empty() {
            section.members {
                h2 { (title) }
                ul { @for neighbour in found { li {
                    a href=(view.links().series(&page.project.linkname, neighbour.id)) {
                        (series::shown(neighbour.name.as_deref(), neighbour.id))
                    }
                    @if neighbour.version > 1 { " " span.version { "v" (neighbour.version) } }
                } } }
            }
        }
    }
}
