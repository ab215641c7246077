//! Logging in and out (`web.md §13.2`).

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    error::Result,
    field::{self, Faults, Field},
    form::Form,
    guard::{Pairs, View},
    layout,
    profile::Section,
    second_factor, token,
};
use crate::{
    auth::{
        self,
        guess::{self, Counters, Guess},
    },
    domain::{Timestamp, link, notice::Notice, user::User},
    store::{self, Conn, Tx},
};

/// The cookie that has the page of the login tell that a password was changed.
pub const CHANGED: &str = "changed";

/// Returns the routes of sessions.
pub fn routes() -> Vec<Route> {
    rocket::routes![login_page, login, logout_page, logout, end]
}

#[rocket::get("/user/login")]
fn login_page(view: View<'_>, pairs: Pairs) -> Answer {
    let next = next(&view, pairs.last("next"));
    match view.session() {
        Some(_) => Answer::Found(next),
        None => Answer::Page(entry(&view, "", &next, &Faults::default())),
    }
}

#[rocket::post("/user/login", data = "<form>")]
async fn login(view: View<'_>, pairs: Pairs, mut db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let given = form.get("next").or_else(|| pairs.last("next"));
    let next = next(&view, given);
    let (name, password) = (
        form.text("username"),
        form.raw("password").unwrap_or_default(),
    );
    let now = Timestamp::now();
    let user = named(&mut db, name).await?;
    // The password takes a while; others may have the connection meanwhile.
    drop(db);
    // Whoever gives the address instead has no more tries.
    let counted = user.as_ref().map_or(name, |user| &user.username);
    let counters = Counters::login(counted, view.client());
    let mut faults = Faults::default();
    let guess = guess::try_password(&form.database(), &counters, user, password, now).await?;
    let user = match guess {
        Guess::Right(user) => user,
        Guess::Wrong => {
            faults.add(
                "",
                "That name and password do not belong together, or the account is not active.",
            );
            return Ok(Answer::Invalid(entry(&view, name, &next, &faults)));
        }
        Guess::TooOften(seconds) => {
            faults.too_often("", seconds);
            return Ok(faults.answer(entry(&view, name, &next, &faults)));
        }
    };
    let mut tx = form.begin().await?;
    renew_password(&mut tx, &user, password).await?;
    if user.has_second_factor {
        let address = second_factor::ask(&view, &mut tx, &user, &next, now).await?;
        tx.commit().await?;
        return Ok(Answer::Done(address));
    }
    let key = begin(&view, &mut tx, &user, now).await?;
    tx.commit().await?;
    view.begin_session(&key);
    view.begin_display(&user.display);
    Ok(Answer::Done(next))
}

/// Returns the account with this login name, or the only one with this address.
async fn named(conn: &mut Conn, name: &str) -> Result<Option<User>> {
    let found = store::user::by_username(conn, name).await?;
    if found.is_some() || !name.contains('@') {
        return Ok(found);
    }
    let mut found = store::user::by_email(conn, name).await?;
    Ok(if found.len() == 1 { found.pop() } else { None })
}

/// Keeps the password in our way, if it was kept in an older one.
async fn renew_password(tx: &mut Tx, user: &User, password: &str) -> Result<()> {
    if !auth::is_old(&user.password) {
        return Ok(());
    }
    if let Ok(hash) = auth::hashed(password).await {
        store::user::rewrite_password(tx, user.id, &hash).await?;
    }
    Ok(())
}

/// Begins a session of somebody who has proved to be a user, in place of the browser's old one, and returns its key.
pub async fn begin(view: &View<'_>, tx: &mut Tx, user: &User, now: Timestamp) -> Result<String> {
    if let Some(old) = view.session() {
        store::session::end(tx, &old.key_hash).await?;
    }
    let key = auth::session::new_key().map_err(|_| Error::Unlucky)?;
    let address = view.address();
    let browser = auth::session::Browser {
        address: &address,
        ..view.browser()
    };
    auth::session::begin(tx, &key, user.id, browser, now).await?;
    Ok(key)
}

/// Returns where to go after the login: only to a page of ours.
pub fn next(view: &View, given: Option<&str>) -> String {
    match given {
        Some(next) if link::is_own_path(next) => next.to_owned(),
        _ => view.links().user(),
    }
}

fn entry(view: &View, name: &str, next: &str, faults: &Faults) -> Markup {
    let changed = view.take(CHANGED);
    let username = Field {
        autocomplete: "username",
        ..Field::new("username", "Login name or address", name)
    };
    let password = Field::password("password", "Password", "current-password");
    let links = view.links();
    layout::bare(
        view,
        "Log in",
        html! {
            div.narrow {
                h1 { "Log in" }
                @if let Some(tokens) = changed {
                    div.notice role="status" {
                        p { "Your password is changed. Log in with the new one. " (token::still_work(view, &tokens)) }
                    }
                }
                (field::problems(faults))
                form.entries method="post" action=(links.login(None)) {
                    (view.csrf())
                    input type="hidden" name="next" value=(next);
                    (username.drawn(faults))
                    (password.drawn(faults))
                    button.primary type="submit" { "Log in" }
                }
                p { a href=(links.user_page("password-reset/")) { "Forgotten your password?" } }
                @if view.options().registration { p { "No account yet? " a href=(links.register()) { "Register" } " to have your patches listed, to keep bundles, and to maintain a project." } }
            }
        },
    )
}

/// Compatibility: old links lead here; logging out takes a form.
#[rocket::get("/user/logout")]
fn logout_page(view: View<'_>) -> Answer {
    if view.session().is_none() {
        return Answer::Found(view.links().home());
    }
    Answer::Page(layout::bare(
        &view,
        "Log out",
        html! {
            div.narrow {
                h1 { "Log out" }
                (field::button(&view, &view.links().logout(), "Log out", &[]))
            }
        },
    ))
}

#[rocket::post("/user/logout", data = "<form>")]
async fn logout(view: View<'_>, _db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    if let Some(session) = view.session() {
        let mut tx = form.begin().await?;
        store::session::end(&mut tx, &session.key_hash).await?;
        tx.commit().await?;
        view.end_session();
    }
    Ok(Answer::Done(view.links().home()))
}

/// Ends other sessions of the same user: one, or all but this.
#[rocket::post("/user/sessions/end", data = "<form>")]
async fn end(view: View<'_>, _db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let session = view.logged_in()?;
    let user = session.caller.user.id;
    let mut tx = form.begin().await?;
    let said = match form.text("session") {
        "others" => match store::session::end_others(&mut tx, user, &session.key_hash).await? {
            0 => "There is no other session.".to_owned(),
            1 => "The other session has ended.".to_owned(),
            count => format!("{count} other sessions have ended."),
        },
        named => {
            let listed = store::session::of_user(&mut tx, user, Timestamp::now()).await?;
            let found = listed.iter().find(|it| auth::hex(&it.key_hash) == named);
            let found = found.ok_or_else(Error::missing)?;
            store::session::end(&mut tx, &found.key_hash).await?;
            "The session has ended.".to_owned()
        }
    };
    session
        .tell(&mut tx, vec![Notice::done(said)], Timestamp::now())
        .await?;
    tx.commit().await?;
    Ok(Answer::Done(view.links().user_page(Section::Tokens.path())))
}
