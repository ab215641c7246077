//! The admin console below `/admin/`: everything a site is run with, for staff (`admin.md`).
//!
//! `model.rs` says what a kind of things is; one file per noun describes it and does what is special; `list.rs`, `form.rs`,
//! `delete.rs` and `history.rs` show whatever is described. Every change is one transaction with its entry in the log
//! (`work.rs`); patches are changed as anywhere else, by `store::patch::change`.

mod access;
mod alias;
mod audit;
mod bundle;
mod check;
mod comment;
mod confirmation;
mod cover;
mod dashboard;
mod delete;
mod draft;
mod event;
mod form;
mod group;
mod history;
mod ingest;
mod job;
mod list;
mod mail;
mod matrix;
mod model;
mod notification;
mod optout;
mod outbox;
mod patch;
mod person;
mod project;
mod quarantine;
mod reference;
mod relation;
mod rules;
mod series;
mod session;
mod settings;
mod site;
mod state;
mod system;
mod tag;
mod token;
mod user;
mod webhook;
mod work;

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    error::Result,
    form::Form,
    guard::{Pairs, View},
    layout::{self, Frame},
    link,
};
use access::Access;
use model::{Model, Part};

use crate::domain::permission::Deed;

/// Returns what goes or stays when an account is deleted: what, the statement that counts it, and what becomes of it.
pub fn user_losses() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    user::MODEL.losses.iter().map(|loss| {
        let fate = match loss.fate {
            model::Fate::Stay(how) => how,
            _ => "go",
        };
        (loss.what, loss.count, fate)
    })
}

/// Returns the routes of the console.
pub fn routes() -> Vec<Route> {
    let console = rocket::routes![
        home,
        below,
        listed,
        act,
        thing,
        create,
        of_thing,
        write_thing
    ];
    [console, settings::routes()].concat()
}

#[rocket::get("/admin")]
async fn home(view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let access = Access::of(&view, &mut db).await?;
    dashboard::page(&view, &mut db, &access).await
}

#[rocket::get("/admin/<app>")]
async fn below(app: &str, view: View<'_>, pairs: Pairs, mut db: Db<'_>) -> Result<Answer> {
    // Compatibility: bookmarks of older sites.
    match app {
        "login" => {
            return Ok(Answer::Found(
                view.links().login(Some(&view.links().admin(""))),
            ));
        }
        "logout" => return Ok(Answer::Found(view.links().logout())),
        "password_change" => {
            return Ok(Answer::Found(view.links().user_page("password-change/")));
        }
        _ => {}
    }
    let access = Access::of(&view, &mut db).await?;
    if app == "ingest" {
        return ingest::page(&view, &mut db, &access, &pairs).await;
    }
    if app == "status" {
        return system::page(&view, &mut db, &access).await;
    }
    let models: Vec<&Model> = access.models().filter(|model| model.app == app).collect();
    if !model::ALL.iter().any(|model| model.app == app) {
        return Err(Error::missing());
    }
    let main = html! {
        header.heading { h1 { "Administration: " (app) } }
        ul.tiles { @for model in models { li { a href=(view.links().admin(&model.path())) { (model.many) } } } }
    };
    Ok(Answer::Page(framed(&view, &access, app, None, main)))
}

/// Returns the kind of things at an address.
fn known(app: &str, name: &str) -> Result<&'static Model> {
    Model::at(app, name).ok_or_else(Error::missing)
}

#[rocket::get("/admin/<app>/<name>")]
async fn listed(
    app: &str,
    name: &str,
    view: View<'_>,
    pairs: Pairs,
    mut db: Db<'_>,
) -> Result<Answer> {
    let access = Access::of(&view, &mut db).await?;
    let model = known(app, name)?;
    access.require(model, Deed::View)?;
    list::page(&view, &mut db, &access, model, &pairs).await
}

#[rocket::post("/admin/<app>/<name>", data = "<form>")]
async fn act(
    app: &str,
    name: &str,
    view: View<'_>,
    pairs: Pairs,
    mut db: Db<'_>,
    form: Form<'_>,
) -> Result<Answer> {
    let access = Access::of(&view, &mut db).await?;
    let model = known(app, name)?;
    access.require(model, Deed::View)?;
    list::act(&view, db, &access, model, &pairs, &form).await
}

#[rocket::get("/admin/<app>/<name>/<id>")]
async fn thing(
    app: &str,
    name: &str,
    id: &str,
    view: View<'_>,
    pairs: Pairs,
    mut db: Db<'_>,
) -> Result<Answer> {
    let access = Access::of(&view, &mut db).await?;
    let model = known(app, name)?;
    if id != "add" {
        access.require(model, Deed::View)?;
        let address = format!("{}{}/change/", model.path(), link::encoded(id));
        return Ok(Answer::Found(view.links().admin(&address)));
    }
    access.require(model, Deed::Add)?;
    form::add_page(&view, &mut db, &access, model, &pairs).await
}

#[rocket::post("/admin/<app>/<name>/<id>", data = "<form>")]
async fn create(
    app: &str,
    name: &str,
    id: &str,
    view: View<'_>,
    mut db: Db<'_>,
    form: Form<'_>,
) -> Result<Answer> {
    let access = Access::of(&view, &mut db).await?;
    let model = known(app, name)?;
    if id != "add" {
        return Err(Error::missing());
    }
    access.require(model, Deed::Add)?;
    form::add(&view, db, &access, model, &form).await
}

#[rocket::get("/admin/<app>/<name>/<id>/<page>")]
async fn of_thing(
    app: &str,
    name: &str,
    id: &str,
    page: &str,
    view: View<'_>,
    pairs: Pairs,
    mut db: Db<'_>,
) -> Result<Answer> {
    let access = Access::of(&view, &mut db).await?;
    let model = known(app, name)?;
    access.require(model, Deed::View)?;
    match page {
        "change" => form::change_page(&view, &mut db, &access, model, id, &pairs).await,
        "history" => history::page(&view, &mut db, &access, model, id).await,
        "delete" => {
            access.require(model, Deed::Delete)?;
            delete::page(&view, &mut db, &access, model, id).await
        }
        "do" => Ok(Answer::Found(address(&view, model, id, "change"))),
        _ => Err(Error::missing()),
    }
}

#[rocket::post("/admin/<app>/<name>/<id>/<page>", data = "<form>")]
#[expect(
    clippy::too_many_arguments,
    reason = "Rocket hands each part of the address over by itself"
)]
async fn write_thing(
    app: &str,
    name: &str,
    id: &str,
    page: &str,
    view: View<'_>,
    pairs: Pairs,
    mut db: Db<'_>,
    form: Form<'_>,
) -> Result<Answer> {
    let access = Access::of(&view, &mut db).await?;
    let model = known(app, name)?;
    match page {
        "change" => {
            access.require(model, Deed::Change)?;
            form::change(&view, db, &access, model, id, &pairs, &form).await
        }
        "delete" => {
            access.require(model, Deed::Delete)?;
            delete::delete(&view, db, &access, model, &[id.to_owned()], &form).await
        }
        "do" => {
            access.require(model, Deed::View)?;
            form::act(&view, db, &access, model, id, &form).await
        }
        _ => Err(Error::missing()),
    }
}

/// Returns the address of a page about a thing.
fn address(view: &View, model: &Model, id: &str, page: &str) -> String {
    let path = format!("{}{}/{page}/", model.path(), link::encoded(id));
    view.links().admin(&path)
}

/// Draws the frame of the console: where one is, what else there is.
fn framed(view: &View, access: &Access, title: &str, open: Option<&Model>, main: Markup) -> Markup {
    let menu = menu(view, access, open);
    let title = format!("{title} · Administration");
    layout::page(
        view,
        &Frame::site(&title),
        html! {
            div.console {
                nav.models.wide-only aria-label="Administration" { (menu) }
                details.models.narrow-only {
                    summary { "Administration" @if let Some(open) = open { ": " (open.many) } }
                    nav aria-label="Administration, folded" { (menu) }
                }
                div.desk { (main) }
            }
        },
    )
}

fn menu(view: &View, access: &Access, open: Option<&Model>) -> Markup {
    let links = view.links();
    let here = |model: &Model| {
        open.is_some_and(|open| std::ptr::eq(open, model))
            .then_some("page")
    };
    let page = |path: &str| view.is_at(&links.admin(path)).then_some("page");
    html! {
        p { a href=(links.admin("")) aria-current=[page("")] { "Dashboard" } }
        @for part in Part::ALL {
            @let models: Vec<&Model> = access.models().filter(|model| model.part == part).collect();
            @if !models.is_empty() {
                p.part { (part.title()) }
                ul { @for model in models {
                    li { a href=(links.admin(&model.path())) aria-current=[here(model)] { (model.many) } }
                } }
            }
        }
        @if access.may(&mail::MODEL, Deed::View) { p { a href=(links.admin("ingest/")) aria-current=[page("ingest/")] { "What came by mail" } } }
        @if access.console.everything { p { a href=(links.admin("status/")) aria-current=[page("status/")] { "Status of the system" } } }
    }
}
