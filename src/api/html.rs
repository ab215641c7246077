//! The API for people who open it in a browser: the same answer, laid out, its addresses as links.

use maud::{DOCTYPE, Markup, html};
use rocket::{Request, http::Status};

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
        @if let Some(total) = reply.total {
            p {
                (total) " in all"
                @for (address, rel) in links.split(", ").filter_map(link) { " · " a href=(address) { (rel) } }
            }
            (filters(cx))
        }
        (laid_out(&indented(reply.json.clone(), INDENT)))
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
            body {
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

/// A form for what most lists can be filtered by. Compatibility: an editor reads the choices from here
/// (`rest.md §3.3`); the addresses of people are nobody's business who is not logged in.
fn filters(cx: &Cx<'_>) -> Markup {
    let value = |key: &str| cx.query.last(key).unwrap_or_default().to_owned();
    html! {
        form method="get" {
            label { "Words " input type="search" name="q" value=(value("q")); } " "
            label { "Project " select id="id_project" name="project" {
                option value="" { "any" }
                @for (id, name) in &cx.choices.projects { option value=(id) { (name) } }
            } } " "
            label { "Submitter " select id="id_submitter" name="submitter" {
                @if cx.caller.is_some() {
                    option value="" { "anybody" }
                    @for (id, name) in &cx.choices.people { option value=(id) { (name) } }
                }
            } } " "
            label { "Order " input type="text" name="order" value=(value("order")); } " "
            button type="submit" { "Filter" }
        }
    }
}

/// Lays JSON out, with links where addresses stand.
fn laid_out(json: &str) -> Markup {
    html! {
        pre { code {
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

/// Returns what OPTIONS says of an address.
pub fn options(endpoint: &Endpoint) -> String {
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
    });
    json.into_string()
}
