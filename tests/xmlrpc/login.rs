//! Who asks.

use base64::{Engine, prelude::BASE64_STANDARD};
use patchwork::store::{Db, sql};
use serde_json::json;

use super::{
    client::basic,
    world::{PASSWORD, World},
};
use crate::web::seed;

const WRONG: &str = "<class 'Exception'>:Invalid username/password";
const UNCLEAR: &str = "<class 'Exception'>:Invalid authentication credentials";
const NOT_EDITOR: &str = "<class 'Exception'>:No permissions to edit this patch";

pub async fn credentials_are_judged(db: &Db) {
    let world = World::new(db).await;
    let gone = seed::user(db, "gone", Some(world.one)).await;
    let disable = sql(
        "UPDATE account SET is_active = FALSE, password = (SELECT password FROM account WHERE username = 'mara')
          WHERE id = $1",
    );
    world.run(disable.bind(gone)).await;
    let scheme = "<class 'Exception'>:Authentication scheme not supported";
    let cases = [
        ("Digest x".to_owned(), scheme),
        (String::new(), scheme),
        ("Basic".to_owned(), UNCLEAR),
        ("Basic ???".to_owned(), UNCLEAR),
        (format!("Basic {}", BASE64_STANDARD.encode("mara")), UNCLEAR),
        ("Token".to_owned(), UNCLEAR),
        (basic("mara", "wrong"), WRONG),
        (basic("nobody", PASSWORD), WRONG),
        (basic("gone", PASSWORD), WRONG),
        ("Token 0000".to_owned(), WRONG),
        (basic("tom", PASSWORD), NOT_EDITOR),
    ];
    let params = json!([world.patches[0], {}]);
    for (header, fault) in cases {
        let set = world.call_with(&header, "patch_set", params.clone()).await;
        assert_eq!(set, Err(fault.to_owned()), "{header}");
    }
    for scheme in ["Basic", "basic", "BASIC"] {
        let header = basic("mara", PASSWORD).replacen("Basic", scheme, 1);
        let set = world.call_with(&header, "patch_set", params.clone()).await;
        assert_eq!(set, Ok(json!(true)), "{scheme}");
    }
}

pub async fn passwords_cannot_be_tried_for_ever(db: &Db) {
    let world = World::new(db).await;
    let params = json!([world.patches[0], {}]);
    let token = world.token(world.mara, "write", None).await;
    // A token is no wrong password.
    for _ in 0..11 {
        let header = basic("mara", &token);
        let set = world.call_with(&header, "patch_set", params.clone()).await;
        assert_eq!(set, Ok(json!(true)));
    }
    for _ in 0..10 {
        let header = basic("mara", "wrong");
        let set = world.call_with(&header, "patch_set", params.clone()).await;
        assert_eq!(set, Err(WRONG.to_owned()));
    }
    let header = basic("mara", PASSWORD);
    let set = world.call_with(&header, "patch_set", params.clone()).await;
    assert!(set.is_err_and(|fault| fault.contains("Too many wrong passwords")));
    let header = basic("mara", &token);
    let set = world.call_with(&header, "patch_set", params).await;
    assert_eq!(set, Ok(json!(true)));
}

pub async fn tokens_are_taken(db: &Db) {
    let world = World::new(db).await;
    let (id, mara) = (world.patches[0], world.mara);
    let set = json!([id, { "archived": true }]);
    let report = json!([id, "ci", "success"]);
    for (scope, may_set, may_report) in [
        ("read", false, false),
        ("checks", false, true),
        ("write", true, true),
    ] {
        let token = world.token(mara, scope, None).await;
        for header in [format!("Token {token}"), basic("mara", &token)] {
            let may = |may| {
                if may {
                    Ok(json!(true))
                } else {
                    Err(NOT_EDITOR.to_owned())
                }
            };
            let answer = world.call_with(&header, "patch_set", set.clone()).await;
            assert_eq!(answer, may(may_set), "{scope}");
            let answer = world
                .call_with(&header, "check_create", report.clone())
                .await;
            assert_eq!(answer, may(may_report), "{scope}");
        }
        // It is nobody else's, whatever name stands beside it.
        let foreign = world
            .call_with(&basic("tom", &token), "patch_set", set.clone())
            .await;
        assert_eq!(foreign, Err(WRONG.to_owned()));
    }
    let old = world.token(mara, "write", Some(seed::day(1))).await;
    let answer = world
        .call_with(&basic("mara", &old), "patch_set", set)
        .await;
    assert_eq!(answer, Err(WRONG.to_owned()));
}

pub async fn others_take_no_notice(db: &Db) {
    let world = World::new(db).await;
    let id = world.patches[0];
    for header in [
        "Basic ???",
        "Digest x",
        &basic("mara", "wrong"),
        "Token 0000",
    ] {
        let patch = world.call_with(header, "patch_get", json!([id])).await;
        assert_eq!(patch.expect("a patch")["id"], id, "{header}");
        let none = world.call_with(header, "nosuch", json!([])).await;
        let fault = "<class 'Exception'>:method \"nosuch\" is not supported";
        assert_eq!(none, Err(fault.to_owned()), "{header}");
    }
}
