//! Where everything is (`rest.md §8.1`).

use super::{answer::Reply, json::Json, request::Cx};

/// The lists, in the order in which clients know them.
pub const LISTS: [&str; 8] = [
    "projects", "users", "people", "patches", "covers", "series", "events", "bundles",
];

/// Answers the addresses of the lists.
pub fn detail(cx: &Cx<'_>) -> Reply {
    let mut json = Json::default();
    json.object(|members| {
        for list in LISTS {
            cx.write_url(members.key(list), &format!("{list}/"));
        }
    });
    Reply::ok(json.into_string())
}
