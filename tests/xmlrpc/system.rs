//! What the interface says of itself, and several calls in one.

use std::time::{Duration, Instant};

use patchwork::store::Db;
use serde_json::{Value, json};

use super::{client::basic, world::World};

pub async fn the_interface_describes_itself(db: &Db) {
    let world = World::new(db).await;
    assert_eq!(
        world.call("pw_rpc_version", json!([])).await,
        Ok(json!([1, 3, 0]))
    );
    let names = world
        .call("system.listMethods", json!([]))
        .await
        .expect("names");
    let names = names.as_array().expect("an array");
    assert_eq!(names.len(), 23);
    assert!(names.is_sorted_by_key(|name| name.as_str().map(str::to_owned)));
    for name in names {
        let help = world
            .call("system.methodHelp", json!([name]))
            .await
            .expect("help");
        assert!(
            help.as_str().is_some_and(|help| help.ends_with('.')),
            "{name}: {help}"
        );
        let signatures = world.call("system.methodSignature", json!([name])).await;
        for signature in signatures
            .expect("signatures")
            .as_array()
            .expect("an array")
        {
            let types = signature.as_array().expect("types");
            assert!(types.iter().all(|kind| {
                ["int", "string", "boolean", "array", "struct"]
                    .contains(&kind.as_str().unwrap_or_default())
            }));
        }
    }
    for (method, signatures) in [
        ("patch_get", json!([["struct", "int"]])),
        (
            "project_list",
            json!([["array"], ["array", "string"], ["array", "string", "int"]]),
        ),
        ("patch_set", json!([["boolean", "int", "struct"]])),
    ] {
        let found = world.call("system.methodSignature", json!([method])).await;
        assert_eq!(found, Ok(signatures), "{method}");
    }
    let capabilities = world
        .call("system.getCapabilities", json!([]))
        .await
        .expect("some");
    for name in ["xmlrpc", "introspect", "system.multicall"] {
        assert!(capabilities[name]["specUrl"].is_string(), "{name}");
    }
    for method in ["system.methodHelp", "system.methodSignature"] {
        let none = world.call(method, json!(["nosuch"])).await;
        let fault = "<class 'Exception'>:method \"nosuch\" is not supported";
        assert_eq!(none, Err(fault.to_owned()));
    }
}

fn fault(text: &str) -> Value {
    json!({ "faultCode": 1, "faultString": text })
}

pub async fn several_calls_are_made_in_one(db: &Db) {
    let world = World::new(db).await;
    let id = world.patches[0];
    let entry = |method: &str, params: Value| json!({ "methodName": method, "params": params });
    let calls = json!([[
        entry("pw_rpc_version", json!([])),
        entry("patch_list", json!([{ "id": id }])),
        entry("patch_set", json!([id, { "state": 3 }])),
        entry("patch_get", json!(["x"])),
        entry("system.multicall", json!([[]])),
        entry("nosuch", json!([])),
        json!("patch_get"),
        json!({ "methodName": "patch_get", "params": 1 }),
        json!({ "methodName": "pw_rpc_version" }),
        json!({}),
    ]]);
    let after = |answer: &Value| -> Vec<Value> {
        let answers = answer.as_array().expect("an array");
        [&answers[..1], &answers[3..]].concat()
    };
    let version = json!([[1, 3, 0]]);
    let expected = vec![
        version.clone(),
        fault("<class 'ValueError'>:Field 'patch_id' expected a number but got 'x'."),
        fault("<class 'Exception'>:Recursive system.multicall forbidden"),
        fault("<class 'Exception'>:method \"nosuch\" is not supported"),
        fault("<class 'ValueError'>:Field 'calls' expected a struct but got 'patch_get'."),
        fault("<class 'ValueError'>:Field 'params' expected an array but got 1."),
        version,
        fault("<class 'Exception'>:method \"\" is not supported"),
    ];
    let nobody = world
        .call("system.multicall", calls.clone())
        .await
        .expect("no fault");
    assert_eq!(after(&nobody), expected);
    assert_eq!(
        nobody[2],
        fault("<class 'Exception'>:No authentication credentials given")
    );
    let mara = world
        .call_as("mara", "system.multicall", calls)
        .await
        .expect("no fault");
    assert_eq!(after(&mara), expected);
    assert_eq!(
        (&mara[1][0][0]["id"], &mara[2]),
        (&json!(id), &json!([true]))
    );
    assert_eq!(
        world.call("system.multicall", json!([[]])).await,
        Ok(json!([]))
    );
    let none = world.call("system.multicall", json!(["x"])).await;
    let expected = "<class 'ValueError'>:Field 'calls' expected an array but got 'x'.";
    assert_eq!(none, Err(expected.to_owned()));
}

pub async fn a_password_is_judged_once(db: &Db) {
    let world = World::new(db).await;
    let entry = json!({ "methodName": "patch_set", "params": [world.patches[0], {}] });
    let many = json!([vec![entry; 500]]);
    let before = Instant::now();
    let header = basic("mara", "wrong");
    let answers = world
        .call_with(&header, "system.multicall", many)
        .await
        .expect("no fault");
    let answers = answers.as_array().expect("an array");
    let wrong = fault("<class 'Exception'>:Invalid username/password");
    assert!(answers.len() == 500 && answers.iter().all(|answer| *answer == wrong));
    // A hash takes 20 ms at the very least.
    assert!(
        before.elapsed() < Duration::from_secs(5),
        "{:?}",
        before.elapsed()
    );
}
