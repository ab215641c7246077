//! Values on their way into a statement, and moments in both engines.

use sqlx::{
    Decode, Encode, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo, PgValueFormat, PgValueRef, Postgres, types::Oid},
    sqlite::{Sqlite, SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef},
};

use crate::domain::{
    CheckId, CommentId, CoverId, DiffHash, ListId, MailId, MessageId, PatchId, PersonId, ProjectId,
    RelationId, SeriesId, StateId, TagId, Timestamp, UserId,
};

/// A value bound to a statement.
#[derive(Clone, Debug)]
pub enum Value {
    /// Yes or no.
    Bool(Option<bool>),
    /// A number or an id.
    Int(Option<i64>),
    /// A text; NUL has been removed, PostgreSQL has no such character.
    Text(Option<String>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
    /// A moment.
    Time(Option<Timestamp>),
    /// Texts to be looked for all at once: an array on PostgreSQL, a JSON array on SQLite.
    Texts(Vec<String>),
}

macro_rules! values {
    ($($from:ty => $variant:ident, $value:ident => $into:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Value {
                Value::$variant(Some($into))
            }
        }

        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Value {
                Value::$variant(value.map(|$value| $into))
            }
        }
    )*};
}

values! {
    bool => Bool, value => value;
    i64 => Int, value => value;
    i32 => Int, value => i64::from(value);
    ProjectId => Int, id => id.0;
    PersonId => Int, id => id.0;
    UserId => Int, id => id.0;
    StateId => Int, id => id.0;
    TagId => Int, id => id.0;
    PatchId => Int, id => id.0;
    CoverId => Int, id => id.0;
    SeriesId => Int, id => id.0;
    CommentId => Int, id => id.0;
    CheckId => Int, id => id.0;
    RelationId => Int, id => id.0;
    MailId => Int, id => id.0;
    String => Text, text => without_nul(text);
    &str => Text, text => without_nul(text.to_owned());
    &String => Text, text => without_nul(text.clone());
    &MessageId => Text, id => without_nul(id.as_str().to_owned());
    &ListId => Text, id => without_nul(id.as_str().to_owned());
    &DiffHash => Text, hash => hash.as_str().to_owned();
    Vec<u8> => Bytes, bytes => bytes;
    &[u8] => Bytes, bytes => bytes.to_owned();
    Timestamp => Time, moment => moment;
}

/// PostgreSQL has no NUL in texts.
pub(super) fn without_nul(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "")
    } else {
        text
    }
}

// SQLite keeps microseconds since 1970 as a number.
impl Type<Sqlite> for Timestamp {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<Sqlite>>::encode_by_ref(&self.0, buffer)
    }
}

impl<'r> Decode<'r, Sqlite> for Timestamp {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Timestamp(<i64 as Decode<Sqlite>>::decode(value)?))
    }
}

/// PostgreSQL's TIMESTAMPTZ in binary: microseconds since 2000.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;
const TIMESTAMPTZ: Oid = Oid(1184);

impl Type<Postgres> for Timestamp {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ)
    }
}

impl Encode<'_, Postgres> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<Postgres>>::encode(self.0 - POSTGRES_EPOCH, buffer)
    }
}

impl<'r> Decode<'r, Postgres> for Timestamp {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        match value.format() {
            PgValueFormat::Binary => {
                let since_2000 = i64::from_be_bytes(value.as_bytes()?.try_into()?);
                Ok(Timestamp(since_2000 + POSTGRES_EPOCH))
            }
            PgValueFormat::Text => {
                Err("a moment arrived as text, which no prepared statement asks for".into())
            }
        }
    }
}
