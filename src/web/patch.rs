//! A patch: its message, its diff, what was replied, where it stands; and its downloads.

mod edit;
mod relate;
mod revision;

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    diff::{self, Layout, Remark},
    download::{self, File},
    error::Result,
    guard::{Pairs, Tail, View},
    id::{Action, Asked},
    layout::{self, Frame, Tab},
    odd, parts, quote, range_diff,
    reply::{self, Letter},
    review::{self, Reviews},
    thread::{self, Mark, Number, Place},
};
use crate::{
    domain::{
        Timestamp,
        comment::Comment,
        person,
        project::Project,
        review::{Claim, Subject},
    },
    mail::{self, outline::FileDiff},
    store::{
        self,
        check::Ranked,
        patch::{Detail, Related, attention, list::Marks},
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
        if let Some(two) = range_diff::Two::named(&mut db, &project, tail.0).await? {
            drop(db);
            return two.answer(&view, project, pairs.last("pair")).await;
        }
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
            let mut page = Page::load(&mut db, &view, project, detail).await?;
            drop(db);
            page.layout = Layout::chosen(&view, pairs.last("view"));
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
    revisions: Vec<revision::Other>,
    marks: Marks,
    claims: Vec<Claim>,
    editing: Option<Editing>,
    layout: Layout,
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
            revisions: match detail.patch.series_id {
                Some(series) => {
                    let chain = store::revision::chain_patches(db, series).await?;
                    revision::others(&detail.patch, series, chain)
                }
                None => Vec::new(),
            },
            marks: store::patch::list::marks_of(db, id, Timestamp::now()).await?,
            claims: store::review::of_patch(db, id, detail.patch.series_id, Timestamp::now())
                .await?,
            layout: Layout::chosen(view, None),
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

    fn reviews(&self) -> Reviews<'_> {
        let detail = &self.detail;
        Reviews {
            subject: Subject::Patch(detail.patch.id),
            project: self.project.id,
            submitter: detail.patch.submitter_id,
            is_open: detail.action_required && !detail.patch.archived,
            claims: &self.claims,
        }
    }

    fn letter(&self) -> Letter<'_> {
        Letter {
            project: &self.project,
            subject: &self.detail.patch.name,
            msgid: &self.detail.patch.msgid,
            author: self.detail.submitter_name.as_deref(),
            email: &self.detail.submitter_email,
            date: self.detail.patch.date,
            content: self.detail.body.content.as_deref().unwrap_or_default(),
        }
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
    let body = match (view.fragment, file) {
        (Some(_), Some(number)) => {
            let remarks = remarks(&page.comments, &files);
            let address = page.address(view);
            let shown = shown(page, &address, file, &remarks);
            Some(diff::whole(&files, number, &shown).ok_or_else(Error::missing)?)
        }
        (Some(target), None) => part(view, page, target),
        (None, _) => None,
    };
    Ok(match body {
        Some(body) => Answer::Part {
            body,
            address: None,
        },
        None => Answer::Page(whole(view, page, &files, file)),
    })
}

/// Draws what a change on the page makes new, if it was made in a part of the page.
fn part(view: &View, page: &Page, target: &str) -> Option<Markup> {
    let changed = match target {
        PANEL => html! { (side(view, page, page.place().as_ref())) (facts(view, page)) },
        review::PART => html! { (review::drawn(view, &page.reviews())) (facts(view, page)) },
        _ => thread::marked(
            view,
            &page.letter(),
            &page.comments,
            target,
            &mut may_mark(view, page),
        )?,
    };
    Some(html! { (changed) (layout::notices(view)) })
}

/// The id of the panel beside the text.
const PANEL: &str = "facts";

fn whole(view: &View, page: &Page, files: &[FileDiff], file: Option<usize>) -> Markup {
    let name = parts::named(&page.detail.patch.name);
    let frame = Frame::project(&name, &page.project, Tab::Patches)
        .with_news(view.links().news_of_patch(page.detail.patch.id));
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
                    (thread::replies(view, &page.letter(), &page.comments, &mut may_mark(view, page)))
                    (reply::section(&page.letter()))
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
    let (added, removed) = files
        .iter()
        .fold((0, 0), |(a, r), file| (a + file.added, r + file.removed));
    html! {
        header.heading {
            h1 { (name) }
            (facts(view, page))
            (review::drawn(view, &page.reviews()))
            nav.jump aria-label="On this page" {
                a href="#message" data-key="1" { "Message" }
                @if !files.is_empty() {
                    a href="#diff" data-key="2" {
                        "Diff "
                        span.plus { "+" (added) } " " span.minus { "−" (removed) }
                        span.wide-only { " in " (files.len()) @if files.len() == 1 { " file" } @else { " files" } }
                    }
                }
                (thread::count(view, &page.comments))
                a.narrow-only href="#facts" { "Details" }
            }
        }
    }
}

/// The line below the name: part of the page, and beside the panel when that is changed.
fn facts(view: &View, page: &Page) -> Markup {
    let detail = &page.detail;
    html! {
        p.facts #standing hx-swap-oob=[view.fragment.map(|_| "true")] {
            (parts::state(&detail.state_name, detail.action_required))
            @if detail.patch.archived { " " span.state { "archived" } }
            span { (parts::submitter(view, &page.project, detail.patch.submitter_id, detail.submitter_name.as_deref(), &detail.submitter_email)) }
            span { (parts::moment(detail.patch.date)) }
            @if page.checks.iter().any(|check| check.effective) { span { (parts::checks(&page.marks.checks)) } }
            (parts::tags(&page.vocabulary.tags, &page.marks.tags))
            (parts::waits(Some(attention::of(&detail.patch, &page.marks, &page.vocabulary))))
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

/// How the diff of the page is shown.
fn shown<'a>(
    page: &Page,
    address: &'a str,
    file: Option<usize>,
    remarks: &'a [Remark<'a>],
) -> diff::Shown<'a> {
    diff::Shown {
        layout: page.layout,
        address,
        whole: file,
        remarks,
    }
}

fn diff_section(view: &View, page: &Page, files: &[FileDiff], file: Option<usize>) -> Markup {
    let address = page.address(view);
    let remarks = remarks(&page.comments, files);
    let shown = shown(page, &address, file, &remarks);
    html! {
        section.changes.many[files.len() > 1] #diff {
            header {
                h2 { "Diff" }
                div.looks {
                    (layouts(page.layout, &address))
                    // Two columns are only beside each other while their lines are wrapped.
                    label.wrap { input type="checkbox" #wrap checked[page.layout == Layout::Split] data-key="w"; " Wrap lines" }
                }
            }
            @if files.len() > 1 { (diff::contents(files)) }
            div { (diff::files(files, &shown)) }
        }
    }
}

/// The ways to the two layouts of a diff; a key leads to the other one.
fn layouts(current: Layout, address: &str) -> Markup {
    html! {
        nav.views aria-label="Form of the diff" {
            @for (layout, label) in [(Layout::Unified, "Unified"), (Layout::Split, "Split")] {
                @let is_current = layout == current;
                a href={ (address) "?view=" (layout.key()) "#diff" } aria-current=[is_current.then_some("true")]
                    data-key=[(!is_current).then_some("i")] { (label) }
            }
        }
    }
}

/// What is known of the patch beside its text.
fn side(view: &View, page: &Page, place: Option<&Place>) -> Markup {
    let (detail, project) = (&page.detail, &page.project);
    let editor = page.editing.as_ref().filter(|editing| editing.may_edit);
    html! {
        aside id=(PANEL) aria-label="Details" hx-target="this" hx-swap="outerHTML" {
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
            (revision::drawn(view, page))
            (relate::drawn(view, page))
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
        code title=(odd::shown(commit)) {
            @match project.commit_url(commit) { Some(url) => (parts::outside(&url, &odd::shown(&short))), None => (odd::shown(&short)) }
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
