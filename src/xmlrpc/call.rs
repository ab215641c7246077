//! From a call to what answers it.

use super::{
    answer::Answer,
    argument::{self, Arguments},
    check,
    codec::{Call, Value},
    fault::Fault,
    method::{self, Method, Name},
    patch, person, project,
    session::Session,
    state, system,
};

/// Makes a call.
///
/// # Errors
/// When there is no such method, who asks may not call it, the arguments are wrong, or the method refuses.
pub async fn make(session: &mut Session, call: Call) -> Result<Answer, Fault> {
    let Some(method) = method::by_word(&call.method) else {
        return Err(Fault::NoMethod(call.method));
    };
    let made = checked(session, method, call.params).await;
    if let Err(Fault::Store(error)) = &made {
        // Clients are told no more than that it failed.
        tracing::error!("XML-RPC {} failed: {error}", method.word);
    }
    made
}

async fn checked(
    session: &mut Session,
    method: &'static Method,
    params: Vec<Value>,
) -> Result<Answer, Fault> {
    // Before the arguments are looked at; other methods take no notice of credentials, however wrong.
    if method.login {
        session.caller().await?;
    }
    let arguments = Arguments::new(method, params)?;
    answer(session, method, arguments).await
}

async fn answer(
    session: &mut Session,
    method: &Method,
    arguments: Arguments,
) -> Result<Answer, Fault> {
    match method.name {
        Name::Version => Ok(system::version().into()),
        Name::ListMethods => Ok(system::list_methods().into()),
        Name::MethodHelp => system::method_help(arguments).map(Answer::from),
        Name::MethodSignature => system::method_signature(arguments).map(Answer::from),
        Name::Capabilities => Ok(system::capabilities().into()),
        Name::Multicall => system::multicall(arguments),
        Name::ProjectList => project::list(session, arguments).await,
        Name::ProjectGet => project::get(session, arguments).await,
        Name::PersonList => person::list(session, arguments).await,
        Name::PersonGet => person::get(session, arguments).await,
        Name::StateList => state::list(session, arguments).await,
        Name::StateGet => state::get(session, arguments).await,
        Name::PatchList => patch::list(session, arguments).await,
        Name::PatchGet => patch::get(session, arguments).await,
        Name::PatchGetByHash => patch::get_by_hash(session, arguments).await,
        Name::PatchGetByProjectHash => patch::get_by_project_hash(session, arguments).await,
        Name::PatchGetMbox => patch::mbox(session, arguments).await,
        Name::PatchGetDiff => patch::diff(session, arguments).await,
        Name::PatchSet => patch::set(session, arguments).await,
        Name::PatchCheckGet => check::combined(session, arguments).await,
        Name::CheckList => check::list(session, arguments).await,
        Name::CheckGet => check::get(session, arguments).await,
        Name::CheckCreate => check::create(session, arguments).await,
    }
}

/// Reads one of several calls.
///
/// # Errors
/// When it is none, or would itself make several.
pub fn entry(entry: Value) -> Result<Call, Fault> {
    let Value::Struct(members) = entry else {
        return Err(Fault::no("a struct", "calls", &entry));
    };
    let (mut method, mut params) = (String::new(), Vec::new());
    for (name, value) in members {
        match (name.as_str(), value) {
            ("methodName", value) => method = argument::text(&name, &value)?,
            ("params", Value::Array(values)) => params = values,
            ("params", value) => return Err(Fault::no("an array", &name, &value)),
            _ => {}
        }
    }
    if method::by_word(&method).is_some_and(|method| method.name == Name::Multicall) {
        return Err(Fault::Said(
            "Recursive system.multicall forbidden".to_owned(),
        ));
    }
    Ok(Call { method, params })
}
