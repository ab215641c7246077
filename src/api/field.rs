//! Fields of things: one table each, from which answers are written and the description of the API is made. What may be
//! written of a thing is a table beside it.

use super::{input::Text, json::Json, request::Cx, version::Version};

/// What a field holds, as the description of the API tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A number.
    Int,
    /// A number or nothing.
    OptionalInt,
    /// A text.
    Text,
    /// A text or nothing.
    OptionalText,
    /// An address.
    Url,
    /// A moment in UTC.
    Moment,
    /// Yes or no.
    Bool,
    /// Yes, no or neither.
    OptionalBool,
    /// A message id in angle brackets.
    MessageId,
    /// 40 hexadecimal digits or nothing.
    Hash,
    /// One of some words.
    Word(&'static [&'static str]),
    /// Another thing, by the name of its description.
    One(&'static str),
    /// Another thing or nothing.
    Optional(&'static str),
    /// Other things.
    Many(&'static str),
    /// Texts.
    Texts,
    /// Addresses.
    Urls,
    /// Headers: a text, or several, by name.
    Headers,
    /// An object; nothing is ever in it.
    Empty,
    /// Nothing.
    Null,
}

/// A field of a thing.
pub struct Field<T> {
    /// Its name.
    pub name: &'static str,
    /// Since which version there is one.
    pub since: Version,
    /// Whether lists leave it out.
    pub in_detail_only: bool,
    /// What it holds.
    pub holds: Holds,
    /// Whether some have it and others do not.
    pub is_rare: bool,
    /// Says whether this one has it; most always do.
    pub is_there: fn(&T) -> bool,
    /// Writes its value.
    pub write: fn(&T, &Cx<'_>, &mut Json),
}

impl<T> Field<T> {
    /// A field since the first version.
    pub const fn new(
        name: &'static str,
        holds: Holds,
        write: fn(&T, &Cx<'_>, &mut Json),
    ) -> Field<T> {
        Field {
            name,
            since: Version::V1_0,
            in_detail_only: false,
            holds,
            is_rare: false,
            is_there: |_| true,
            write,
        }
    }

    /// Since a later version.
    pub const fn since(self, since: Version) -> Field<T> {
        Field { since, ..self }
    }

    /// Not in lists.
    pub const fn in_detail_only(self) -> Field<T> {
        Field {
            in_detail_only: true,
            ..self
        }
    }

    /// Only where there is something to say.
    pub const fn only_if(self, is_there: fn(&T) -> bool) -> Field<T> {
        Field {
            is_rare: true,
            is_there,
            ..self
        }
    }
}

/// What a request may say of a field, as the description of the API tells it.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// A text.
    Text(Text),
    /// A text that matches a pattern; numbers of these types have digits that match.
    Like(&'static str, &'static [&'static str], Text),
    /// One of some words, or its number.
    Word(&'static [&'static str]),
    /// Yes or no.
    Flag,
    /// Yes, no or neither.
    OptionalFlag,
    /// A number from 1 up to this one.
    Count(i64),
    /// The id of something.
    Id,
    /// The id of something, or nothing.
    OptionalId,
    /// The id or the address of a series, nothing, or the word that has it found.
    Revision,
    /// Some ids: so many at least and at most.
    Ids(usize, usize),
    /// Fields of its own.
    Object(&'static [Change]),
}

/// A field that may be written.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// Since which version it is taken.
    pub since: Version,
    /// Whether it has to be given when a thing is made or put.
    pub is_required: bool,
}

impl Change {
    /// A field that may be left out.
    pub const fn new(name: &'static str, takes: Takes) -> Change {
        Change {
            name,
            takes,
            since: Version::V1_0,
            is_required: false,
        }
    }

    /// Since a later version.
    pub const fn since(self, since: Version) -> Change {
        Change { since, ..self }
    }

    /// Not to be left out.
    pub const fn required(self) -> Change {
        Change {
            is_required: true,
            ..self
        }
    }
}

/// Writes a thing as the version asked for knows it.
pub fn write<T>(fields: &[Field<T>], thing: &T, is_detail: bool, cx: &Cx<'_>, json: &mut Json) {
    json.object(|members| {
        for field in fields {
            let is_shown = field.since <= cx.version && (is_detail || !field.in_detail_only);
            if is_shown && (field.is_there)(thing) {
                (field.write)(thing, cx, members.key(field.name));
            }
        }
    });
}
