//! A submitter: their patches in a project, and what they replied (`web.md §2`).

use std::collections::HashMap;

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    comment::number,
    error::Result,
    guard::View,
    layout::{self, Frame, Tab},
    odd,
    parts::{self, Column, Table},
};
use crate::{
    domain::{
        PatchId, Person, PersonId, Timestamp,
        filter::{Archive, Order, OrderKey, PatchFilter, States, Submitter},
        person,
        project::Project,
    },
    store::{
        self,
        comment::Written,
        patch::list::{Marks, Row},
        state::Vocabulary,
    },
};

/// How many patches and how many replies are shown; the list has the rest of the patches.
const SHOWN: i64 = 50;

/// Returns the routes of people.
pub fn routes() -> Vec<Route> {
    rocket::routes![detail]
}

#[rocket::get("/project/<linkname>/people/<id>")]
async fn detail(linkname: &str, id: &str, view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let project = store::project::by_linkname(&mut db, linkname)
        .await?
        .ok_or_else(Error::no_project)?;
    let person = store::person::by_id(&mut db, PersonId(number(id)?))
        .await?
        .ok_or_else(Error::missing)?;
    let page = Page::load(&mut db, project, person).await?;
    drop(db);
    if page.rows.is_empty() && page.replies.is_empty() {
        // Who never wrote to this project is nobody here.
        return Err(Error::missing());
    }
    Ok(Answer::Page(whole(&view, &page)))
}

/// Everything the page shows.
struct Page {
    project: Project,
    person: Person,
    vocabulary: Vocabulary,
    rows: Vec<Row>,
    marks: HashMap<PatchId, Marks>,
    replies: Vec<Written>,
}

impl Page {
    async fn load(db: &mut Db<'_>, project: Project, person: Person) -> Result<Page> {
        let vocabulary = store::state::vocabulary(db).await?;
        let filter = PatchFilter {
            project: Some(project.id),
            submitter: Some(Submitter::Person(person.id)),
            states: States::Any,
            archive: Archive::Both,
            ..PatchFilter::default()
        };
        let order = Order {
            key: OrderKey::Date,
            descending: true,
        };
        let states = &vocabulary.states;
        let rows = store::patch::list::few(db, &filter, order, states, SHOWN).await?;
        let marks = store::patch::list::marks(db, &rows, Timestamp::now()).await?;
        let replies = store::comment::by_author(db, project.id, person.id, SHOWN).await?;
        Ok(Page {
            project,
            person,
            vocabulary,
            rows,
            marks,
            replies,
        })
    }

    fn name(&self) -> &str {
        person::shown(self.person.name.as_deref(), &self.person.email)
    }
}

fn whole(view: &View, page: &Page) -> Markup {
    let (project, name) = (&page.project, odd::shown(page.name()));
    let list = view.links().list(&project.linkname);
    let all = format!("{list}?submitter={}&state=*&archive=both", page.person.id);
    layout::page(
        view,
        &Frame::project(&name, project, Tab::Patches),
        html! {
            div.crumbs {
                nav aria-label="Breadcrumb" {
                    ol {
                        li { a href=(list) data-key="u" { (project.name) } }
                        li aria-current="page" { (name) }
                    }
                }
            }
            header.heading {
                h1 { (name) }
                p.facts { span { "Patches and replies in " (project.name) } }
            }
            section #patches {
                header { h2 { "Patches" span.n { (counted(page.rows.len())) } } @if !page.rows.is_empty() { p { a href=(all) { "All as a list" } } } }
                @if page.rows.is_empty() { p.muted { "No patches." } } @else { (table(view, page)) }
            }
            section #replies {
                header { h2 { "Replies" span.n { (counted(page.replies.len())) } } }
                @if page.replies.is_empty() { p.muted { "No replies." } } @else { (replies(view, page)) }
            }
        },
    )
}

fn counted(rows: usize) -> String {
    match i64::try_from(rows) {
        Ok(SHOWN..) => format!("{SHOWN} newest"),
        _ => rows.to_string(),
    }
}

fn table(view: &View, page: &Page) -> Markup {
    let columns = [
        Column::Name,
        Column::Series,
        Column::Tags,
        Column::Checks,
        Column::Date,
        Column::Delegate,
        Column::State,
    ];
    let columns: Vec<Column> = columns
        .into_iter()
        .filter(|column| *column != Column::Tags || page.project.use_tags)
        .collect();
    let table = Table {
        vocabulary: &page.vocabulary,
        rows: &page.rows,
        marks: &page.marks,
        columns: &columns,
        caption: "Patches, newest first",
        grouped: false,
        bar: None,
        places: None,
        heads: None,
    };
    parts::table(view, &table, |column| match column {
        Column::Tags => (None, parts::tag_head(&page.vocabulary)),
        _ => (None, html! { (column.label()) }),
    })
}

fn replies(view: &View, page: &Page) -> Markup {
    html! {
        ul.written {
            @for reply in &page.replies {
                li {
                    (parts::day(reply.date)) " "
                    span.vh { "to " } a href=(view.links().comment(reply.id)) { (parts::named(&reply.about)) }
                }
            }
        }
    }
}
