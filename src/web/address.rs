//! The addresses of an account (`web.md §12.1`): adding one by a link that is mailed to it, taking one away.

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    confirmation,
    error::Result,
    field::{Faults, Field},
    form::Form,
    guard::View,
    layout, letter,
    registration::check_address,
};
use crate::{
    domain::{PersonId, Timestamp, confirmation::Kind, notice::Notice},
    notify, store,
};

/// The most characters of an address.
const MAX_EMAIL: usize = 200;

/// Returns the routes of addresses.
pub fn routes() -> Vec<Route> {
    rocket::routes![link_page, link, unlink_page, unlink]
}

#[rocket::get("/user/link")]
fn link_page(view: View<'_>) -> Result<Answer> {
    view.logged_in()?;
    Ok(Answer::Page(page(&view, "", &Faults::default())))
}

#[rocket::post("/user/link", data = "<form>")]
async fn link(view: View<'_>, mut db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let session = view.logged_in()?;
    let user = &session.caller.user;
    let email = form.text("email");
    let mut faults = Faults::default();
    check_address(&mut faults, email, MAX_EMAIL);
    if faults.is_empty() {
        let person = store::person::by_email(&mut db, email).await?;
        let is_own = person.is_some_and(|person| person.user_id == Some(user.id));
        faults.check(!is_own, "email", "This is one of your addresses already.");
    }
    drop(db);
    if !faults.is_empty() {
        return Ok(Answer::Invalid(page(&view, email, &faults)));
    }
    let now = Timestamp::now();
    let mut tx = form.begin().await?;
    letter::count(&view, &mut tx, email, now).await?;
    let site = letter::site(&view, &mut tx).await?;
    let key = confirmation::ask(&mut tx, Kind::Address, email, Some(user.id), now).await?;
    let link = format!("{site}/confirm/{key}/");
    let days = view.options().confirmation_days;
    let letter = notify::letter::address(&site, &user.username, email, &link, days);
    letter::send(&view, &mut tx, email, &letter, now).await?;
    let said = format!(
        "A mail is on its way to {email}. Open the link in it within {}.",
        confirmation::days(days)
    );
    session.tell(&mut tx, vec![Notice::done(said)], now).await?;
    tx.commit().await?;
    view.send_mails();
    Ok(Answer::Done(view.links().user()))
}

fn page(view: &View, email: &str, faults: &Faults) -> Markup {
    let links = view.links();
    layout::bare(
        view,
        "Add an address",
        html! {
            div.narrow {
                h1 { "Add an address" }
                form.entries method="post" action=(links.user_page("link/")) {
                    (view.csrf())
                    (field(email).drawn(faults))
                    button.primary type="submit" { "Send the link" }
                }
                p { a href=(links.user()) { "Back to the profile" } }
            }
        },
    )
}

/// Returns the field for an address to be added.
pub fn field(email: &str) -> Field<'_> {
    Field {
        kind: "email",
        autocomplete: "email",
        hint: "A link is mailed to it. Patches sent from it are yours once you have opened the link.",
        ..Field::new("email", "Mail address", email)
    }
}

/// Compatibility: opening the address changes nothing.
#[rocket::get("/user/unlink/<id>")]
fn unlink_page(id: i64, view: View<'_>) -> Result<Answer> {
    let _ = id;
    view.logged_in()?;
    Ok(Answer::Found(view.links().user()))
}

#[rocket::post("/user/unlink/<id>", data = "<form>")]
async fn unlink(id: i64, view: View<'_>, mut db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let session = view.logged_in()?;
    let user = &session.caller.user;
    let person = store::person::by_id(&mut db, PersonId(id)).await?;
    drop(db);
    let person = person.filter(|person| person.user_id == Some(user.id));
    let person = person.ok_or_else(Error::missing)?;
    let mut tx = form.begin().await?;
    let notice = if person.email.to_lowercase() == user.email.to_lowercase() {
        Notice::failed("The account's own address stays.")
    } else {
        store::person::unlink(&mut tx, user.id, person.id).await?;
        Notice::done(format!(
            "{} is no longer one of your addresses.",
            person.email
        ))
    };
    session
        .tell(&mut tx, vec![notice], Timestamp::now())
        .await?;
    tx.commit().await?;
    Ok(Answer::Done(view.links().user()))
}
