//! What the site is, and old help addresses that lead there.

use maud::html;
use rocket::Route;

use super::{
    answer::Answer,
    guard::View,
    layout::{self, Frame},
    parts,
};

/// Returns the routes about the site.
pub fn routes() -> Vec<Route> {
    rocket::routes![about, help, help_about, help_client]
}

#[rocket::get("/about")]
fn about(view: View<'_>) -> Answer {
    let options = view.options();
    let offered = |on| if on { "offered" } else { "not offered" };
    Answer::Page(layout::page(
        &view,
        &Frame::site("About this site"),
        html! {
            header.heading { h1 { "About this site" } }
            div.prose {
                p { (options.site_name) " collects the patches sent to mailing lists and shows what became of each." }
                dl.wide {
                    dt { "Software" } dd { "Patchwork " (env!("CARGO_PKG_VERSION")) }
                    dt { "REST API" }
                    dd {
                        (offered(options.rest_api))
                        @if options.rest_api && !options.api_versions.is_empty() { ", versions " (options.api_versions.join(", ")) }
                    }
                    @if options.rest_api {
                        dd { a href={ (view.links().base()) "/api/" } { "Start" } }
                        dd { a href={ (view.links().base()) "/api/openapi.json" } { "Description for programs (OpenAPI)" } }
                    }
                    dt { "XML-RPC" } dd { (offered(options.xmlrpc)) }
                    @if options.xmlrpc { dd { a href={ (view.links().base()) "/xmlrpc/" } { "Methods" } } }
                    @if !options.admins.is_empty() {
                        dt { "Administrators" }
                        @for (name, address) in &options.admins {
                            dd { (parts::outside(&format!("mailto:{address}"), name)) }
                        }
                    }
                }
            }
        },
    ))
}

#[rocket::get("/help")]
fn help(view: View<'_>) -> Answer {
    Answer::Moved(view.links().about())
}

#[rocket::get("/help/about")]
fn help_about(view: View<'_>) -> Answer {
    Answer::Moved(view.links().about())
}

#[rocket::get("/help/pwclient")]
fn help_client(view: View<'_>) -> Answer {
    Answer::Moved(view.links().about())
}
