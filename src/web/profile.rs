//! A user's own page (`web.md §12`): what is theirs, how they want pages, their addresses, tokens and sessions. One page
//! with a list of its sections beside it.

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, address,
    answer::Answer,
    error::Result,
    field::{self, Faults, Field},
    form::Form,
    guard::View,
    layout::{self, Frame},
    parts, token,
};
use crate::{
    auth::{self, session::Session},
    domain::{
        Person, Timestamp, User, confirmation::is_key, notice::Notice, permission::Scope, person,
    },
    store::{
        self, Conn,
        bundle::{Bundle, By, Search},
        project::Concern,
        session::Listed,
        token::Kept,
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

/// What stands in the forms.
pub struct Entered<'a> {
    first_name: &'a str,
    last_name: &'a str,
    items_per_page: String,
    show_ids: bool,
    /// Name, scope and days of a token to be made.
    pub token: (&'a str, &'a str, &'a str),
}

impl<'a> Entered<'a> {
    /// What is known.
    pub fn of(user: &'a User) -> Self {
        Entered {
            first_name: &user.first_name,
            last_name: &user.last_name,
            items_per_page: user.items_per_page.to_string(),
            show_ids: user.show_ids,
            token: ("", "", ""),
        }
    }
}

#[rocket::get("/user")]
async fn profile(view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let session = view.logged_in()?;
    let entered = Entered::of(&session.caller.user);
    let made = view.take(token::MADE).filter(|text| is_key(text));
    let faults = Faults::default();
    let page = page(&view, &mut db, session, &entered, &faults, made.as_deref()).await?;
    Ok(match made {
        Some(_) => Answer::Once(page),
        None => Answer::Page(page),
    })
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
        token: ("", "", ""),
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
        let page = page(&view, &mut db, session, &entered, &faults, None).await?;
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
    let mut tx = form.begin().await?;
    store::user::update(&mut tx, &changed).await?;
    let notice = Notice::done("Your settings are saved.");
    session
        .tell(&mut tx, vec![notice], Timestamp::now())
        .await?;
    tx.commit().await?;
    Ok(Answer::Done(view.links().user()))
}

/// What is a user's.
struct Own {
    projects: Vec<Concern>,
    bundles: Vec<Bundle>,
    people: Vec<Person>,
    opted_out: Vec<String>,
    tokens: Vec<Kept>,
    sessions: Vec<Listed>,
}

async fn own(conn: &mut Conn, user: &User) -> Result<Own> {
    let people = store::person::of_user(conn, user.id).await?;
    let mut addresses: Vec<&str> = people.iter().map(|it| it.email.as_str()).collect();
    addresses.push(&user.email);
    let opted_out = store::optout::among(conn, &addresses).await?;
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
    Ok(Own {
        projects: store::project::of_user(conn, user.id).await?,
        bundles: store::bundle::page(conn, &search, &[(By::Name, false)], window)
            .await?
            .rows,
        people,
        opted_out,
        tokens: store::token::of(conn, user.id).await?,
        sessions: store::session::of_user(conn, user.id, Timestamp::now()).await?,
    })
}

/// Draws the page. `made` is a token that was made just now.
pub async fn page(
    view: &View<'_>,
    conn: &mut Conn,
    session: &Session,
    entered: &Entered<'_>,
    faults: &Faults,
    made: Option<&str>,
) -> Result<Markup> {
    let user = &session.caller.user;
    let own = own(conn, user).await?;
    let has_tokens = view.options().rest_api;
    let main = html! {
        header.heading {
            h1 { "Profile" }
            p.facts {
                span { (user.username) }
                @if !user.email.is_empty() { span { (user.email) } }
                span { "since " (parts::day(user.date_joined)) }
            }
        }
        div.settings {
            nav aria-label="Profile" {
                ul {
                    li { a href="#work" { "Work" } }
                    li { a href="#display" { "Name and display" } }
                    li { a href="#addresses" { "Addresses and mail" } }
                    li { a href="#password" { "Password" } }
                    @if has_tokens { li { a href="#tokens" { "Tokens" } } }
                    li { a href="#sessions" { "Sessions" } }
                }
            }
            div {
                (work(view, &own))
                (display(view, entered, faults))
                (addresses(view, user, &own))
                section #password {
                    h2 { "Password" }
                    p { a.button href=(view.links().user_page("password-change/")) { "Change the password" } }
                }
                @if has_tokens { (tokens(view, &own.tokens, entered, faults, made)) }
                (sessions(view, &own.sessions, session))
            }
        }
    };
    Ok(layout::page(view, &Frame::site("Profile"), main))
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

fn display(view: &View, entered: &Entered, faults: &Faults) -> Markup {
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
        section #display {
            h2 { "Name and display" }
            form.entries method="post" action=(view.links().user()) {
                (view.csrf())
                @for field in &fields { (field.drawn(faults)) }
                p.ticks { (field::tick("show_ids", "Show the numbers of patches in lists", entered.show_ids)) }
                button.primary type="submit" { "Save" }
            }
        }
    }
}

/// An address in the list.
struct Row<'a> {
    email: &'a str,
    /// Who is to be taken away to take the address away; the account's own address stays.
    person: Option<&'a Person>,
}

fn addresses(view: &View, user: &User, own: &Own) -> Markup {
    let links = view.links();
    let is_own = |email: &str| email.to_lowercase() == user.email.to_lowercase();
    let mut rows: Vec<Row> = Vec::new();
    if !user.email.is_empty() {
        rows.push(Row {
            email: &user.email,
            person: None,
        });
    }
    let others = own.people.iter().filter(|person| !is_own(&person.email));
    rows.extend(others.map(|person| Row {
        email: &person.email,
        person: Some(person),
    }));
    let is_out = |email: &str| own.opted_out.contains(&person::optout_key(email));
    html! {
        section #addresses {
            h2 { "Addresses and mail" }
            p.muted { "Patches sent from these addresses are yours. Notifications tell of their states." }
            @if !rows.is_empty() {
                table.own {
                    thead { tr { th scope="col" { "Address" } th scope="col" { "Notifications" } th scope="col" { span.vh { "Actions" } } } }
                    tbody {
                        @for row in &rows {
                            tr {
                                th scope="row" { (row.email) @if row.person.is_none() { " " span.note { "account" } } }
                                td {
                                    @let (word, way, label) = match is_out(row.email) {
                                        true => ("no", "optin/", "Allow"),
                                        false => ("yes", "optout/", "Stop"),
                                    };
                                    (word) " "
                                    (action(view, &format!("{}{way}", links.mail()), label, &format!("notifications to {}", row.email), &[("email", row.email)]))
                                }
                                td.acts {
                                    @if let Some(person) = row.person {
                                        (action(view, &links.user_page(&format!("unlink/{}/", person.id)), "Remove", row.email, &[]))
                                    }
                                }
                            }
                        }
                    }
                }
            }
            form.entries method="post" action=(links.user_page("link/")) {
                (view.csrf())
                (Field { label: "Add an address", ..address::field("") }.drawn(&Faults::default()))
                button type="submit" { "Send the link" }
            }
        }
    }
}

/// A button in a table; `what` tells those who do not see the row what it is about.
fn action(view: &View, address: &str, label: &str, what: &str, fields: &[(&str, &str)]) -> Markup {
    html! {
        form.inline method="post" action=(address) {
            (view.csrf())
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button type="submit" { (label) span.vh { " " (what) } }
        }
    }
}

/// What tokens of a scope may do.
fn described(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "Read",
        Scope::Checks => "Read, and report checks",
        Scope::Write => "All that you may",
    }
}

fn tokens(
    view: &View,
    tokens: &[Kept],
    entered: &Entered,
    faults: &Faults,
    made: Option<&str>,
) -> Markup {
    let links = view.links();
    let has_default = tokens.iter().any(|token| token.name.is_empty());
    html! {
        section #tokens {
            h2 { "Tokens" }
            p.muted { "With a token scripts and clients use the API as you, without your password." }
            @if let Some(made) = made {
                div.notice role="status" {
                    p { "Your new token, shown this once: " code.secret { (made) } " " (parts::copy(made, "the token")) }
                }
            }
            @if !tokens.is_empty() {
                table.own {
                    thead { tr { th scope="col" { "Name" } th scope="col" { "May" } th scope="col" { "Made" } th scope="col" { "Ends" } th scope="col" { "Last used" } th scope="col" { span.vh { "Actions" } } } }
                    tbody {
                        @for token in tokens {
                            @let name = if token.name.is_empty() { "default" } else { &token.name };
                            tr {
                                th scope="row" { (name) }
                                td { (Scope::from_word(&token.scope).map_or("Read", described)) }
                                td { span.unit { "made " } (parts::day(token.created)) }
                                td { span.unit { "ends " } (maybe_day(token.expires)) }
                                td { span.unit { "last used " } (maybe_day(token.last_used)) }
                                td.acts { (action(view, &links.user_page("revoke-token/"), "Revoke", name, &[("id", &token.id.to_string())])) }
                            }
                        }
                    }
                }
            }
            form.inline method="post" action=(links.user_page("generate-token/")) {
                (view.csrf())
                button type="submit" { @if has_default { "Make the default token anew" } @else { "Make a token" } }
            }
            @let is_open = !faults.is_empty() && ["name", "scope", "expires"].iter().any(|name| !faults.of(name).is_empty());
            details.named open[is_open] {
                summary { "Make a token with a name" }
                (named_token(view, entered, faults))
            }
        }
    }
}

fn maybe_day(day: Option<Timestamp>) -> Markup {
    html! { @match day { Some(day) => (parts::day(day)), None => "never" } }
}

fn named_token(view: &View, entered: &Entered, faults: &Faults) -> Markup {
    let (name, scope, days) = entered.token;
    let name = Field {
        hint: "What it is for, such as the machine. A token of the same name stops to work.",
        ..Field::new("name", "Name", name)
    };
    let expires = Field {
        kind: "number",
        required: false,
        hint: "Days until it stops to work; empty for never.",
        ..Field::new("expires", "Days", days)
    };
    let wrong = faults.of("scope");
    html! {
        form.entries method="post" action=(view.links().user_page("generate-token/")) {
            (view.csrf())
            (name.drawn(faults))
            div.entry {
                label for="id_scope" { "May" }
                select #id_scope name="scope" aria-describedby=[(!wrong.is_empty()).then_some("scope-error")] {
                    @for one in Scope::ALL {
                        option value=(one.word()) selected[scope == one.word()] { (described(one)) }
                    }
                }
                @if !wrong.is_empty() { p.wrong #scope-error { (wrong.join(" ")) } }
            }
            (expires.drawn(faults))
            button type="submit" { "Make the token" }
        }
    }
}

fn sessions(view: &View, sessions: &[Listed], this: &Session) -> Markup {
    let end = view.links().user_page("sessions/end/");
    html! {
        section #sessions {
            h2 { "Sessions" }
            p.muted { "Browsers in which you are logged in." }
            table.own {
                thead { tr { th scope="col" { "Browser" } th scope="col" { "Address" } th scope="col" { "Since" } th scope="col" { "Last seen" } th scope="col" { span.vh { "Actions" } } } }
                tbody {
                    @for session in sessions {
                        @let is_this = session.key_hash == this.key_hash;
                        tr {
                            th scope="row" title=(session.agent) { (browser(&session.agent)) @if is_this { " " span.note { "this one" } } }
                            td { (session.address) }
                            td { span.unit { "since " } (parts::moment(session.created)) }
                            td { span.unit { "seen " } @match session.seen { Some(seen) => (parts::moment(seen)), None => "never" } }
                            td.acts {
                                @if !is_this {
                                    (action(view, &end, "End", &format!("the session of {}", browser(&session.agent)), &[("session", &auth::hex(&session.key_hash))]))
                                }
                            }
                        }
                    }
                }
            }
            @if sessions.len() > 1 {
                (field::button(view, &end, "End all others", &[("session", "others")]))
            }
        }
    }
}

/// Returns what people call a browser, as far as it says.
fn browser(agent: &str) -> String {
    // The first that fits: most claim to be others as well.
    const PROGRAMS: &[(&str, &str)] = &[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chromium"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
        ("python", "Python"),
    ];
    const SYSTEMS: &[(&str, &str)] = &[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
        ("BSD", "BSD"),
    ];
    let named = |names: &[(&str, &'static str)]| {
        let found = names.iter().find(|(mark, _)| agent.contains(mark));
        found.map(|(_, name)| *name)
    };
    match (named(PROGRAMS), named(SYSTEMS)) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(program), None) => program.to_owned(),
        _ if agent.is_empty() => "unknown".to_owned(),
        _ => agent.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_named() {
        for (agent, expected) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.0", "curl"),
            ("", "unknown"),
            ("something else", "something else"),
        ] {
            assert_eq!(browser(agent), expected, "{agent}");
        }
    }
}
