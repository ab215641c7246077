//! The API for people who open it in a browser: the same answer, laid out, its addresses as links.

pub mod form;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use rocket::{Request, http::Status};
use serde_json::Value;

use super::{
    answer::{Reply, indented},
    endpoint::Endpoint,
    json::Json,
    request::Cx,
};

/// How many blanks a level is set in.
const INDENT: usize = 2;

/// Draws an answer.
pub fn page(cx: &Cx<'_>, request: &Request<'_>, reply: &Reply) -> String {
    let links = reply.link.as_deref().unwrap_or_default();
    let main = html! {
        p.facts {
            span { code { (request.method()) " " (request.uri()) } " " b { (reply.status) } }
            a href=(as_json(request)) { "As JSON" }
        }
        @if reply.link.is_some() {
            p {
                @if let Some(total) = reply.total { (total) " in all" } @else { "many" }
                @for (address, rel) in links.split(", ").filter_map(link) { " · " a href=(address) { (rel) } }
            }
            @if let Some(endpoint) = cx.endpoint { (form::filters(cx, endpoint)) }
        }
        (laid_out(&indented(reply.json.clone(), INDENT)))
        @if let Some(endpoint) = cx.endpoint.filter(|_| cx.may_write) {
            (form::changes(cx, request, endpoint, reply))
        }
    };
    let path = request.uri().path().raw().as_str();
    let title = cx.endpoint.map_or("REST API", |endpoint| endpoint.title);
    frame(cx, (path, title), Some(path), main)
}

/// Returns the address of the same answer for programs.
fn as_json(request: &Request<'_>) -> String {
    match request.uri().query() {
        Some(query) => format!("?{query}&format=json"),
        None => "?format=json".to_owned(),
    }
}

/// Draws what is wrong.
pub fn problem(cx: &Cx<'_>, status: Status, json: &str) -> String {
    let main = html! {
        (laid_out(&indented(json.to_owned(), INDENT)))
    };
    let title = status.to_string();
    frame(cx, (&title, &title), None, main)
}

/// Takes one entry of the header `Link` apart.
fn link(entry: &str) -> Option<(&str, &str)> {
    let (address, rel) = entry.split_once("; rel=")?;
    Some((address.trim_matches(['<', '>']), rel.trim_matches('"')))
}

/// Draws a page: its title in the window and on the page, and where a login leads back to.
fn frame(cx: &Cx<'_>, (title, heading): (&str, &str), here: Option<&str>, main: Markup) -> String {
    let (options, links) = (&cx.site.options, &cx.site.links);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · REST API" }
                @if !options.stylesheet.is_empty() {
                    link rel="stylesheet" href=(options.stylesheet);
                }
            }
            body.api {
                header.bar {
                    (PreEscaped(options.brand.as_str()))
                    span.sep aria-hidden="true" { "/" }
                    a.project href=(cx.url("")) { "REST API" }
                    @match &cx.caller {
                        Some(caller) => a.login href=(links.user()) { (caller.user.username) },
                        None => a.login href=(links.login(here)) { "Log in" },
                    }
                }
                main {
                    h1 { (heading) }
                    (main)
                }
                footer {
                    a href=(links.about()) { "About this site" }
                    span { "Patchwork " (env!("CARGO_PKG_VERSION")) }
                }
            }
        }
    };
    page.into_string()
}

/// Lays JSON out, with links where addresses stand.
fn laid_out(json: &str) -> Markup {
    html! {
        pre role="region" tabindex="0" aria-label="The answer" { code {
            @for line in json.lines() { (line_with_link(line)) "\n" }
        } }
    }
}

fn line_with_link(line: &str) -> Markup {
    let start = ["\"http://", "\"https://"]
        .into_iter()
        .filter_map(|scheme| line.find(scheme))
        .min();
    let found = start.and_then(|start| {
        let rest = &line[start + 1..];
        let end = rest.find('"')?;
        let is_plain = !rest[..end].contains('\\');
        is_plain.then(|| (&line[..=start], &rest[..end], &rest[end..]))
    });
    html! {
        @match found {
            Some((before, address, after)) => { (before) a href=(address) rel="nofollow noopener" { (address) } (after) }
            None => { (line) }
        }
    }
}

/// Returns what OPTIONS says of an address; `actions` for those who may write there.
pub fn options(endpoint: &Endpoint, actions: Option<&Value>) -> String {
    let mut json = Json::default();
    json.object(|members| {
        members.key("name").text(endpoint.title);
        members.key("description").text("");
        members
            .key("renders")
            .list(["application/json", "text/html"], Json::text);
        members.key("parses").list(
            [
                "application/json",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
            ],
            Json::text,
        );
        if let Some(actions) = actions {
            members.key("actions").raw(&actions.to_string());
        }
    });
    json.into_string()
}
