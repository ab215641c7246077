//! The API for people who open it in a browser: the same answer, laid out, its addresses as links.

pub mod form;

use maud::{DOCTYPE, Markup, html};
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
        p { code { (request.method()) " " (request.uri()) } " " b { (reply.status) } }
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
    frame(cx, request.uri().path().raw().as_str(), main)
}

/// Draws what is wrong.
pub fn problem(cx: &Cx<'_>, status: Status, json: &str) -> String {
    let main = html! {
        p { b { (status) } }
        (laid_out(&indented(json.to_owned(), INDENT)))
    };
    frame(cx, &status.to_string(), main)
}

/// Takes one entry of the header `Link` apart.
fn link(entry: &str) -> Option<(&str, &str)> {
    let (address, rel) = entry.split_once("; rel=")?;
    Some((address.trim_matches(['<', '>']), rel.trim_matches('"')))
}

fn frame(cx: &Cx<'_>, title: &str, main: Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · REST API" }
                @if !cx.site.options.stylesheet.is_empty() {
                    link rel="stylesheet" href=(cx.site.options.stylesheet);
                }
            }
            body.api {
                main {
                    h1 { "REST API" }
                    p {
                        a href=(cx.site.links.home()) { "Projects" } " · "
                        a href=(cx.url("")) { "Index" } " · "
                        a href="?format=json" { "As JSON" }
                    }
                    (main)
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
