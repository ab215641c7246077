//! Who may do what: both ways to write, for everybody.

use patchwork::store::{Db, sql};
use serde_json::{Value, json};

use super::world::World;
use crate::web::seed;

const STRANGER: &str = "<class 'Exception'>:No authentication credentials given";
const NOT_EDITOR: &str = "<class 'Exception'>:No permissions to edit this patch";
const NO_PATCH: &str =
    "<class 'patchwork.models.Patch.DoesNotExist'>:Patch matching query does not exist.";

/// Nobody, an account without rights, the submitter, the delegate, the maintainer, a superuser.
const WHO: [&str; 6] = ["", "tom", "sam", "dee", "mara", "root"];

/// Gives the first patch a submitter and a delegate with accounts, and the site a superuser.
async fn people(world: &World) {
    let [sam, dee, root] = [
        seed::user(&world.db, "sam", None).await,
        seed::user(&world.db, "dee", None).await,
        seed::user(&world.db, "root", None).await,
    ];
    for statement in [
        sql("UPDATE person SET account_id = $1 WHERE id = (SELECT submitter_id FROM patch WHERE id = $2)").bind(sam),
        sql("UPDATE patch SET delegate_id = $1 WHERE id = $2").bind(dee),
        sql("UPDATE account SET is_superuser = TRUE, is_staff = TRUE WHERE id = $1 AND $2 > 0").bind(root),
    ] {
        world.run(statement.bind(world.patches[0])).await;
    }
    let same =
        "UPDATE account SET password = (SELECT password FROM account WHERE username = 'mara')";
    world.run(sql(same)).await;
}

pub async fn everybody_may_write_what_is_theirs(db: &Db) {
    let world = World::new(db).await;
    people(&world).await;
    // The first is all theirs; the fourth is another sender's; the last is of a project that Mara does not maintain.
    let rows: [(i64, [bool; 6]); 3] = [
        (world.patches[0], [false, false, true, true, true, false]),
        (world.patches[3], [false, false, false, false, true, false]),
        (world.patches[4], [false, false, true, false, false, false]),
    ];
    for (id, may) in rows {
        for (who, may) in WHO.iter().zip(may) {
            for (method, params) in ways(id) {
                let answer = match *who {
                    "" => world.call(method, params).await,
                    who => world.call_as(who, method, params).await,
                };
                let expected = match (may, *who) {
                    (true, _) => Ok(json!(true)),
                    (false, "") => Err(STRANGER.to_owned()),
                    (false, _) => Err(NOT_EDITOR.to_owned()),
                };
                assert_eq!(answer, expected, "{method} of {id} by {who:?}");
            }
        }
    }
    // What is not there is not there for anybody who is somebody.
    for (method, params) in ways(999) {
        let answer = world.call_as("tom", method, params.clone()).await;
        assert_eq!(answer, Err(NO_PATCH.to_owned()), "{method}");
        assert_eq!(world.call(method, params).await, Err(STRANGER.to_owned()));
    }
}

/// Each way to write.
fn ways(id: i64) -> [(&'static str, Value); 2] {
    [
        ("patch_set", json!([id, { "commit_ref": "0123abc" }])),
        ("check_create", json!([id, "ci", "success"])),
    ]
}
