//! People.

use super::{answer::Answer, argument::Arguments, codec::Value, fault::Fault, session::Session};
use crate::{
    domain::{PersonId, person},
    store::{self, Conn, person::Known},
};

/// Returns people by id.
///
/// # Errors
/// When an argument is of the wrong type, or the database is away.
pub async fn list(session: &Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let search = arguments.text(0)?;
    let most = arguments.most(1)?;
    let ids = store::person::ids(&mut session.db.reader().await?, &search, most).await?;
    Ok(ids.into())
}

/// Returns a person.
///
/// # Errors
/// When the argument is no number, or the database is away.
pub async fn get(session: &Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let id = PersonId(arguments.number(0)?);
    let mut found = records(&mut session.db.reader().await?, &[id]).await?;
    Ok(found.pop().unwrap_or(Value::members([])).into())
}

/// Reads people as they are sent.
///
/// # Errors
/// When the database is away.
pub async fn records(conn: &mut Conn, ids: &[PersonId]) -> store::Result<Vec<Value>> {
    let known = store::person::known(conn, ids).await?;
    Ok(known.iter().map(record).collect())
}

fn record(Known { person, username }: &Known) -> Value {
    let name = person::shown(person.name.as_deref(), &person.email);
    Value::members([
        ("id", Value::Int(person.id.0)),
        ("email", Value::Text(person.email.clone())),
        ("name", Value::Text(name.to_owned())),
        ("user", Value::encoded(username.as_deref())),
    ])
}
