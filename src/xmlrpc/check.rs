//! Checks: listed, shown, reported, and what they come to.

use super::{
    answer::Answer,
    argument::Arguments,
    codec::Value,
    fault::Fault,
    filter::{self, How, Meaning, Member},
    moment, patch,
    session::Session,
};
use crate::{
    auth::Caller,
    domain::{
        CheckId, PatchId,
        check::{self, CheckCounts, CheckState, NewCheck},
        permission::Scope,
    },
    store::{
        self, Conn,
        check::{Condition, Named},
    },
};

/// Returns checks by id.
///
/// # Errors
/// When the filter has a value of the wrong type, or the database is away.
pub async fn list(session: &Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let filter = filter::read(&arguments.members(0)?, meaning)?;
    let Some(conditions) = filter.conditions else {
        return Ok(Value::Array(Vec::new()).into());
    };
    let mut conn = session.db.reader().await?;
    let ids = store::check::ids(&mut conn, conditions, filter.most).await?;
    Ok(ids.into())
}

fn meaning(member: &Member) -> Result<Meaning<Condition>, Fault> {
    Ok(match member.field {
        "id" => Meaning::of(member.number()?, Condition::Id),
        "project_id" => Meaning::Condition(Condition::Project(member.id()?)),
        "patch_id" => Meaning::Condition(Condition::Patch(member.id()?)),
        "user" => match (member.how, member.value) {
            // pwclient sends what was typed: a name more often than an id.
            (How::Exactly, Value::Text(name)) if name.trim().parse::<i64>().is_err() => {
                Meaning::Condition(Condition::Username(name.clone()))
            }
            _ => Meaning::of(member.number()?, Condition::User),
        },
        _ => Meaning::Never,
    })
}

/// Returns a check.
///
/// # Errors
/// When the argument is no number, or the database is away.
pub async fn get(session: &Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let id = CheckId(arguments.number(0)?);
    let mut found = records(&mut session.db.reader().await?, &[id]).await?;
    Ok(found.pop().unwrap_or(Value::members([])).into())
}

/// Returns what the checks of a patch come to, and those that count.
///
/// # Errors
/// When the argument is no number, or the database is away.
pub async fn combined(session: &Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let id = PatchId(arguments.number(0)?);
    let mut conn = session.db.reader().await?;
    if store::patch::rpc::by_id(&mut conn, id).await?.is_none() {
        return Ok(Value::members([]).into());
    }
    let ids = store::check::effective(&mut conn, id).await?;
    let checks = store::check::named(&mut conn, &ids).await?;
    let mut counts = CheckCounts::default();
    for named in &checks {
        counts.add(named.check.state, 1);
    }
    let total = i64::try_from(checks.len()).unwrap_or(i64::MAX);
    Ok(Value::members([
        ("state", Value::text(Some(counts.combined().word()))),
        ("total", Value::Int(total)),
        (
            "checks",
            Value::Array(checks.into_iter().map(record).collect()),
        ),
    ])
    .into())
}

/// Stores what somebody reports of a patch.
///
/// # Errors
/// When there is no such patch, who asks may not report, what is reported is invalid, or the database is away.
pub async fn create(session: &mut Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let caller = session.caller().await?;
    let id = PatchId(arguments.number(0)?);
    let (context, state) = (arguments.text(1)?, arguments.text(2)?);
    let (target_url, description) = (arguments.text(3)?, arguments.text(4)?);
    let new = || {
        let state = CheckState::from_word(&state)
            .ok_or_else(|| Fault::Said(format!("Invalid check state: {state}")))?;
        let by = caller.user.id;
        let (url, words) = (Some(target_url.as_str()), Some(description.as_str()));
        NewCheck::new(id, by, state, Some(&context), url, words).map_err(invalid)
    };
    session
        .write(|session| create_once(session, &caller, id, new))
        .await?;
    Ok(Value::Bool(true).into())
}

/// What is wrong with the check is only told to those who may report one.
async fn create_once(
    session: &Session,
    caller: &Caller,
    id: PatchId,
    new: impl Fn() -> Result<NewCheck, Fault>,
) -> Result<(), Fault> {
    let mut tx = session.db.begin().await?;
    patch::editable(&mut tx, caller, Scope::Checks, id).await?;
    store::check::insert(&mut tx, &new()?, session.now).await?;
    Ok(tx.commit().await?)
}

fn invalid(faults: Vec<check::Fault>) -> Fault {
    let said = faults.iter().map(|fault| match fault {
        check::Fault::Context(_) => format!("Invalid check context: {fault}"),
        check::Fault::TargetUrl(_) => format!("Invalid target URL: {fault}"),
    });
    Fault::Said(said.collect::<Vec<_>>().join("; "))
}

/// Reads checks as they are sent.
///
/// # Errors
/// When the database is away.
pub async fn records(conn: &mut Conn, ids: &[CheckId]) -> store::Result<Vec<Value>> {
    let named = store::check::named(conn, ids).await?;
    Ok(named.into_iter().map(record).collect())
}

fn record(Named { check, patch }: Named) -> Value {
    Value::members([
        ("id", Value::Int(check.id.0)),
        ("date", moment(check.date)),
        ("patch", Value::encoded(Some(&patch))),
        ("patch_id", Value::Int(check.patch_id.0)),
        ("user", Value::encoded(Some(&check.username))),
        ("user_id", Value::Int(check.user_id.0)),
        ("state", Value::text(Some(check.state.word()))),
        ("target_url", Value::text(check.target_url.as_deref())),
        ("description", Value::text(check.description.as_deref())),
        ("context", Value::Text(check.context)),
    ])
}
