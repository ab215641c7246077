//! Changing a password, and choosing a new one by a link that is mailed (`web.md §13.3`, `§13.4`).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    confirmation,
    error::Result,
    field::{self, Faults, Field},
    form::Form,
    guard::View,
    layout, letter,
    registration::check_address,
    session::{self, CHANGED},
    token,
};
use crate::{
    auth::{
        self,
        guess::{self, Counters, Guess},
    },
    domain::{
        Timestamp, User, UserId,
        confirmation::{Kind, is_key},
    },
    notify::{self, letter::Grave},
    store::{self, Conn, Tx, throttle},
};

/// The cookie with the key of a link that was opened: in an address it could leak to where the page leads.
const KEY: &str = "reset";
/// What stands in the address instead of the key.
const SET: &str = "set-password";
/// The most characters of an address.
const MAX_EMAIL: usize = 254;

/// Returns the routes of passwords.
pub fn routes() -> Vec<Route> {
    rocket::routes![
        change_page,
        change,
        changed,
        reset_page,
        reset,
        sent,
        link_page,
        choose
    ]
}

/// Checks a password that was entered twice.
fn check_twice(faults: &mut Faults, form: &Form, user: &User) {
    let first = form.raw("new_password1").unwrap_or_default();
    let second = form.raw("new_password2").unwrap_or_default();
    if first.is_empty() {
        faults.add("new_password1", "Enter a new password.");
    } else if let Some(why) = auth::weakness(first, &[&user.username, &user.email]) {
        faults.add("new_password1", why);
    }
    if second.is_empty() {
        faults.add("new_password2", "Enter the new password once more.");
    } else {
        faults.check(
            first == second,
            "new_password2",
            "The two passwords differ.",
        );
    }
}

fn new_fields() -> [Field<'static>; 2] {
    [
        Field {
            hint: "Eight characters at least.",
            ..Field::password("new_password1", "New password", "new-password")
        },
        Field::password("new_password2", "New password, once more", "new-password"),
    ]
}

/// Looks at the password that somebody enters once more for what cannot be taken back.
///
/// Where wrong ones were entered too often of late, in whichever form, that is a fault of the field.
///
/// # Errors
/// When the database is away or refuses.
pub async fn confirm(
    user: &User,
    form: &Form<'_>,
    field: &'static str,
    faults: &mut Faults,
) -> Result<()> {
    let given = form.raw(field).unwrap_or_default();
    if given.is_empty() {
        faults.add(field, "Enter the password you have now.");
        return Ok(());
    }
    let (counters, user) = (Counters::confirmation(user.id), Some(user.clone()));
    let database = form.database();
    match guess::try_password(&database, &counters, user, given, Timestamp::now()).await? {
        Guess::Right(_) => Ok(()),
        Guess::Wrong => {
            faults.add(field, "This is not your password.");
            Ok(())
        }
        Guess::TooOften(seconds) => {
            faults.too_often(field, seconds);
            Ok(())
        }
    }
}

/// For password managers: whose password a form asks for.
pub fn whose(view: &View) -> Markup {
    let username = view.user().map_or("", |user| user.username.as_str());
    html! { input type="hidden" name="username" autocomplete="username" value=(username); }
}

#[rocket::get("/user/password-change")]
fn change_page(view: View<'_>) -> Result<Answer> {
    view.logged_in()?;
    Ok(Answer::Page(change_form(&view, &Faults::default())))
}

#[rocket::post("/user/password-change", data = "<form>")]
async fn change(view: View<'_>, db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    drop(db);
    let user = &view.logged_in()?.caller.user;
    let now = Timestamp::now();
    let mut faults = Faults::default();
    check_twice(&mut faults, &form, user);
    confirm(user, &form, "old_password", &mut faults).await?;
    if !faults.is_empty() {
        return Ok(faults.answer(change_form(&view, &faults)));
    }
    let hash = auth::hashed(form.raw("new_password1").unwrap_or_default())
        .await
        .map_err(|_| Error::Unlucky)?;
    let mut tx = form.begin().await?;
    // This ends all sessions; this browser goes on with a new one.
    store::user::set_password(&mut tx, user.id, &hash).await?;
    let tokens = token::working(&view, &mut tx, user.id, now).await?;
    letter::tell(&view, &mut tx, user, Grave::Password, now).await?;
    let key = session::begin(&view, &mut tx, user, now).await?;
    tx.commit().await?;
    view.send_mails();
    view.begin_session(&key);
    view.hand_on(CHANGED, &tokens.to_string());
    Ok(Answer::Done(
        view.links().user_page("password-change/done/"),
    ))
}

fn change_form(view: &View, faults: &Faults) -> Markup {
    let links = view.links();
    let old = Field::password("old_password", "Password you have now", "current-password");
    layout::bare(
        view,
        "Change your password",
        html! {
            div.narrow {
                h1 { "Change your password" }
                (field::problems(faults))
                form.entries method="post" action=(links.user_page("password-change/")) {
                    (view.csrf())
                    (whose(view))
                    (old.drawn(faults))
                    @for field in new_fields() { (field.drawn(faults)) }
                    button.primary type="submit" { "Change the password" }
                }
                p.muted { "Other browsers you are logged in with will have to log in again." }
                p { a href=(links.user_page("password-reset/")) { "Forgotten it?" } }
            }
        },
    )
}

#[rocket::get("/user/password-change/done")]
fn changed(view: View<'_>) -> Result<Answer> {
    view.logged_in()?;
    let tokens = view
        .take(CHANGED)
        .map(|tokens| token::still_work(&view, &tokens));
    Ok(Answer::Page(layout::bare(
        &view,
        "Password changed",
        html! {
            div.narrow {
                h1 { "Your password is changed" }
                p role="status" { "Other browsers you were logged in with have been logged out." }
                @if let Some(tokens) = tokens { p { (tokens) } }
                p { a.button href=(view.links().user()) { "Profile" } }
            }
        },
    )))
}

#[rocket::get("/user/password-reset")]
fn reset_page(view: View<'_>) -> Answer {
    Answer::Page(reset_form(&view, "", &Faults::default()))
}

#[rocket::post("/user/password-reset", data = "<form>")]
async fn reset(view: View<'_>, db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    drop(db);
    let email = form.text("email");
    let mut faults = Faults::default();
    check_address(&mut faults, "email", email, MAX_EMAIL);
    if !faults.is_empty() {
        return Ok(Answer::Invalid(reset_form(&view, email, &faults)));
    }
    let now = Timestamp::now();
    let mut tx = form.begin().await?;
    if let Err(error) = letter::count(&view, &mut tx, email, now).await {
        let Error::TooOften(seconds) = error else {
            return Err(error);
        };
        faults.too_often("email", seconds);
        return Ok(faults.answer(reset_form(&view, email, &faults)));
    }
    let site = letter::site(&view, &mut tx).await?;
    for user in store::user::by_email(&mut tx, email).await? {
        if !can_reset(&user) {
            continue;
        }
        write(&view, &mut tx, &site, &user, now).await?;
    }
    tx.commit().await?;
    view.send_mails();
    Ok(Answer::Done(
        view.links().user_page("password-reset/mail-sent/"),
    ))
}

/// Says whether a link to choose a new password can be mailed to an account.
pub(super) fn can_reset(user: &User) -> bool {
    user.is_active
        && auth::is_usable(&user.password)
        && !user.email.is_empty()
        && user.email.len() <= 200
}

/// Mails the link to choose a new password.
pub(super) async fn write(
    view: &View<'_>,
    tx: &mut Tx,
    site: &str,
    user: &User,
    now: Timestamp,
) -> Result<()> {
    let key = confirmation::ask(tx, Kind::Reset, &user.email, Some(user.id), now).await?;
    let link = format!("{site}/user/password-reset/{}/{key}/", uid(user.id));
    let letter = notify::letter::reset(site, &user.username, &link);
    letter::send(view, tx, &user.email, &letter, now).await
}

fn reset_form(view: &View, email: &str, faults: &Faults) -> Markup {
    layout::bare(
        view,
        "Choose a new password",
        html! {
            div.narrow {
                h1 { "Choose a new password" }
                p { "Enter the address of your account; a link is mailed to it." }
                (reset_fields(view, email, faults))
            }
        },
    )
}

fn reset_fields(view: &View, email: &str, faults: &Faults) -> Markup {
    let field = Field {
        kind: "email",
        autocomplete: "email",
        ..Field::new("email", "Mail address", email)
    };
    html! {
        form.entries method="post" action=(view.links().user_page("password-reset/")) {
            (view.csrf())
            (field.drawn(faults))
            button.primary type="submit" { "Send the link" }
        }
    }
}

#[rocket::get("/user/password-reset/mail-sent")]
fn sent(view: View<'_>) -> Answer {
    Answer::Page(layout::bare(
        &view,
        "Mail sent",
        html! {
            div.narrow {
                h1 { "A mail may be on its way" }
                p { "If there is an account with that address, a link was mailed to it. It works once, for three days." }
                p { "If nothing comes within some minutes, look among unwanted mail, or try the address you registered with." }
                p { a.button href=(view.links().login(None)) { "Log in" } }
            }
        },
    ))
}

/// Returns an id as links have it. Compatibility: Django writes it like this.
fn uid(user: UserId) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(user.to_string())
}

fn of_uid(uid: &str) -> Option<UserId> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(uid).ok()?;
    std::str::from_utf8(&bytes).ok()?.parse().ok().map(UserId)
}

/// Returns whose password a link is for, and the number of the link; `None` when it is worth nothing.
async fn owner(
    conn: &mut Conn,
    uid: &str,
    key: &str,
    now: Timestamp,
) -> Result<Option<(User, i64)>> {
    let (Some(id), true) = (of_uid(uid), is_key(key)) else {
        return Ok(None);
    };
    let kept = store::confirmation::by_digest(conn, &auth::mail_key_digest(key)).await?;
    let is_good = |kept: &store::confirmation::Kept| {
        kept.active
            && kept.kind == Kind::Reset.word()
            && kept.user == Some(id)
            && !Kind::Reset.has_expired(kept.date, 0, now)
    };
    let Some(kept) = kept.filter(is_good) else {
        return Ok(None);
    };
    let user = store::user::by_id(conn, id).await?;
    Ok(user
        .filter(|user| user.is_active)
        .map(|user| (user, kept.id)))
}

#[rocket::get("/user/password-reset/<uid>/<token>")]
async fn link_page(uid: &str, token: &str, view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let handed_on = view.handed_on(KEY).unwrap_or_default();
    let key = if token == SET { &handed_on } else { token };
    let Some((user, _)) = owner(&mut db, uid, key, Timestamp::now()).await? else {
        return Ok(Answer::Gone(bad_link(&view)));
    };
    if token == SET {
        let page = choose_form(&view, uid, &user, &Faults::default());
        return Ok(Answer::Once(page));
    }
    view.hand_on(KEY, key);
    Ok(Answer::Found(set_address(&view, uid)))
}

#[rocket::post("/user/password-reset/<uid>/<token>", data = "<form>")]
async fn choose(
    uid: &str,
    token: &str,
    view: View<'_>,
    mut db: Db<'_>,
    form: Form<'_>,
) -> Result<Answer> {
    if token != SET {
        return Err(Error::missing());
    }
    let key = view.handed_on(KEY).unwrap_or_default();
    let now = Timestamp::now();
    let found = owner(&mut db, uid, &key, now).await?;
    drop(db);
    let Some((user, link)) = found else {
        return Ok(Answer::Gone(bad_link(&view)));
    };
    let mut faults = Faults::default();
    check_twice(&mut faults, &form, &user);
    if !faults.is_empty() {
        return Ok(Answer::Invalid(choose_form(&view, uid, &user, &faults)));
    }
    let hash = auth::hashed(form.raw("new_password1").unwrap_or_default())
        .await
        .map_err(|_| Error::Unlucky)?;
    let mut tx = form.begin().await?;
    if !store::confirmation::use_up(&mut tx, link).await? {
        return Ok(Answer::Gone(bad_link(&view)));
    }
    store::user::set_password(&mut tx, user.id, &hash).await?;
    let tokens = token::working(&view, &mut tx, user.id, now).await?;
    // Whoever tried passwords of this account does not keep its owner out.
    throttle::forget(&mut tx, &guess::login_of(&user.username)).await?;
    letter::tell(&view, &mut tx, &user, Grave::Password, now).await?;
    tx.commit().await?;
    view.send_mails();
    view.take(KEY);
    view.hand_on(CHANGED, &tokens.to_string());
    Ok(Answer::Done(view.links().login(None)))
}

fn set_address(view: &View, uid: &str) -> String {
    view.links()
        .user_page(&format!("password-reset/{uid}/{SET}/"))
}

fn choose_form(view: &View, uid: &str, user: &User, faults: &Faults) -> Markup {
    layout::bare(
        view,
        "Choose a new password",
        html! {
            div.narrow {
                h1 { "Choose a new password" }
                p { "For the account " strong { (user.username) } "." }
                form.entries method="post" action=(set_address(view, uid)) {
                    (view.csrf())
                    input type="hidden" name="username" autocomplete="username" value=(user.username);
                    @for field in new_fields() { (field.drawn(faults)) }
                    button.primary type="submit" { "Set the password" }
                }
            }
        },
    )
}

fn bad_link(view: &View) -> Markup {
    layout::bare(
        view,
        "This link does not work",
        html! {
            div.narrow {
                h1 { "This link does not work" }
                p { "It works once, for three days, and no longer after a login. Ask for a new one:" }
                (reset_fields(view, "", &Faults::default()))
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_as_in_links() {
        assert_eq!(uid(UserId(1)), "MQ");
        assert_eq!(uid(UserId(42)), "NDI");
        assert_eq!(of_uid("NDI"), Some(UserId(42)));
        for bad in ["", "!", "bWFyYQ", "NDI="] {
            assert_eq!(of_uid(bad), None, "{bad}");
        }
    }
}
