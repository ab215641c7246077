//! What requests may say, and how they are told what is wrong with it.

use serde_json::{Map, Value, json};

use super::schema::{self, reference};
use crate::api::{
    endpoint::{ENDPOINTS, What},
    field::{Change, Takes},
    input::{NO_NUL, Text},
    patch::CHOICES,
    resource::Resource,
    series::FIND,
    version::Version,
};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const HTML: &str = "text/html";
const PARTS: &str = "multipart/form-data";

/// Returns the body of a request; `is_whole` where what is required must not be missing.
pub fn body(what: What, version: Version, is_whole: bool) -> Value {
    let all = Resource::of(what).changes;
    let changes: Vec<&Change> = all.into_iter().filter(|it| it.since <= version).collect();
    let choice = what == What::Patches;
    let is_required = choice || (is_whole && changes.iter().any(|change| change.is_required));
    let shape = |is_form: bool| {
        let mut shape = object(&changes, is_whole, is_form);
        if choice {
            let one = |change: &Change| json!({ "required": [change.name] });
            shape["oneOf"] = CHOICES.iter().map(one).collect();
        }
        shape
    };
    // The names of parts stand in headers, which have no control characters.
    let mut parts = shape(true);
    parts["propertyNames"] = json!({ "pattern": r"^[^\u0000-\u001f\u007f]*$" });
    let mut content = Map::new();
    for (kind, shape) in [(JSON, shape(false)), (FORM, shape(true)), (PARTS, parts)] {
        content.insert(kind.to_owned(), json!({ "schema": shape }));
    }
    json!({ "required": is_required, "content": content })
}

fn object(changes: &[&Change], is_whole: bool, is_form: bool) -> Value {
    let mut properties = Map::new();
    for change in changes {
        match change.takes {
            // Forms have no objects; the names of fields are joined by a dot.
            Takes::Object(inner) if is_form => properties.extend(inner.iter().map(|it| {
                let name = format!("{}.{}", change.name, it.name);
                (name, taken(it.takes, true))
            })),
            takes => {
                properties.insert(change.name.to_owned(), taken(takes, is_form));
            }
        }
    }
    let is_missed = |change: &&&Change| {
        let is_split = is_form && matches!(change.takes, Takes::Object(_));
        is_whole && change.is_required && !is_split
    };
    let required: Vec<&str> = changes.iter().filter(is_missed).map(|it| it.name).collect();
    let mut shape = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        shape["required"] = required.into();
    }
    // An object that has to be there is there in a form once one of its fields is.
    let split = changes.iter().filter(|it| is_whole && it.is_required);
    let split = split.filter_map(|change| match change.takes {
        Takes::Object(inner) if is_form => Some(inner.iter().map(|it| {
            let name = format!("{}.{}", change.name, it.name);
            json!({ "required": [name] })
        })),
        _ => None,
    });
    let one: Vec<Value> = split.flatten().collect();
    if !one.is_empty() {
        shape["anyOf"] = one.into();
    }
    shape
}

/// Returns the shape of what a field takes. Forms have no `null`: an empty text stands for it.
fn taken(takes: Takes, is_form: bool) -> Value {
    match takes {
        Takes::Text(rule) => text(rule, NO_NUL, &["number"], is_form),
        Takes::Like(pattern, numbers, rule) => text(rule, pattern, numbers, is_form),
        Takes::Word(words) => word(words),
        Takes::Flag => json!({ "anyOf": [{ "type": "boolean" }, truths()] }),
        Takes::OptionalFlag => {
            let flag = json!({ "type": "boolean" });
            or_none(
                vec![flag, truths(), json!({ "enum": ["", "null"] })],
                is_form,
            )
        }
        Takes::Count(most) => {
            json!({ "anyOf": [{ "type": "integer", "minimum": 1, "maximum": most }, digits_up_to(most)] })
        }
        Takes::Id => id(),
        Takes::Revision => or_none(vec![id(), series()], is_form),
        Takes::OptionalId => or_none(vec![id(), json!({ "const": "" })], is_form),
        Takes::Ids(least, most) => ids(least, most),
        Takes::Object(inner) => object(&inner.iter().collect::<Vec<_>>(), false, is_form),
    }
}

/// One of these, or `null`.
fn or_none(mut choices: Vec<Value>, is_form: bool) -> Value {
    choices.extend((!is_form).then(|| json!({ "type": "null" })));
    json!({ "anyOf": choices })
}

/// What is understood as yes or no besides JSON's own words.
fn truths() -> Value {
    json!({ "enum": [0, 1, "0", "1", "true", "false", "yes", "no", "on", "off", "t", "f", "y", "n"] })
}

fn text(rule: Text, pattern: &str, numbers: &[&str], is_form: bool) -> Value {
    let mut types = vec!["string"];
    if !is_form {
        types.extend(numbers);
        types.extend(rule.null.then_some("null"));
    }
    let mut shape = json!({ "type": types, "pattern": pattern });
    if rule.most < usize::MAX {
        shape["maxLength"] = rule.most.into();
    }
    shape
}

/// A word, or its number.
fn word(words: &[&str]) -> Value {
    let mut all: Vec<Value> = words.iter().map(|word| json!(word)).collect();
    all.extend((0..words.len()).map(|number| json!(number)));
    all.extend((0..words.len()).map(|number| json!(number.to_string())));
    json!({ "enum": all })
}

/// Returns the digits of numbers with fewer than `most` has, and `most` itself.
fn digits_up_to(most: i64) -> Value {
    let fewer = most.to_string().len().saturating_sub(2);
    json!({ "type": "string", "pattern": format!("^(?:[1-9][0-9]{{0,{fewer}}}|{most})$") })
}

fn digits(most: u32) -> Value {
    json!({ "type": "string", "pattern": format!("^[1-9][0-9]{{0,{}}}$", most - 1) })
}

fn id() -> Value {
    json!({
        "anyOf": [{ "type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX }, digits(18)],
    })
}

/// The address of a series, or the word that has one found; an empty text stands for none.
fn series() -> Value {
    let pattern = format!("(?:/series/|series=)[0-9]{{1,18}}|^(?:{FIND})?$");
    json!({ "type": "string", "pattern": pattern })
}

fn ids(least: usize, most: usize) -> Value {
    let mut shape = json!({ "type": "array", "items": id() });
    if least > 0 {
        shape["minItems"] = least.into();
    }
    if most < usize::MAX {
        shape["maxItems"] = most.into();
    }
    shape
}

/// Returns the name of the shape that tells what is wrong with a request.
pub fn error_name(what: What) -> String {
    match what {
        What::Patches => "ErrorPatches".to_owned(),
        what => format!("Error{}", Resource::of(what).thing),
    }
}

/// Returns the shapes that tell what is wrong with requests.
pub fn errors(version: Version) -> Map<String, Value> {
    let known = ENDPOINTS.iter().filter(|it| it.since <= version);
    let written = known.filter(|it| {
        it.methods
            .iter()
            .any(|method| *method != rocket::http::Method::Get)
    });
    written
        .map(|it| (error_name(it.what), error(it.what, version)))
        .collect()
}

fn error(what: What, version: Version) -> Value {
    let of_version = |change: &&Change| change.since <= version;
    let changes = Resource::of(what).changes;
    let mut properties: Map<String, Value> = changes
        .into_iter()
        .filter(of_version)
        .map(|change| (change.name.to_owned(), faults(change.takes)))
        .collect();
    // What is wrong with the body as a whole.
    properties.insert(
        "detail".to_owned(),
        json!({ "anyOf": [{ "type": "string" }, texts()] }),
    );
    json!({ "type": "object", "minProperties": 1, "properties": properties })
}

fn faults(takes: Takes) -> Value {
    let Takes::Object(inner) = takes else {
        return texts();
    };
    let own = inner
        .iter()
        .map(|it| (it.name.to_owned(), faults(it.takes)));
    let own: Map<String, Value> = own.collect();
    json!({ "anyOf": [texts(), { "type": "object", "properties": own }] })
}

fn texts() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

/// Returns the content of an answer that has this shape; for people it is laid out on a page.
pub fn content(shape: Value) -> Value {
    json!({ JSON: { "schema": shape }, HTML: { "schema": { "type": "string" } } })
}

/// Returns the content of an answer that tells of a thing, or of a list of them.
pub fn content_of(thing: &str, is_list: bool) -> Value {
    let one = reference(&schema::name_of(thing, is_list));
    match is_list {
        true => content(json!({ "type": "array", "items": one })),
        false => content(one),
    }
}
