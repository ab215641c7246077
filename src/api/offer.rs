//! What is offered to whom: whether somebody may write at an address, and what. Asked before anything is sent, so that
//! pages have forms, and `OPTIONS` has `actions`, for those who may use them only.

use rocket::http::Method;
use serde_json::{Map, Value, json};

use super::{
    endpoint::{self, Body, Endpoint, What},
    field::{Change, Takes},
    request::Cx,
    resource::Resource,
    version::Version,
};
use crate::{
    auth::Caller,
    domain::{PersonId, ProjectId, permission::Scope},
};

/// Says whether who asks may write at an address.
pub async fn may_write(cx: &Cx<'_>, endpoint: &Endpoint, places: &[String]) -> bool {
    let scope = match endpoint.what {
        What::Checks => Scope::Checks,
        _ => Scope::Write,
    };
    let Some(caller) = cx.caller.as_ref().filter(|caller| caller.may(scope)) else {
        return false;
    };
    if endpoint.methods_of(cx.version).is_empty() {
        return false;
    }
    let parent = match endpoint.what {
        What::Patches | What::Bundles => return true,
        What::Checks | What::PatchComment => Some(What::Patch),
        What::CoverComment => Some(What::Cover),
        _ => None,
    };
    // An address that somebody makes up has no thing at all.
    let own = match endpoint.what {
        What::Checks => Value::Null,
        what => thing(cx, what, places).await,
    };
    if is_theirs(caller, endpoint.what, &own) {
        return true;
    }
    match parent {
        Some(what) => is_theirs(caller, what, &thing(cx, what, &places[..1]).await),
        None => false,
    }
}

/// Returns a thing as it is answered; nothing if it is not there.
async fn thing(cx: &Cx<'_>, what: What, places: &[String]) -> Value {
    let reply = endpoint::run(what, places, Method::Get, cx, Body::default()).await;
    reply.map_or(Value::Null, |reply| {
        serde_json::from_str(&reply.json).unwrap_or_default()
    })
}

fn is_theirs(caller: &Caller, what: What, thing: &Value) -> bool {
    let id = |place: &str| thing.pointer(place).and_then(Value::as_i64);
    let is_caller = |place| id(place) == Some(caller.user.id.0);
    let maintains = |place| id(place).is_some_and(|id| caller.rights.maintains(ProjectId(id)));
    let is_sender = || id("/submitter/id").is_some_and(|id| caller.rights.is(PersonId(id)));
    match what {
        What::Project => maintains("/id"),
        What::User => is_caller("/id"),
        What::Bundle => is_caller("/owner/id"),
        What::Patch => maintains("/project/id") || is_caller("/delegate/id") || is_sender(),
        What::Series => maintains("/project/id"),
        What::Cover => maintains("/project/id") || is_sender(),
        What::PatchComment | What::CoverComment => is_sender(),
        _ => false,
    }
}

/// Returns what may be written at an address, by method.
pub fn actions(endpoint: &Endpoint, version: Version) -> Value {
    let resource = Resource::of(endpoint.what);
    let known = |it: &&&Change| it.since <= version;
    let fields = |is_whole: bool| -> Map<String, Value> {
        let changes = resource.changes.iter().filter(known);
        let one = |it: &&Change| (it.name.to_owned(), field(it, is_whole));
        changes.map(one).collect()
    };
    let methods = endpoint.methods_of(version).into_iter();
    let written = methods.filter(|method| *method != Method::Delete);
    let action = |method: Method| (method.to_string(), fields(method != Method::Patch).into());
    Value::Object(written.map(action).collect())
}

fn field(change: &Change, is_whole: bool) -> Value {
    let kind = match change.takes {
        Takes::Text(_) | Takes::Like(..) | Takes::Revision => "string",
        Takes::Word(_) => "choice",
        Takes::Flag | Takes::OptionalFlag => "boolean",
        Takes::Count(_) | Takes::Id | Takes::OptionalId => "integer",
        Takes::Ids(..) => "list",
        Takes::Object(_) => "nested object",
    };
    json!({ "type": kind, "required": is_whole && change.is_required, "read_only": false })
}
