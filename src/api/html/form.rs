//! The forms of the pages: what a list can be filtered by, and what may be written. They work without scripts.

use maud::{Markup, html};
use rocket::{
    Request,
    http::{Cookie, Method},
};
use serde_json::{Map, Value};

use crate::{
    api::{
        answer::{Form, Reply, indented},
        embed::CHECK_STATES,
        endpoint::{Body, Endpoint},
        event,
        field::{Change, Takes},
        filter::{Filter, Means},
        input::pairs,
        request::Cx,
        resource::Resource,
        search::is_asked_in_language,
    },
    auth::csrf,
};

/// A form for what a list can be filtered by. Compatibility: an editor reads the choices from here (`rest.md §3.3`);
/// the addresses of people are nobody's business who is not logged in.
pub fn filters(cx: &Cx<'_>, endpoint: &Endpoint) -> Markup {
    let resource = Resource::of(endpoint.what);
    let value = |key: &str| cx.query.last(key).unwrap_or_default().to_owned();
    let known = |it: &&Filter| it.since <= cx.version;
    html! {
        form.by method="get" {
            @if resource.has_words || !cx.is_versioned && is_asked_in_language(endpoint.what) {
                label { "Words " input type="search" name="q" value=(value("q")); } " "
            }
            @for filter in resource.filters.iter().filter(known) {
                @for (place, value) in given(cx, filter.name).into_iter().enumerate() {
                    label { (filter.name) " " (control(cx, filter, value, place == 0)) } " "
                }
            }
            label { "Order " input type="text" name="order" list="orders" value=(value("order")); } " "
            datalist id="orders" {
                @for order in &resource.orders { option value=(order) {} option value={ "-" (order) } {} }
            }
            label { "Per page " input type="number" name="per_page" min="1" value=(value("per_page")); } " "
            button type="submit" { "Filter" }
        }
    }
}

/// Returns the values of a filter, one at least.
fn given<'a>(cx: &'a Cx<'_>, key: &str) -> Vec<&'a str> {
    match cx.query.all(key) {
        values if values.is_empty() => vec![""],
        values => values,
    }
}

fn control(cx: &Cx<'_>, filter: &Filter, value: &str, is_first: bool) -> Markup {
    let things = |things: &[(i64, String)]| {
        let one = |(id, name): &(i64, String)| (id.to_string(), name.clone());
        things.iter().map(one).collect::<Vec<_>>()
    };
    let mut options: Vec<(String, String)> = match filter.means {
        Means::Project => things(&cx.choices.projects),
        Means::Person => things(&cx.choices.people),
        Means::Bool => words(["true", "false"]),
        Means::Result => words(CHECK_STATES.iter().copied()),
        Means::Category => words(event::categories(cx.version).map(|it| it.word())),
        _ => {
            return html! { input type="text" name=(filter.name) value=(value); };
        }
    };
    let is_given = |(id, name): &(String, String)| id == value || name.eq_ignore_ascii_case(value);
    if !value.is_empty() && !options.iter().any(is_given) {
        options.push((value.to_owned(), value.to_owned()));
    }
    let id = is_first.then(|| format!("id_{}", filter.name));
    html! {
        select id=[id] name=(filter.name) {
            @if !options.is_empty() { option value="" { "any" } }
            @for option in &options {
                option value=(option.0) selected[is_given(option)] { (option.1) }
            }
        }
    }
}

/// Options that are called what they mean.
fn words(words: impl IntoIterator<Item = &'static str>) -> Vec<(String, String)> {
    let one = |word: &str| (word.to_owned(), word.to_owned());
    words.into_iter().map(one).collect()
}

/// A form for what may be written at an address: JSON, with what is there now, or with what is needed.
pub fn changes(cx: &Cx<'_>, request: &Request<'_>, endpoint: &Endpoint, reply: &Reply) -> Markup {
    let methods = endpoint.methods_of(cx.version);
    let (delete, write): (Vec<_>, Vec<_>) =
        methods.into_iter().partition(|it| *it == Method::Delete);
    let path = request.uri().path().raw().as_str();
    let token = request.cookies().get(csrf::COOKIE).map(Cookie::value);
    let token = html! {
        @if let Some(token) = token {
            input type="hidden" name=(csrf::FIELD) value=(token);
        }
    };
    html! {
        @if !write.is_empty() {
            form method="post" action=(path) {
                (token)
                p { label { "Content" br; textarea name="_content" rows="10" cols="80" { (content(cx, endpoint, reply)) } } }
                @for method in write { button type="submit" name="_method" value=(method) { (method) } " " }
            }
        }
        @for method in delete {
            form method="post" action=(path) {
                (token)
                button type="submit" name="_method" value=(method) { (method) }
            }
        }
    }
}

/// Returns what a form begins with.
fn content(cx: &Cx<'_>, endpoint: &Endpoint, reply: &Reply) -> String {
    let now: Value = serde_json::from_str(&reply.json).unwrap_or_default();
    let known = Resource::of(endpoint.what).changes;
    let known = known.into_iter().filter(|it| it.since <= cx.version);
    let fields: Map<String, Value> = known
        .filter(|it| now.is_object() || it.is_required || endpoint.is_list())
        .map(|it| {
            let value = now.get(it.name).map_or_else(|| blank(it), written);
            (it.name.to_owned(), value)
        })
        .collect();
    indented(Value::Object(fields).to_string(), 2)
}

/// Returns a value as it is written: of things, their ids.
fn written(value: &Value) -> Value {
    match value {
        Value::Object(thing) => thing.get("id").cloned().unwrap_or_else(|| value.clone()),
        Value::Array(things) => things.iter().map(written).collect(),
        value => value.clone(),
    }
}

fn blank(change: &Change) -> Value {
    match change.takes {
        Takes::Text(_) | Takes::Like(..) => "".into(),
        Takes::Word(words) => words.first().copied().unwrap_or_default().into(),
        Takes::Flag => false.into(),
        Takes::Ids(..) => Value::Array(Vec::new()),
        Takes::Object(_) => Value::Object(Map::new()),
        Takes::OptionalFlag | Takes::Count(_) | Takes::Id | Takes::OptionalId | Takes::Revision => {
            Value::Null
        }
    }
}

/// Takes what a form of [`changes`] sends apart: browsers know no other method than POST, and send no JSON. Where
/// `_method` comes first, Rocket has seen to the method.
pub fn unpacked(form: Form, method: Method, body: Body) -> (Method, Body) {
    let kind = body.kind.as_deref().unwrap_or_default();
    let is_form = kind
        .to_ascii_lowercase()
        .starts_with("application/x-www-form-urlencoded");
    if form != Form::Html || !is_form || body.is_cut {
        return (method, body);
    }
    let fields = pairs(&body.bytes);
    let field = |name: &str| {
        let mut of_it = fields.iter().filter(|(key, _)| key == name);
        of_it.next_back().map(|(_, value)| value.as_str())
    };
    let method = match field("_method") {
        Some("PUT") => Method::Put,
        Some("PATCH") => Method::Patch,
        Some("DELETE") => Method::Delete,
        Some(_) => method,
        None => return (method, body),
    };
    let content = field("_content").map(|text| Body {
        kind: Some("application/json".to_owned()),
        bytes: text.as_bytes().to_vec(),
        is_cut: false,
    });
    (method, content.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_pages_are_taken_apart() {
        let of = |form, method, text: &str| {
            let body = Body {
                kind: Some("application/x-www-form-urlencoded".to_owned()),
                bytes: text.into(),
                is_cut: false,
            };
            let (method, body) = unpacked(form, method, body);
            (method, String::from_utf8(body.bytes).expect("a text"))
        };
        let patch = "_method=PATCH&_content=%7B%7D&csrfmiddlewaretoken=x";
        for (form, method, text, expected) in [
            (Form::Html, Method::Post, patch, (Method::Patch, "{}")),
            (
                Form::Html,
                Method::Post,
                "_method=DELETE",
                (Method::Delete, ""),
            ),
            (Form::Html, Method::Post, "_method=GET", (Method::Post, "")),
            (Form::Html, Method::Post, "name=a", (Method::Post, "name=a")),
            (Form::Json(0), Method::Post, patch, (Method::Post, patch)),
            (Form::Html, Method::Patch, patch, (Method::Patch, "{}")),
            (Form::Html, Method::Put, "a=b", (Method::Put, "a=b")),
        ] {
            let expected = (expected.0, expected.1.to_owned());
            assert_eq!(of(form, method, text), expected, "{text}");
        }
    }
}
