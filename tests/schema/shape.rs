//! As much of JSON Schema as the description uses, read strictly: a key it does not name is as wrong as one that is missing.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::{Map, Value};

/// A document, and which of its properties were met so far.
pub struct Document<'a> {
    root: &'a Value,
    /// `Thing.property`, each that was met in an answer.
    pub met: BTreeSet<String>,
}

impl<'a> Document<'a> {
    /// Begins with nothing met.
    pub fn new(root: &'a Value) -> Self {
        let met = BTreeSet::new();
        Document { root, met }
    }

    /// Returns `Thing.property` of everything in it that answers are made of.
    pub fn properties(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let shapes = members(&self.root["components"]["schemas"]);
        for (name, shape) in shapes.iter().filter(|(name, _)| !name.starts_with("Error")) {
            collect(name, shape, &mut found);
        }
        found
    }

    /// Demands that a value has a shape.
    #[track_caller]
    pub fn check(&mut self, shape: &Value, value: &Value, at: &str) {
        if let Err(why) = self.fits(at, shape, value) {
            panic!("{at}: {why}");
        }
    }

    fn fits(&mut self, name: &str, shape: &Value, value: &Value) -> Result<(), String> {
        if let Some(target) = shape["$ref"].as_str() {
            let name = target.rsplit('/').next().unwrap_or_default();
            let target = self.root.pointer(&target[1..]).ok_or("it leads nowhere")?;
            return self.fits(name, target, value);
        }
        if let Some(mapping) = shape["discriminator"]["mapping"].as_object() {
            let word = value["category"].as_str().unwrap_or_default();
            let target = mapping.get(word).ok_or(format!("unknown {word}"))?;
            return self.fits(name, &serde_json::json!({ "$ref": target }), value);
        }
        if let Some(choices) = shape["anyOf"].as_array() {
            let tried = choices.iter().map(|choice| self.fits(name, choice, value));
            let tried: Vec<Result<(), String>> = tried.collect();
            return match tried.iter().any(Result::is_ok) {
                true => Ok(()),
                false => Err(format!("{name}: {value} is none of {tried:?}")),
            };
        }
        plain(shape, value).map_err(|why| format!("{name}: {value}: {why}"))?;
        match value {
            Value::Object(object) => self.object(name, shape, object),
            Value::Array(items) => {
                let mut items = items.iter();
                items.try_for_each(|item| self.fits(name, &shape["items"], item))
            }
            _ => Ok(()),
        }
    }

    fn object(
        &mut self,
        name: &str,
        shape: &Value,
        object: &Map<String, Value>,
    ) -> Result<(), String> {
        if shape["additionalProperties"].is_object() {
            let shape = &shape["additionalProperties"];
            let mut values = object.values();
            return values.try_for_each(|value| self.fits(name, shape, value));
        }
        let required = shape["required"].as_array().into_iter().flatten();
        for key in required.filter_map(Value::as_str) {
            object.get(key).ok_or(format!("{name} lacks {key}"))?;
        }
        for (key, value) in object {
            let property = format!("{name}.{key}");
            let known = shape["properties"].get(key);
            let known = known.ok_or(format!("{property} is not described"))?;
            self.fits(&property, known, value)?;
            self.met.insert(property);
        }
        Ok(())
    }
}

/// What can be said of a value without looking into it.
fn plain(shape: &Value, value: &Value) -> Result<(), String> {
    let types = match &shape["type"] {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !types.contains(&kind.into()) {
        return Err(format!("is no {types:?}"));
    }
    let is_listed = |words: &Vec<Value>| words.contains(value);
    if shape["enum"].as_array().is_some_and(|it| !is_listed(it)) {
        return Err("is not listed".to_owned());
    }
    if shape.get("const").is_some_and(|only| only != value) {
        return Err("is another".to_owned());
    }
    match (shape["pattern"].as_str(), value.as_str()) {
        (Some(pattern), Some(text)) if !Regex::new(pattern).expect(pattern).is_match(text) => {
            Err(format!("does not match {pattern}"))
        }
        _ => Ok(()),
    }
}

fn collect(name: &str, shape: &Value, found: &mut BTreeSet<String>) {
    for (key, inner) in shape["properties"].as_object().into_iter().flatten() {
        let property = format!("{name}.{key}");
        collect(&property, inner, found);
        found.insert(property);
    }
}

fn members(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("an object")
}
