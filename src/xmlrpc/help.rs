//! The page for people who open the interface in a browser.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    Site,
    method::{self, Method},
};

/// Draws the page of a site.
pub(super) fn page(site: &Site) -> Markup {
    let base = &site.base;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "XML-RPC" }
                link rel="stylesheet" href=(site.stylesheet);
            }
            body {
                header.bar {
                    (PreEscaped(site.brand.as_str()))
                    span.sep aria-hidden="true" { "/" }
                    a.project href={ (base) "/xmlrpc/" } { "XML-RPC" }
                }
                main #main {
                    header.heading { h1 { "XML-RPC" } }
                    div.prose { (introduction(base)) (contents()) @for method in method::ALL { (section(method)) } }
                }
                footer {
                    a href={ (base) "/about/" } { "About this site" }
                    span { "Patchwork " (env!("CARGO_PKG_VERSION")) }
                }
            }
        }
    }
}

fn introduction(base: &str) -> Markup {
    html! {
        p {
            "This interface is deprecated: it is kept for old clients and scripts. For anything new, take the "
            a href={ (base) "/api/" } { "REST API" } "."
        }
        p {
            "Calls are POSTed to this address, one in each request. Methods that need a login take the name of an \
             account and its password, or one of its tokens instead of the password, by HTTP Basic authentication."
        }
    }
}

fn contents() -> Markup {
    html! {
        ul { @for method in method::ALL { li { a href={ "#-" (method.word) } { code { (method.word) } } } } }
    }
}

fn section(method: &Method) -> Markup {
    html! {
        section id={ "-" (method.word) } {
            h2 { code { (method.word) "(" (arguments(method)) ") → " (method.returns) } }
            p { (method.help) @if method.login { " " strong { "Needs login." } } }
        }
    }
}

fn arguments(method: &Method) -> String {
    let shown = method.arguments.iter().map(|argument| {
        let (name, kind) = (argument.name, argument.kind);
        match argument.default {
            None => format!("{name}: {kind}"),
            Some(default) => format!("{name}: {kind} = {default}"),
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}
