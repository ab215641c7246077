//! Patches: listed, shown, handed out, changed.

use super::{
    answer::Answer,
    argument::{Arguments, flag, number, text},
    codec::Value,
    fault::Fault,
    filter::{self, How, Meaning, Member},
    moment,
    session::Session,
};
use crate::{
    auth::Caller,
    domain::{
        PatchId, StateId,
        change::{Actor, PatchChange},
        id::MAX_CHARS,
        patch::file_name,
        permission::Scope,
    },
    mailbox,
    store::{
        self, Conn,
        lookup::{Place, Test},
        patch::rpc::{self, Condition, Row},
    },
};

/// Returns patches, the oldest first.
///
/// # Errors
/// When the filter has a value of the wrong type, or the database is away.
pub async fn list(session: &Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let filter = filter::read(&arguments.members(0)?, meaning)?;
    let Some(conditions) = filter.conditions else {
        return Ok(Value::Array(Vec::new()).into());
    };
    let ids = rpc::ids(&mut session.db.reader().await?, conditions, filter.most).await?;
    Ok(ids.into())
}

fn meaning(member: &Member) -> Result<Meaning<Condition>, Fault> {
    let condition = match member.field {
        "id" => return Ok(Meaning::of(member.number()?, Condition::Id)),
        "name" => return Ok(Meaning::of(member.text()?, Condition::Name)),
        "date" => return Ok(Meaning::of(member.moment()?, Condition::Date)),
        "commit_ref" => return Ok(Meaning::of(member.text()?, Condition::CommitRef)),
        "hash" => return Ok(Meaning::of(member.text()?, Condition::Hash)),
        "msgid" => return Ok(Meaning::of(message_id(member)?, Condition::MessageId)),
        "archived" => return archived(member),
        "project_id" => Condition::Project(member.id()?),
        "submitter_id" => Condition::Submitter(member.id()?),
        "state_id" => Condition::State(member.id()?),
        // pwclient sends the ids of people whose name fits what was typed.
        "delegate_id" => Condition::DelegatePerson(member.id()?),
        "series" | "series_id" => Condition::Series(member.id()?),
        _ => return Ok(Meaning::Never),
    };
    Ok(Meaning::Condition(condition))
}

/// Takes an id in the stored spelling, or without its brackets.
fn message_id(member: &Member) -> Result<Option<Test>, Fault> {
    let exact = matches!(member.how, How::Exactly);
    Ok(match member.text()? {
        Some(Test::Is(_)) if exact => {
            let id = text(member.field, member.value)?;
            let bracketed = format!("<{id}>");
            Some(Test::Among(vec![id.into(), bracketed.into()]))
        }
        test => test,
    })
}

fn archived(member: &Member) -> Result<Meaning<Condition>, Fault> {
    let wanted = |value| flag(member.field, value);
    Ok(match member.how {
        How::Exactly | How::Like(Place::Whole, _) => {
            Meaning::Condition(Condition::Archived(wanted(member.value)?))
        }
        // Every patch is put away or not.
        How::IsNull if wanted(member.value)? => Meaning::Never,
        How::IsNull => Meaning::Always,
        _ => Meaning::Never,
    })
}

/// Returns a patch.
///
/// # Errors
/// When the argument is no number, or the database is away.
pub async fn get(session: &Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let id = PatchId(arguments.number(0)?);
    shown(&mut session.db.reader().await?, Some(id)).await
}

/// Returns the newest patch whose diff has a hash.
///
/// # Errors
/// When the argument is no text, or the database is away.
pub async fn get_by_hash(session: &Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let hash = arguments.text(0)?;
    let mut conn = session.db.reader().await?;
    let id = rpc::by_hash(&mut conn, None, &hash).await?;
    shown(&mut conn, id).await
}

/// Returns the newest patch of a project whose diff has a hash.
///
/// # Errors
/// When an argument is no text, or the database is away.
pub async fn get_by_project_hash(
    session: &Session,
    mut arguments: Arguments,
) -> Result<Answer, Fault> {
    let (linkname, hash) = (arguments.text(0)?, arguments.text(1)?);
    let mut conn = session.db.reader().await?;
    let id = rpc::by_hash(&mut conn, Some(&linkname), &hash).await?;
    shown(&mut conn, id).await
}

/// Compatibility: what is not there is a struct without members, never a fault.
async fn shown(conn: &mut Conn, id: Option<PatchId>) -> Result<Answer, Fault> {
    let mut found = records(conn, id.as_slice()).await?;
    Ok(found.pop().unwrap_or(Value::members([])).into())
}

/// Returns a patch as a mail.
///
/// # Errors
/// When the argument is no number, or the database is away.
pub async fn mbox(session: &Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let id = PatchId(arguments.number(0)?);
    let mut conn = session.db.reader().await?;
    let Some(detail) = rpc::detail(&mut conn, id).await? else {
        return Ok(Value::text(None).into());
    };
    let Some(project) = store::project::by_id(&mut conn, detail.patch.project_id).await? else {
        return Ok(Value::text(None).into());
    };
    let replies = store::patch::replies(&mut conn, &[id]).await?;
    let mail = mailbox::patch_mail(&project, &detail, &replies);
    Ok(Value::Text(String::from_utf8_lossy(&mail).into_owned()).into())
}

/// Returns the diff of a patch.
///
/// # Errors
/// When the argument is no number, or the database is away.
pub async fn diff(session: &Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let id = PatchId(arguments.number(0)?);
    let detail = rpc::detail(&mut session.db.reader().await?, id).await?;
    let diff = detail.and_then(|detail| detail.body.diff);
    Ok(Value::text(diff.as_deref()).into())
}

/// Changes a patch.
///
/// # Errors
/// When there is no such patch, who asks may not change it, a value is not to be had, or the database is away.
pub async fn set(session: &mut Session, mut arguments: Arguments) -> Result<Answer, Fault> {
    let caller = session.caller().await?;
    let id = PatchId(arguments.number(0)?);
    let params = arguments.members(1)?;
    session
        .write(|session| set_once(session, &caller, id, &params))
        .await?;
    Ok(Value::Bool(true).into())
}

async fn set_once(
    session: &Session,
    caller: &Caller,
    id: PatchId,
    params: &[(String, Value)],
) -> Result<(), Fault> {
    let mut tx = session.db.begin().await?;
    editable(&mut tx, caller, Scope::Write, id).await?;
    let change = change(&mut tx, params).await?;
    let by = Actor {
        user: Some(caller.user.id),
        at: session.now,
    };
    store::patch::change::apply(&mut tx, &[id], &change, &by).await?;
    Ok(tx.commit().await?)
}

/// Demands that a patch is there and that who asks may change it, with the token used, if there is one.
///
/// # Errors
/// When it is not so, or the database is away.
pub async fn editable(
    conn: &mut Conn,
    caller: &Caller,
    scope: Scope,
    id: PatchId,
) -> Result<(), Fault> {
    let patch = rpc::by_id(conn, id).await?.ok_or(Fault::NoPatch)?;
    match caller.may(scope) && caller.rights.may_edit(&patch) {
        true => Ok(()),
        false => Err(Fault::NotEditor),
    }
}

async fn change(conn: &mut Conn, params: &[(String, Value)]) -> Result<PatchChange, Fault> {
    let mut change = PatchChange::default();
    for (name, value) in params {
        match (name.as_str(), value) {
            ("commit_ref", Value::Nil) => change.commit_ref = Some(None),
            ("commit_ref", value) => change.commit_ref = Some(Some(commit_ref(name, value)?)),
            (_, Value::Nil) => {}
            ("state", value) => change.state = Some(state(conn, name, value).await?),
            ("archived", value) => change.archived = Some(flag(name, value)?),
            _ => {}
        }
    }
    Ok(change)
}

async fn state(conn: &mut Conn, name: &str, value: &Value) -> Result<StateId, Fault> {
    let id = StateId(number(name, value)?);
    let all = store::state::all(conn).await?;
    match all.iter().any(|state| state.id == id) {
        true => Ok(id),
        false => Err(Fault::NoState),
    }
}

fn commit_ref(name: &str, value: &Value) -> Result<String, Fault> {
    let commit_ref = text(name, value)?;
    match commit_ref.chars().count() <= MAX_CHARS {
        true => Ok(commit_ref),
        false => Err(Fault::Value(format!(
            "Field '{name}' has more than {MAX_CHARS} characters."
        ))),
    }
}

/// Reads patches as they are sent.
///
/// # Errors
/// When the database is away.
pub async fn records(conn: &mut Conn, ids: &[PatchId]) -> store::Result<Vec<Value>> {
    let rows = rpc::rows(conn, ids).await?;
    Ok(rows.into_iter().map(record).collect())
}

fn record(row: Row) -> Value {
    let submitter = match row.submitter_name.as_deref() {
        None | Some("") => row.submitter_email,
        Some(name) => format!("{name} <{}>", row.submitter_email),
    };
    let filename = file_name(&row.name, &format!("patch-{}", row.id));
    Value::members([
        ("id", Value::Int(row.id.0)),
        ("date", moment(row.date)),
        ("filename", Value::Text(filename)),
        ("msgid", Value::Text(row.msgid.as_str().to_owned())),
        ("name", Value::Text(row.name)),
        ("project", Value::encoded(Some(&row.project))),
        ("project_id", Value::Int(row.project_id.0)),
        ("state", Value::encoded(Some(&row.state))),
        ("state_id", Value::Int(row.state_id.0)),
        ("archived", Value::Bool(row.archived)),
        ("submitter", Value::encoded(Some(&submitter))),
        ("submitter_id", Value::Int(row.submitter_id.0)),
        ("delegate", Value::encoded(row.delegate.as_deref())),
        (
            "delegate_id",
            Value::Int(row.delegate_id.map_or(0, |id| id.0)),
        ),
        ("commit_ref", Value::text(row.commit_ref.as_deref())),
        (
            "hash",
            Value::text(row.hash.as_ref().map(|hash| hash.as_str())),
        ),
    ])
}
