//! One method of one address.

use rocket::http::Method;
use serde_json::{Map, Value, json};

use super::{answer, body, query, schema::reference};
use crate::api::{
    Options,
    endpoint::{Endpoint, What},
    resource::Resource,
    version::Version::{self, V1_2},
};

/// What can be done at an address.
pub struct Operation<'a> {
    endpoint: &'static Endpoint,
    method: Method,
    version: Version,
    options: &'a Options,
    resource: Resource,
    /// Whether `q` is in the language of searches, and may be malformed.
    pub asks_in_language: bool,
}

/// Returns the path with a name in each of its places.
pub fn path_with_names(endpoint: &Endpoint) -> String {
    let mut names = places(endpoint).into_iter();
    let parts = endpoint
        .path
        .split('/')
        .map(|part| match part.starts_with('{') {
            true => names
                .next()
                .map_or_else(String::new, |name| format!("{{{name}}}")),
            false => part.to_owned(),
        });
    let parts: Vec<String> = parts.collect();
    format!("/{}", parts.join("/"))
}

/// Returns the names of the places: `id` for the only one at the end, else what it is the id of.
fn places(endpoint: &Endpoint) -> Vec<&'static str> {
    let parts: Vec<&str> = endpoint
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    if parts.len() == 2 {
        return parts
            .iter()
            .filter(|part| part.starts_with('{'))
            .map(|_| "id")
            .collect();
    }
    let pairs = parts.windows(2).filter(|pair| pair[1].starts_with('{'));
    pairs
        .map(|pair| match pair[0] {
            "patches" => "patch_id",
            "covers" => "cover_id",
            "comments" => "comment_id",
            "checks" => "check_id",
            "series" => "series_id",
            "diff" => "new_id",
            _ => "id",
        })
        .collect()
}

impl<'a> Operation<'a> {
    /// Takes what is known of it.
    pub fn new(
        endpoint: &'static Endpoint,
        method: Method,
        version: Version,
        options: &'a Options,
    ) -> Operation<'a> {
        Operation {
            endpoint,
            method,
            version,
            options,
            resource: Resource::of(endpoint.what),
            asks_in_language: false,
        }
    }

    /// Returns its description.
    pub fn describe(&self) -> Value {
        let mut described = json!({
            "operationId": self.id(),
            "summary": format!("{}: {}", self.endpoint.title, self.verb()),
            "tags": [self.resource.name],
            "security": self.security(),
            "parameters": self.parameters(),
            "responses": self.responses(),
        });
        if self.has_body() {
            let is_whole = self.method != Method::Patch;
            described["requestBody"] = body::body(self.endpoint.what, self.version, is_whole);
        }
        described
    }

    fn id(&self) -> String {
        let is_list = self.endpoint.is_list() || self.endpoint.what == What::Index;
        let does = match (self.method, is_list) {
            (Method::Get, true) => "list",
            (Method::Get, false) => "read",
            (Method::Post, _) => "create",
            (Method::Put, _) => "update",
            (Method::Patch, true) => "bulk_update",
            (Method::Patch, false) => "partial_update",
            _ => "delete",
        };
        format!("{}_{does}", self.resource.name)
    }

    fn verb(&self) -> &'static str {
        match self.method {
            Method::Get => "read",
            Method::Post => "make one",
            Method::Put => "put",
            Method::Patch => "change",
            _ => "delete",
        }
    }

    fn is_reading(&self) -> bool {
        self.method == Method::Get
    }

    fn has_body(&self) -> bool {
        matches!(self.method, Method::Post | Method::Put | Method::Patch)
    }

    fn security(&self) -> Value {
        let ways = json!([{ "token": [] }, { "basic": [] }, { "session": [] }]);
        match self.is_reading() && !self.endpoint.is_private() {
            true => json!([{}, ways[0], ways[1], ways[2]]),
            false => ways,
        }
    }

    fn parameters(&self) -> Vec<Value> {
        let is_text = self.endpoint.what == What::Project;
        let of_path = places(self.endpoint)
            .into_iter()
            .map(|name| query::of_path(name, is_text));
        let mut all: Vec<Value> = of_path.collect();
        all.push(match self.is_reading() {
            true => query::format(),
            false => query::csrf_token(),
        });
        if self.is_reading() && self.endpoint.is_list() {
            let mut of_list = query::of_list(&self.resource, self.version, self.options);
            if self.asks_in_language {
                of_list.retain(|parameter| parameter["name"] != "q");
                of_list.push(query::asked());
            }
            all.extend(of_list);
        }
        all
    }

    fn responses(&self) -> Map<String, Value> {
        let mut all = Map::new();
        all.extend([self.success()]);
        if self.is_reading() {
            let same = answer::answer("Nothing has changed.", &["ETag"], None);
            all.insert("304".to_owned(), same);
            if self.asks_in_language && self.endpoint.is_list() {
                all.extend([answer::refused(400)]);
            }
        }
        if self.has_body() {
            let shape = reference(&body::error_name(self.endpoint.what));
            let wrong = answer::answer("The body is wrong.", &[], Some(body::content(shape)));
            all.insert("400".to_owned(), wrong);
            all.extend([413, 415].map(answer::refused));
        }
        if self.endpoint.what == What::Patch && self.has_body() && self.version >= V1_2 {
            all.extend([answer::refused(409)]);
        }
        all.extend([403, 404, 406, 429, 500, 503].map(answer::refused));
        all
    }

    /// Returns the answer when all is well.
    fn success(&self) -> (String, Value) {
        let is_list = self.endpoint.is_list();
        let content = |is_list| Some(body::content_of(self.resource.thing, is_list));
        let (status, answer) = match (self.method, is_list) {
            (Method::Post, _) => (
                201,
                answer::answer("It is made.", &["Location"], content(false)),
            ),
            (Method::Delete, _) => (204, answer::answer("It is gone.", &[], None)),
            (Method::Get, true) => {
                let headers = ["Link", "X-Total-Count", "ETag"];
                (
                    200,
                    answer::answer("A page of the list.", &headers, content(true)),
                )
            }
            (Method::Get, false) => (
                200,
                answer::answer("What it is.", &["ETag"], content(false)),
            ),
            (_, is_list) => (
                200,
                answer::answer("What it is then.", &[], content(is_list)),
            ),
        };
        (status.to_string(), answer)
    }
}
