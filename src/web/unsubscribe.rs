//! Ending notifications with one click, from the mail itself (`web.md §15`, RFC 8058): mail programs send a form for their
//! reader, people who follow the link press a button. The key was mailed to the address, and that is all the proof.

use maud::{Markup, html};
use rocket::Route;

use super::{Db, Error, answer::Answer, error::Result, form::OneClick, guard::View, layout};
use crate::{
    domain::confirmation::is_key,
    store::{self, Conn},
};

/// Returns the routes of ending notifications.
pub fn routes() -> Vec<Route> {
    rocket::routes![page, end]
}

/// Returns whose notifications a key ends.
async fn address(conn: &mut Conn, key: &str) -> Result<String> {
    if !is_key(key) {
        return Err(Error::missing());
    }
    let found = store::unsubscribe::address(conn, key).await?;
    found.ok_or_else(Error::missing)
}

#[rocket::get("/mail/unsubscribe/<key>")]
async fn page(key: &str, view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let email = address(&mut db, key).await?;
    let is_out = store::optout::contains(&mut db, &email).await?;
    drop(db);
    Ok(Answer::Once(match is_out {
        true => drawn(&view, "No more notifications", ended(&view, &email)),
        false => drawn(&view, "Stop notifications", question(&view, key, &email)),
    }))
}

/// Answers with a page, not with a way to one: who sends this for a reader may not be sent on (RFC 8058 §3.2).
#[rocket::post("/mail/unsubscribe/<key>", data = "<form>")]
async fn end(key: &str, view: View<'_>, db: Db<'_>, form: OneClick<'_>) -> Result<Answer> {
    drop(db);
    let mut tx = form.begin().await?;
    let email = address(&mut tx, key).await?;
    store::optout::insert(&mut tx, &email).await?;
    tx.commit().await?;
    let main = ended(&view, &email);
    Ok(Answer::Once(drawn(&view, "No more notifications", main)))
}

fn drawn(view: &View, title: &str, main: Markup) -> Markup {
    layout::bare(view, title, html! { div.narrow { h1 { (title) } (main) } })
}

fn question(view: &View, key: &str, email: &str) -> Markup {
    html! {
        p { "This site mails " strong { (email) } " when the state of a patch sent from there changes." }
        form method="post" action={ (view.links().mail()) "unsubscribe/" (key) "/" } {
            input type="hidden" name="List-Unsubscribe" value="One-Click";
            button.primary type="submit" { "Stop notifications" }
        }
        p.muted { "Mails about an account, such as a new password, are sent in any case." }
    }
}

fn ended(view: &View, email: &str) -> Markup {
    html! {
        p role="status" { "No more notifications go to " strong { (email) } "." }
        p { "To get them again, use the " a href=(view.links().mail()) { "mail settings" } "." }
    }
}
