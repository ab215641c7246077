//! The body of a request: an object of JSON or a form, and how its values are read (`rest.md §2`).

use multer::{Multipart, bytes::Bytes};
use rocket::futures::stream;
use serde_json::{Map, Number, Value};

use super::error::{Faults, Problem, Result};

/// How many fields a form may have.
const MOST_FIELDS: usize = 10_000;

/// What a request brings.
#[derive(Debug)]
pub enum Input {
    /// An object of JSON.
    Json(Map<String, Value>),
    /// The fields of a form, in order.
    Form(Vec<(String, String)>),
}

/// The value of one field.
#[derive(Clone, Debug)]
pub enum Given<'a> {
    /// As JSON.
    Json(&'a Value),
    /// As texts, one or more.
    Form(Vec<&'a str>),
}

impl Input {
    /// Reads a body of the given type; without a body there are no fields.
    ///
    /// # Errors
    /// When the type is none we know, or the body is not of it.
    pub async fn read(kind: Option<&str>, body: Vec<u8>) -> Result<Input> {
        let kind = kind.unwrap_or_default();
        let name = kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match name.as_str() {
            "application/x-www-form-urlencoded" | "multipart/form-data" if body.is_empty() => {
                Ok(Input::Form(Vec::new()))
            }
            _ if body.is_empty() => Ok(Input::Json(Map::new())),
            "application/json" => json(&body),
            "application/x-www-form-urlencoded" => Ok(Input::Form(pairs(&body))),
            "multipart/form-data" => multipart(kind, body).await,
            _ => Err(Problem::MediaType(kind.to_owned())),
        }
    }

    /// Returns what is given for a field.
    pub fn get(&self, name: &str) -> Option<Given<'_>> {
        match self {
            Input::Json(object) => object.get(name).map(Given::Json),
            Input::Form(fields) => {
                let of_it = fields.iter().filter(|(key, _)| key == name);
                let values: Vec<&str> = of_it.map(|(_, value)| value.as_str()).collect();
                (!values.is_empty()).then_some(Given::Form(values))
            }
        }
    }

    /// Reads yes or no, if it is given. Compatibility: browsers do not send a box that is not ticked, so in a form that
    /// says all of a thing it means no.
    pub fn flag(&self, name: &'static str, is_whole: bool, faults: &mut Faults) -> Option<bool> {
        match self.get(name) {
            Some(given) => faults.take(name, given.bool()),
            None => (is_whole && self.is_form()).then_some(false),
        }
    }

    /// Says whether it is a form.
    pub fn is_form(&self) -> bool {
        matches!(self, Input::Form(_))
    }

    /// Returns the fields of an object within: in forms their names begin with the object's and a dot. `None` where the
    /// object is not given at all.
    ///
    /// # Errors
    /// What is wrong with it, when it is no object.
    pub fn inner(&self, name: &str) -> Option<Result<Input, String>> {
        match self {
            Input::Form(fields) => {
                let own = fields.iter().filter_map(|(key, value)| {
                    let key = key.strip_prefix(name)?.strip_prefix('.')?;
                    Some((key.to_owned(), value.clone()))
                });
                let own: Vec<_> = own.collect();
                (!own.is_empty()).then_some(Ok(Input::Form(own)))
            }
            Input::Json(object) => Some(match object.get(name)? {
                Value::Object(inner) => Ok(Input::Json(inner.clone())),
                other => Err(no_object(other)),
            }),
        }
    }
}

fn json(body: &[u8]) -> Result<Input> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Problem::Malformed(format!("JSON parse error - {error}")))?;
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Problem::Malformed(format!("JSON parse error - {error}")))?;
    match value {
        Value::Object(object) => Ok(Input::Json(object)),
        Value::Null => Err(Problem::NoObject("No data provided".to_owned())),
        other => Err(Problem::NoObject(no_object(&other))),
    }
}

/// Returns the word that clients know for a value of a wrong type.
fn no_object(value: &Value) -> String {
    format!(
        "Invalid data. Expected a dictionary, but got {}.",
        kind(value)
    )
}

/// Compatibility: types are called as Python calls them.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// Reads pairs as forms and query strings have them.
pub fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text)
        .take(MOST_FIELDS)
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect()
}

async fn multipart(kind: &str, body: Vec<u8>) -> Result<Input> {
    let broken =
        |error: multer::Error| Problem::Malformed(format!("Multipart form parse error - {error}"));
    let boundary = multer::parse_boundary(kind).map_err(broken)?;
    let whole = stream::once(async { Ok::<_, std::convert::Infallible>(Bytes::from(body)) });
    let mut parts = Multipart::new(whole, boundary);
    let mut fields = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        let is_file = part.file_name().is_some();
        let value = part.bytes().await.map_err(broken)?;
        if !is_file && fields.len() < MOST_FIELDS {
            fields.push((name, String::from_utf8_lossy(&value).into_owned()));
        }
    }
    Ok(Input::Form(fields))
}

/// What a text may be.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// How many characters at most.
    pub most: usize,
    /// Whether it may be empty.
    pub blank: bool,
    /// Whether there may be none.
    pub null: bool,
}

/// What a text that may not be empty matches; no text may have a NUL.
pub const NOT_BLANK: &str = r"^[^\u0000]*[^\s\u0000][^\u0000]*$";

/// What any other text matches.
pub const NO_NUL: &str = r"^[^\u0000]*$";

const NO_NULL: &str = "This field may not be null.";

impl Given<'_> {
    /// Returns the text that is given: the last one is the one that counts.
    pub fn last(&self) -> Option<&str> {
        match self {
            Given::Form(values) => values.last().copied(),
            Given::Json(Value::String(text)) => Some(text),
            Given::Json(_) => None,
        }
    }

    /// Says whether it is JSON's `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Given::Json(Value::Null))
    }

    /// Reads a text; its ends are trimmed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn text(&self, rule: Text) -> Result<Option<String>, String> {
        let text = match self {
            Given::Json(Value::Null) if rule.null => return Ok(None),
            Given::Json(Value::Null) => return Err(NO_NULL.to_owned()),
            Given::Json(Value::Number(number)) => decimal(number),
            _ => self.last().ok_or("Not a valid string.")?.to_owned(),
        };
        let text = text.trim();
        // PostgreSQL has no such character.
        if text.contains('\0') {
            return Err("Null characters are not allowed.".to_owned());
        }
        if text.is_empty() && !rule.blank {
            return Err("This field may not be blank.".to_owned());
        }
        if text.chars().count() > rule.most {
            return Err(format!(
                "Ensure this field has no more than {} characters.",
                rule.most
            ));
        }
        Ok(Some(text.to_owned()))
    }

    /// Reads yes or no.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn bool(&self) -> Result<bool, String> {
        match self {
            Given::Json(Value::Null) => Err(NO_NULL.to_owned()),
            Given::Json(Value::Bool(value)) => Ok(*value),
            Given::Json(Value::Number(number)) => match number.as_f64() {
                Some(1.0) => Ok(true),
                Some(0.0) => Ok(false),
                _ => Err("Must be a valid boolean.".to_owned()),
            },
            _ => self
                .last()
                .and_then(truth)
                .ok_or_else(|| "Must be a valid boolean.".to_owned()),
        }
    }

    /// Reads yes, no or neither.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn optional_bool(&self) -> Result<Option<bool>, String> {
        match self.last() {
            _ if self.is_null() => Ok(None),
            Some(text) if matches!(text.trim().to_ascii_lowercase().as_str(), "" | "null") => {
                Ok(None)
            }
            _ => self.bool().map(Some),
        }
    }

    /// Reads a number within bounds.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn count(&self, least: i64, most: i64) -> Result<i64, String> {
        let number = match self {
            Given::Json(Value::Null) => return Err(NO_NULL.to_owned()),
            Given::Json(Value::Number(number)) => whole(number),
            _ => self.last().and_then(|text| text.trim().parse().ok()),
        };
        match number {
            None => Err("A valid integer is required.".to_owned()),
            Some(number) if number < least => Err(format!(
                "Ensure this value is greater than or equal to {least}."
            )),
            Some(number) if number > most => Err(format!(
                "Ensure this value is less than or equal to {most}."
            )),
            Some(number) => Ok(number),
        }
    }

    /// Reads an id of something; whether it is there is another question.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn id(&self) -> Result<i64, String> {
        match self {
            Given::Json(value) => id(value),
            Given::Form(_) => {
                let text = self.last().unwrap_or_default();
                text.trim().parse().map_err(|_| wrong_type("str"))
            }
        }
    }

    /// Reads an id of something, or none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn optional_id(&self) -> Result<Option<i64>, String> {
        match self.last() {
            _ if self.is_null() => Ok(None),
            Some("") => Ok(None),
            _ => self.id().map(Some),
        }
    }

    /// Reads a list of ids.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn ids(&self) -> Result<Vec<i64>, String> {
        match self {
            Given::Json(Value::Null) => Err(NO_NULL.to_owned()),
            Given::Json(Value::Array(values)) => values.iter().map(id).collect(),
            Given::Json(other) => Err(format!(
                "Expected a list of items but got type \"{}\".",
                kind(other)
            )),
            Given::Form(values) => {
                let some = values.iter().filter(|value| !value.is_empty());
                some.map(|value| value.trim().parse().map_err(|_| wrong_type("str")))
                    .collect()
            }
        }
    }
}

fn id(value: &Value) -> Result<i64, String> {
    let number = match value {
        Value::Null => return Err(NO_NULL.to_owned()),
        Value::Number(number) => whole(number),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| wrong_type(kind(value)))
}

/// Returns a number as it was written; JSON knows no largest one, so a large one comes with an exponent.
fn decimal(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && (1e16..1e40).contains(&float.abs()) => float.to_string(),
        _ => number.to_string(),
    }
}

/// Reads a whole number, also one written as `7.0`: JSON makes no difference.
fn whole(number: &Number) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let is_whole = |value: &f64| value.fract() == 0.0 && value.abs() < EXACT;
    let float = number.as_f64().filter(is_whole);
    number.as_i64().or(float.map(|value| value as i64))
}

fn wrong_type(kind: &str) -> String {
    format!("Incorrect type. Expected pk value, received {kind}.")
}

/// Reads the words for yes and no.
fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "t" | "y" | "yes" | "true" | "on" | "1" => Some(true),
        "f" | "n" | "no" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yes_and_no_have_many_spellings() {
        for yes in [json!(true), json!(1), json!("Yes"), json!("ON"), json!("t")] {
            assert_eq!(Given::Json(&yes).bool(), Ok(true), "{yes}");
        }
        for no in [json!(false), json!(0), json!("no"), json!("F")] {
            assert_eq!(Given::Json(&no).bool(), Ok(false), "{no}");
        }
        for neither in [json!("maybe"), json!(2), json!([]), json!({}), json!(null)] {
            assert!(Given::Json(&neither).bool().is_err(), "{neither}");
        }
        for none in [json!(null), json!(""), json!("null")] {
            assert_eq!(Given::Json(&none).optional_bool(), Ok(None), "{none}");
        }
    }

    #[test]
    fn texts_are_trimmed_and_bounded() {
        let rule = Text {
            most: 3,
            blank: false,
            null: false,
        };
        let of = |value: Value| Given::Json(&value).text(rule);
        assert_eq!(of(json!(" ab ")), Ok(Some("ab".to_owned())));
        assert_eq!(of(json!(12)), Ok(Some("12".to_owned())));
        let long: Value = serde_json::from_str("1455973563551926575845909463040").expect("JSON");
        let text = Given::Json(&long).text(Text { most: 40, ..rule });
        assert!(text.is_ok_and(|text| text.is_some_and(|it| it.len() == 31)));
        assert_eq!(
            of(json!("abcd")),
            Err("Ensure this field has no more than 3 characters.".to_owned())
        );
        assert_eq!(
            of(json!(" ")),
            Err("This field may not be blank.".to_owned())
        );
        for bad in [json!(true), json!([]), json!({}), json!(null)] {
            assert!(of(bad).is_err());
        }
    }

    #[test]
    fn ids_are_numbers_or_digits() {
        let of = |value: Value| Given::Json(&value).id();
        assert_eq!(of(json!(7)), Ok(7));
        assert_eq!(of(json!("7")), Ok(7));
        assert_eq!(of(json!(7.0)), Ok(7));
        assert!(of(json!(7.5)).is_err() && of(json!(1e300)).is_err());
        assert_eq!(
            of(json!("m")),
            Err("Incorrect type. Expected pk value, received str.".to_owned())
        );
        assert_eq!(
            of(json!(true)),
            Err("Incorrect type. Expected pk value, received bool.".to_owned())
        );
        assert_eq!(Given::Form(vec!["1", "", "3"]).ids(), Ok(vec![1, 3]));
        assert_eq!(
            Given::Json(&json!("1")).ids(),
            Err("Expected a list of items but got type \"str\".".to_owned())
        );
    }

    #[rocket::async_test]
    async fn bodies_are_read_by_their_type() {
        let form = Input::read(
            Some("application/x-www-form-urlencoded"),
            b"a=1&a=b+c&s.x=2".to_vec(),
        )
        .await;
        let form = form.expect("a form");
        assert!(matches!(form.get("a"), Some(Given::Form(values)) if values == ["1", "b c"]));
        let inner = form.inner("s").expect("given").expect("an object");
        assert!(matches!(inner.get("x"), Some(Given::Form(values)) if values == ["2"]));
        let body = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\u{e9}\r\n\
            --x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"b\"\r\n\r\nfile\r\n--x--\r\n";
        let parts = Input::read(Some("multipart/form-data; boundary=x"), body.into())
            .await
            .expect("parts");
        assert!(matches!(parts.get("a"), Some(Given::Form(values)) if values == ["\u{e9}"]));
        assert!(parts.get("f").is_none());
        for (kind, body) in [
            (Some("text/plain"), "x"),
            (None, "x"),
            (Some("application/json"), "{bad"),
            (Some("application/json"), "[]"),
            (Some("application/json"), "null"),
            (Some("multipart/form-data"), "x"),
        ] {
            assert!(
                Input::read(kind, body.into()).await.is_err(),
                "{kind:?} {body}"
            );
        }
        assert!(Input::read(Some("text/plain"), Vec::new()).await.is_ok());
        let nothing = Input::read(Some("application/x-www-form-urlencoded"), Vec::new()).await;
        assert!(nothing.expect("an empty form").is_form());
    }
}
