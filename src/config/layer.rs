//! One layer of settings: where it comes from and what it says, checked against what there is to set.

use std::collections::BTreeMap;

use figment::{
    Metadata, Profile, Provider,
    providers::{Format, Toml},
    value::{Dict, Map, Value},
};

use super::{
    Error, Result, Settings, plain,
    rule::{self, SECRETS},
};

/// Settings as key and value, the key with dots: `mail.intake.max_bytes`.
pub(super) type Flat = BTreeMap<String, Value>;

/// What one source says.
pub(super) struct Layer {
    /// The source, as messages and `patchwork settings` name it.
    pub source: String,
    values: Flat,
    idle: Vec<String>,
}

impl Layer {
    /// Makes the layer of one variable or option.
    pub fn single(source: String, key: &str, value: Value) -> Self {
        Layer {
            source,
            values: Flat::from([(key.to_owned(), value)]),
            idle: Vec::new(),
        }
    }

    /// Reads a file's text.
    pub fn of_toml(source: String, text: &str, known: &Known) -> Result<Self> {
        let dict: Dict = Toml::from_str(text).map_err(|error| {
            let before = error.span().map_or("", |span| &text[..span.start]);
            let line = before.matches('\n').count() + 1;
            Error(format!(
                "{source}, line {line}: not TOML: {}",
                error.message().replace('\n', ", ")
            ))
        })?;
        let mut values = Flat::new();
        let mut idle = Vec::new();
        for (name, value) in dict {
            match plain::find(&name) {
                None if plain::is_idle(&name) => idle.push(name),
                Some(plain) => {
                    if let Some(value) = plain_value(&plain, &value) {
                        values.insert(plain.key.to_owned(), value);
                    }
                }
                None => known.collect(&source, name, value, &mut values)?,
            }
        }
        Ok(Layer {
            source,
            values,
            idle,
        })
    }

    /// Returns the layer with every value in the type its setting has.
    pub fn checked(mut self, known: &Known) -> Result<Self> {
        for (key, value) in &mut self.values {
            let Some(default) = known.0.get(key) else {
                return Err(Error(format!("{}: {}", self.source, known.unknown(key))));
            };
            *value = rule::fitted(key, default, value).map_err(|wanted| {
                let found = match SECRETS.contains(&key.as_str()) {
                    true => String::new(),
                    false => format!(", not {}", shown(value)),
                };
                Error(format!("{}: {key} must be {wanted}{found}", self.source))
            })?;
        }
        Ok(self)
    }

    /// Returns a line about what the layer says in vain, if it does.
    pub fn warning(&self) -> Option<String> {
        let names = self.idle.join(", ");
        (!names.is_empty()).then(|| format!("{}: without effect so far: {names}", self.source))
    }

    /// Says whether the layer sets this.
    pub fn sets(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Changes a text the layer sets.
    pub fn change(&mut self, key: &str, change: impl FnOnce(&str) -> String) {
        if let Some(value) = self.values.get_mut(key)
            && let Some(text) = value.as_str()
        {
            *value = Value::from(change(text));
        }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.clone())
    }

    fn data(&self) -> figment::error::Result<Map<Profile, Dict>> {
        let mut dict = Dict::new();
        for (key, value) in &self.values {
            let mut names = key.split('.').rev();
            let last = names.next().unwrap_or_default().to_owned();
            let mut branch = Dict::from([(last, value.clone())]);
            for name in names {
                branch = Dict::from([(name.to_owned(), branch.into())]);
            }
            merge(&mut dict, branch);
        }
        Ok(Profile::Default.collect(dict))
    }
}

fn merge(into: &mut Dict, branch: Dict) {
    for (name, value) in branch {
        match (into.get_mut(&name), value) {
            (Some(Value::Dict(_, old)), Value::Dict(_, new)) => merge(old, new),
            (_, value) => {
                into.insert(name, value);
            }
        }
    }
}

/// Returns a value of an upper-case name as its setting takes it.
fn plain_value(plain: &plain::Plain, value: &Value) -> Option<Value> {
    let text = match value {
        Value::String(_, text) => text.clone(),
        Value::Bool(_, yes) => yes.to_string(),
        // A list of texts, as files of old have it.
        Value::Array(_, list) if list.iter().all(|one| one.as_str().is_some()) => {
            let texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            texts.join(", ")
        }
        other => return Some(other.clone()),
    };
    (plain.value)(&text).map(Value::from)
}

/// A value as messages show it: texts quoted.
fn shown(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("'{text}'"),
        Value::Bool(_, yes) => yes.to_string(),
        Value::Num(_, number) => number
            .to_i128()
            .or_else(|| number.to_u128().and_then(|n| n.try_into().ok()))
            .map_or_else(|| "that number".to_owned(), |number| number.to_string()),
        _ => "a list or a table".to_owned(),
    }
}

/// All there is to set, with the defaults.
pub(super) struct Known(Flat);

impl Known {
    /// Returns what the structs say.
    pub fn of_defaults() -> Self {
        let defaults =
            Value::serialize(Settings::default()).expect("plain structs can always be serialized");
        let mut flat = Flat::new();
        flatten(String::new(), defaults, &mut flat);
        Known(flat)
    }

    /// Returns the keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Says whether there is such a setting.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Adds a value found under a name, or all values of a table.
    fn collect(&self, source: &str, name: String, value: Value, into: &mut Flat) -> Result<()> {
        if ["default", "global", "debug", "release"].contains(&name.as_str()) {
            return Err(Error(format!(
                "{source}: settings have no profiles: write [server], not [{name}.server]"
            )));
        }
        let mut flat = Flat::new();
        flatten(name, value, &mut flat);
        for (written, value) in flat {
            // `[database] HOST` is how some sites wrote it for years.
            let key = written.to_lowercase();
            if !self.has(&key) {
                return Err(Error(format!("{source}: {}", self.unknown(&written))));
            }
            into.insert(key, value);
        }
        Ok(())
    }

    /// Says that there is no such setting, and which one may have been meant.
    pub fn unknown(&self, key: &str) -> String {
        let near = match key.chars().any(|c| c.is_ascii_lowercase()) {
            true => nearest(key, self.keys()),
            false => nearest(key, plain::names()),
        };
        match near {
            Some(name) => format!("there is no setting '{key}'; did you mean '{name}'?"),
            None => format!("there is no setting '{key}'; `patchwork settings` lists all"),
        }
    }
}

/// Returns the name closest to a misspelt one, if one is close.
pub(super) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let far = (word.len() / 3).max(2);
    names
        .map(|name| {
            let whole = strsim::damerau_levenshtein(&lower, &name.to_lowercase());
            // A group left out, `port` for `server.port`, is a small mistake too.
            let last = name.rsplit('.').next().unwrap_or(name);
            let part = strsim::damerau_levenshtein(&lower, last) + 1;
            (whole.min(part), name)
        })
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

fn flatten(prefix: String, value: Value, into: &mut Flat) {
    match value {
        Value::Dict(_, dict) => {
            for (name, value) in dict {
                let key = match prefix.as_str() {
                    "" => name,
                    prefix => format!("{prefix}.{name}"),
                };
                flatten(key, value, into);
            }
        }
        value => {
            into.insert(prefix, value);
        }
    }
}
