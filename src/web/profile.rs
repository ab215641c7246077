//! A user's own pages (`web.md §12`), in sections with an address each: what is theirs and how they are called; addresses,
//! display, tokens and sessions, and the account itself are in files of their own.

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db,
    answer::Answer,
    error::Result,
    field::{self, Faults, Field},
    form::Form,
    guard::View,
    layout::{self, Frame},
    parts, saved,
};
use crate::{
    auth::session::Session,
    domain::{Timestamp, User, notice::Notice, state::State},
    store::{
        self, Conn,
        bundle::{Bundle, By, Search},
        project::Concern,
        saved::Saved,
        window::Window,
    },
};

/// The most characters of a name.
const MAX_NAME: usize = 30;
/// The most bundles that are named here; there is a page with all of them.
const MOST_BUNDLES: i64 = 50;

/// Returns the routes of the profile.
pub fn routes() -> Vec<Route> {
    rocket::routes![profile, save]
}

/// A section of a user's own pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Names, lists, and what is theirs.
    Profile,
    /// Addresses, and what is mailed to them.
    Addresses,
    /// How pages look.
    Display,
    /// What scripts and browsers are let in.
    Tokens,
    /// Password, second factor, the end.
    Account,
}

impl Section {
    const ALL: [Section; 5] = [
        Section::Profile,
        Section::Addresses,
        Section::Display,
        Section::Tokens,
        Section::Account,
    ];

    /// Returns what stands behind `/user/` in its address.
    pub fn path(self) -> &'static str {
        match self {
            Section::Profile => "",
            Section::Addresses => "addresses/",
            Section::Display => "display/",
            Section::Tokens => "tokens/",
            Section::Account => "account/",
        }
    }

    fn label(self, view: &View) -> &'static str {
        match self {
            Section::Profile => "Profile",
            Section::Addresses => "Addresses & notifications",
            Section::Display => "Display",
            Section::Tokens if view.options().rest_api => "Tokens & sessions",
            Section::Tokens => "Sessions",
            Section::Account => "Account",
        }
    }
}

/// Draws a section, with a list of all of them beside it.
pub fn framed(view: &View, open: Section, main: Markup) -> Markup {
    let title = open.label(view);
    let current = |section| (section == open).then_some("page");
    let main = html! {
        header.heading {
            h1 { (title) }
            @if let Some(user) = view.user() {
                p.facts {
                    span { (user.username) }
                    @if !user.email.is_empty() { span { (user.email) } }
                    span { "since " (parts::day(user.date_joined)) }
                }
            }
        }
        div.settings {
            nav aria-label="Profile" {
                ul {
                    @for section in Section::ALL {
                        li { a href=(view.links().user_page(section.path())) aria-current=[current(section)] { (section.label(view)) } }
                    }
                }
            }
            div { (main) }
        }
    };
    layout::page(view, &Frame::site(title), main)
}

/// What stands in the form.
struct Entered<'a> {
    first_name: &'a str,
    last_name: &'a str,
    items_per_page: String,
    show_ids: bool,
}

#[rocket::get("/user")]
async fn profile(view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let session = view.logged_in()?;
    let user = &session.caller.user;
    let entered = Entered {
        first_name: &user.first_name,
        last_name: &user.last_name,
        items_per_page: user.items_per_page.to_string(),
        show_ids: user.show_ids,
    };
    let page = page(&view, &mut db, session, &entered, &Faults::default()).await?;
    Ok(Answer::Page(page))
}

#[rocket::post("/user", data = "<form>")]
async fn save(view: View<'_>, mut db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let session = view.logged_in()?;
    let user = &session.caller.user;
    // Compatibility: a form may send only the settings that the original has.
    let entered = Entered {
        first_name: form.get("first_name").unwrap_or(&user.first_name),
        last_name: form.get("last_name").unwrap_or(&user.last_name),
        items_per_page: form.text("items_per_page").to_owned(),
        show_ids: form.is_ticked("show_ids"),
    };
    let mut faults = Faults::default();
    for (name, text) in [
        ("first_name", entered.first_name),
        ("last_name", entered.last_name),
    ] {
        let fits = text.chars().count() <= MAX_NAME && !text.contains(char::is_control);
        faults.check(fits, name, "Thirty characters at most.");
    }
    let items = entered.items_per_page.parse().ok();
    let items = items.filter(|count| (1..=1000).contains(count));
    faults.check(
        items.is_some(),
        "items_per_page",
        "A number from 1 to 1000.",
    );
    let Some(items_per_page) = items.filter(|_| faults.is_empty()) else {
        let page = page(&view, &mut db, session, &entered, &faults).await?;
        return Ok(Answer::Invalid(page));
    };
    drop(db);
    let changed = User {
        first_name: entered.first_name.to_owned(),
        last_name: entered.last_name.to_owned(),
        items_per_page,
        show_ids: entered.show_ids,
        ..user.clone()
    };
    keep(session, &form, &changed).await?;
    Ok(Answer::Done(view.links().user()))
}

/// Writes a user's settings, and has the next page tell so.
pub(super) async fn keep(session: &Session, form: &Form<'_>, changed: &User) -> Result<()> {
    let mut tx = form.begin().await?;
    store::user::update(&mut tx, changed).await?;
    let notice = Notice::done("Your settings are saved.");
    session
        .tell(&mut tx, vec![notice], Timestamp::now())
        .await?;
    Ok(tx.commit().await?)
}

/// What is a user's.
struct Own {
    projects: Vec<Concern>,
    bundles: Vec<Bundle>,
    filters: Vec<Saved>,
    /// The states that the filters name.
    states: Vec<State>,
}

async fn own(conn: &mut Conn, user: &User) -> Result<Own> {
    let filters = store::saved::of_user(conn, user.id).await?;
    let queries = filters.iter().map(|saved| saved.query.as_str());
    Ok(Own {
        projects: store::project::of_user(conn, user.id).await?,
        bundles: bundles(conn, user).await?,
        states: saved::states(conn, queries).await?,
        filters,
    })
}

/// Returns a user's bundles, the first of them by name.
pub async fn bundles(conn: &mut Conn, user: &User) -> Result<Vec<Bundle>> {
    let search = Search {
        viewer: Some(user.id),
        owners: vec![user.id],
        ..Search::default()
    };
    let window = Window {
        limit: MOST_BUNDLES,
        offset: 0,
        after: None,
    };
    let order = [(By::Name, false)];
    Ok(store::bundle::page(conn, &search, &order, window)
        .await?
        .rows)
}

async fn page(
    view: &View<'_>,
    conn: &mut Conn,
    session: &Session,
    entered: &Entered<'_>,
    faults: &Faults,
) -> Result<Markup> {
    let own = own(conn, &session.caller.user).await?;
    let main = html! { (names(view, entered, faults)) (work(view, &own)) (filters(view, &own)) };
    Ok(framed(view, Section::Profile, main))
}

/// What waits, where, and what was gathered.
fn work(view: &View, own: &Own) -> Markup {
    let links = view.links();
    let named = |projects: Vec<&Concern>| {
        html! {
            @for project in projects {
                dd { a href=(links.list(&project.linkname)) { (project.name) } }
            }
        }
    };
    let maintained: Vec<&Concern> = own.projects.iter().filter(|it| it.is_maintainer).collect();
    let contributed: Vec<&Concern> = own.projects.iter().filter(|it| it.is_contributor).collect();
    html! {
        section #work {
            h2 { "Work" }
            dl.wide {
                dt { "Waiting for you" }
                dd {
                    @match view.todo() {
                        0 => "nothing",
                        1 => a href=(links.user_page("todo/")) { "1 patch" },
                        count => a href=(links.user_page("todo/")) { (count) " patches" },
                    }
                }
                @if !maintained.is_empty() { dt { "Maintainer of" } (named(maintained)) }
                @if !contributed.is_empty() { dt { "Contributor to" } (named(contributed)) }
                dt { "Bundles" }
                @if own.bundles.is_empty() { dd { "none" } }
                @for bundle in &own.bundles {
                    dd {
                        a href=(links.bundle(&view.user().map_or_else(String::new, |user| user.username.clone()), &bundle.name)) { (bundle.name) }
                        @if bundle.public { " " span.note { "public" } }
                    }
                }
                @if !own.bundles.is_empty() { dd { a href=(links.user_page("bundles/")) { "All bundles" } } }
            }
        }
    }
}

fn filters(view: &View, own: &Own) -> Markup {
    let filters: Vec<&Saved> = own.filters.iter().collect();
    html! {
        section #filters {
            h2 { "Saved filters" }
            @if filters.is_empty() { p.muted { "None: the list of a project has a link that saves what it shows." } }
            @else { (saved::table(view, &filters, &own.states, true, "profile")) }
        }
    }
}

fn names(view: &View, entered: &Entered, faults: &Faults) -> Markup {
    let optional = |name, label, value, autocomplete| Field {
        required: false,
        autocomplete,
        ..Field::new(name, label, value)
    };
    let fields = [
        optional("first_name", "First name", entered.first_name, "given-name"),
        optional("last_name", "Last name", entered.last_name, "family-name"),
        Field {
            kind: "number",
            hint: "1 to 1000.",
            ..Field::new(
                "items_per_page",
                "Patches on a page",
                &entered.items_per_page,
            )
        },
    ];
    html! {
        section #names {
            h2 { "Name and lists" }
            form.entries method="post" action=(view.links().user()) {
                (view.csrf())
                @for field in &fields { (field.drawn(faults)) }
                p.ticks { (field::tick("show_ids", "Show the numbers of patches in lists", entered.show_ids)) }
                button.primary type="submit" { "Save" }
            }
        }
    }
}

/// A button in a table; `what` tells those who do not see the row what it is about.
pub fn action(
    view: &View,
    address: &str,
    label: &str,
    what: &str,
    fields: &[(&str, &str)],
) -> Markup {
    html! {
        form.inline method="post" action=(address) {
            (view.csrf())
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button type="submit" { (label) span.vh { " " (what) } }
        }
    }
}
