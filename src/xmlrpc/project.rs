//! Projects.

use super::{answer::Answer, argument::Arguments, codec::Value, fault::Fault, session::Session};
use crate::{
    domain::{Project, ProjectId},
    store,
};

/// Returns projects by linkname.
///
/// # Errors
/// When an argument is of the wrong type, or the database is away.
pub async fn list(session: &Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let search = arguments.text(0)?.to_lowercase();
    let most = arguments.most(1)?;
    let mut all = store::project::all(&mut session.db.reader().await?).await?;
    all.retain(|project| project.linkname.to_lowercase().contains(&search));
    let records = most.of(all).iter().map(record).collect();
    Ok(Value::Array(records).into())
}

/// Returns a project.
///
/// # Errors
/// When the argument is no number, or the database is away.
pub async fn get(session: &Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let id = ProjectId(arguments.number(0)?);
    let project = store::project::by_id(&mut session.db.reader().await?, id).await?;
    Ok(project.as_ref().map_or(Value::members([]), record).into())
}

fn record(project: &Project) -> Value {
    Value::members([
        ("id", Value::Int(project.id.0)),
        ("linkname", Value::Text(project.linkname.clone())),
        ("name", Value::Text(project.name.clone())),
    ])
}
