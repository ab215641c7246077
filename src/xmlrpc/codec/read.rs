//! A call read from XML: no DTD, no entities but XML's own, and no deeper than anybody needs.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use encoding_rs::{Encoding, UTF_8};
use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesRef, Event},
};

use super::{Value, is_allowed};

/// How deep values may lie in each other.
const MAX_DEPTH: usize = 64;

/// A method and what it is called with.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The name of the method.
    pub method: String,
    /// The arguments.
    pub params: Vec<Value>,
}

/// Why something cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is no XML, or no call.
    Xml(String),
    /// A value is not of the type that it says.
    Value(String),
}

type Result<T> = std::result::Result<T, Unreadable>;

/// Reads a call.
///
/// # Errors
/// When it is none.
pub fn call(bytes: &[u8]) -> Result<Call> {
    let text = decoded(bytes)?;
    let mut document = Document::new(&text);
    match document.call() {
        Err(Unreadable::Xml(what)) => Err(Unreadable::Xml(document.placed(&what))),
        read => read,
    }
}

/// Returns the text in the encoding that it names: by its first bytes, in its first line, else UTF-8.
fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>> {
    let unreadable = |what: &str| Unreadable::Xml(format!("{what}: line 1, column 0"));
    let encoding = match (Encoding::for_bom(bytes), declared(bytes)) {
        (Some((encoding, _)), _) => encoding,
        (None, Some(label)) => {
            Encoding::for_label(label).ok_or_else(|| unreadable("unknown encoding"))?
        }
        (None, None) => UTF_8,
    };
    let (text, _, is_broken) = encoding.decode(bytes);
    if is_broken || !text.chars().all(is_allowed) {
        return Err(unreadable("not well-formed (invalid token)"));
    }
    Ok(text)
}

/// Returns the encoding that an XML declaration names.
fn declared(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.trim_ascii_start().strip_prefix(b"<?xml")?;
    let end = rest.windows(2).position(|two| two == b"?>")?;
    let declaration = &rest[..end];
    let word = b"encoding";
    let start = declaration.windows(word.len()).position(|at| at == word)? + word.len();
    let value = declaration[start..].trim_ascii_start().strip_prefix(b"=")?;
    let (quote, value) = value.trim_ascii_start().split_first()?;
    value.split(|byte| byte == quote).next()
}

/// What comes next that matters.
enum Token<'a> {
    Open(Cow<'a, str>),
    Close,
    Text(Cow<'a, str>),
    End,
}

struct Document<'a> {
    reader: Reader<&'a [u8]>,
    text: &'a str,
    depth: usize,
}

impl<'a> Document<'a> {
    fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Document {
            reader,
            text,
            depth: 0,
        }
    }

    /// Adds to what is wrong where it is.
    fn placed(&self, what: &str) -> String {
        let position = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        let before = self.text.as_bytes().get(..position);
        let before = before.unwrap_or(self.text.as_bytes());
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = before.iter().rev().take_while(|byte| **byte != b'\n');
        format!("{what}: line {line}, column {}", column.count())
    }

    fn call(&mut self) -> Result<Call> {
        self.open("methodCall")?;
        self.open("methodName")?;
        let method = self.text()?.trim().to_owned();
        let mut params = Vec::new();
        while let Some(name) = self.child()? {
            is(&name, "params")?;
            while let Some(name) = self.child()? {
                is(&name, "param")?;
                self.open("value")?;
                params.push(self.value()?);
                self.close()?;
            }
        }
        match self.significant()? {
            Token::End => Ok(Call { method, params }),
            _ => Err(xml("junk after document element")),
        }
    }

    /// Reads what is in a `<value>`, and its end.
    fn value(&mut self) -> Result<Value> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(xml("values lie too deep in each other"));
        }
        let mut text = String::new();
        let value = loop {
            match self.next()? {
                Token::Text(more) => text.push_str(&more),
                // Without a type it is a text.
                Token::Close => break Value::Text(text),
                Token::Open(kind) if is_blank(&text) => {
                    let value = self.typed(&kind)?;
                    self.close()?;
                    break value;
                }
                Token::Open(_) => return Err(xml("text beside a value")),
                Token::End => return Err(xml("no element found")),
            }
        };
        self.depth -= 1;
        Ok(value)
    }

    /// Reads what is in an element that says its type, and the end of the element.
    fn typed(&mut self, kind: &str) -> Result<Value> {
        match kind {
            "array" => return self.array(),
            "struct" => return self.members(),
            _ => {}
        }
        let text = self.text()?;
        Ok(match kind {
            "string" => Value::Text(text),
            "int" | "i1" | "i2" | "i4" | "i8" | "ex:i8" => Value::Int(int(&text)?),
            "boolean" => Value::Bool(boolean(&text)?),
            "double" => Value::Double(double(&text)?),
            "base64" => Value::Bytes(base64(&text)?),
            "dateTime.iso8601" => Value::Moment(text.trim().to_owned()),
            "nil" | "ex:nil" if is_blank(&text) => Value::Nil,
            _ => return Err(xml(&format!("unknown type {kind}"))),
        })
    }

    fn array(&mut self) -> Result<Value> {
        let mut values = Vec::new();
        self.open("data")?;
        while let Some(name) = self.child()? {
            is(&name, "value")?;
            values.push(self.value()?);
        }
        self.close()?;
        Ok(Value::Array(values))
    }

    fn members(&mut self) -> Result<Value> {
        let mut members: Vec<(String, Value)> = Vec::new();
        while let Some(name) = self.child()? {
            is(&name, "member")?;
            self.open("name")?;
            let name = self.text()?;
            self.open("value")?;
            members.push((name, self.value()?));
            self.close()?;
        }
        Ok(Value::Struct(members))
    }

    /// Demands the beginning of an element.
    fn open(&mut self, name: &str) -> Result<()> {
        match self.significant()? {
            Token::Open(found) => is(&found, name),
            Token::End => Err(xml("no element found")),
            _ => Err(xml(&format!("<{name}> expected"))),
        }
    }

    /// Demands the end of the element.
    fn close(&mut self) -> Result<()> {
        match self.child()? {
            None => Ok(()),
            Some(name) => Err(xml(&format!("<{name}> is too much"))),
        }
    }

    /// Returns the name of the element that begins; `None` when that around it ends.
    fn child(&mut self) -> Result<Option<Cow<'a, str>>> {
        match self.significant()? {
            Token::Open(name) => Ok(Some(name)),
            Token::Close => Ok(None),
            _ => Err(xml("no element found")),
        }
    }

    /// Reads text to the end of the element.
    fn text(&mut self) -> Result<String> {
        let mut text = String::new();
        loop {
            match self.next()? {
                Token::Text(more) => text.push_str(&more),
                Token::Close => return Ok(text),
                Token::Open(name) => return Err(xml(&format!("<{name}> is too much"))),
                Token::End => return Err(xml("no element found")),
            }
        }
    }

    /// Returns what comes next and is not the space between elements.
    fn significant(&mut self) -> Result<Token<'a>> {
        loop {
            match self.next()? {
                Token::Text(text) if is_blank(&text) => {}
                Token::Text(_) => return Err(xml("syntax error")),
                token => return Ok(token),
            }
        }
    }

    fn next(&mut self) -> Result<Token<'a>> {
        loop {
            let event = self.reader.read_event();
            return Ok(match event.map_err(|error| xml(&error.to_string()))? {
                Event::Start(start) => Token::Open(start.name().as_ref().to_owned().into()),
                Event::End(_) => Token::Close,
                Event::Text(text) => Token::Text(text.xml10_content()),
                Event::CData(text) => Token::Text(text.xml10_content()),
                Event::GeneralRef(entity) => Token::Text(resolved(&entity)?.into()),
                Event::DocType(_) => return Err(xml("document types are not taken")),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => continue,
                Event::Eof => Token::End,
                Event::Empty(_) => return Err(xml("syntax error")),
            });
        }
    }
}

/// Returns what a reference stands for: a character, or one of the five names that XML has by itself.
fn resolved(entity: &BytesRef) -> Result<String> {
    let character = entity.resolve_char_ref();
    match character.map_err(|error| xml(&error.to_string()))? {
        Some(c) if is_allowed(c) => Ok(c.to_string()),
        Some(_) => Err(xml("reference to invalid character number")),
        None => resolve_predefined_entity(&entity.xml10_content())
            .map(str::to_owned)
            .ok_or_else(|| xml("undefined entity")),
    }
}

fn is_blank(text: &str) -> bool {
    text.trim_ascii().is_empty()
}

fn is(found: &str, expected: &str) -> Result<()> {
    match found == expected {
        true => Ok(()),
        false => Err(xml(&format!("<{expected}> expected, not <{found}>"))),
    }
}

fn xml(what: &str) -> Unreadable {
    Unreadable::Xml(what.to_owned())
}

fn int(text: &str) -> Result<i64> {
    let number = text.trim().parse();
    number.map_err(|_| {
        Unreadable::Value(format!(
            "invalid literal for int() with base 10: '{}'",
            text.trim()
        ))
    })
}

fn boolean(text: &str) -> Result<bool> {
    match text.trim() {
        "1" => Ok(true),
        "0" => Ok(false),
        other => Err(Unreadable::Value(format!("bad boolean value '{other}'"))),
    }
}

fn double(text: &str) -> Result<f64> {
    let number = text.trim().parse();
    number.map_err(|_| {
        Unreadable::Value(format!(
            "could not convert string to float: '{}'",
            text.trim()
        ))
    })
}

fn base64(text: &str) -> Result<Vec<u8>> {
    let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    BASE64_STANDARD
        .decode(digits)
        .map_err(|error| Unreadable::Value(format!("not base64: {error}")))
}
