//! Saved filters: a list's filters under a name, for oneself or, by maintainers, for the project. Each has an address that can be
//! shared, and is a feed.

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    comment::number,
    error::Result,
    field::{Faults, Field},
    form::Form,
    guard::{Pairs, View},
    layout::{self, Frame, Tab},
    list,
    profile::action,
    query::{ACTION_REQUIRED, Query},
};
use crate::{
    auth::session::Session,
    domain::{Timestamp, notice::Notice, project::Project, state::State},
    store::{self, Conn, saved::Saved},
};

/// The most characters of a name.
const MAX_NAME: usize = 50;
/// The most of what is saved.
const MAX_QUERY: usize = 4000;

const ONLY_MAINTAINERS: &str = "Only maintainers of the project save and delete its filters.";

/// Returns the routes of saved filters.
pub fn routes() -> Vec<Route> {
    rocket::routes![page, save, open, delete]
}

async fn project(db: &mut Db<'_>, linkname: &str) -> Result<Project> {
    let project = store::project::by_linkname(db, linkname).await?;
    project.ok_or_else(Error::no_project)
}

/// Returns what is saved of a query: not which page was open.
fn kept(query: &Query) -> String {
    let href = query.without("page").href();
    href.trim_start_matches("./")
        .trim_start_matches('?')
        .to_owned()
}

/// Reads what was saved.
fn read(saved: &str) -> Query {
    let pairs = form_urlencoded::parse(saved.as_bytes());
    Query::read(&pairs.into_owned().collect::<Vec<_>>())
}

/// Returns the address of a filter.
pub fn address(view: &View, saved: &Saved) -> String {
    format!(
        "{}{}/",
        view.links().saved_filters(&saved.linkname),
        saved.id
    )
}

#[rocket::get("/project/<linkname>/filter")]
async fn page(linkname: &str, view: View<'_>, pairs: Pairs, mut db: Db<'_>) -> Result<Answer> {
    let project = project(&mut db, linkname).await?;
    let session = view.logged_in()?;
    let entered = Entered {
        query: kept(&Query::read(&pairs.0)),
        ..Entered::default()
    };
    let drawn = whole(
        &mut db,
        &view,
        session,
        &project,
        &entered,
        &Faults::default(),
    )
    .await?;
    Ok(Answer::Page(drawn))
}

/// What stands in the form.
#[derive(Default)]
struct Entered {
    name: String,
    query: String,
    is_projects: bool,
}

#[rocket::post("/project/<linkname>/filter", data = "<form>")]
async fn save(linkname: &str, view: View<'_>, mut db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let project = project(&mut db, linkname).await?;
    let session = view.logged_in()?;
    let entered = Entered {
        name: form.text("name").to_owned(),
        query: kept(&read(form.text("query"))),
        is_projects: form.text("whose") == "project",
    };
    if entered.is_projects && !session.caller.rights.maintains(project.id) {
        return Err(Error::Forbidden(ONLY_MAINTAINERS));
    }
    let mut faults = Faults::default();
    let length = entered.name.chars().count();
    let fits = (1..=MAX_NAME).contains(&length) && !entered.name.contains(char::is_control);
    faults.check(fits, "name", "One to fifty characters.");
    let is_something = !entered.query.is_empty() && entered.query.len() <= MAX_QUERY;
    faults.check(
        is_something,
        "query",
        "There is no filter to save: choose one on the list first.",
    );
    if faults.is_empty() {
        let user = session.caller.user.id;
        let owner = (!entered.is_projects).then_some(user);
        let now = Timestamp::now();
        let mut tx = form.begin().await?;
        let (name, query) = (&entered.name, &entered.query);
        if store::saved::insert(&mut tx, project.id, owner, name, query, now).await? {
            let notice = Notice::done(format!("The filter “{name}” is saved."));
            session.tell(&mut tx, vec![notice], now).await?;
            tx.commit().await?;
            let list = view.links().list(&project.linkname);
            return Ok(Answer::Done(format!("{list}?{query}")));
        }
        faults.add(
            "name",
            "There are a hundred filters already: delete one first.",
        );
    }
    let drawn = whole(&mut db, &view, session, &project, &entered, &faults).await?;
    Ok(Answer::Invalid(drawn))
}

#[rocket::get("/project/<linkname>/filter/<id>")]
async fn open(
    linkname: &str,
    id: &str,
    view: View<'_>,
    pairs: Pairs,
    mut db: Db<'_>,
) -> Result<Answer> {
    let saved = found(&mut db, linkname, id).await?;
    if pairs.last("format") == Some("atom") {
        let own = view.here();
        return list::fed(&mut db, &view, linkname, read(&saved.query), &own).await;
    }
    let list = view.links().list(linkname);
    Ok(Answer::Found(format!("{list}?{}", saved.query)))
}

#[rocket::post("/project/<linkname>/filter/<id>", data = "<form>")]
async fn delete(
    linkname: &str,
    id: &str,
    view: View<'_>,
    mut db: Db<'_>,
    form: Form<'_>,
) -> Result<Answer> {
    let session = view.logged_in()?;
    let saved = found(&mut db, linkname, id).await?;
    drop(db);
    if !may_delete(session, &saved) {
        return Err(Error::Forbidden(match saved.user_id {
            Some(_) => "Only whose it is deletes a saved filter.",
            None => ONLY_MAINTAINERS,
        }));
    }
    let mut tx = form.begin().await?;
    store::saved::delete(&mut tx, saved.id).await?;
    let notice = Notice::done(format!("The filter “{}” is deleted.", saved.name));
    session
        .tell(&mut tx, vec![notice], Timestamp::now())
        .await?;
    tx.commit().await?;
    Ok(Answer::Done(match form.text("from") {
        "profile" => view.links().user(),
        _ => view.links().saved_filters(linkname),
    }))
}

async fn found(db: &mut Db<'_>, linkname: &str, id: &str) -> Result<Saved> {
    let saved = store::saved::by_id(db, number(id)?).await?;
    let here = saved.filter(|saved| saved.linkname == linkname);
    here.ok_or_else(Error::missing)
}

fn may_delete(session: &Session, saved: &Saved) -> bool {
    match saved.user_id {
        Some(user) => user == session.caller.user.id,
        None => session.caller.rights.maintains(saved.project_id),
    }
}

async fn whole(
    db: &mut Db<'_>,
    view: &View<'_>,
    session: &Session,
    project: &Project,
    entered: &Entered,
    faults: &Faults,
) -> Result<Markup> {
    let user = session.caller.user.id;
    let all = store::saved::of_list(db, project.id, Some(user)).await?;
    let (theirs, own): (Vec<&Saved>, Vec<&Saved>) =
        all.iter().partition(|saved| saved.user_id.is_none());
    let is_maintainer = session.caller.rights.maintains(project.id);
    let queries = all.iter().map(|saved| saved.query.as_str());
    let states = states(db, queries.chain([entered.query.as_str()])).await?;
    let shows = said(&entered.query, &states);
    Ok(layout::page(
        view,
        &Frame::project("Saved filters", project, Tab::Patches),
        html! {
            header.heading { h1 { "Saved filters of " (project.name) } }
            (form(view, project, entered, &shows, faults, is_maintainer))
            section #project-filters {
                h2 { "Of the project" }
                @if theirs.is_empty() { p.muted { "None. Maintainers save those that everybody sees above the list." } }
                @else { (table(view, &theirs, &states, is_maintainer, "")) }
            }
            section #own-filters {
                h2 { "Your own" }
                @if own.is_empty() { p.muted { "None." } } @else { (table(view, &own, &states, true, "")) }
            }
        },
    ))
}

fn form(
    view: &View,
    project: &Project,
    entered: &Entered,
    shows: &str,
    faults: &Faults,
    is_maintainer: bool,
) -> Markup {
    let links = view.links();
    if entered.query.is_empty() {
        return html! {
            p.muted { "To save a filter, choose one " a href=(links.list(&project.linkname)) { "on the list" } " and save it there." }
        };
    }
    let name = Field {
        hint: "One of the same name is replaced.",
        ..Field::new("name", "Name", &entered.name)
    };
    let list = format!("{}?{}", links.list(&project.linkname), entered.query);
    html! {
        section #save {
            h2 { "Save a filter" }
            form.entries method="post" action=(links.saved_filters(&project.linkname)) {
                (view.csrf())
                input type="hidden" name="query" value=(entered.query);
                p { "What it shows: " a href=(list) { (shows) } }
                @for wrong in faults.of("query") { p.wrong { (wrong) } }
                (name.drawn(faults))
                @if is_maintainer {
                    div.entry {
                        label for="id_whose" { "Whose" }
                        select #id_whose name="whose" {
                            option value="own" { "Mine" }
                            option value="project" selected[entered.is_projects] { "The project's: everybody sees it" }
                        }
                    }
                }
                button.primary type="submit" { "Save" }
            }
        }
    }
}

/// Returns the states that filters may name; where none names one, nothing is asked.
pub async fn states(
    conn: &mut Conn,
    mut queries: impl Iterator<Item = &str>,
) -> Result<Vec<State>> {
    match queries.any(|query| query.contains("state=")) {
        true => Ok(store::state::vocabulary(conn).await?.states),
        false => Ok(Vec::new()),
    }
}

/// Writes what was saved for people.
fn said(query: &str, states: &[State]) -> String {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let pairs = pairs.map(|(key, value)| match (&*key, &*value) {
        ("q", _) => value.into_owned(),
        ("state", "*") => "any state".to_owned(),
        ("state", ACTION_REQUIRED) => "action required".to_owned(),
        ("state", word) => format!("state {}", state_name(word, states)),
        ("archive", "both") => "archived or not".to_owned(),
        ("archive", "true") => "archived".to_owned(),
        ("view", "flat") => "one by one".to_owned(),
        (key, value) => format!("{key} {value}"),
    });
    pairs.collect::<Vec<_>>().join(", ")
}

/// Returns the name of the state that a filter names by its number, name or slug.
fn state_name<'a>(word: &'a str, states: &'a [State]) -> &'a str {
    let mut states = states.iter();
    let state = states.find(|state| word == state.id.to_string() || state.is_called(word));
    state.map_or(word, |state| &state.name)
}

/// Draws filters with their feeds, and a button that deletes each where the reader may.
pub fn table(
    view: &View,
    filters: &[&Saved],
    states: &[State],
    may_delete: bool,
    from: &str,
) -> Markup {
    html! {
        table.own {
            thead { tr {
                th scope="col" { "Name" } th scope="col" { "Shows" } th scope="col" { "Feed" }
                @if may_delete { th scope="col" { span.vh { "Actions" } } }
            } }
            tbody {
                @for saved in filters {
                    @let address = address(view, saved);
                    tr {
                        th scope="row" { a href=(address) { (saved.name) } }
                        td { @if !from.is_empty() { (saved.linkname) ": " } (said(&saved.query, states)) }
                        td { a href={ (address) "?format=atom" } { "Atom" span.vh { " feed of " (saved.name) } } }
                        @if may_delete { td.acts { (action(view, &address, "Delete", &saved.name, &[("from", from)])) } }
                    }
                }
            }
        }
    }
}

/// Draws the filters above a list, and the way to save what is shown.
pub fn above(view: &View, linkname: &str, filters: &[Saved], query: &Query) -> Markup {
    let here = kept(query);
    html! {
        @if !filters.is_empty() || view.user().is_some() && !here.is_empty() {
            nav.saved aria-label="Saved filters" {
                @for saved in filters {
                    a href={ "?" (saved.query) } aria-current=[(saved.query == here).then_some("true")] { (saved.name) }
                }
                @if view.user().is_some() {
                    @let page = view.links().saved_filters(linkname);
                    @if here.is_empty() { a.save href=(page) { "All saved filters" } }
                    @else { a.save href={ (page) "?" (here) } { "Save this filter" } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::StateId, web::query::tests::query};

    #[test]
    fn filters_are_kept_without_their_page() {
        assert_eq!(kept(&query("q=a b&state=1&page=3")), "state=1&q=a%20b");
        assert_eq!(kept(&query("page=3")), "");
        assert_eq!(kept(&read("state=1&q=a%20b")), "state=1&q=a%20b");
    }

    #[test]
    fn filters_are_told_in_words() {
        let states = [State {
            id: StateId(3),
            name: "Under Review".into(),
            slug: "under-review".into(),
            ordering: 1,
            action_required: true,
        }];
        for (query, expected) in [
            ("state=*&q=a%20b", "any state, a b"),
            (
                "state=3&state=under-review",
                "state Under Review, state Under Review",
            ),
            ("state=4&archive=true", "state 4, archived"),
            (
                "state=action-required&archive=both",
                "action required, archived or not",
            ),
            ("view=flat&order=-date", "one by one, order -date"),
        ] {
            assert_eq!(said(query, &states), expected, "{query}");
        }
    }
}
