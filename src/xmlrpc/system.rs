//! What the interface says of itself, and several calls in one.

use super::{
    answer::Answer,
    argument::Arguments,
    codec::Value,
    fault::Fault,
    method::{self, Method},
};

/// The numbers of the interface: those of the original's last.
const VERSION: [i64; 3] = [1, 3, 0];

/// Returns the numbers of the interface.
pub fn version() -> Value {
    Value::Array(VERSION.map(Value::Int).into())
}

/// Returns the names of all methods.
pub fn list_methods() -> Value {
    Value::Array(method::ALL.iter().map(|method| text(method.word)).collect())
}

/// Returns what a method does.
///
/// # Errors
/// When there is no such method.
pub fn method_help(mut arguments: Arguments) -> Result<Value, Fault> {
    named(&mut arguments).map(|method| text(method.help))
}

/// Returns the types of a method, once for each number of arguments that it takes.
///
/// # Errors
/// When there is no such method.
pub fn method_signature(mut arguments: Arguments) -> Result<Value, Fault> {
    let method = named(&mut arguments)?;
    let counts = method.needed()..=method.arguments.len();
    Ok(Value::Array(
        counts.map(|count| signature(method, count)).collect(),
    ))
}

fn signature(method: &Method, count: usize) -> Value {
    let taken = method.arguments.iter().take(count);
    let types = [method.returns].into_iter().chain(taken.map(|a| a.kind));
    Value::Array(types.map(text).collect())
}

fn named(arguments: &mut Arguments) -> Result<&'static Method, Fault> {
    let word = arguments.text(0)?;
    method::by_word(&word).ok_or(Fault::NoMethod(word))
}

/// Returns which extensions there are, in the way clients know.
pub fn capabilities() -> Value {
    let one = |url: &str| Value::members([("specUrl", text(url)), ("specVersion", Value::Int(1))]);
    Value::members([
        ("xmlrpc", one("http://xmlrpc.com/spec.md")),
        (
            "introspect",
            one("http://xmlrpc-c.sourceforge.net/introspection.html"),
        ),
        (
            "system.multicall",
            one("http://xmlrpc-c.sourceforge.net/doc/libxmlrpc_server.html"),
        ),
    ])
}

/// Returns the calls to make.
///
/// # Errors
/// When they are no array.
pub fn multicall(mut arguments: Arguments) -> Result<Answer, Fault> {
    arguments.array(0).map(Answer::Calls)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
