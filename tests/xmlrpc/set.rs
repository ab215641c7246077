//! Changing patches.

use patchwork::store::{Db, sql};
use serde_json::{Value, json};

use super::world::World;

const NOT_EDITOR: &str = "<class 'Exception'>:No permissions to edit this patch";

pub async fn editors_change_patches(db: &Db) {
    let world = World::new(db).await;
    let id = world.patches[0];
    let params = json!([id, { "state": 3, "commit_ref": "deadbeef", "archived": true }]);
    let refused = world.call_as("tom", "patch_set", params.clone()).await;
    assert_eq!(refused, Err(NOT_EDITOR.to_owned()));
    assert_eq!(world.number("SELECT count(*) FROM event").await, 0);
    assert_eq!(
        world.call_as("mara", "patch_set", params).await,
        Ok(json!(true))
    );
    let patch = world.call("patch_get", json!([id])).await.expect("a patch");
    assert_eq!(
        (&patch["state_id"], &patch["commit_ref"], &patch["archived"]),
        (&json!(3), &json!("deadbeef"), &json!(true))
    );
    let events =
        "SELECT category || ' ' || previous_state_id || ' ' || current_state_id FROM event";
    assert_eq!(world.texts(events).await, ["patch-state-changed 1 3"]);
    assert_eq!(world.number("SELECT actor_id FROM event").await, world.mara);
    // A delegate and a submitter may, too.
    let delegate = sql("UPDATE patch SET delegate_id = $1 WHERE id = $2");
    world.run(delegate.bind(world.tom).bind(id)).await;
    let open = json!([id, { "archived": false }]);
    assert_eq!(
        world.call_as("tom", "patch_set", open).await,
        Ok(json!(true))
    );
    let submitter = sql("UPDATE person SET account_id = $1 WHERE id = 1");
    world.run(submitter.bind(world.tom)).await;
    let other = json!([world.patches[4], { "state": "2" }]);
    assert_eq!(
        world.call_as("tom", "patch_set", other).await,
        Ok(json!(true))
    );
}

pub async fn values_are_read_kindly(db: &Db) {
    let world = World::new(db).await;
    let id = world.patches[0];
    let long = "é".repeat(255);
    let steps: Vec<(Value, Value, &str, bool)> = vec![
        (json!({}), json!(1), "", false),
        (
            json!({ "bogus": 1, "delegate": 2, "name": "x" }),
            json!(1),
            "",
            false,
        ),
        (json!({ "archived": 1 }), json!(1), "", true),
        (json!({ "archived": "No" }), json!(1), "", false),
        (json!({ "archived": "yes" }), json!(1), "", true),
        (
            json!({ "archived": "false", "state": null }),
            json!(1),
            "",
            false,
        ),
        (json!({ "state": "3" }), json!(3), "", false),
        (json!({ "commit_ref": long }), json!(3), &long, false),
        (json!({ "commit_ref": 123 }), json!(3), "123", false),
        (json!({ "commit_ref": null }), json!(3), "", false),
    ];
    for (params, state, commit_ref, archived) in steps {
        let set = world
            .call_as("mara", "patch_set", json!([id, params]))
            .await;
        assert_eq!(set, Ok(json!(true)), "{params}");
        let patch = world.call("patch_get", json!([id])).await.expect("a patch");
        let seen = (
            &patch["state_id"],
            patch["commit_ref"].as_str(),
            &patch["archived"],
        );
        assert_eq!(
            seen,
            (&state, Some(commit_ref), &json!(archived)),
            "{params}"
        );
    }
    let cleared = "SELECT count(*) FROM patch WHERE commit_ref IS NULL AND id = 1";
    assert_eq!(world.number(cleared).await, 1);
    assert_eq!(world.number("SELECT count(*) FROM event").await, 1);
}

pub async fn faults_come_in_their_order(db: &Db) {
    let world = World::new(db).await;
    let id = world.patches[0];
    let no_state =
        "<class 'patchwork.models.State.DoesNotExist'>:State matching query does not exist.";
    let no_patch =
        "<class 'patchwork.models.Patch.DoesNotExist'>:Patch matching query does not exist.";
    let cases = [
        ("tom", json!([999, { "state": 99 }]), no_patch),
        ("tom", json!([id, { "state": 99 }]), NOT_EDITOR),
        ("mara", json!([id, { "state": 99 }]), no_state),
        (
            "mara",
            json!([id, { "state": "Accepted" }]),
            "<class 'ValueError'>:Field 'state' expected a number but got 'Accepted'.",
        ),
        (
            "mara",
            json!([id, { "commit_ref": "a".repeat(256), "archived": true }]),
            "<class 'ValueError'>:Field 'commit_ref' has more than 255 characters.",
        ),
        (
            "mara",
            json!([id, { "archived": "perhaps" }]),
            "<class 'ValueError'>:Field 'archived' expected yes or no but got 'perhaps'.",
        ),
        (
            "mara",
            json!([id]),
            "<class 'TypeError'>:patch_set() missing 1 required positional argument: 'params'",
        ),
        (
            "mara",
            json!([]),
            "<class 'TypeError'>:patch_set() missing 2 required positional arguments: 'patch_id' and 'params'",
        ),
        (
            "mara",
            json!([id, "x"]),
            "<class 'ValueError'>:Field 'params' expected a struct but got 'x'.",
        ),
    ];
    for (user, params, fault) in cases {
        let set = world.call_as(user, "patch_set", params).await;
        assert_eq!(set, Err(fault.to_owned()));
    }
    let before = "SELECT count(*) FROM patch WHERE archived = FALSE";
    assert_eq!(world.number(before).await, 4);
    // Who asks comes before what is asked.
    let nobody = "<class 'Exception'>:No authentication credentials given";
    assert_eq!(
        world.call("patch_set", json!([])).await,
        Err(nobody.to_owned())
    );
    assert_eq!(
        world.call("check_create", json!(["x"])).await,
        Err(nobody.to_owned())
    );
}
