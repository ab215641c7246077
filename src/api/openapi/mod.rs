//! The description of the API in OpenAPI 3.1, one document per version (`rest.md §9`).
//!
//! It is made of the tables that everything else stands on: addresses, fields, what may be written, filters, orders. What
//! is not in a table (which table belongs to which address) is in `api/resource.rs`.

mod answer;
mod body;
mod operation;
mod query;
mod schema;

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use super::{
    Site,
    endpoint::{ENDPOINTS, Endpoint},
    search::is_asked_in_language,
    version::Version,
};
use operation::Operation;

/// The documents of a site, each made when it is first asked for: one for the addresses without a version, one for
/// each version.
#[derive(Default)]
pub struct Documents([OnceLock<String>; Version::ALL.len() + 1]);

impl Documents {
    /// Returns the document of a version; without one, that of the newest at the addresses without a version.
    pub fn get(&self, site: &Site, version: Option<Version>) -> &str {
        let place = version.map_or(0, |version| version as usize + 1);
        self.0[place].get_or_init(|| document(site, version).to_string())
    }
}

const ABOUT: &str = "What is known of the patches sent to mailing lists, and how CI and scripts change it. Reading \
    needs no account, except for users and people. Paths without the closing slash lead to those with it; a method \
    that an address does not have is answered 405 with `Allow`. Dates are UTC and name no zone. Unknown parameters and \
    fields are ignored; a filter whose value means nothing finds nothing. The credentials of an `Authorization` header \
    have to be right even where none are needed. A browser's session needs the header `X-CSRFToken` to change \
    something, unless the browser says that a page of this site asks.";

fn document(site: &Site, version: Option<Version>) -> Value {
    let base = site.links.base();
    let prefix = match version {
        Some(version) => format!("{base}/api/{version}"),
        None => format!("{base}/api"),
    };
    let is_versioned = version.is_some();
    let version = version.unwrap_or(Version::NEWEST);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Patchwork REST API",
            "version": version.number(),
            "description": ABOUT,
            "license": { "name": "GPL-2.0-or-later", "identifier": "GPL-2.0-or-later" },
        },
        "servers": [{ "url": prefix }],
        "paths": paths(site, version, is_versioned),
        "components": {
            "schemas": schema::all(version),
            "responses": answer::refusals(),
            "headers": answer::headers(),
            "securitySchemes": security(),
        },
    })
}

fn paths(site: &Site, version: Version, is_versioned: bool) -> Map<String, Value> {
    let known = ENDPOINTS.iter().filter(|it| it.since <= version);
    known
        .map(|endpoint| path(site, version, is_versioned, endpoint))
        .collect()
}

fn path(
    site: &Site,
    version: Version,
    is_versioned: bool,
    endpoint: &'static Endpoint,
) -> (String, Value) {
    let methods = endpoint.methods.iter().copied();
    let operations: Map<String, Value> = methods
        .filter(|method| endpoint.has(*method, version))
        .map(|method| {
            let mut operation = Operation::new(endpoint, method, version, &site.options);
            operation.asks_in_language = !is_versioned && is_asked_in_language(endpoint.what);
            (method.as_str().to_lowercase(), operation.describe())
        })
        .collect();
    (
        operation::path_with_names(endpoint),
        Value::Object(operations),
    )
}

/// The ways to say who asks.
fn security() -> Value {
    json!({
        "basic": { "type": "http", "scheme": "basic" },
        "token": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "The word `Token`, a blank, and a token.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "What a browser has after logging in.",
        },
    })
}

#[cfg(test)]
mod tests;
