//! Arguments as methods want them. Numbers may be sent as texts, and nil is an argument that is not given.

use super::{
    codec::Value,
    fault::Fault,
    method::{Argument, Method},
};
use crate::store::lookup::Most;

/// What a method is called with.
pub struct Arguments {
    method: &'static Method,
    values: Vec<Value>,
}

impl Arguments {
    /// Takes the values of a call.
    ///
    /// # Errors
    /// When there are too few or too many.
    pub fn new(method: &'static Method, mut values: Vec<Value>) -> Result<Self, Fault> {
        let most = method.arguments.len();
        if values.len() > most {
            return Err(Fault::Arguments(format!(
                "{}() takes {most} positional arguments but {} were given",
                method.word,
                values.len()
            )));
        }
        values.resize(most, Value::Nil);
        let pairs = method.arguments.iter().zip(&values);
        let missing = pairs
            .filter(|(argument, value)| argument.default.is_none() && **value == Value::Nil)
            .map(|(argument, _)| argument);
        match missing.collect::<Vec<_>>()[..] {
            [] => Ok(Arguments { method, values }),
            ref missing => Err(too_few(method, missing)),
        }
    }

    fn take(&mut self, place: usize) -> (&'static str, Value) {
        // A method asks for the arguments that it has in the table.
        let name = self.method.arguments.get(place).map_or("", |a| a.name);
        let value = self.values.get_mut(place);
        (
            name,
            value.map_or(Value::Nil, |value| std::mem::replace(value, Value::Nil)),
        )
    }

    /// Returns a number.
    ///
    /// # Errors
    /// When it is none.
    pub fn number(&mut self, place: usize) -> Result<i64, Fault> {
        let (name, value) = self.take(place);
        number(name, &value)
    }

    /// Returns how many of a list are wanted.
    ///
    /// # Errors
    /// When it is no number.
    pub fn most(&mut self, place: usize) -> Result<Most, Fault> {
        match self.take(place) {
            (_, Value::Nil) => Ok(Most::default()),
            (name, value) => number(name, &value).map(Most),
        }
    }

    /// Returns a text; an empty one if it is not given.
    ///
    /// # Errors
    /// When it is none.
    pub fn text(&mut self, place: usize) -> Result<String, Fault> {
        match self.take(place) {
            (_, Value::Nil) => Ok(String::new()),
            (name, value) => text(name, &value),
        }
    }

    /// Returns members; none if they are not given.
    ///
    /// # Errors
    /// When it is no struct.
    pub fn members(&mut self, place: usize) -> Result<Vec<(String, Value)>, Fault> {
        match self.take(place) {
            (_, Value::Nil) => Ok(Vec::new()),
            (_, Value::Struct(members)) => Ok(members),
            (name, value) => Err(Fault::no("a struct", name, &value)),
        }
    }

    /// Returns values; none if they are not given.
    ///
    /// # Errors
    /// When it is no array.
    pub fn array(&mut self, place: usize) -> Result<Vec<Value>, Fault> {
        match self.take(place) {
            (_, Value::Nil) => Ok(Vec::new()),
            (_, Value::Array(values)) => Ok(values),
            (name, value) => Err(Fault::no("an array", name, &value)),
        }
    }
}

fn too_few(method: &Method, missing: &[&Argument]) -> Fault {
    let names: Vec<String> = missing.iter().map(|a| format!("'{}'", a.name)).collect();
    let arguments = match names.len() {
        1 => "argument",
        _ => "arguments",
    };
    Fault::Arguments(format!(
        "{}() missing {} required positional {arguments}: {}",
        method.word,
        names.len(),
        names.join(" and ")
    ))
}

/// Returns a value as a number.
///
/// # Errors
/// When it is neither a number nor the digits of one.
pub fn number(name: &str, value: &Value) -> Result<i64, Fault> {
    let number = match value {
        Value::Int(number) => Some(*number),
        // pwclient sends what was typed.
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| Fault::no_number(name, value))
}

/// Returns a value as a text.
///
/// # Errors
/// When it is not to be read as one.
pub fn text(name: &str, value: &Value) -> Result<String, Fault> {
    let text = match value {
        Value::Text(text) => Some(text.clone()),
        // Whoever looks for a hash or a name made of digits may well send a number.
        Value::Int(number) => Some(number.to_string()),
        Value::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
        _ => None,
    };
    text.ok_or_else(|| Fault::no("a string", name, value))
}

/// Returns a value as yes or no: a boolean, a number, or the words people use.
///
/// # Errors
/// When it is none of these.
pub fn flag(name: &str, value: &Value) -> Result<bool, Fault> {
    let flag = match value {
        Value::Bool(flag) => Some(*flag),
        Value::Int(number) => Some(*number != 0),
        Value::Text(text) => match text.trim().to_lowercase().as_str() {
            "yes" | "true" | "1" => Some(true),
            "no" | "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    };
    flag.ok_or_else(|| Fault::no("yes or no", name, value))
}
