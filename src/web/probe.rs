//! What machines ask for: is it alive, is it ready, what may be crawled.

use rocket::{Route, http::Status};

use super::{Db, guard::View, route};
use crate::store;

/// Returns the routes for machines.
pub fn routes() -> Vec<Route> {
    [
        route::reading(rocket::routes![ready]),
        rocket::routes![alive, robots],
    ]
    .concat()
}

#[rocket::get("/healthz")]
fn alive() -> &'static str {
    "ok\n"
}

#[rocket::get("/readyz")]
async fn ready(mut db: Db<'_>) -> Result<&'static str, Status> {
    match store::state::all(&mut db).await {
        Ok(states) if !states.is_empty() => Ok("ok
"),
        _ => Err(Status::ServiceUnavailable),
    }
}

/// Crawlers get every page once: not every order and filter of a list, not every download.
#[rocket::get("/robots.txt")]
fn robots(view: View<'_>) -> String {
    let base = view.links().base();
    let closed = [
        "*/mbox/",
        "*/raw/",
        "*/mail/",
        "*?*order=",
        "*?*state=",
        "*?*submitter=",
        "*?*delegate=",
        "*?*q=",
    ];
    let rules: String = closed
        .iter()
        .map(|path| format!("Disallow: {base}/{path}\n"))
        .collect();
    format!("User-agent: *\n{rules}")
}
