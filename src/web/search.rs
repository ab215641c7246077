//! The search over all projects (`web.md §2`, `/search/`): patches, cover letters and comments, with the line that was found.
//!
//! Pages of the newest go on by a mail's number in the index, so the last costs what the first does, and nothing is counted. How
//! well mails fit is judged of the newest few hundred.

mod help;
mod lines;

use std::ops::Range;

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    error::Result,
    guard::{Pairs, View},
    jump,
    layout::{self, Frame, Tab},
    odd, parts,
};
use crate::{
    domain::{
        PersonId,
        link::encoded,
        person,
        project::Project,
        search::{Fault, Node, Query},
    },
    store::{
        self,
        search::{Expr, First, Ground, Hit, JUDGED, hits},
        state::Vocabulary,
    },
};

/// How many mails a page shows.
const PAGE: i64 = 25;
/// No search is longer, in characters.
const MOST_CHARS: usize = 500;

/// Returns the routes of the search.
pub fn routes() -> Vec<Route> {
    rocket::routes![search, help::help]
}

#[rocket::get("/search")]
async fn search(view: View<'_>, pairs: Pairs, mut db: Db<'_>) -> Result<Answer> {
    let asked = Asked::read(&pairs);
    if asked.first.is_none()
        && let Some(address) = jump::jump(&mut db, &view, &asked.text).await?
    {
        return Ok(Answer::Found(address));
    }
    let page = Page::load(&mut db, &view, asked).await?;
    drop(db);
    Ok(Answer::Page(whole(&view, &page)))
}

/// What was asked.
#[derive(Clone, Debug, Default)]
struct Asked {
    text: String,
    /// The name of the only project, if there is one.
    linkname: Option<String>,
    /// Which mails come first; of the best each page has a number.
    first: Option<First>,
}

impl Asked {
    fn read(pairs: &Pairs) -> Asked {
        let text = pairs.last("q").unwrap_or_default().chars();
        let text: String = text.filter(|c| !c.is_control()).take(MOST_CHARS).collect();
        let linkname = pairs.last("project").filter(|name| !name.is_empty());
        let number = |key| {
            pairs
                .last(key)
                .and_then(|number| number.parse::<i64>().ok())
        };
        let first = match pairs.last("order") {
            Some("best") => {
                let page = number("page").unwrap_or(1).clamp(1, JUDGED / PAGE);
                Some(First::Best((page - 1) * PAGE))
            }
            _ => number("after").map(|after| First::Newest(Some(after))),
        };
        Asked {
            text: text.trim().to_owned(),
            linkname: linkname.map(str::to_owned),
            first,
        }
    }

    /// Returns the address of the same search with another text, in one project or in all, from another mail on.
    fn href(&self, text: &str, is_limited: bool, first: Option<First>) -> String {
        let mut pairs = vec![format!("q={}", encoded(text))];
        let linkname = self.linkname.as_ref().filter(|_| is_limited);
        pairs.extend(linkname.map(|name| format!("project={}", encoded(name))));
        match first {
            None | Some(First::Newest(None)) => {}
            Some(First::Newest(Some(number))) => pairs.push(format!("after={number}")),
            Some(First::Best(0)) => pairs.push("order=best".into()),
            Some(First::Best(after)) => {
                pairs.push(format!("order=best&page={}", after / PAGE + 1));
            }
        }
        format!("?{}", pairs.join("&"))
    }

    /// Returns the same order at its beginning.
    fn order(&self) -> Option<First> {
        self.is_best().then_some(First::Best(0))
    }

    fn is_best(&self) -> bool {
        matches!(self.first, Some(First::Best(_)))
    }

    /// Says whether there are mails before those of this page.
    fn is_on(&self) -> bool {
        !matches!(self.first, None | Some(First::Best(0)))
    }
}

/// Everything the page shows.
struct Page {
    asked: Asked,
    project: Option<Project>,
    query: Query,
    /// What is wrong with the search.
    fault: Option<Fault>,
    hits: Vec<Hit>,
    has_more: bool,
    /// How many mails may be missing in the index.
    is_behind: bool,
    vocabulary: Vocabulary,
}

impl Page {
    async fn load(db: &mut Db<'_>, view: &View<'_>, asked: Asked) -> Result<Page> {
        let project = match &asked.linkname {
            None => None,
            Some(linkname) => Some(
                store::project::by_linkname(db, linkname)
                    .await?
                    .ok_or_else(Error::no_project)?,
            ),
        };
        let mut page = Page {
            project,
            query: Query::default(),
            fault: None,
            hits: Vec::new(),
            has_more: false,
            is_behind: false,
            vocabulary: store::state::vocabulary(db).await?,
            asked,
        };
        match Query::parse(&page.asked.text) {
            Ok(query) => page.query = query,
            Err(fault) => page.fault = Some(fault),
        }
        if page.query.root.is_some() {
            page.look(db, view).await?;
        }
        Ok(page)
    }

    async fn look(&mut self, db: &mut Db<'_>, view: &View<'_>) -> Result<()> {
        let reader = view.user().map(|user| user.id);
        let own: Vec<PersonId> = match reader {
            Some(user) => {
                let people = store::person::of_user(db, user).await?;
                people.into_iter().map(|person| person.id).collect()
            }
            None => Vec::new(),
        };
        let projects = store::search::projects(db).await?;
        let ground = Ground {
            states: &self.vocabulary.states,
            projects: &projects,
            reader,
            own: &own,
        };
        let expr = match Expr::of(&self.query, &ground) {
            Ok(Some(expr)) => expr,
            Ok(None) => return Ok(()),
            Err(fault) => {
                self.fault = Some(fault);
                return Ok(());
            }
        };
        let project = self.project.as_ref();
        let only = project.map(|project| Expr::projects(&[project.id]));
        let both = only.into_iter().chain([expr]).collect();
        let first = self.asked.first.unwrap_or(First::Newest(None));
        self.hits = hits(db, Expr::All(both), first, PAGE + 1).await?;
        self.has_more = self.hits.len() as i64 > PAGE;
        self.hits.truncate(PAGE as usize);
        self.is_behind = store::search::is_behind(db).await?;
        Ok(())
    }
}

fn whole(view: &View, page: &Page) -> Markup {
    let title = match page.asked.text.as_str() {
        "" => "Search".to_owned(),
        text => format!("Search: {text}"),
    };
    let frame = match &page.project {
        Some(project) => Frame {
            search: false,
            ..Frame::project(&title, project, Tab::Patches)
        },
        None => Frame {
            search: false,
            ..Frame::site(&title)
        },
    };
    layout::page(
        view,
        &frame,
        html! {
            header.heading { h1 { "Search" @if let Some(project) = &page.project { " in " (project.name) } } }
            (form(view, page))
            @if let Some(fault) = &page.fault { (faulty(&page.asked.text, fault)) }
            @else if page.query.root.is_some() { (results(view, page)) }
            @else { (help::short(view)) }
        },
    )
}

fn form(view: &View, page: &Page) -> Markup {
    let asked = &page.asked;
    html! {
        form.look-for role="search" aria-label="Search all mails" action=(view.links().search()) {
            @if let Some(project) = &page.project { input type="hidden" name="project" value=(project.linkname); }
            input #f-q type="search" name="q" value=(asked.text) maxlength=(MOST_CHARS) aria-label="Search"
                placeholder="Words, \"a phrase\", from:, file:, message id" data-key="/"
                aria-invalid=[page.fault.as_ref().map(|_| "true")] aria-describedby=[page.fault.as_ref().map(|_| "fault")];
            button type="submit" { "Search" }
            a href=(view.links().search_help()) { "What can be asked" }
        }
        div.summary {
            ul.chips aria-label="What is asked" {
                @if let Some(project) = &page.project {
                    (chip(&format!("Project: {}", project.linkname), &asked.href(&asked.text, false, None)))
                }
                @if page.fault.is_none() {
                    @for (text, rest) in parts(&page.query) { (chip(&text, &asked.href(&rest, true, asked.order()))) }
                }
            }
        }
    }
}

fn chip(text: &str, without: &str) -> Markup {
    html! {
        li.chip { (text) " " a href=(without) aria-label={ "Drop: " (text) } title="Drop this" { "×" } }
    }
}

/// Returns what has to hold together, each with the search without it. One alone needs no chip.
fn parts(query: &Query) -> Vec<(String, String)> {
    let Some(Node::All(parts)) = &query.root else {
        return Vec::new();
    };
    let one = |index: usize| {
        let mut rest = parts.clone();
        let taken = Query {
            root: Some(rest.remove(index)),
        };
        let root = Some(Node::All(rest));
        (taken.to_string(), Query { root }.to_string())
    };
    (0..parts.len()).map(one).collect()
}

/// Says what is wrong with a search, with the part underlined.
fn faulty(text: &str, fault: &Fault) -> Markup {
    let part = |at: Range<usize>| text.get(at).unwrap_or_default();
    html! {
        div #fault .banner.warning role="alert" {
            p { (fault.why) }
            p.asked {
                code { (part(0..fault.at.start)) mark { (part(fault.at.clone())) } (part(fault.at.end..text.len())) }
            }
        }
    }
}

fn results(view: &View, page: &Page) -> Markup {
    let (asked, text) = (&page.asked, page.asked.text.as_str());
    let next = match asked.first {
        // The rest is not judged.
        Some(First::Best(after)) if after + PAGE >= JUDGED => None,
        Some(First::Best(after)) => Some(First::Best(after + PAGE)),
        _ => Some(First::Newest(page.hits.last().map(|hit| hit.id))),
    };
    let next = next.filter(|_| page.has_more);
    let (back, on) = match asked.is_best() {
        true => ("« Best", "Next ›"),
        false => ("« Newest", "Older ›"),
    };
    let current = |is_best: bool| (asked.is_best() == is_best).then_some("true");
    html! {
        section #results aria-label="Mails found" {
            @if page.is_behind {
                p.banner.warning { "Some mails are still being indexed: something may be missing." }
            }
            nav.views aria-label="Order" {
                a href=(asked.href(text, true, None)) aria-current=[current(false)] { "Newest first" }
                a href=(asked.href(text, true, Some(First::Best(0)))) aria-current=[current(true)] { "Best first" }
            }
            @if page.hits.is_empty() { (nothing(view, page)) }
            @else { ol.hits { @for hit in &page.hits { (drawn(view, page, hit)) } } }
            @if next.is_some() || asked.is_on() {
                nav.pager aria-label="Pages" {
                    @if asked.is_on() { a rel="first" href=(asked.href(text, true, asked.order())) { (back) } }
                    @if next.is_some() { a rel="next" href=(asked.href(text, true, next)) { (on) } }
                }
            }
        }
    }
}

fn nothing(view: &View, page: &Page) -> Markup {
    html! {
        div.empty {
            p { strong { @if page.asked.is_on() { "Nothing more was found." } @else { "Nothing was found." } } }
            p.muted {
                "Words are found whole; a star at the end leaves one open: " code { "lock*" } ". "
                @if page.project.is_some() {
                    a href=(page.asked.href(&page.asked.text, false, None)) { "Search all projects" } " · "
                }
                a href=(view.links().search_help()) { "What can be asked" }
            }
        }
    }
}

fn drawn(view: &View, page: &Page, hit: &Hit) -> Markup {
    let links = view.links();
    let (kind, address) = match (hit.comment_id, hit.patch_id) {
        (Some(id), _) => ("Comment", links.comment(id)),
        (None, Some(_)) => ("Patch", links.patch(&hit.linkname, &hit.msgid)),
        (None, None) => ("Cover letter", links.cover(&hit.linkname, &hit.msgid)),
    };
    let terms = lines::Terms::of(&page.query);
    let name = parts::named(&hit.name);
    let who = person::shown(hit.submitter_name.as_deref(), &hit.submitter_email);
    let state = hit.state_id.and_then(|id| page.vocabulary.state(id));
    html! {
        li {
            p.title {
                a href=(address) { @if hit.comment_id.is_some() { "Re: " } (terms.marked(&name)) }
                @if let Some(state) = state { " " (parts::state(&state.name, state.action_required)) }
            }
            p.facts {
                span { (kind) }
                @if page.project.is_none() { span { a href=(links.list(&hit.linkname)) { (hit.linkname) } } }
                span { a href=(links.person(&hit.linkname, hit.submitter_id)) { (odd::shown(who)) } }
                span { (parts::moment(hit.date)) }
            }
            @for line in terms.lines(hit) { p.line { code { (line) } } }
        }
    }
}
