//! The one place where errors become faults (`xmlrpc.md §5`).

use super::codec::{Unreadable, Value};
use crate::store;

/// Why a call has no answer.
///
/// Compatibility: the names of Python classes in front are what the original sends, and scripts look for them.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is not known who asks.
    #[error("<class 'Exception'>:{0}")]
    Stranger(#[from] Stranger),
    /// Who asks may not do it.
    #[error("<class 'Exception'>:No permissions to edit this patch")]
    NotEditor,
    /// There is no such patch.
    #[error("<class 'patchwork.models.Patch.DoesNotExist'>:Patch matching query does not exist.")]
    NoPatch,
    /// There is no such state.
    #[error("<class 'patchwork.models.State.DoesNotExist'>:State matching query does not exist.")]
    NoState,
    /// There is no such method.
    #[error("<class 'Exception'>:method \"{0}\" is not supported")]
    NoMethod(String),
    /// A sentence says it all.
    #[error("<class 'Exception'>:{0}")]
    Said(String),
    /// There are too few arguments, or too many.
    #[error("<class 'TypeError'>:{0}")]
    Arguments(String),
    /// A value is of the wrong type, or not to be had.
    #[error("<class 'ValueError'>:{0}")]
    Value(String),
    /// What was sent is no call.
    #[error("<class 'xml.parsers.expat.ExpatError'>:{0}")]
    Xml(String),
    /// The database failed.
    #[error("<class 'Exception'>:Internal server error")]
    Store(#[from] store::Error),
}

/// Why it is not known who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stranger {
    /// Nothing is said about it.
    #[error("No authentication credentials given")]
    Silent,
    /// It is said in a way we do not know.
    #[error("Authentication scheme not supported")]
    Scheme,
    /// It is said so that nobody understands it.
    #[error("Invalid authentication credentials")]
    Unclear,
    /// It is not true.
    #[error("Invalid username/password")]
    Wrong,
    /// There were too many wrong passwords.
    #[error("Too many wrong passwords of late. Please try again later.")]
    TooOften,
}

impl From<Unreadable> for Fault {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Xml(what) => Fault::Xml(what),
            Unreadable::Value(what) => Fault::Value(what),
        }
    }
}

impl Fault {
    /// A number is expected, and something else is there.
    pub fn no_number(name: &str, value: &Value) -> Self {
        Fault::Value(format!(
            "Field '{name}' expected a number but got {}.",
            shown(value)
        ))
    }

    /// Something is expected, and something else is there.
    pub fn no(what: &str, name: &str, value: &Value) -> Self {
        Fault::Value(format!(
            "Field '{name}' expected {what} but got {}.",
            shown(value)
        ))
    }

    /// Returns it as it is sent.
    pub fn value(&self) -> Value {
        Value::members([
            ("faultCode", Value::Int(1)),
            ("faultString", Value::Text(self.to_string())),
        ])
    }
}

/// Returns a value as a fault names it: short, for it may be megabytes.
fn shown(value: &Value) -> String {
    match value {
        Value::Int(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Text(text) | Value::Moment(text) => {
            format!("'{}'", text.chars().take(100).collect::<String>())
        }
        Value::Bytes(_) => "base64".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Struct(_) => "a struct".to_owned(),
        Value::Nil => "nothing".to_owned(),
    }
}
