//! The keys of filters, `field` or `field__comparison`, as conditions (`xmlrpc.md §3.1`).

use jiff::{civil::DateTime, tz::TimeZone};

use super::{
    argument::{flag, number, text},
    codec::Value,
    fault::Fault,
};
use crate::{
    domain::Timestamp,
    store::{
        self,
        lookup::{Most, Part, Place, Test},
    },
};

/// What a filter asks for.
pub struct Filter<C> {
    /// What has to hold; `None`: what nothing can fulfil.
    pub conditions: Option<Vec<C>>,
    /// How many are wanted.
    pub most: Most,
}

/// A member of a filter.
pub struct Member<'a> {
    /// The field.
    pub field: &'a str,
    /// How it is compared.
    pub how: How,
    /// With what.
    pub value: &'a Value,
}

/// What a member of a filter comes to.
pub enum Meaning<C> {
    /// This has to hold.
    Condition(C),
    /// It holds always.
    Always,
    /// It holds never: the field or the comparison is not known.
    Never,
}

impl<C> Meaning<C> {
    /// Makes a condition of a test, where the comparison makes sense at all.
    pub fn of(test: Option<Test>, condition: impl FnOnce(Test) -> C) -> Self {
        test.map_or(Meaning::Never, |test| Meaning::Condition(condition(test)))
    }
}

/// Reads a filter; `meaning` knows the fields.
///
/// # Errors
/// When a value is of the wrong type.
pub fn read<C>(
    members: &[(String, Value)],
    meaning: impl Fn(&Member) -> Result<Meaning<C>, Fault>,
) -> Result<Filter<C>, Fault> {
    let mut conditions = Some(Vec::new());
    let mut most = Most::default();
    for (key, value) in members {
        if *value == Value::Nil {
            continue;
        }
        let Some((field, how)) = split(key) else {
            conditions = None;
            continue;
        };
        if field == "max_count" {
            most = Most(number(field, value)?);
            continue;
        }
        match meaning(&Member { field, how, value })? {
            Meaning::Condition(condition) => {
                if let Some(conditions) = &mut conditions {
                    conditions.push(condition);
                }
            }
            Meaning::Always => {}
            Meaning::Never => conditions = None,
        }
    }
    Ok(Filter { conditions, most })
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It is the value.
    Exactly,
    /// It is one of the values.
    Among,
    /// It is not there.
    IsNull,
    /// It is between two values.
    Range,
    /// It is more.
    Above,
    /// It is that or more.
    AtLeast,
    /// It is less.
    Below,
    /// It has the value in it as a text; whether case is ignored.
    Like(Place, bool),
    /// It is of a year, month or day.
    On(Part),
}

fn split(key: &str) -> Option<(&str, How)> {
    match key.split_once("__") {
        None => Some((key, How::Exactly)),
        Some((field, word)) => Some((field, how(word)?)),
    }
}

fn how(word: &str) -> Option<How> {
    Some(match word {
        "iexact" => How::Like(Place::Whole, true),
        "contains" => How::Like(Place::Anywhere, false),
        "icontains" => How::Like(Place::Anywhere, true),
        "startswith" => How::Like(Place::Start, false),
        "istartswith" => How::Like(Place::Start, true),
        "endswith" => How::Like(Place::End, false),
        "iendswith" => How::Like(Place::End, true),
        "gt" => How::Above,
        "gte" => How::AtLeast,
        "lt" => How::Below,
        "in" => How::Among,
        "range" => How::Range,
        "year" => How::On(Part::Year),
        "month" => How::On(Part::Month),
        "day" => How::On(Part::Day),
        "isnull" => How::IsNull,
        _ => return None,
    })
}

impl Member<'_> {
    /// Returns the value as an id, whatever the comparison: fields that refer to something are always equal to it.
    ///
    /// # Errors
    /// When it is no number.
    pub fn id(&self) -> Result<i64, Fault> {
        number(self.field, self.value)
    }

    /// Returns the test of a number.
    ///
    /// # Errors
    /// When the value is of the wrong type.
    pub fn number(&self) -> Result<Option<Test>, Fault> {
        self.test(|value| number(self.field, value).map(store::Value::from))
    }

    /// Returns the test of a text.
    ///
    /// # Errors
    /// When the value is of the wrong type.
    pub fn text(&self) -> Result<Option<Test>, Fault> {
        self.test(|value| text(self.field, value).map(store::Value::from))
    }

    /// Returns the test of a moment.
    ///
    /// # Errors
    /// When the value is of the wrong type.
    pub fn moment(&self) -> Result<Option<Test>, Fault> {
        match self.how {
            How::On(part) => Ok(Some(Test::On(part, self.id()?))),
            How::Like(Place::Whole, _) => Ok(Some(Test::Is(self.date(self.value)?))),
            _ => self.test(|value| self.date(value)),
        }
    }

    fn date(&self, value: &Value) -> Result<store::Value, Fault> {
        let moment = match value {
            Value::Text(text) | Value::Moment(text) => moment(text.trim()),
            _ => None,
        };
        moment
            .map(store::Value::from)
            .ok_or_else(|| Fault::no("a date such as 2024-03-05 06:07:08", self.field, value))
    }

    fn test(
        &self,
        one: impl Fn(&Value) -> Result<store::Value, Fault>,
    ) -> Result<Option<Test>, Fault> {
        Ok(Some(match self.how {
            How::Exactly => Test::Is(one(self.value)?),
            How::Above => Test::Above(one(self.value)?),
            How::AtLeast => Test::AtLeast(one(self.value)?),
            How::Below => Test::Below(one(self.value)?),
            How::IsNull => Test::Empty(flag(self.field, self.value)?),
            How::Among => Test::Among(self.many()?.iter().map(one).collect::<Result<_, _>>()?),
            How::Range => match self.many()? {
                [least, most] => Test::Between(one(least)?, one(most)?),
                _ => return Err(Fault::no("two values", self.field, self.value)),
            },
            How::Like(place, ignore_case) => Test::Like {
                place,
                text: text(self.field, self.value)?,
                ignore_case,
            },
            How::On(_) => return Ok(None),
        }))
    }

    fn many(&self) -> Result<&[Value], Fault> {
        match self.value {
            Value::Array(values) => Ok(values),
            other => Err(Fault::no("an array", self.field, other)),
        }
    }
}

/// Reads `2024-03-05`, with a time behind it or not, in UTC unless it says otherwise.
fn moment(text: &str) -> Option<Timestamp> {
    let moment = match text.parse::<jiff::Timestamp>() {
        Ok(moment) => moment,
        Err(_) => {
            let local: DateTime = text.parse().ok()?;
            local.to_zoned(TimeZone::UTC).ok()?.timestamp()
        }
    };
    Some(Timestamp(moment.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_people_write_them() {
        let cases = [
            ("2024-03-05", Some("2024-03-05T00:00:00Z")),
            ("2024-03-05 06:07", Some("2024-03-05T06:07:00Z")),
            ("2024-03-05 06:07:08", Some("2024-03-05T06:07:08Z")),
            ("2024-03-05T06:07:08.5", Some("2024-03-05T06:07:08Z")),
            ("2024-03-05T06:07:08Z", Some("2024-03-05T06:07:08Z")),
            ("2024-03-05 08:07:08+02:00", Some("2024-03-05T06:07:08Z")),
            ("20240305T06:07:08", Some("2024-03-05T06:07:08Z")),
            ("yesterday", None),
            ("2024-02-30", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let read = moment(text).map(Timestamp::iso);
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn keys_are_a_field_and_a_comparison() {
        assert_eq!(split("name"), Some(("name", How::Exactly)));
        assert_eq!(split("name__in"), Some(("name", How::Among)));
        for key in [
            "id__lte",
            "id__exact",
            "id__ne",
            "name__regex",
            "name__icontains__x",
            "a__",
        ] {
            assert_eq!(split(key), None, "{key}");
        }
    }
}
