//! The parameters of addresses and lists.

use serde_json::{Value, json};

use crate::api::{
    Options,
    embed::CHECK_STATES,
    event,
    filter::{Filter, Means},
    resource::Resource,
    version::Version,
};

/// Returns the parameters of a list.
pub fn of_list(resource: &Resource, version: Version, options: &Options) -> Vec<Value> {
    let mut all = vec![page(), per_page(options), after(), order(&resource.orders)];
    if resource.has_words {
        all.push(words());
    }
    let known = resource.filters.iter().filter(|it| it.since <= version);
    all.extend(known.map(|it| filter(it, version)));
    all
}

/// Returns a part of the path. A project has two names.
pub fn of_path(name: &str, is_text: bool) -> Value {
    let (schema, about) = match is_text {
        true => (
            json!({ "type": "string", "minLength": 1 }),
            "The id or the linkname.",
        ),
        false => (
            json!({ "type": "integer", "format": "int64", "minimum": 0 }),
            "The id.",
        ),
    };
    json!({ "name": name, "in": "path", "required": true, "description": about, "schema": schema })
}

fn parameter(name: &str, about: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "query", "description": about, "schema": schema })
}

/// Returns a schema for values that any text may stand for: what it says is what makes sense.
fn or_any(sense: Value) -> Value {
    json!({ "anyOf": [sense, { "type": "string" }] })
}

fn page() -> Value {
    let number = json!({ "type": "integer", "minimum": 1 });
    let schema = json!({ "anyOf": [number, { "enum": ["last", ""] }] });
    parameter(
        "page",
        "Which page of the list; 404 beyond its end.",
        schema,
    )
}

fn per_page(options: &Options) -> Value {
    let sense = json!({
        "type": "integer",
        "minimum": 1,
        "maximum": options.max_per_page,
        "default": options.per_page.min(options.max_per_page),
    });
    parameter("per_page", "How many entries a page has.", or_any(sense))
}

fn after() -> Value {
    let number = json!({ "type": "integer", "minimum": 0 });
    let place = json!({ "type": "string", "pattern": "^W[-_A-Za-z0-9]+$" });
    let schema = json!({ "anyOf": [number, place, { "const": "" }] });
    let about = "Instead of a page: what follows the entry with this id, or at this place of a sorted list. `rel=\"next\"` \
        in the header `Link` has it.";
    parameter("after", about, schema)
}

/// Returns the parameter that chooses between an answer for programs and one for people.
pub fn format() -> Value {
    let about = "The form of the answer, whatever `Accept` says: JSON, or a page for people.";
    parameter("format", about, json!({ "enum": ["json", "api", ""] }))
}

/// Returns the header that a browser's session needs to change something.
pub fn csrf_token() -> Value {
    let about = "The value of the cookie `csrftoken`. Only for a browser's session, and only if the browser does not \
        say with `Sec-Fetch-Site` or `Origin` that a page of this site asks; in forms `csrfmiddlewaretoken` will do.";
    json!({ "name": "X-CSRFToken", "in": "header", "description": about, "schema": { "type": "string" } })
}

fn order(fields: &[&str]) -> Value {
    let both = fields
        .iter()
        .flat_map(|field| [(*field).to_owned(), format!("-{field}")]);
    let sense = json!({ "enum": both.collect::<Vec<_>>() });
    let about = "What to sort by; `-` turns it round. Several have commas between them.";
    parameter("order", about, or_any(sense))
}

fn words() -> Value {
    let about = "Words that all have to occur, in any case; `\"a b\"` is one.";
    parameter("q", about, json!({ "type": "string" }))
}

/// Returns what may be searched for in the language of searches.
pub fn asked() -> Value {
    let about = "A search as on the pages: words that occur in the name, `\"a b\"`, `from:`, `file:`, `diff:`, `comment:`, \
        `state:`, `is:open`, `has:checks-fail`, `after:`, `-not`, `OR`, brackets.";
    parameter("q", about, json!({ "type": "string" }))
}

fn filter(filter: &Filter, version: Version) -> Value {
    match filter.means {
        Means::Bool => parameter(
            filter.name,
            "Yes or no.",
            or_any(json!({ "type": "boolean" })),
        ),
        Means::Text => parameter(filter.name, "Exactly this.", json!({ "type": "string" })),
        Means::Since => moment(
            filter.name,
            "Not before this moment; without a zone it is UTC.",
        ),
        Means::Before => moment(filter.name, "Before this moment; without a zone it is UTC."),
        Means::Project => several(filter.name, "By id or linkname.", None),
        Means::Person => several(filter.name, "By id or address.", None),
        Means::User => several(filter.name, "By id or login name.", None),
        Means::State => several(filter.name, "By id, name or slug.", None),
        Means::Id => several(filter.name, "By id.", None),
        Means::Result => several(
            filter.name,
            "By word or number.",
            Some(CHECK_STATES.to_vec()),
        ),
        Means::Category => {
            let words = event::categories(version).map(|category| category.word());
            several(filter.name, "By word.", Some(words.collect()))
        }
    }
}

fn moment(name: &str, about: &str) -> Value {
    parameter(
        name,
        about,
        or_any(json!({ "type": "string", "format": "date-time" })),
    )
}

/// Returns a filter that may be repeated; one of its values is enough.
fn several(name: &str, about: &str, words: Option<Vec<&str>>) -> Value {
    let mut item = json!({ "type": "string" });
    if let Some(words) = words {
        item["examples"] = words.into();
    }
    let schema = json!({ "anyOf": [{ "type": "array", "items": item }, item] });
    let mut parameter = parameter(name, about, schema);
    parameter["style"] = "form".into();
    parameter["explode"] = true.into();
    parameter
}
