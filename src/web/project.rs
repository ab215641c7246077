//! The list of projects, and what there is to know about one.

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    bulk,
    error::Result,
    guard::{Pairs, View},
    jump,
    layout::{self, Frame, Tab},
    link, parts,
    query::Query,
};
use crate::{
    domain::{Timestamp, project::Project},
    store::{
        self,
        project::{Desk, Load, Overview, Rule},
        state::Vocabulary,
    },
};

/// Returns the routes of projects.
pub fn routes() -> Vec<Route> {
    rocket::routes![projects, detail]
}

#[rocket::get("/")]
async fn projects(view: View<'_>, pairs: Pairs, mut db: Db<'_>) -> Result<Answer> {
    let query = Query::read(&pairs.0);
    let sought = query.get("q");
    if let Some(text) = sought
        && let Some(address) = jump::jump(&mut db, &view, text).await?
    {
        return Ok(Answer::Found(address));
    }
    let projects = store::project::overview(&mut db).await?;
    drop(db);
    if let [only] = projects.as_slice() {
        let list = view.links().list(&only.project.linkname);
        return Ok(Answer::Found(list + &search(sought)));
    }
    Ok(Answer::Page(all(&view, &projects, sought)))
}

/// Returns what follows the address of a list to search all of it.
fn search(sought: Option<&str>) -> String {
    match sought {
        None => String::new(),
        Some(text) => format!("?state=*&q={}&archive=both", link::encoded(text)),
    }
}

fn all(view: &View, projects: &[Overview], sought: Option<&str>) -> Markup {
    layout::page(
        view,
        &Frame::site("Projects"),
        html! {
            header.heading { h1 { "Projects" } }
            @if let Some(text) = sought {
                p.banner { "No patch has this number or message id. The links below search a project for “" (text) "”." }
            }
            @if projects.is_empty() {
                div.empty {
                    p { strong { "There is no project yet." } }
                    p.muted { "An administrator creates one; patches appear as soon as mail for its list arrives." }
                }
            } @else {
                table.projects {
                    caption.vh { "Projects" }
                    thead { tr {
                        th scope="col" { "Project" }
                        th scope="col" { "List" }
                        th.num scope="col" { "Open patches" }
                        th scope="col" { "Last patch" }
                        th scope="col" { "Elsewhere" }
                    } }
                    tbody { @for overview in projects { (row(view, overview, sought)) } }
                }
            }
        },
    )
}

fn row(view: &View, overview: &Overview, sought: Option<&str>) -> Markup {
    let project = &overview.project;
    html! {
        tr {
            th scope="row" {
                a href={ (view.links().list(&project.linkname)) (search(sought)) } { (project.linkname) }
                @if project.name != project.linkname { " " span.muted { (project.name) } }
            }
            td { (project.list_email) }
            td.num { (overview.open) span.unit { " open" } }
            td { @match overview.latest { Some(at) => { span.unit { "last one of " } (parts::day(at)) }, None => span.none { "-" } } }
            td { (elsewhere(project)) }
        }
    }
}

fn elsewhere(project: &Project) -> Markup {
    let links = [
        (&project.web_url, "website"),
        (&project.webscm_url, "source"),
        (&project.list_archive_url, "archive"),
    ];
    html! {
        @for (url, text) in links {
            @if !url.is_empty() { (parts::outside(url, text)) " " }
        }
    }
}

#[rocket::get("/project/<linkname>")]
async fn detail(linkname: &str, view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let project = store::project::by_linkname(&mut db, linkname)
        .await?
        .ok_or_else(Error::no_project)?;
    let about = About {
        vocabulary: store::state::vocabulary(&mut db).await?,
        loads: store::project::load(&mut db, project.id).await?,
        unassigned: store::project::unassigned(&mut db, project.id).await?,
        desks: store::project::desks(&mut db, project.id).await?,
        rules: store::project::rules(&mut db, project.id).await?,
        project,
    };
    drop(db);
    Ok(Answer::Page(whole(&view, &about)))
}

/// Everything the page shows.
struct About {
    project: Project,
    vocabulary: Vocabulary,
    loads: Vec<Load>,
    unassigned: i64,
    desks: Vec<Desk>,
    rules: Vec<Rule>,
}

impl About {
    fn count(&self, archived: bool) -> i64 {
        self.loads
            .iter()
            .filter(|load| load.archived == archived)
            .map(|load| load.count)
            .sum()
    }

    /// Returns when the oldest patch was written that waits for somebody.
    fn oldest(&self) -> Option<Timestamp> {
        let waiting = |load: &&Load| {
            !load.archived
                && self
                    .vocabulary
                    .state(load.state_id)
                    .is_some_and(|state| state.action_required)
        };
        self.loads
            .iter()
            .filter(waiting)
            .map(|load| load.oldest)
            .min()
    }
}

fn whole(view: &View, about: &About) -> Markup {
    let project = &about.project;
    let title = format!("About {}", project.name);
    let send = format!("git config sendemail.to {}", project.list_email);
    layout::page(
        view,
        &Frame::project(&title, project, Tab::About),
        html! {
            header.heading {
                h1 { (project.name) }
                @if view.caller().is_some_and(|caller| caller.rights.maintains(project.id)) {
                    p.facts { a href=(view.links().settings(&project.linkname)) { "Settings of this project" } }
                }
            }
            div.columns.even {
                section {
                    h2 { "Patches" }
                    p {
                        (bulk::patches(usize::try_from(about.count(false)).unwrap_or_default()))
                        @let archived = about.count(true);
                        @if archived > 0 { " (and " (archived) " archived)" }
                        "."
                    }
                    (queue(view, about))
                }
                section {
                    h2 { "Mailing list" }
                    dl.wide {
                        dt { "Address" } dd { a href={ "mailto:" (project.list_email) } { (project.list_email) } }
                        (address("Archive", &project.list_archive_url))
                        (address("Website", &project.web_url))
                        (address("Source", &project.webscm_url))
                        (address("Repository", &project.scm_url))
                    }
                    (maintainers(about))
                    (rules(&about.rules))
                }
                section {
                    h2 { "Sending patches" }
                    p { "Send them to the list; they appear here within moments. To set up git once:" }
                    div.command { code { (send) } (parts::copy(&send, "the command")) }
                    div.command { code { "git send-email origin/HEAD" } (parts::copy("git send-email origin/HEAD", "the command")) }
                }
            }
        },
    )
}

fn queue(view: &View, about: &About) -> Markup {
    let list = view.links().list(&about.project.linkname);
    html! {
        @if about.count(false) > 0 {
            table.plain {
                caption.vh { "Patches by state" }
                thead { tr { th scope="col" { "State" } th.num scope="col" { "Patches" } } }
                tbody {
                    @for state in &about.vocabulary.states {
                        @if let Some(load) = about.loads.iter().find(|load| load.state_id == state.id && !load.archived) {
                            tr {
                                th scope="row" { (parts::state(&state.name, state.action_required)) }
                                td.num { a href={ (list) "?state=" (state.id) } { (load.count) } }
                            }
                        }
                    }
                }
            }
        }
        @if about.unassigned > 0 {
            p { a href={ (list) "?delegate=Nobody" } { (about.unassigned) " open without a delegate" } }
        }
        @if let Some(oldest) = about.oldest() {
            p { a href={ (list) "?order=date" } { "Oldest open one" } " is of " (parts::day(oldest)) "." }
        }
    }
}

fn address(label: &str, url: &str) -> Markup {
    html! { @if !url.is_empty() { dt { (label) } dd { (parts::outside(url, url)) } } }
}

fn maintainers(about: &About) -> Markup {
    let found: Vec<&Desk> = about.desks.iter().filter(|desk| desk.maintainer).collect();
    html! {
        h2 { @if found.len() == 1 { "Maintainer" } @else { "Maintainers" } }
        @if found.is_empty() { p.muted { "None yet." } }
        ul.plain { @for desk in found { li { (desk.shown()) @if desk.shown() != desk.username { " " span.muted { (desk.username) } } } } }
    }
}

fn rules(rules: &[Rule]) -> Markup {
    html! {
        @if !rules.is_empty() {
            h2 { "Delegation rules" }
            table.plain {
                caption.vh { "Who gets patches of which files" }
                thead { tr { th scope="col" { "Files" } th scope="col" { "Delegate" } } }
                tbody { @for rule in rules { tr { td { code { (rule.path) } } td { (rule.username) } } } }
            }
        }
    }
}
