//! States.

use super::{answer::Answer, argument::Arguments, codec::Value, fault::Fault, session::Session};
use crate::{
    domain::{State, StateId},
    store,
};

/// Returns states in the order of menus.
///
/// # Errors
/// When an argument is of the wrong type, or the database is away.
pub async fn list(session: &Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let search = arguments.text(0)?.to_lowercase();
    let most = arguments.most(1)?;
    let mut all = store::state::all(&mut session.db.reader().await?).await?;
    all.retain(|state| state.name.to_lowercase().contains(&search));
    let records = most.of(all).iter().map(record).collect();
    Ok(Value::Array(records).into())
}

/// Returns a state.
///
/// # Errors
/// When the argument is no number, or the database is away.
pub async fn get(session: &Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let id = StateId(arguments.number(0)?);
    let all = store::state::all(&mut session.db.reader().await?).await?;
    let state = all.iter().find(|state| state.id == id);
    Ok(state.map_or(Value::members([]), record).into())
}

fn record(state: &State) -> Value {
    Value::members([
        ("id", Value::Int(state.id.0)),
        ("name", Value::Text(state.name.clone())),
    ])
}
