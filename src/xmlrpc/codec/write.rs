//! Values as XML.

use std::fmt::Write;

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{Value, is_allowed};

/// What stands before and behind the value of an answer.
pub const RESPONSE: (&str, &str) = (
    "<?xml version='1.0'?>\n<methodResponse><params><param>",
    "</param></params></methodResponse>\n",
);

/// What stands before and behind a fault.
pub const FAULT: (&str, &str) = (
    "<?xml version='1.0'?>\n<methodResponse><fault>",
    "</fault></methodResponse>\n",
);

/// How many characters of base64 stand in a line, as in a mail (RFC 2045, section 6.8).
const LINE: usize = 76;

/// What stands before and behind the values of an array that is sent piece by piece.
pub const ARRAY: (&str, &str) = ("<value><array><data>\n", "</data></array></value>");

/// Appends a value.
pub fn push_value(out: &mut String, value: &Value) {
    out.push_str("<value>");
    match value {
        Value::Int(number) => push(out, format_args!("<int>{number}</int>")),
        Value::Bool(yes) => push(out, format_args!("<boolean>{}</boolean>", u8::from(*yes))),
        Value::Double(number) => push(out, format_args!("<double>{number}</double>")),
        Value::Text(text) => push_text(out, "string", text),
        Value::Moment(text) => push_text(out, "dateTime.iso8601", text),
        Value::Bytes(bytes) => push_base64(out, bytes),
        Value::Array(values) => push_array(out, values),
        Value::Struct(members) => push_struct(out, members),
        Value::Nil => out.push_str("<nil/>"),
    }
    out.push_str("</value>");
}

fn push(out: &mut String, text: std::fmt::Arguments) {
    out.write_fmt(text).expect("a String takes any text");
}

fn push_text(out: &mut String, tag: &str, text: &str) {
    push(out, format_args!("<{tag}>"));
    push_escaped(out, text);
    push(out, format_args!("</{tag}>"));
}

/// Appends a text so that what a reader gets is the text.
fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A bare one is the end of a line, which readers turn into a line feed (XML 1.0, section 2.11).
            '\r' => out.push_str("&#13;"),
            c if is_allowed(c) => out.push(c),
            _ => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
}

fn push_base64(out: &mut String, bytes: &[u8]) {
    let text = BASE64_STANDARD.encode(bytes);
    out.push_str("<base64>\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        push(out, format_args!("{line}\n"));
        rest = after;
    }
    out.push_str("</base64>");
}

fn push_array(out: &mut String, values: &[Value]) {
    out.push_str("<array><data>\n");
    for value in values {
        push_value(out, value);
        out.push('\n');
    }
    out.push_str("</data></array>");
}

fn push_struct(out: &mut String, members: &[(String, Value)]) {
    out.push_str("<struct>\n");
    for (name, value) in members {
        out.push_str("<member>");
        push_text(out, "name", name);
        push_value(out, value);
        out.push_str("</member>\n");
    }
    out.push_str("</struct>");
}
