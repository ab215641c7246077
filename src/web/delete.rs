//! Deleting the own account: what goes and what stays is told first, by the same rules as in the admin console.

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, admin,
    answer::Answer,
    error::Result,
    field::{self, Faults, Field},
    form::Form,
    guard::View,
    layout, password,
    profile::{self, Section},
};
use crate::{
    domain::{Timestamp, User, change::Actor},
    store::{
        self, Conn,
        admin::{member, mend},
        bundle::Bundle,
    },
};

/// Returns the routes of deleting the own account.
pub fn routes() -> Vec<Route> {
    rocket::routes![page, delete, deleted]
}

const LAST: &str = "You are the last superuser who can log in: make another one first.";

/// What a delete would do: what, how much of it, and what becomes of it.
struct Losses {
    counted: Vec<(&'static str, i64, &'static str)>,
    bundles: Vec<Bundle>,
}

async fn losses(conn: &mut Conn, user: &User) -> Result<Losses> {
    let mut counted = Vec::new();
    for (what, statement, fate) in admin::user_losses() {
        let count = store::admin::count_of(conn, statement, user.id.into()).await?;
        counted.push((what, count, fate));
    }
    let bundles = profile::bundles(conn, user).await?;
    Ok(Losses { counted, bundles })
}

#[rocket::get("/user/delete")]
async fn page(view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let user = &view.logged_in()?.caller.user;
    let losses = losses(&mut db, user).await?;
    drop(db);
    Ok(Answer::Page(question(&view, &losses, &Faults::default())))
}

#[rocket::post("/user/delete", data = "<form>")]
async fn delete(view: View<'_>, mut db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let user = &view.logged_in()?.caller.user;
    let losses = losses(&mut db, user).await?;
    drop(db);
    let mut faults = Faults::default();
    password::confirm(user, &form, "password", &mut faults).await?;
    if !faults.is_empty() {
        return Ok(faults.answer(question(&view, &losses, &faults)));
    }
    let mut tx = form.begin().await?;
    if user.is_superuser && member::other_superusers(&mut tx, user.id).await? == 0 {
        faults.add("", LAST);
        return Ok(Answer::Invalid(question(&view, &losses, &faults)));
    }
    let by = Actor {
        user: Some(user.id),
        at: Timestamp::now(),
    };
    mend::delete_user(&mut tx, user.id, &by).await?;
    tx.commit().await?;
    view.end_session();
    Ok(Answer::Done(view.links().user_page("deleted/")))
}

#[rocket::get("/user/deleted")]
fn deleted(view: View<'_>) -> Answer {
    let main = html! {
        div.narrow {
            h1 { "The account is deleted" }
            p role="status" { "What you sent to the lists stays in their archives and here." }
            p { a.button href=(view.links().home()) { "All projects" } }
        }
    };
    Answer::Page(layout::bare(&view, "Account deleted", main))
}

fn question(view: &View, losses: &Losses, faults: &Faults) -> Markup {
    let username = view.user().map_or("", |user| user.username.as_str());
    let main = html! {
        div.narrow {
            h1 { "Delete the account " (username) "?" }
            (field::problems(faults))
            p { "This cannot be taken back." }
            dl.wide {
                @for (what, count, fate) in losses.counted.iter().filter(|(_, count, _)| *count > 0) {
                    dt { (what) " (" (count) ")" }
                    dd { (fate) }
                }
                dt { "Name, password, settings, sessions" }
                dd { "go" }
                dt { "Patches, covers and replies" }
                dd { "stay: they came by mail" }
            }
            @if !losses.bundles.is_empty() {
                p { "Bundles that go:" }
                ul { @for bundle in &losses.bundles { li { (bundle.name) @if bundle.public { " " span.note { "public" } } } } }
            }
            form.entries method="post" action=(view.links().user_page("delete/")) {
                (view.csrf())
                (password::whose(view))
                (Field::password("password", "Your password", "current-password").drawn(faults))
                button.danger type="submit" { "Delete the account" }
            }
            p { a href=(view.links().user_page(Section::Account.path())) { "Back to the account" } }
        }
    };
    layout::bare(view, "Delete the account", main)
}
