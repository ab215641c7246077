//! Checks.

use patchwork::store::{Db, sql};
use serde_json::{Value, json};

use super::world::World;
use crate::web::seed;

pub async fn checks_are_reported(db: &Db) {
    let world = World::new(db).await;
    let id = world.patches[0];
    let no_patch =
        "<class 'patchwork.models.Patch.DoesNotExist'>:Patch matching query does not exist.";
    let cases = [
        (json!([999, "ci", "bogus"]), no_patch),
        (
            json!([id, "ci", "bogus"]),
            "<class 'Exception'>:Invalid check state: bogus",
        ),
        (
            json!([id, "ci", "Success"]),
            "<class 'Exception'>:Invalid check state: Success",
        ),
        (
            json!([id, "a b", "success"]),
            "<class 'Exception'>:Invalid check context: 'a b' is no context",
        ),
        (
            json!([id, "", "success"]),
            "<class 'Exception'>:Invalid check context: ",
        ),
        (
            json!([id, "ci", "success", "javascript:x"]),
            "<class 'Exception'>:Invalid target URL: 'javascript:x'",
        ),
        (
            json!([id, "ci"]),
            "<class 'TypeError'>:check_create() missing 1 required positional argument: 'state'",
        ),
        (
            json!(["x", "ci", "fail"]),
            "<class 'ValueError'>:Field 'patch_id' expected a number",
        ),
    ];
    for (params, expected) in cases {
        let fault = world
            .call_as("mara", "check_create", params)
            .await
            .expect_err(expected);
        assert!(fault.starts_with(expected), "{fault}");
    }
    let refused = world
        .call_as("tom", "check_create", json!([id, "a b", "bogus"]))
        .await;
    let not_editor = "<class 'Exception'>:No permissions to edit this patch";
    assert_eq!(refused, Err(not_editor.to_owned()));
    assert_eq!(world.number("SELECT count(*) FROM patch_check").await, 0);
    for params in [
        json!([
            id,
            "ci-build",
            "success",
            "https://ci.example.com/1",
            "all good"
        ]),
        json!([id.to_string(), "ci-build", "fail"]),
        json!([id, "other", "warning", null, null]),
    ] {
        assert_eq!(
            world.call_as("mara", "check_create", params).await,
            Ok(json!(true))
        );
    }
    let kept =
        "SELECT context || '|' || target_url || '|' || description FROM patch_check ORDER BY id";
    let kept = world.texts(kept).await;
    assert_eq!(
        kept,
        [
            "ci-build|https://ci.example.com/1|all good",
            "ci-build||",
            "other||"
        ]
    );
    let told = "SELECT count(*) FROM event e JOIN patch_check c ON c.id = e.check_id
                 WHERE e.category = 'check-created' AND e.actor_id = c.account_id AND e.date = c.date";
    assert_eq!(world.number(told).await, 3);
}

async fn ids(world: &World, params: Value) -> Vec<i64> {
    let answer = world.call("check_list", params).await.expect("no fault");
    let rows = answer.as_array().expect("an array").iter();
    rows.filter_map(|row| row["id"].as_i64()).collect()
}

pub async fn checks_are_listed(db: &Db) {
    let world = World::new(db).await;
    let (a, e) = (world.patches[0], world.patches[4]);
    // As REST stores them: without an address, without a description.
    seed::check(db, a, world.mara, 2, 1, "ci").await;
    seed::check(db, a, world.tom, 1, 3, "ci").await;
    seed::check(db, e, world.mara, 0, 2, "lint").await;
    let fraction = sql(
        "UPDATE patch_check SET description = '', target_url = 'https://ci.example.com/3' WHERE id = 3",
    );
    world.run(fraction).await;
    let first = json!({
        "id": 1,
        "date": { "base64": "2023-11-16 22:13:20" },
        "patch": { "base64": "[1/3] widget: fix 50% of it" },
        "patch_id": a,
        "user": { "base64": "mara" },
        "user_id": world.mara,
        "state": "success",
        "target_url": "",
        "description": "",
        "context": "ci",
    });
    let list = world
        .call("check_list", json!([{ "patch_id": a, "max_count": 1 }]))
        .await;
    assert_eq!(list, Ok(json!([first])));
    assert_eq!(world.call("check_get", json!([1])).await, Ok(first));
    assert_eq!(world.call("check_get", json!([99])).await, Ok(json!({})));
    for (filter, expected) in [
        (json!({}), &[1, 2, 3][..]),
        (json!({ "max_count": -2 }), &[2, 3]),
        (json!({ "user": world.mara }), &[1, 3]),
        (json!({ "user": world.mara.to_string() }), &[1, 3]),
        (json!({ "user": "mara" }), &[1, 3]),
        (json!({ "user": "nobody" }), &[]),
        (json!({ "user": 99 }), &[]),
        (json!({ "user__in": [world.tom] }), &[2]),
        (json!({ "user": "tom", "patch_id": a }), &[2]),
        (json!({ "patch_id": e.to_string() }), &[3]),
        (json!({ "patch_id": 999 }), &[]),
        (json!({ "project_id": world.one }), &[1, 2]),
        (json!({ "project_id": 999 }), &[]),
        (json!({ "id__gte": 2 }), &[2, 3]),
        (json!({ "id__in": [1, 3] }), &[1, 3]),
        (json!({ "context": "ci" }), &[]),
        (json!({ "id__lte": 2 }), &[]),
    ] {
        assert_eq!(
            ids(&world, json!([filter.clone()])).await,
            expected,
            "{filter}"
        );
    }
    assert_eq!(ids(&world, json!([])).await, [1, 2, 3]);
    let fault = world.call("check_list", json!([{ "patch_id": "x" }])).await;
    let expected = "<class 'ValueError'>:Field 'patch_id' expected a number but got 'x'.";
    assert_eq!(fault, Err(expected.to_owned()));
}

pub async fn only_effective_checks_count(db: &Db) {
    let world = World::new(db).await;
    let id = world.patches[0];
    let none = json!({ "state": "pending", "total": 0, "checks": [] });
    assert_eq!(world.call("patch_check_get", json!([id])).await, Ok(none));
    assert_eq!(
        world.call("patch_check_get", json!([999])).await,
        Ok(json!({}))
    );
    seed::check(db, id, world.mara, 5, 1, "ci").await;
    seed::check(db, id, world.mara, 4, 3, "ci").await;
    seed::check(db, id, world.tom, 1, 1, "ci").await;
    seed::check(db, id, world.tom, 1, 2, "ci").await;
    seed::check(db, id, world.tom, 0, 0, "lint").await;
    let answer = world
        .call("patch_check_get", json!([id]))
        .await
        .expect("no fault");
    let counted = answer["checks"].as_array().expect("an array").iter();
    let counted: Vec<i64> = counted.filter_map(|check| check["id"].as_i64()).collect();
    assert_eq!(counted, [1, 4, 5]);
    assert_eq!(
        (&answer["state"], &answer["total"]),
        (&json!("warning"), &json!(3))
    );
}
