//! The section of the account itself: its password, its second factor, its end.

use maud::{Markup, html};
use rocket::Route;

use super::{
    answer::Answer,
    error::Result,
    guard::View,
    profile::{self, Section},
};

/// Returns the routes of the section.
pub fn routes() -> Vec<Route> {
    rocket::routes![page]
}

#[rocket::get("/user/account")]
fn page(view: View<'_>) -> Result<Answer> {
    view.logged_in()?;
    Ok(Answer::Page(profile::framed(
        &view,
        Section::Account,
        main(&view),
    )))
}

fn main(view: &View) -> Markup {
    let links = view.links();
    let has = view.user().is_some_and(|user| user.has_second_factor);
    html! {
        section #password {
            h2 { "Password" }
            p { a.button href=(links.user_page("password-change/")) { "Change the password" } }
        }
        section #second-factor {
            h2 { "Second factor" }
            @if has {
                p { "On: after the password you are asked for a code of your device." }
                p { a.button href=(links.user_page("second-factor/")) { "Codes for a lost device, or end it" } }
            } @else {
                p { "Off: the password alone lets you in. With a second factor you are asked for a code of your device as well." }
                p { a.button href=(links.user_page("second-factor/")) { "Set it up" } }
            }
        }
        section #delete {
            h2 { "Delete the account" }
            p { "You see what goes and what stays before anything happens." }
            p { a.button href=(links.user_page("delete/")) { "Delete the account…" } }
        }
    }
}
