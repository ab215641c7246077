//! Tokens of the API (`web.md §12`): made by a form only, shown once, revoked.

use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    error::Result,
    field::Faults,
    form::Form,
    guard::View,
    profile::{self, Entered},
};
use crate::{
    auth,
    domain::{Timestamp, notice::Notice, permission::Scope},
    store::{self, token::NewToken},
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
    rocket::routes![generate, revoke]
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
        let mut entered = Entered::of(&session.caller.user);
        entered.token = (wanted.name, form.text("scope"), form.text("expires"));
        let page = profile::page(&view, &mut db, session, &entered, &faults, None).await?;
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
    Ok(Answer::Done(format!("{}#tokens", view.links().user())))
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
    Ok(Answer::Done(view.links().user()))
}
