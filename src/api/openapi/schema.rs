//! The shapes of answers, from the tables of fields.

use serde_json::{Map, Value, json};

use crate::{
    api::{
        bundle, check, comment, comparison, cover, embed, event,
        field::{Change, Field, Holds},
        index, patch, person, project, series, user,
        version::Version,
    },
    domain::event::Category,
};

const MOMENT: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?$";

/// Returns a reference to a shape.
pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Returns all shapes of a version.
pub fn all(version: Version) -> Map<String, Value> {
    let mut shapes = Shapes {
        version,
        shapes: Map::new(),
    };
    shapes.things();
    shapes.embedded();
    shapes.events();
    shapes.add("Index", index());
    shapes.add("Error", error());
    shapes.shapes.extend(super::body::errors(version));
    shapes.shapes
}

/// Returns the name of a thing's shape: where details say more than lists there are two.
pub fn name_of(thing: &str, is_list: bool) -> String {
    let is_pair = match thing {
        "Patch" => has_two(patch::FIELDS),
        "Cover" => has_two(cover::FIELDS),
        "User" => has_two(user::FIELDS),
        _ => false,
    };
    match (is_pair, is_list) {
        (false, _) => thing.to_owned(),
        (true, true) => format!("{thing}List"),
        (true, false) => format!("{thing}Detail"),
    }
}

fn has_two<T>(fields: &[Field<T>]) -> bool {
    fields.iter().any(|field| field.in_detail_only)
}

struct Shapes {
    version: Version,
    shapes: Map<String, Value>,
}

impl Shapes {
    fn things(&mut self) {
        self.thing("Project", project::FIELDS, project::CHANGES);
        self.thing("User", user::FIELDS, user::CHANGES);
        self.thing("Person", person::FIELDS, &[]);
        self.thing("Patch", patch::FIELDS, patch::CHANGES);
        self.thing("Comment", comment::FIELDS, comment::CHANGES);
        self.thing("Check", check::FIELDS, check::CHANGES);
        self.thing("Cover", cover::FIELDS, &[]);
        self.thing("Series", series::FIELDS, series::CHANGES);
        self.thing("SeriesComparison", comparison::SERIES, &[]);
        self.thing("PatchComparison", comparison::PATCHES, &[]);
        self.thing("Bundle", bundle::FIELDS, bundle::CHANGES);
        self.thing("Settings", user::SETTINGS, user::SETTING_CHANGES);
    }

    fn embedded(&mut self) {
        self.within("Project", embed::PROJECT);
        self.within("Person", embed::PERSON);
        self.within("User", embed::USER);
        self.within("Patch", embed::PATCH);
        self.within("Cover", embed::COVER);
        self.within("Series", embed::SERIES);
        self.within("Comment", embed::COMMENT);
        self.within("Check", embed::CHECK);
        self.within("Pair", comparison::PAIR);
    }

    fn events(&mut self) {
        let categories: Vec<Category> = event::categories(self.version).collect();
        for category in &categories {
            self.add(&event_name(*category), one_event(*category, self.version));
        }
        self.add("Event", any_event(&categories));
    }

    fn add(&mut self, name: &str, shape: Value) {
        self.shapes.insert(name.to_owned(), shape);
    }

    /// Adds a thing as lists and details show it; nothing where the version has none of it.
    fn thing<T>(&mut self, name: &str, fields: &[Field<T>], changes: &[Change]) {
        if fields.iter().all(|field| field.since > self.version) {
            return;
        }
        for is_list in [true, false] {
            let shape = object(fields, changes, self.version, !is_list);
            self.add(&name_of(name, is_list), shape);
        }
    }

    /// Adds a thing as others show it.
    fn within<T>(&mut self, name: &str, fields: &[Field<T>]) {
        if fields.iter().any(|field| field.since <= self.version) {
            let shape = object(fields, &[], self.version, true);
            self.add(&format!("{name}Embedded"), shape);
        }
    }
}

/// Returns the shape of a thing. What is not among the changes is marked as not to be written.
fn object<T>(fields: &[Field<T>], changes: &[Change], version: Version, is_detail: bool) -> Value {
    let shown = || {
        let of_version = fields.iter().filter(|field| field.since <= version);
        of_version.filter(|field| is_detail || !field.in_detail_only)
    };
    let property = |field: &Field<T>| {
        let mut shape = held(field.holds);
        let is_change = |change: &Change| change.name == field.name && change.since <= version;
        if !changes.iter().any(is_change) {
            shape["readOnly"] = true.into();
        }
        (field.name.to_owned(), shape)
    };
    let always = shown().filter(|field| !field.is_rare);
    json!({
        "type": "object",
        "required": always.map(|field| field.name).collect::<Vec<_>>(),
        "properties": shown().map(property).collect::<Map<_, _>>(),
    })
}

/// Returns the shape of what a field holds.
fn held(holds: Holds) -> Value {
    match holds {
        Holds::Int => json!({ "type": "integer", "format": "int64" }),
        Holds::OptionalInt => json!({ "type": ["integer", "null"], "format": "int64" }),
        Holds::Text => json!({ "type": "string" }),
        Holds::OptionalText => json!({ "type": ["string", "null"] }),
        Holds::Url => json!({ "type": "string", "format": "uri" }),
        Holds::Moment => json!({ "type": "string", "pattern": MOMENT }),
        Holds::Bool => json!({ "type": "boolean" }),
        Holds::OptionalBool => json!({ "type": ["boolean", "null"] }),
        Holds::MessageId => json!({ "type": "string", "pattern": "^<.+>$" }),
        Holds::Hash => json!({ "type": ["string", "null"], "pattern": "^[0-9a-f]{40}$" }),
        Holds::Word(words) => json!({ "type": "string", "enum": words }),
        Holds::One(thing) => reference(&inner(thing)),
        Holds::Optional(thing) => {
            json!({ "anyOf": [reference(&inner(thing)), { "type": "null" }] })
        }
        Holds::Many(thing) => json!({ "type": "array", "items": reference(&inner(thing)) }),
        Holds::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Holds::Urls => json!({ "type": "array", "items": { "type": "string", "format": "uri" } }),
        Holds::Headers => json!({ "type": "object", "additionalProperties": header() }),
        Holds::Empty => json!({ "type": "object", "maxProperties": 0 }),
        Holds::Null => json!({ "type": "null" }),
    }
}

/// A header of a mail: its text, or its texts where it occurs several times.
fn header() -> Value {
    json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
}

/// Returns the name of the shape of a thing within another.
fn inner(thing: &str) -> String {
    match thing {
        "Settings" => thing.to_owned(),
        thing => format!("{thing}Embedded"),
    }
}

/// Returns the name of an event's shape: `EventPatchCreated`.
fn event_name(category: Category) -> String {
    let mut name = "Event".to_owned();
    for part in category.word().split('-') {
        let (first, rest) = part.split_at(1);
        name += &first.to_uppercase();
        name += rest;
    }
    name
}

fn one_event(category: Category, version: Version) -> Value {
    let payload = object(event::payload(category), &[], version, true);
    let mut shape = object(event::FIELDS, &[], version, true);
    shape["properties"]["payload"] = payload;
    shape["properties"]["category"] = json!({ "type": "string", "const": category.word() });
    shape
}

fn any_event(categories: &[Category]) -> Value {
    let address = |category: &Category| reference(&event_name(*category));
    let mapping: Map<String, Value> = categories
        .iter()
        .map(|category| {
            (
                category.word().to_owned(),
                address(category)["$ref"].clone(),
            )
        })
        .collect();
    json!({
        "oneOf": categories.iter().map(address).collect::<Vec<_>>(),
        "discriminator": { "propertyName": "category", "mapping": mapping },
    })
}

fn index() -> Value {
    let list = |name: &&str| ((*name).to_owned(), held(Holds::Url));
    json!({
        "type": "object",
        "required": index::LISTS,
        "properties": index::LISTS.iter().map(list).collect::<Map<_, _>>(),
    })
}

fn error() -> Value {
    json!({
        "type": "object",
        "required": ["detail"],
        "properties": { "detail": { "type": "string" } },
    })
}
