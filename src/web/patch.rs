//! A patch: its message, its diff, what was replied, where it stands; and its downloads.

mod edit;

use std::collections::HashMap;

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    diff::{self, Remark},
    download::{self, File},
    error::Result,
    guard::{Pairs, Tail, View},
    id::{Action, Asked},
    layout::{self, Frame, Tab},
    parts, quote,
    thread::{self, Mark, Number, Place},
};
use crate::{
    domain::{comment::Comment, person, project::Project},
    mail::{self, outline::FileDiff},
    store::{
        self,
        check::Ranked,
        patch::{Detail, Related, list::Marks},
        series::Member,
        state::Vocabulary,
    },
};
use edit::Editing;

/// Returns the routes of patches.
pub fn routes() -> Vec<Route> {
    rocket::routes![detail, edit::change]
}

#[rocket::get("/project/<linkname>/patch/<_..>")]
async fn detail(
    linkname: &str,
    tail: Tail<'_>,
    pairs: Pairs,
    view: View<'_>,
    mut db: Db<'_>,
) -> Result<Answer> {
    let project = store::project::by_linkname(&mut db, linkname)
        .await?
        .ok_or_else(Error::no_project)?;
    let asked = Asked::read(tail.0);
    if let Some((id, action)) = &asked.stripped {
        return Ok(Answer::Moved(
            view.links().patch(&project.linkname, id) + action.path(),
        ));
    }
    let found = store::patch::detail_by_message_id(&mut db, project.id, &asked.ids()).await?;
    let Some((action, detail)) = asked.choose(found, |detail| &detail.patch.msgid) else {
        return thread::elsewhere(&mut db, &view, &project, &asked).await;
    };
    match action {
        Action::Raw => Ok(Answer::File(File::diff(&detail))),
        Action::Mail => {
            let mail = store::mail::of_patch(&mut db, detail.patch.id)
                .await?
                .ok_or_else(Error::missing)?;
            Ok(Answer::File(File::mail(
                &download::patch_name(&detail),
                mail,
            )))
        }
        Action::Mbox => mbox(&mut db, &project, detail, pairs.last("series")).await,
        Action::Page => {
            let page = Page::load(&mut db, &view, project, detail).await?;
            drop(db);
            drawn(&view, &page, pairs.last("file"))
        }
    }
}

/// Answers the mailbox of a patch, on demand with those before it in the series.
async fn mbox(
    db: &mut Db<'_>,
    project: &Project,
    detail: Detail,
    series: Option<&str>,
) -> Result<Answer> {
    let name = download::patch_name(&detail);
    let details = match series.filter(|series| !series.is_empty()) {
        None => vec![detail],
        Some(wanted) => {
            let id = detail.patch.series_id.ok_or_else(Error::missing)?;
            if wanted != "*" && wanted != id.to_string() {
                return Err(Error::missing());
            }
            match detail.patch.number {
                Some(number) => store::patch::details_of_series(db, id, Some(number)).await?,
                None => vec![detail],
            }
        }
    };
    let ids: Vec<_> = details.iter().map(|detail| detail.patch.id).collect();
    let replies = store::patch::replies(db, &ids).await?;
    Ok(Answer::File(File::patches(
        project, &details, &replies, &name,
    )))
}

/// Everything the page shows.
struct Page {
    project: Project,
    detail: Detail,
    vocabulary: Vocabulary,
    comments: Vec<Comment>,
    checks: Vec<Ranked>,
    members: Vec<Member>,
    related: Vec<Related>,
    marks: Marks,
    editing: Option<Editing>,
}

impl Page {
    async fn load(
        db: &mut Db<'_>,
        view: &View<'_>,
        project: Project,
        detail: Detail,
    ) -> Result<Page> {
        let id = detail.patch.id;
        Ok(Page {
            editing: Editing::load(db, view, &detail).await?,
            vocabulary: store::state::vocabulary(db).await?,
            comments: store::comment::of_patch(db, id).await?,
            checks: store::check::of_patch(db, id).await?,
            members: match detail.patch.series_id {
                Some(series) => store::series::contents(db, series).await?,
                None => Vec::new(),
            },
            related: match detail.patch.related_id {
                Some(relation) => store::patch::related(db, relation).await?,
                None => Vec::new(),
            },
            marks: store::patch::list::marks(db, &[id])
                .await?
                .remove(&id)
                .unwrap_or_default(),
            project,
            detail,
        })
    }

    fn address(&self, view: &View) -> String {
        view.links()
            .patch(&self.project.linkname, &self.detail.patch.msgid)
    }

    fn place(&self) -> Option<Place<'_>> {
        Some(Place {
            id: self.detail.patch.series_id?,
            name: self.detail.series_name.as_deref(),
            version: self.detail.series_version.unwrap_or(1),
            members: &self.members,
            current: &self.detail.patch.msgid,
        })
    }

    /// Returns `3/7`, or what else this page is called in a path.
    fn step(&self) -> String {
        match (self.detail.patch.number, self.detail.series_total) {
            (Some(number), Some(total)) => format!("{number}/{total}"),
            _ => format!("Patch {}", self.detail.patch.id),
        }
    }
}

fn drawn(view: &View, page: &Page, file: Option<&str>) -> Result<Answer> {
    let file = file.and_then(|file| file.parse::<usize>().ok());
    let diff = page.detail.body.diff.as_deref().unwrap_or_default();
    let files = mail::outline(diff);
    if let (Some(_), Some(number)) = (view.fragment, file) {
        let remarks = remarks(&page.comments, &files);
        let body = diff::whole(&files, number, &remarks).ok_or_else(Error::missing)?;
        return Ok(Answer::Part {
            body,
            address: None,
        });
    }
    Ok(Answer::Page(whole(view, page, &files, file)))
}

fn whole(view: &View, page: &Page, files: &[FileDiff], file: Option<usize>) -> Markup {
    let name = parts::named(&page.detail.patch.name);
    let frame = Frame::project(&name, &page.project, Tab::Patches);
    let place = page.place();
    layout::page(
        view,
        &frame,
        html! {
            (thread::crumbs(view, &page.project, place.as_ref(), &page.step()))
            (heading(view, page, &name, files))
            div.columns {
                div.reading {
                    (message(page))
                    @if !files.is_empty() { (diff_section(view, page, files, file)) }
                    (thread::replies(view, &page.project, &page.comments, &mut may_mark(view, page)))
                }
                (side(view, page, place.as_ref()))
            }
        },
    )
}

/// Returns what says which comments the reader may mark.
fn may_mark<'a>(view: &View<'a>, page: &'a Page) -> impl FnMut(&Comment) -> Mark + use<'a> {
    let rights = view.caller().map(|caller| &caller.rights);
    let patch = &page.detail.patch;
    move |comment| match rights {
        Some(rights) if rights.maintains(patch.project_id) => Mark::AndClear,
        Some(rights) if rights.may_address(comment.submitter_id, patch) => Mark::Yes,
        _ => Mark::No,
    }
}

fn heading(view: &View, page: &Page, name: &str, files: &[FileDiff]) -> Markup {
    let detail = &page.detail;
    let (added, removed) = files
        .iter()
        .fold((0, 0), |(a, r), file| (a + file.added, r + file.removed));
    let open = page
        .comments
        .iter()
        .filter(|comment| comment.addressed == Some(false))
        .count();
    html! {
        header.heading {
            h1 { (name) }
            p.facts {
                (parts::state(&detail.state_name, detail.action_required))
                @if detail.patch.archived { " " span.state { "archived" } }
                span { (parts::submitter(view, &page.project, detail.patch.submitter_id, detail.submitter_name.as_deref(), &detail.submitter_email)) }
                span { (parts::moment(detail.patch.date)) }
                @if page.checks.iter().any(|check| check.effective) { span { (parts::checks(&page.marks.checks)) } }
                (parts::tags(&page.vocabulary.tags, &page.marks.tags))
            }
            nav.jump aria-label="On this page" {
                a href="#message" data-key="1" { "Message" }
                @if !files.is_empty() {
                    a href="#diff" data-key="2" {
                        "Diff "
                        span.plus { "+" (added) } " " span.minus { "−" (removed) }
                        span.wide-only { " in " (files.len()) @if files.len() == 1 { " file" } @else { " files" } }
                    }
                }
                a href="#replies" data-key="3" { "Replies " (page.comments.len()) @if open > 0 { " (" (open) " open)" } }
                a.narrow-only href="#facts" { "Details" }
            }
        }
    }
}

fn message(page: &Page) -> Markup {
    let detail = &page.detail;
    let title = if detail.body.diff.is_some() {
        "Commit message"
    } else {
        "Message"
    };
    let content = detail.body.content.as_deref().unwrap_or_default();
    thread::message(&page.project, title, content, &detail.body.headers)
}

/// Returns what the replies say about lines of the diff.
fn remarks<'a>(comments: &'a [Comment], files: &[FileDiff]) -> Vec<Remark<'a>> {
    if comments.is_empty() {
        return Vec::new();
    }
    let lines = quote::Lines::of(files);
    let of_one = |comment: &'a Comment| {
        let text = comment.content.as_deref().unwrap_or_default();
        let author = person::shown(comment.submitter_name.as_deref(), &comment.submitter_email);
        let remark = move |said| Remark {
            comment: comment.id,
            author,
            said,
        };
        quote::said(&lines, text).into_iter().map(remark)
    };
    comments.iter().flat_map(of_one).collect()
}

fn diff_section(view: &View, page: &Page, files: &[FileDiff], file: Option<usize>) -> Markup {
    let address = page.address(view);
    let remarks = remarks(&page.comments, files);
    let shown = diff::Shown {
        address: &address,
        whole: file,
        remarks: &remarks,
    };
    html! {
        section.changes #diff {
            header {
                h2 { "Diff" }
                label.wrap { input type="checkbox" #wrap data-key="w"; " Wrap lines" }
            }
            @if files.len() > 1 { (diff::contents(files)) }
            (diff::files(files, &shown))
        }
    }
}

/// What is known of the patch beside its text.
fn side(view: &View, page: &Page, place: Option<&Place>) -> Markup {
    let (detail, project) = (&page.detail, &page.project);
    let editor = page.editing.as_ref().filter(|editing| editing.may_edit);
    html! {
        aside #facts aria-label="Details" {
            @if let Some(editing) = editor { (edit::editor(view, page, editing)) }
            (downloads(view, page))
            dl {
                @if editor.is_none() { (standing(view, page)) }
                @if let Some(commit) = &detail.patch.commit_ref { dt { "Commit" } dd { (commit_link(project, commit)) } }
                @if let Some(url) = &detail.patch.pull_url { dt { "Pull from" } dd.msgid { (pull(url)) } }
                (thread::number(view, Number::Patch(detail.patch.id)))
                (thread::message_id(project, &detail.patch.msgid))
            }
            (checks(&page.checks))
            @if let Some(place) = place { (thread::contents(view, project, &page.vocabulary, place)) }
            (related(view, page))
            @if let Some(editing) = &page.editing { (edit::bundles(view, page, editing)) }
        }
    }
}

/// Where the patch stands, for those who cannot change it.
fn standing(view: &View, page: &Page) -> Markup {
    let (detail, project) = (&page.detail, &page.project);
    html! {
        dt { "State" }
        dd { (parts::state(&detail.state_name, detail.action_required)) @if detail.patch.archived { " archived" } }
        dt { "Delegate" }
        dd { @match (&detail.delegate, detail.patch.delegate_id) {
            (Some(name), Some(id)) => a href={ (view.links().list(&project.linkname)) "?delegate=" (id) } { (name) },
            _ => span.muted { "nobody" },
        } }
    }
}

fn downloads(view: &View, page: &Page) -> Markup {
    let address = page.address(view);
    html! {
        div.get {
            p.buttons {
                a.button href={ (address) "mbox/" } { "mbox" }
                @if page.detail.body.diff.is_some() { a.button href={ (address) "raw/" } { "diff" } }
                @if let Some(series) = page.detail.patch.series_id {
                    a.button href=(view.links().series_mbox(series)) { "series" }
                    @if let Some(number) = page.detail.patch.number.filter(|number| *number > 1) {
                        a.button href={ (address) "mbox/?series=*" } title="This patch and those before it" { "1–" (number) }
                    }
                }
                a.button href={ (address) "mail/" } title="The mail as it was received" { "mail" }
            }
            (thread::commands(view, &format!("{address}mbox/"), &page.detail.patch.msgid))
        }
    }
}

fn commit_link(project: &Project, commit: &str) -> Markup {
    let short: String = commit.chars().take(12).collect();
    html! {
        code title=(commit) {
            @match project.commit_url(commit) { Some(url) => (parts::outside(&url, &short)), None => (short) }
        }
        (parts::copy(commit, "the commit id"))
    }
}

/// `https://host/repo branch`: only the address becomes a link.
fn pull(url: &str) -> Markup {
    let (address, rest) = url.split_once(' ').unwrap_or((url, ""));
    html! { (parts::outside(address, address)) " " (rest) }
}

fn checks(checks: &[Ranked]) -> Markup {
    let (now, before): (Vec<&Ranked>, Vec<&Ranked>) =
        checks.iter().partition(|check| check.effective);
    html! {
        @if !now.is_empty() {
            section.checks {
                h2 { "Checks" }
                ul { @for ranked in &now { (check(ranked)) } }
                @if !before.is_empty() {
                    details {
                        summary { (before.len()) " earlier " @if before.len() == 1 { "result" } @else { "results" } }
                        ul { @for ranked in &before { (check(ranked)) } }
                    }
                }
            }
        }
    }
}

fn check(ranked: &Ranked) -> Markup {
    let check = &ranked.check;
    let (class, word) = parts::result(check.state);
    let text = check.description.as_deref().filter(|text| !text.is_empty());
    html! {
        li {
            span.check.(class) title=(word) { span.vh { (word) } }
            div {
                strong { (check.context) } " " span.muted { (check.username) }
                div.muted {
                    @match (text, &check.target_url) {
                        (text, Some(url)) => (parts::outside(url, text.unwrap_or("details"))),
                        (Some(text), None) => (text),
                        (None, None) => (word),
                    }
                    " · " (parts::day(check.date))
                }
            }
        }
    }
}

fn related(view: &View, page: &Page) -> Markup {
    let others = page
        .related
        .iter()
        .filter(|related| related.id != page.detail.patch.id);
    let mut by_project: Vec<(&str, Vec<&Related>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for related in others {
        let at = *places.entry(&related.linkname).or_insert_with(|| {
            by_project.push((&related.project_name, Vec::new()));
            by_project.len() - 1
        });
        by_project[at].1.push(related);
    }
    by_project.sort_by_key(|(_, related)| related[0].project_id != page.project.id);
    html! {
        @for (name, related) in &by_project {
            @let here = related[0].project_id == page.project.id;
            details.members open[here] {
                summary {
                    @if here { "Related" } @else { "Related in " (name) }
                    span.n { (related.len()) }
                }
                ul { @for related in related { li {
                    a href=(view.links().patch(&related.linkname, &related.msgid)) { (parts::named(&related.name)) }
                    span.vh { ", " } small { (related.state_name) " · " (parts::day(related.date)) }
                } } }
            }
        }
    }
}
