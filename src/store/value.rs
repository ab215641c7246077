//! Values on their way into a statement, and moments in both engines.

use sqlx::{
    Decode, Encode, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{
        PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef, Postgres,
        types::Oid,
    },
    sqlite::{Sqlite, SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef},
};

use crate::domain::{
    BundleId, CheckId, CommentId, CoverId, DeliveryId, DiffHash, EventId, ListId, MailId,
    MessageId, OutboxId, PatchId, PersonId, ProjectId, QuarantineId, RelationId, SeriesId, StateId,
    TagId, Timestamp, UserId, WebhookId,
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
    /// Words of the index of texts, on PostgreSQL.
    Words(Option<TsVector>),
    /// Many of one kind in one value: an array on PostgreSQL, a JSON array on SQLite.
    Many(Many),
}

/// Values of one kind, as one value.
#[derive(Clone, Debug)]
pub enum Many {
    /// Yes or no, each.
    Bools(Vec<Option<bool>>),
    /// Numbers or ids.
    Ints(Vec<Option<i64>>),
    /// Texts without NUL.
    Texts(Vec<Option<String>>),
    /// Bytes; in JSON their hexadecimal digits, as SQLite's `unhex` takes them.
    Blobs(Vec<Option<Vec<u8>>>),
    /// Moments.
    Times(Vec<Option<Timestamp>>),
    /// Words of the index of texts.
    Words(Vec<Option<TsVector>>),
}

impl Many {
    /// Gathers values of one kind; those of another kind than the first become NULL.
    pub(super) fn gather(values: Vec<Value>) -> Many {
        macro_rules! all {
            ($kind:ident) => {
                values
                    .into_iter()
                    .map(|value| match value {
                        Value::$kind(value) => value,
                        _ => None,
                    })
                    .collect()
            };
        }
        match values.first() {
            Some(Value::Bool(_)) => Many::Bools(all!(Bool)),
            Some(Value::Text(_)) => Many::Texts(all!(Text)),
            Some(Value::Bytes(_)) => Many::Blobs(all!(Bytes)),
            Some(Value::Time(_)) => Many::Times(all!(Time)),
            Some(Value::Words(_)) => Many::Words(all!(Words)),
            Some(Value::Int(_) | Value::Many(_)) | None => Many::Ints(all!(Int)),
        }
    }

    /// Gathers numbers.
    pub(super) fn ints(values: impl IntoIterator<Item = i64>) -> Many {
        Many::Ints(values.into_iter().map(Some).collect())
    }

    /// Gathers texts.
    pub(super) fn texts(texts: impl IntoIterator<Item = String>) -> Many {
        let clean = texts.into_iter().map(|text| Some(without_nul(text)));
        Many::Texts(clean.collect())
    }

    /// Returns the JSON array that SQLite takes in place of an array.
    pub(super) fn json(&self) -> String {
        fn array<T>(
            values: &[Option<T>],
            one: impl Fn(&T) -> serde_json::Value,
        ) -> serde_json::Value {
            let values = values.iter().map(|value| value.as_ref().map(&one));
            values.collect::<Vec<_>>().into()
        }
        match self {
            Many::Bools(values) => array(values, |value| (*value).into()),
            Many::Ints(values) => array(values, |value| (*value).into()),
            Many::Texts(values) => array(values, |value| value.as_str().into()),
            Many::Blobs(values) => array(values, |value| hex(value).into()),
            Many::Times(values) => array(values, |value| value.0.into()),
            Many::Words(values) => array(values, |value| hex(&value.0).into()),
        }
        .to_string()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
    BundleId => Int, id => id.0;
    EventId => Int, id => id.0;
    OutboxId => Int, id => id.0;
    QuarantineId => Int, id => id.0;
    WebhookId => Int, id => id.0;
    DeliveryId => Int, id => id.0;
    String => Text, text => without_nul(text);
    &str => Text, text => without_nul(text.to_owned());
    &String => Text, text => without_nul(text.clone());
    &MessageId => Text, id => without_nul(id.as_str().to_owned());
    &ListId => Text, id => without_nul(id.as_str().to_owned());
    &DiffHash => Text, hash => hash.as_str().to_owned();
    Vec<u8> => Bytes, bytes => bytes;
    &[u8] => Bytes, bytes => bytes.to_owned();
    Timestamp => Time, moment => moment;
    TsVector => Words, words => words;
}

/// PostgreSQL has no NUL in texts.
pub(super) fn without_nul(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "")
    } else {
        text
    }
}

impl From<Many> for Value {
    fn from(values: Many) -> Value {
        Value::Many(values)
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
const TIMESTAMPTZ_ARRAY: Oid = Oid(1185);

impl Type<Postgres> for Timestamp {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ)
    }
}

impl PgHasArrayType for Timestamp {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ_ARRAY)
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

/// PostgreSQL's `tsvector` in binary, as `tsvectorrecv` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TsVector(pub Vec<u8>);

const TSVECTOR: Oid = Oid(3614);
const TSVECTOR_ARRAY: Oid = Oid(3643);

impl Type<Postgres> for TsVector {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TSVECTOR)
    }
}

impl PgHasArrayType for TsVector {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TSVECTOR_ARRAY)
    }
}

impl Encode<'_, Postgres> for TsVector {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend(&self.0);
        Ok(IsNull::No)
    }
}
