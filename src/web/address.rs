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
    layout, letter, password,
    profile::{self, Section, action},
    registration::check_address,
};
use crate::{
    domain::{Person, PersonId, Timestamp, User, confirmation::Kind, notice::Notice, person},
    notify,
    store::{self, Conn, Tx},
};

/// The most characters of an address.
const MAX_EMAIL: usize = 200;

/// Returns the routes of addresses.
pub fn routes() -> Vec<Route> {
    rocket::routes![
        addresses_page,
        primary,
        link_page,
        link,
        unlink_page,
        unlink
    ]
}

/// What is known of a user's addresses.
struct Own {
    people: Vec<Person>,
    opted_out: Vec<String>,
    pending: Vec<(String, String)>,
}

async fn own(conn: &mut Conn, view: &View<'_>, user: &User) -> Result<Own> {
    let people = store::person::of_user(conn, user.id).await?;
    let mut addresses: Vec<&str> = people.iter().map(|it| it.email.as_str()).collect();
    addresses.push(&user.email);
    let opted_out = store::optout::among(conn, &addresses).await?;
    let days = view.options().confirmation_days;
    let since = Timestamp::now().plus_minutes(-days * 24 * 60);
    let pending = store::confirmation::pending(conn, user.id, since).await?;
    Ok(Own {
        people,
        opted_out,
        pending,
    })
}

#[rocket::get("/user/addresses")]
async fn addresses_page(view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let user = &view.logged_in()?.caller.user;
    let own = own(&mut db, &view, user).await?;
    drop(db);
    Ok(Answer::Page(section(
        &view,
        user,
        &own,
        "",
        &Faults::default(),
    )))
}

/// Mails a link to the address that is to become the account's own. Whether it belongs to somebody is told only to who
/// opens that link.
#[rocket::post("/user/addresses", data = "<form>")]
async fn primary(view: View<'_>, mut db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let session = view.logged_in()?;
    let user = &session.caller.user;
    let email = form.text("new_email");
    let own = own(&mut db, &view, user).await?;
    drop(db);
    let mut faults = Faults::default();
    check_address(&mut faults, "new_email", email, MAX_EMAIL);
    let is_same = email.to_lowercase() == user.email.to_lowercase();
    faults.check(
        !is_same || email.is_empty(),
        "new_email",
        "This is the account's address already.",
    );
    password::confirm(user, &form, "password", &mut faults).await?;
    if !faults.is_empty() {
        return Ok(faults.answer(section(&view, user, &own, email, &faults)));
    }
    let more = "; until then nothing changes";
    match mail_link(&view, &form, Kind::Primary, email, more).await {
        Err(Error::TooOften(seconds)) => {
            faults.too_often("new_email", seconds);
            Ok(faults.answer(section(&view, user, &own, email, &faults)))
        }
        answer => answer,
    }
}

/// Mails a link to an address that a user wants, and says so on the section's page; `more` ends the sentence.
async fn mail_link(
    view: &View<'_>,
    form: &Form<'_>,
    kind: Kind,
    email: &str,
    more: &str,
) -> Result<Answer> {
    let session = view.logged_in()?;
    let now = Timestamp::now();
    let mut tx = form.begin().await?;
    letter::count(view, &mut tx, email, now).await?;
    ask(view, &mut tx, kind, (&session.caller.user, email), now).await?;
    let said = format!(
        "A mail is on its way to {email}. Open the link in it within {}{more}.",
        confirmation::days(view.options().confirmation_days)
    );
    session.tell(&mut tx, vec![Notice::done(said)], now).await?;
    tx.commit().await?;
    view.send_mails();
    Ok(Answer::Done(
        view.links().user_page(Section::Addresses.path()),
    ))
}

/// Mails the link with which an address becomes one of a user's, or the account's own.
pub(super) async fn ask(
    view: &View<'_>,
    tx: &mut Tx,
    kind: Kind,
    (user, email): (&User, &str),
    now: Timestamp,
) -> Result<()> {
    let key = confirmation::ask(tx, kind, email, Some(user.id), now).await?;
    let site = letter::site(view, tx).await?;
    let link = format!("{site}/confirm/{key}/");
    let days = view.options().confirmation_days;
    let write = match kind {
        Kind::Primary => notify::letter::primary,
        _ => notify::letter::address,
    };
    let letter = write(&site, &user.username, email, &link, days);
    letter::send(view, tx, email, &letter, now).await
}

fn section(view: &View, user: &User, own: &Own, email: &str, faults: &Faults) -> Markup {
    let main = html! { (list(view, user, own)) (primary_form(view, email, faults)) };
    profile::framed(view, Section::Addresses, main)
}

fn primary_form(view: &View, email: &str, faults: &Faults) -> Markup {
    let address = Field {
        kind: "email",
        autocomplete: "email",
        hint: "A link is mailed to it. The address the account has now is told of the change.",
        ..Field::new("new_email", "New address", email)
    };
    html! {
        section #primary {
            h2 { "Primary address" }
            p.muted { "Mails about the account go there, such as a link for a new password." }
            form.entries method="post" action=(view.links().user_page(Section::Addresses.path())) {
                (view.csrf())
                (password::whose(view))
                (address.drawn(faults))
                (Field::password("password", "Your password", "current-password").drawn(faults))
                button type="submit" { "Send the link" }
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

fn list(view: &View, user: &User, own: &Own) -> Markup {
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
            h2 { "Addresses" }
            p.muted { "Patches sent from these addresses are yours. Notifications tell of their states." }
            @if !rows.is_empty() {
                table.own {
                    thead { tr { th scope="col" { "Address" } th scope="col" { "Notifications" } th scope="col" { span.vh { "Actions" } } } }
                    tbody {
                        @for row in &rows {
                            tr {
                                th scope="row" { (row.email) @if row.person.is_none() { " " span.note { "primary" } } }
                                td {
                                    @let (word, way, label) = match is_out(row.email) {
                                        true => ("no", "optin/", "Allow"),
                                        false => ("yes", "optout/", "Stop"),
                                    };
                                    span.unit { "notifications: " } (word) " "
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
            @for (email, kind) in &own.pending {
                p.muted { (email) " waits for the link that was mailed to it " @if Kind::from_word(kind) == Some(Kind::Primary) { "to become the primary address." } @else { "to be added." } }
            }
            form.entries method="post" action=(links.user_page("link/")) {
                (view.csrf())
                (Field { label: "Add an address", ..field("") }.drawn(&Faults::default()))
                button type="submit" { "Send the link" }
            }
        }
    }
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
    check_address(&mut faults, "email", email, MAX_EMAIL);
    if faults.is_empty() {
        let person = store::person::by_email(&mut db, email).await?;
        let is_own = person.is_some_and(|person| person.user_id == Some(user.id));
        faults.check(!is_own, "email", "This is one of your addresses already.");
    }
    drop(db);
    if !faults.is_empty() {
        return Ok(Answer::Invalid(page(&view, email, &faults)));
    }
    match mail_link(&view, &form, Kind::Address, email, "").await {
        Err(Error::TooOften(seconds)) => {
            faults.too_often("email", seconds);
            Ok(faults.answer(page(&view, email, &faults)))
        }
        answer => answer,
    }
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
                p { a href=(links.user_page(Section::Addresses.path())) { "Back to the addresses" } }
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
    Ok(Answer::Done(
        view.links().user_page(Section::Addresses.path()),
    ))
}
