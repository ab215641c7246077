//! XML-RPC as text: calls are read, answers are written. Nothing here knows a method.

mod read;
mod write;

#[cfg(test)]
mod tests;

pub use read::{Call, Unreadable, call};
pub use write::{ARRAY, FAULT, RESPONSE, push_value};

/// A value of XML-RPC.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
    /// A text.
    Text(String),
    /// A number with a fraction.
    Double(f64),
    /// A moment, in the spelling of whoever sent it.
    Moment(String),
    /// Bytes, sent as base64.
    Bytes(Vec<u8>),
    /// Values in order.
    Array(Vec<Value>),
    /// Values with names, in order.
    Struct(Vec<(String, Value)>),
    /// Nothing: the same as an argument that is not given.
    Nil,
}

impl Value {
    /// Returns members in the order given.
    pub fn members<const N: usize>(members: [(&str, Value); N]) -> Self {
        let named = members.map(|(name, value)| (name.to_owned(), value));
        Value::Struct(named.into())
    }

    /// Returns a text that is sent as base64. `None` is the word.
    ///
    /// Compatibility: most texts behind ids have always been sent so; clients decode them.
    pub fn encoded(text: Option<&str>) -> Self {
        Value::Bytes(text.unwrap_or("None").as_bytes().to_owned())
    }

    /// Returns a text; an absent one is empty.
    pub fn text(text: Option<&str>) -> Self {
        Value::Text(text.unwrap_or_default().to_owned())
    }
}

/// Says whether XML 1.0 has this character (its section 2.2).
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}
