use std::collections::HashSet;

use super::*;
use crate::api::Options;

fn site(base: &str) -> Site {
    Site::new(Options {
        base: base.to_owned(),
        ..Options::default()
    })
}

fn read(version: Option<Version>) -> Value {
    let site = site("/pw");
    serde_json::from_str(site.documents.get(&site, version)).expect("JSON")
}

fn ids(document: &Value) -> Vec<&str> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths
        .values()
        .flat_map(|it| it.as_object().expect("methods").values());
    operations
        .filter_map(|it| it["operationId"].as_str())
        .collect()
}

#[test]
fn each_prefix_has_its_own_document() {
    let server = |version| read(version)["servers"][0]["url"].clone();
    assert_eq!(server(None), "/pw/api");
    assert_eq!(server(Some(Version::V1_2)), "/pw/api/1.2");
    assert_eq!(read(None)["info"]["version"], "1.5");
}

#[test]
fn operations_are_called_as_clients_know_them() {
    let newest = read(None);
    let all = ids(&newest);
    for id in [
        "api_list",
        "patches_list",
        "patches_read",
        "patches_partial_update",
        "patches_update",
        "patches_bulk_update",
        "patch_comments_partial_update",
        "checks_create",
        "bundles_create",
        "bundles_delete",
        "events_list",
    ] {
        assert!(all.contains(&id), "{id}");
    }
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    let oldest = read(Some(Version::V1_0));
    assert!(
        !ids(&oldest)
            .iter()
            .any(|id| id.starts_with("bundles_c") || id.contains("comments"))
    );
}

#[test]
fn references_lead_somewhere() {
    for version in Version::ALL {
        let document = read(Some(version));
        let mut waiting = vec![&document];
        while let Some(value) = waiting.pop() {
            match value {
                Value::Object(members) => {
                    if let Some(Value::String(target)) = members.get("$ref") {
                        let found = document.pointer(target.trim_start_matches('#'));
                        assert!(found.is_some(), "{version}: {target}");
                    }
                    waiting.extend(members.values());
                }
                Value::Array(items) => waiting.extend(items),
                _ => {}
            }
        }
    }
}
