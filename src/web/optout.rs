//! Whether an address may get mail from us (`web.md §15`): works without an account, by a link that is mailed to the
//! address.

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
    domain::{Timestamp, confirmation::Kind, person},
    notify, store,
};

/// The cookie with the address to which a mail is on its way.
const SENT: &str = "sent";

/// The most characters of an address.
const MAX_EMAIL: usize = 200;

/// Returns the routes of mail settings.
pub fn routes() -> Vec<Route> {
    rocket::routes![
        mail_page,
        mail,
        optout_page,
        optout,
        optin_page,
        optin,
        sent
    ]
}

#[rocket::get("/mail")]
fn mail_page(view: View<'_>) -> Answer {
    Answer::Page(entry(&view, "", &Faults::default()))
}

#[rocket::post("/mail", data = "<form>")]
async fn mail(view: View<'_>, mut db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let email = form.text("email");
    let mut faults = Faults::default();
    check_address(&mut faults, "email", email, MAX_EMAIL);
    if !faults.is_empty() {
        return Ok(Answer::Invalid(entry(&view, email, &faults)));
    }
    let is_out = store::optout::contains(&mut db, email).await?;
    Ok(Answer::Page(settings(&view, email, is_out)))
}

fn entry(view: &View, email: &str, faults: &Faults) -> Markup {
    let field = Field {
        kind: "email",
        autocomplete: "email",
        ..Field::new("email", "Mail address", email)
    };
    layout::bare(
        view,
        "Mail settings",
        html! {
            div.narrow {
                h1 { "Mail settings" }
                p { "This site can mail the sender of a patch when its state changes. See whether it may write to an address, and change that. No account is needed." }
                form.entries method="post" action=(view.links().mail()) {
                    (view.csrf())
                    (field.drawn(faults))
                    button.primary type="submit" { "Continue" }
                }
            }
        },
    )
}

fn settings(view: &View, email: &str, is_out: bool) -> Markup {
    let links = view.links();
    let (may, kind, button) = match is_out {
        true => ("may not", Kind::OptIn, "Allow mails"),
        false => ("may", Kind::OptOut, "Stop mails"),
    };
    layout::bare(
        view,
        "Mail settings",
        html! {
            div.narrow {
                h1 { "Mail settings" }
                p { "This site " strong { (may) } " send notifications to " strong { (email) } "." }
                form method="post" action={ (links.mail()) (kind.word()) "/" } {
                    (view.csrf())
                    input type="hidden" name="email" value=(email);
                    button.primary type="submit" { (button) }
                }
                p.muted { "A link is mailed to the address; nothing changes before it is opened. Mails about an account, such as a new password, are sent in any case." }
                p { a href=(links.mail()) { "Another address" } }
            }
        },
    )
}

#[rocket::get("/mail/optout")]
fn optout_page(view: View<'_>) -> Answer {
    Answer::Found(view.links().mail())
}

#[rocket::get("/mail/optin")]
fn optin_page(view: View<'_>) -> Answer {
    Answer::Found(view.links().mail())
}

#[rocket::post("/mail/optout", data = "<form>")]
async fn optout(view: View<'_>, db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    ask(Kind::OptOut, &view, db, &form).await
}

#[rocket::post("/mail/optin", data = "<form>")]
async fn optin(view: View<'_>, db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    ask(Kind::OptIn, &view, db, &form).await
}

/// Mails a link to the address that is to get no more mail, or may get it again.
async fn ask(kind: Kind, view: &View<'_>, mut db: Db<'_>, form: &Form<'_>) -> Result<Answer> {
    let email = form.text("email");
    let mut faults = Faults::default();
    check_address(&mut faults, "email", email, MAX_EMAIL);
    if faults.is_empty() && kind == Kind::OptIn {
        let is_out = store::optout::contains(&mut db, email).await?;
        faults.check(is_out, "email", "This address may get mail already.");
    }
    drop(db);
    if !faults.is_empty() {
        return Ok(Answer::Invalid(entry(view, email, &faults)));
    }
    let now = Timestamp::now();
    let mut tx = form.begin().await?;
    match letter::count(view, &mut tx, email, now).await {
        Err(Error::TooOften(seconds)) => {
            faults.too_often("email", seconds);
            return Ok(faults.answer(entry(view, email, &faults)));
        }
        counted => counted?,
    }
    let site = letter::site(view, &mut tx).await?;
    let key = confirmation::ask(&mut tx, kind, email, None, now).await?;
    let (link, days) = (
        format!("{site}/confirm/{key}/"),
        view.options().confirmation_days,
    );
    let letter = match kind {
        Kind::OptIn => notify::letter::optin(&site, email, &link, days),
        _ => notify::letter::optout(&site, email, &link, days),
    };
    letter::send(view, &mut tx, email, &letter, now).await?;
    tx.commit().await?;
    view.send_mails();
    view.hand_on(SENT, email);
    Ok(Answer::Done(format!("{}sent/", view.links().mail())))
}

#[rocket::get("/mail/sent")]
fn sent(view: View<'_>) -> Answer {
    let Some(address) = view.take(SENT).filter(|text| person::is_email(text)) else {
        return Answer::Found(view.links().mail());
    };
    let days = confirmation::days(view.options().confirmation_days);
    Answer::Once(layout::bare(
        &view,
        "Mail sent",
        html! {
            div.narrow {
                h1 { "A mail is on its way" }
                p { "It goes to " strong { (address) } ". Open the link in it within " (days) "; nothing changes before." }
                p {
                    @if view.user().is_some() { a.button href=(view.links().user()) { "Profile" } }
                    @else { a.button href=(view.links().home()) { "All projects" } }
                }
            }
        },
    ))
}
