//! JSON, written straight into the answer: no tree in between, no blank, non-ASCII as it is.

use std::fmt::Write;

use crate::domain::Timestamp;

/// A text of JSON under way.
#[derive(Debug, Default)]
pub struct Json(String);

impl Json {
    /// Returns the text.
    pub fn into_string(self) -> String {
        self.0
    }

    /// Writes what is JSON already.
    pub fn raw(&mut self, json: &str) {
        self.0.push_str(json);
    }

    /// Writes `null`.
    pub fn null(&mut self) {
        self.raw("null");
    }

    /// Writes a number.
    pub fn int(&mut self, value: i64) {
        write!(self.0, "{value}").expect("a String takes any text");
    }

    /// Writes a number or `null`.
    pub fn optional_int(&mut self, value: Option<i64>) {
        match value {
            Some(value) => self.int(value),
            None => self.null(),
        }
    }

    /// Writes yes or no.
    pub fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// Writes yes, no or `null`.
    pub fn optional_bool(&mut self, value: Option<bool>) {
        match value {
            Some(value) => self.bool(value),
            None => self.null(),
        }
    }

    /// Writes a text.
    pub fn text(&mut self, text: &str) {
        self.0.push('"');
        let mut plain = 0;
        for (at, byte) in text.bytes().enumerate() {
            let escape = match byte {
                b'"' => "\\\"",
                b'\\' => "\\\\",
                b'\n' => "\\n",
                b'\r' => "\\r",
                b'\t' => "\\t",
                0x08 => "\\b",
                0x0c => "\\f",
                0..=0x1f | 0x7f => "",
                _ => continue,
            };
            self.0.push_str(&text[plain..at]);
            match escape {
                "" => write!(self.0, "\\u{byte:04x}").expect("a String takes any text"),
                escape => self.0.push_str(escape),
            }
            plain = at + 1;
        }
        self.0.push_str(&text[plain..]);
        self.0.push('"');
    }

    /// Writes a text, or `null`.
    pub fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    /// Writes a moment: UTC without a zone, with microseconds only where there are any.
    ///
    /// Compatibility: clients compare these with clocks that know no zone (`rest.md §3.2`).
    pub fn moment(&mut self, moment: Timestamp) {
        let whole = moment.0.rem_euclid(1_000_000) == 0;
        let pattern = if whole {
            "%Y-%m-%dT%H:%M:%S"
        } else {
            "%Y-%m-%dT%H:%M:%S.%6f"
        };
        self.text(&moment.format(pattern));
    }

    /// Writes a list.
    pub fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut one: impl FnMut(&mut Json, T),
    ) {
        self.0.push('[');
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            one(self, item);
        }
        self.0.push(']');
    }

    /// Writes an object.
    pub fn object(&mut self, members: impl FnOnce(&mut Members<'_>)) {
        self.0.push('{');
        members(&mut Members {
            json: self,
            is_first: true,
        });
        self.0.push('}');
    }
}

/// The members of an object under way.
pub struct Members<'a> {
    json: &'a mut Json,
    is_first: bool,
}

impl Members<'_> {
    /// Writes a key; returns where its value goes.
    pub fn key(&mut self, key: &str) -> &mut Json {
        if !self.is_first {
            self.json.0.push(',');
        }
        self.is_first = false;
        self.json.text(key);
        self.json.0.push(':');
        self.json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Json)) -> String {
        let mut json = Json::default();
        write(&mut json);
        json.into_string()
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let hostile: String = (0..0x250)
            .filter_map(char::from_u32)
            .chain("\u{2028}😀".chars())
            .collect();
        let json = written(|json| {
            json.object(|members| {
                members.key("a\"b").text(&hostile);
                members.key("n").list([1, -2], Json::int);
                members.key("o").optional(None);
                members.key("e").object(|_| {});
            });
        });
        let read: serde_json::Value = serde_json::from_str(&json).expect(&json);
        assert_eq!(
            read,
            serde_json::json!({"a\"b": hostile, "n": [1, -2], "o": null, "e": {}})
        );
        assert!(json.contains("😀") && !json.contains(": "));
    }

    #[test]
    fn moments_have_no_zone_and_six_digits_or_none() {
        let at = |micros| written(|json| json.moment(Timestamp(micros)));
        assert_eq!(at(1_709_618_828_000_000), "\"2024-03-05T06:07:08\"");
        assert_eq!(at(1_709_618_828_000_120), "\"2024-03-05T06:07:08.000120\"");
    }
}
