//! Projects, people and states.

use patchwork::store::{Db, sql};
use serde_json::{Value, json};

use super::world::World;

/// One member of each struct of an answer.
fn each(answer: Result<Value, String>, member: &str) -> Vec<Value> {
    let answer = answer.expect("no fault");
    let rows = answer.as_array().expect("an array").iter();
    rows.map(|row| row[member].clone()).collect()
}

pub async fn projects_are_listed(db: &Db) {
    let world = World::new(db).await;
    for (params, expected) in [
        (json!([]), &["Two", "one"][..]),
        (json!(["", 0]), &["Two", "one"]),
        (json!([null, null]), &["Two", "one"]),
        (json!(["TW"]), &["Two"]),
        (json!(["zz"]), &[]),
        (json!(["", 1]), &["Two"]),
        (json!(["", "1"]), &["Two"]),
        (json!(["", -1]), &["one"]),
        (json!(["", -9]), &["Two", "one"]),
    ] {
        let mut found = each(world.call("project_list", params.clone()).await, "linkname");
        // Databases do not agree where upper case goes.
        if params
            .get(1)
            .is_none_or(|most| most.as_i64().unwrap_or_default() == 0)
        {
            found.sort_by_key(|name| name.as_str().map(str::to_owned));
            assert_eq!(found, expected, "{params}");
        } else {
            assert_eq!(found.len(), expected.len(), "{params}");
        }
    }
    let one = json!({ "id": world.one, "linkname": "one", "name": "The one project" });
    assert_eq!(
        world.call("project_get", json!([world.one])).await,
        Ok(one.clone())
    );
    assert_eq!(
        world
            .call("project_get", json!([world.one.to_string()]))
            .await,
        Ok(one)
    );
    assert_eq!(world.call("project_get", json!([99])).await, Ok(json!({})));
    for (params, fault) in [
        (
            json!(["", "many"]),
            "<class 'ValueError'>:Field 'max_count' expected a number but got 'many'.",
        ),
        (
            json!([[], 1]),
            "<class 'ValueError'>:Field 'search' expected a string but got an array.",
        ),
        (
            json!(["", 1, 2]),
            "<class 'TypeError'>:project_list() takes 2 positional arguments but 3 were given",
        ),
    ] {
        assert_eq!(
            world.call("project_list", params).await,
            Err(fault.to_owned())
        );
    }
}

pub async fn people_are_listed(db: &Db) {
    let world = World::new(db).await;
    let user = sql("UPDATE person SET account_id = $1 WHERE email = 'ann@example.org'");
    world.run(user.bind(world.mara)).await;
    let ann = json!({
        "id": 1,
        "email": "ann@example.org",
        "name": "Ann Lee",
        "user": { "base64": "mara" },
    });
    let bob = json!({
        "id": 2,
        "email": "bob@example.com",
        "name": "bob@example.com",
        "user": { "base64": "None" },
    });
    assert_eq!(world.call("person_get", json!([1])).await, Ok(ann));
    assert_eq!(world.call("person_get", json!([2])).await, Ok(bob));
    assert_eq!(world.call("person_get", json!([99])).await, Ok(json!({})));
    for (params, expected) in [
        (json!([]), json!([1, 2, 3])),
        (json!(["", 0]), json!([1, 2, 3])),
        (json!(["ANN"]), json!([1])),
        (json!(["ann lee"]), json!([1])),
        (json!(["EXAMPLE.com"]), json!([2, 3])),
        (json!(["_"]), json!([])),
        (json!(["", 2]), json!([1, 2])),
        (json!(["", -2]), json!([2, 3])),
        (json!(["", -9]), json!([1, 2, 3])),
    ] {
        let found = each(world.call("person_list", params.clone()).await, "id");
        assert_eq!(Value::from(found), expected, "{params}");
    }
}

pub async fn states_are_listed(db: &Db) {
    let world = World::new(db).await;
    for (params, expected) in [
        (json!(["REV"]), json!(["Under Review"])),
        (json!(["", 2]), json!(["New", "Under Review"])),
        (json!(["nothing of that"]), json!([])),
    ] {
        let found = each(world.call("state_list", params.clone()).await, "name");
        assert_eq!(Value::from(found), expected, "{params}");
    }
    let new = json!({ "id": 1, "name": "New" });
    assert_eq!(world.call("state_get", json!([1])).await, Ok(new));
    assert_eq!(world.call("state_get", json!([99])).await, Ok(json!({})));
}
