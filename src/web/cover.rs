//! A cover letter: its text, the patches it announces, what was replied; and its downloads.

use std::collections::HashMap;

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    bulk::{self, Bar},
    download::{self, File},
    error::Result,
    form::Form,
    guard::{Tail, View},
    id::{Action, Asked},
    layout::{self, Frame, Tab},
    parts,
    reply::{self, Letter},
    series,
    thread::{self, Mark, Number, Place},
};
use crate::{
    domain::{PatchId, comment::Comment, cover::Cover, project::Project},
    store::{
        self,
        patch::list::{Marks, Row},
        series::{Member, Sent},
        state::Vocabulary,
    },
};

/// Returns the routes of covers.
pub fn routes() -> Vec<Route> {
    rocket::routes![detail, change]
}

#[rocket::get("/project/<linkname>/cover/<_..>")]
async fn detail(linkname: &str, tail: Tail<'_>, view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let project = store::project::by_linkname(&mut db, linkname)
        .await?
        .ok_or_else(Error::no_project)?;
    let asked = Asked::read(tail.0);
    if let Some((id, action)) = &asked.stripped {
        return Ok(Answer::Moved(
            view.links().cover(&project.linkname, id) + action.path(),
        ));
    }
    let found = store::cover::by_message_id(&mut db, project.id, &asked.ids()).await?;
    let Some((action, cover)) = asked.choose(found, |cover| &cover.msgid) else {
        return thread::elsewhere(&mut db, &view, &project, &asked).await;
    };
    match action {
        // There is no diff in it.
        Action::Raw => Ok(Answer::Found(
            view.links().cover(&project.linkname, &cover.msgid),
        )),
        Action::Mail => {
            let mail = store::mail::of_cover(&mut db, cover.id)
                .await?
                .ok_or_else(Error::missing)?;
            Ok(Answer::File(File::mail(
                &download::cover_name(&cover),
                mail,
            )))
        }
        Action::Mbox => {
            let comments = store::comment::of_cover(&mut db, cover.id).await?;
            Ok(Answer::File(File::cover(&project, &cover, &comments)))
        }
        Action::Page => {
            let page = Page::load(&mut db, &view, project, cover).await?;
            drop(db);
            Ok(drawn(&view, &page))
        }
    }
}

#[rocket::post("/project/<linkname>/cover/<_..>", data = "<form>")]
async fn change(
    linkname: &str,
    tail: Tail<'_>,
    view: View<'_>,
    mut db: Db<'_>,
    form: Form<'_>,
) -> Result<Answer> {
    let project = store::project::by_linkname(&mut db, linkname)
        .await?
        .ok_or_else(Error::no_project)?;
    let asked = Asked::read(tail.0);
    let found = store::cover::by_message_id(&mut db, project.id, &asked.ids()).await?;
    let Some((Action::Page, cover)) = asked.choose(found, |cover| &cover.msgid) else {
        return Err(Error::missing());
    };
    view.logged_in()?;
    let mut page = Page::load(&mut db, &view, project, cover).await?;
    drop(db);
    let faults = bulk::receive(&view, &form, &page.vocabulary, Some(page.project.id)).await?;
    if faults.is_empty() {
        return Ok(Answer::Done(page.address(&view)));
    }
    if let Some(bar) = &mut page.bar {
        bar.refuse(&form, faults);
    }
    Ok(Answer::Invalid(whole(&view, &page)))
}

/// Everything the page shows.
struct Page {
    project: Project,
    cover: Cover,
    vocabulary: Vocabulary,
    comments: Vec<Comment>,
    series: Option<Sent>,
    members: Vec<Member>,
    rows: Vec<Row>,
    marks: HashMap<PatchId, Marks>,
    bar: Option<Bar>,
}

impl Page {
    async fn load(
        db: &mut Db<'_>,
        view: &View<'_>,
        project: Project,
        cover: Cover,
    ) -> Result<Page> {
        let vocabulary = store::state::vocabulary(db).await?;
        let comments = store::comment::of_cover(db, cover.id).await?;
        let (mut sent, mut members) = (None, Vec::new());
        let (mut rows, mut marks) = (Vec::new(), HashMap::new());
        if let Some(id) = cover.series_id {
            sent = store::series::by_id(db, id).await?;
            members = store::series::contents(db, id).await?;
            (rows, marks) = series::patches(db, id, &vocabulary).await?;
        }
        Ok(Page {
            bar: Bar::load(db, view, &[project.id]).await?,
            project,
            cover,
            vocabulary,
            comments,
            series: sent,
            members,
            rows,
            marks,
        })
    }

    fn address(&self, view: &View) -> String {
        view.links()
            .cover(&self.project.linkname, &self.cover.msgid)
    }

    fn letter(&self) -> Letter<'_> {
        Letter::of_cover(&self.project, &self.cover)
    }

    fn place(&self) -> Option<Place<'_>> {
        let sent = self.series.as_ref()?;
        Some(Place {
            id: sent.series.id,
            name: sent.series.name.as_deref(),
            version: sent.series.version,
            members: &self.members,
            current: &self.cover.msgid,
        })
    }
}

fn drawn(view: &View, page: &Page) -> Answer {
    let mut mark = may_mark(view, page);
    let marked = view
        .fragment
        .and_then(|target| thread::marked(view, &page.letter(), &page.comments, target, &mut mark));
    match marked {
        Some(marked) => Answer::Part {
            body: html! { (marked) (layout::notices(view)) },
            address: None,
        },
        None => Answer::Page(whole(view, page)),
    }
}

fn whole(view: &View, page: &Page) -> Markup {
    let (cover, project) = (&page.cover, &page.project);
    let name = parts::named(&cover.name);
    let place = page.place();
    layout::page(
        view,
        &Frame::project(&name, project, Tab::Patches)
            .with_news(view.links().news_of_cover(cover.id)),
        html! {
                (thread::crumbs(view, project, place.as_ref(), "Cover letter"))
                header.heading {
                    h1 { (name) }
                    p.facts {
                        span { (parts::submitter(view, project, cover.submitter_id, cover.submitter_name.as_deref(), &cover.submitter_email)) }
                        span { (parts::moment(cover.date)) }
                    }
                    nav.jump aria-label="On this page" {
                        a href="#message" data-key="1" { "Message" }
                        @if !page.rows.is_empty() { a href="#patches" data-key="2" { "Patches " (page.rows.len()) } }
                        (thread::count(view, &page.comments))
                        a.narrow-only href="#facts" { "Details" }
                    }
                }
                div.columns {
                    div.reading {
        (thread::message(project, "Message", cover.content.as_deref().unwrap_or_default(), &cover.headers))
                        @if !page.rows.is_empty() {
                            section #patches {
                                header { h2 { "Patches" span.n { (page.rows.len()) } } }
                                (patches(view, page))
                            }
                        }
                        (thread::replies(view, &page.letter(), &page.comments, &mut may_mark(view, page)))
                        (reply::section(&page.letter()))
                    }
                    (side(view, page))
                }
            },
    )
}

/// Returns what says which comments the reader may mark.
fn may_mark<'a>(view: &View<'a>, page: &'a Page) -> impl FnMut(&Comment) -> Mark + use<'a> {
    let rights = view.caller().map(|caller| &caller.rights);
    let (submitter, project) = (page.cover.submitter_id, page.project.id);
    move |comment| match rights {
        Some(rights) if rights.maintains(project) => Mark::AndClear,
        Some(rights) if rights.may_address_cover(comment.submitter_id, submitter, project) => {
            Mark::Yes
        }
        _ => Mark::No,
    }
}

fn patches(view: &View, page: &Page) -> Markup {
    let (project, bar) = (&page.project, page.bar.as_ref());
    let rows = series::table(
        view,
        project,
        &page.vocabulary,
        &page.rows,
        &page.marks,
        bar,
    );
    let place = bulk::Place {
        address: &page.address(view),
        project: project.id,
        vocabulary: &page.vocabulary,
        matches: None,
        htmx: false,
    };
    bulk::form(view, &place, bar, rows)
}

fn side(view: &View, page: &Page) -> Markup {
    let (cover, project) = (&page.cover, &page.project);
    let address = view.links().cover(&project.linkname, &cover.msgid);
    html! {
        aside #facts aria-label="Details" {
            div.get {
                p.buttons {
                    a.button href={ (address) "mbox/" } { "mbox" }
                    @if let Some(id) = cover.series_id { a.button href=(view.links().series_mbox(id)) { "series" } }
                    a.button href={ (address) "mail/" } title="The mail as it was received" { "mail" }
                }
                @if let Some(id) = cover.series_id { (thread::commands(view, &view.links().series_mbox(id), &cover.msgid)) }
            }
            dl {
                (thread::number(view, Number::Cover(cover.id)))
                (thread::message_id(project, &cover.msgid))
                @if let Some(sent) = &page.series {
                    dt { "Series" }
                    dd {
                        a href=(view.links().series(&project.linkname, sent.series.id)) {
                            "v" (sent.series.version) ", " (page.rows.len()) " of " (sent.series.total) " received"
                        }
                    }
                }
            }
        }
    }
}
