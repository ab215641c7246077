//! Tokens of the API (`web.md §12`): made by a form only, shown once, revoked.

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    error::Result,
    field::{Faults, Field},
    form::Form,
    guard::View,
    parts,
    profile::{self, Section, action},
    sessions,
};
use crate::{
    auth,
    domain::{Timestamp, UserId, confirmation::is_key, notice::Notice, permission::Scope},
    store::{
        self, Conn,
        token::{Kept, NewToken},
    },
};

/// The cookie with a token that the next page shows, once.
pub const MADE: &str = "token";

/// The most characters of a token's name.
const MAX_NAME: usize = 100;
/// The most days that a token lives, if it does not live for ever.
const MOST_DAYS: i64 = 36_500;
const MINUTES_A_DAY: i64 = 24 * 60;

/// Returns the routes of tokens.
pub fn routes() -> Vec<Route> {
    rocket::routes![page, generate, revoke]
}

/// Name, scope and days of a token to be made.
type Entered<'a> = (&'a str, &'a str, &'a str);

#[rocket::get("/user/tokens")]
async fn page(view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    view.logged_in()?;
    let made = view.take(MADE).filter(|text| is_key(text));
    let entered = ("", "", "");
    let page = section(&view, &mut db, entered, &Faults::default(), made.as_deref()).await?;
    Ok(match made {
        Some(_) => Answer::Once(page),
        None => Answer::Page(page),
    })
}

/// Draws tokens and sessions. `made` is a token that was made just now.
async fn section(
    view: &View<'_>,
    conn: &mut Conn,
    entered: Entered<'_>,
    faults: &Faults,
    made: Option<&str>,
) -> Result<Markup> {
    let session = view.logged_in()?;
    let user = session.caller.user.id;
    let kept = match view.options().rest_api {
        true => store::token::of(conn, user).await?,
        false => Vec::new(),
    };
    let live = store::session::of_user(conn, user, Timestamp::now()).await?;
    let main = html! {
        @if view.options().rest_api { (tokens(view, &kept, entered, faults, made)) }
        (sessions::list(view, &live, session))
    };
    Ok(profile::framed(view, Section::Tokens, main))
}

/// Returns how many tokens of a user work, where there is an API.
///
/// # Errors
/// When the database is away.
pub async fn working(
    view: &View<'_>,
    conn: &mut Conn,
    user: UserId,
    now: Timestamp,
) -> Result<i64> {
    match view.options().rest_api {
        true => Ok(store::token::count(conn, user, now).await?),
        false => Ok(0),
    }
}

/// Says, to somebody with a new password, that so many tokens work as before: they are no part of the password.
pub fn still_work(view: &View, tokens: &str) -> Markup {
    let links = view.links();
    let page = links.user_page(Section::Tokens.path());
    let page = match view.user() {
        Some(_) => page,
        None => links.login(Some(&page)),
    };
    html! {
        @match tokens.parse() {
            Ok(1) => { "One API token of the account still works: " a href=(page) { "revoke it" } " if you do not know it." }
            Ok(tokens @ 2_u32..) => { (tokens) " API tokens of the account still work: " a href=(page) { "revoke" } " those you do not know." }
            _ => {}
        }
    }
}

/// What somebody wants of a token.
struct Wanted<'a> {
    name: &'a str,
    scope: Scope,
    days: Option<i64>,
}

impl<'a> Wanted<'a> {
    /// Reads what the form wants, and what is wrong with it. Compatibility: a form without fields wants the token without
    /// a name, which may do everything.
    fn of(form: &'a Form<'_>) -> (Self, Faults) {
        let mut faults = Faults::default();
        let name = form.text("name");
        let fits = name.chars().count() <= MAX_NAME && !name.contains(char::is_control);
        faults.check(fits, "name", "A hundred characters at most.");
        let scope = match form.text("scope") {
            "" => Some(Scope::Write),
            word => Scope::from_word(word),
        };
        faults.check(scope.is_some(), "scope", "Choose one of these.");
        let days = match form.text("expires") {
            "" => Ok(None),
            text => match text.parse() {
                Ok(days) if (1..=MOST_DAYS).contains(&days) => Ok(Some(days)),
                _ => Err(()),
            },
        };
        faults.check(
            days.is_ok(),
            "expires",
            "A number of days, 1 to 36500, or nothing.",
        );
        let wanted = Wanted {
            name,
            scope: scope.unwrap_or(Scope::Read),
            days: days.unwrap_or_default(),
        };
        (wanted, faults)
    }
}

#[rocket::post("/user/generate-token", data = "<form>")]
async fn generate(view: View<'_>, mut db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let session = view.logged_in()?;
    if !view.options().rest_api {
        return Err(Error::missing());
    }
    let user = session.caller.user.id;
    let (wanted, faults) = Wanted::of(&form);
    if !faults.is_empty() {
        let entered = (wanted.name, form.text("scope"), form.text("expires"));
        let page = section(&view, &mut db, entered, &faults, None).await?;
        return Ok(Answer::Invalid(page));
    }
    drop(db);
    let token = auth::new_token().map_err(|_| Error::Unlucky)?;
    let now = Timestamp::now();
    let new = NewToken {
        user,
        key_hash: &token.hash,
        name: wanted.name,
        scope: wanted.scope.word(),
        created: now,
        expires: wanted
            .days
            .map(|days| now.plus_minutes(days * MINUTES_A_DAY)),
    };
    let mut tx = form.begin().await?;
    store::token::delete_named(&mut tx, user, wanted.name).await?;
    store::token::insert(&mut tx, &new).await?;
    tx.commit().await?;
    // Neither into the database nor into an address: only this browser gets it, for its next page.
    view.hand_on(MADE, &token.key);
    Ok(Answer::Done(view.links().user_page(Section::Tokens.path())))
}

#[rocket::post("/user/revoke-token", data = "<form>")]
async fn revoke(view: View<'_>, db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    drop(db);
    let session = view.logged_in()?;
    let id = form.text("id").parse().map_err(|_| Error::missing())?;
    let mut tx = form.begin().await?;
    if !store::token::delete(&mut tx, session.caller.user.id, id).await? {
        return Err(Error::missing());
    }
    let notice = Notice::done("The token no longer works.");
    session
        .tell(&mut tx, vec![notice], Timestamp::now())
        .await?;
    tx.commit().await?;
    Ok(Answer::Done(view.links().user_page(Section::Tokens.path())))
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
    entered: Entered,
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

fn named_token(view: &View, entered: Entered, faults: &Faults) -> Markup {
    let (name, scope, days) = entered;
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
