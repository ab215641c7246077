//! Changing patches, bundles, comments, opt-outs: all or nothing, in a fixed number of statements.

use patchwork::{
    domain::{
        BundleId, PatchId, StateId, Timestamp, UserId,
        change::{Actor, PatchChange},
    },
    store::{self, Db, Kind, sql},
};
use serde_json::json;

use super::play::Player;

const NOBODY: Actor = Actor {
    user: None,
    at: Timestamp(1_704_708_000_000_000),
};

async fn patches(db: &Db, count: usize) -> Vec<PatchId> {
    let mut player = Player::new(db).await;
    for number in 0..count {
        let mail = json!({"mail": format!("p{number}"), "subject": format!("[PATCH] {number}")});
        player.step(&mail).await;
    }
    let mut conn = db.reader().await.expect("a reader");
    store::patch::walk::ids(&mut conn, PatchId(0), &[])
        .await
        .expect("ids")
}

fn to(state: i64) -> PatchChange {
    PatchChange {
        state: Some(StateId(state)),
        ..PatchChange::default()
    }
}

on_both! {
    async fn many_patches_change_together_or_not_at_all(db: Db) {
        let ids = patches(&db, 2).await;
        for wrong in [
            (vec![ids[0], ids[1], PatchId(999_999)], to(3)),
            (ids.clone(), to(999)),
            (ids.clone(), PatchChange { delegate: Some(Some(UserId(999_999))), ..to(3) }),
            (ids.clone(), PatchChange { commit_ref: Some(Some("a".repeat(256))), ..to(3) }),
        ] {
            let mut tx = db.begin().await.expect("a transaction");
            assert!(store::patch::change::apply(&mut tx, &wrong.0, &wrong.1, &NOBODY).await.is_err(), "{wrong:?}");
        }
        let mut conn = db.reader().await.expect("a reader");
        let (changed,): (i64,) = sql("SELECT count(*) FROM patch WHERE state_id <> 1").one(&mut conn).await.expect("a count");
        let (told,): (i64,) = sql("SELECT count(*) FROM event WHERE category = 'patch-state-changed'").one(&mut conn).await.expect("a count");
        assert_eq!((changed, told), (0, 0));
    }
}

on_both! {
    /// Read, write, tell, queue: one statement more for every eight events and notifications.
    async fn a_change_of_many_costs_as_many_statements_as_of_one(db: Db) {
        let ids = patches(&db, 16).await;
        let mut costs = Vec::new();
        for some in [&ids[..1], &ids[1..9]] {
            let mut tx = db.begin().await.expect("a transaction");
            store::patch::change::apply(&mut tx, some, &to(3), &NOBODY).await.expect("a change");
            costs.push(tx.statements());
            tx.commit().await.expect("a commit");
        }
        // SQLite takes events and counts one after the other.
        let cost = if db.kind() == Kind::Sqlite { 7 } else { 5 };
        assert_eq!(costs, [cost, cost]);
    }
}

on_both! {
    async fn every_field_can_be_set_and_emptied(db: Db) {
        let id = patches(&db, 1).await[0];
        let full = PatchChange {
            archived: Some(true),
            commit_ref: Some(Some("abc".to_owned())),
            pull_url: Some(Some("git://git.example.org/x".to_owned())),
            ..to(3)
        };
        let empty = PatchChange {
            archived: Some(false),
            commit_ref: Some(None),
            pull_url: Some(None),
            delegate: Some(None),
            related: Some(None),
            state: None,
        };
        for change in [full, empty] {
            let mut tx = db.begin().await.expect("a transaction");
            let after = store::patch::change::apply(&mut tx, &[id], &change, &NOBODY).await.expect("a change");
            tx.commit().await.expect("a commit");
            let mut tx = db.begin().await.expect("a transaction");
            let stored = store::patch::change::apply(&mut tx, &[id], &PatchChange::default(), &NOBODY).await.expect("no change");
            assert_eq!(stored, after);
            assert_eq!(stored[0], change.applied_to(&stored[0]));
            assert_eq!(stored[0].state_id, StateId(3));
        }
    }
}

async fn new_bundle(db: &Db) -> store::Result<BundleId> {
    let mut tx = db.begin().await?;
    let user = store::user::by_username(&mut tx, "mara").await?;
    let project = store::project::by_linkname(&mut tx, "dev").await?;
    let (user, project) = (user.expect("a user"), project.expect("a project"));
    let id = store::bundle::insert(&mut tx, user.id, project.id, "to do", false).await?;
    tx.commit().await?;
    Ok(id)
}

on_both! {
    async fn bundles_are_appended_to_and_overwritten_in_order(db: Db) {
        let ids = patches(&db, 4).await;
        let bundle = new_bundle(&db).await.expect("a bundle");
        assert!(new_bundle(&db).await.expect_err("a name is given once").is_duplicate());
        let [a, b, c, d] = ids[..] else { panic!("four patches") };
        let mut tx = db.begin().await.expect("a transaction");
        store::bundle::append(&mut tx, bundle, &[c, a, c]).await.expect("a bundle");
        store::bundle::append(&mut tx, bundle, &[a, b]).await.expect("a bundle");
        assert_eq!(store::bundle::patches(&mut tx, bundle).await.expect("patches"), [c, a, b]);
        let places: Vec<(i64,)> =
            sql("SELECT position FROM bundle_patch ORDER BY position").all(&mut tx).await.expect("places");
        assert_eq!(places, [(1,), (2,), (3,)]);
        store::bundle::overwrite(&mut tx, bundle, &[d, a]).await.expect("a bundle");
        assert_eq!(store::bundle::patches(&mut tx, bundle).await.expect("patches"), [d, a]);
        assert!(store::bundle::append(&mut tx, BundleId(999_999), &[a]).await.is_err());
        sql("DELETE FROM bundle").run(&mut tx).await.expect("no bundle");
        tx.commit().await.expect("a commit");
    }
}

on_both! {
    async fn an_edited_comment_has_plain_line_ends(db: Db) {
        let mut player = Player::new(&db).await;
        for step in [json!({"mail": "p1"}), json!({"mail": "r1", "subject": "Re: [PATCH] a", "reply": "p1"}), json!("edit r1 a\r\nb\n")] {
            player.step(&step).await;
        }
        let mut conn = db.reader().await.expect("a reader");
        let (content,): (String,) = sql("SELECT content FROM comment").one(&mut conn).await.expect("a comment");
        assert_eq!(content, "a\nb\n");
        drop(conn);
        let mut tx = db.begin().await.expect("a transaction");
        let nothing = patchwork::domain::CommentId(999_999);
        assert!(!store::comment::edit(&mut tx, nothing, "x").await.expect("an answer"));
        assert!(!store::comment::delete(&mut tx, nothing).await.expect("an answer"));
        assert!(!store::comment::set_addressed(&mut tx, nothing, None).await.expect("an answer"));
    }
}

on_both! {
    async fn addresses_that_opted_out_are_found_however_they_are_written(db: Db) {
        let mut tx = db.begin().await.expect("a transaction");
        store::optout::insert(&mut tx, " Ann@Example.com ").await.expect("a row");
        store::optout::insert(&mut tx, "ann@example.com").await.expect("the same row");
        let rows: Vec<(String,)> = sql("SELECT email FROM email_optout").all(&mut tx).await.expect("rows");
        assert_eq!(rows, [("ann@example.com".to_owned(),)]);
        assert!(store::optout::contains(&mut tx, "ANN@example.com").await.expect("an answer"));
        assert!(store::optout::delete(&mut tx, "\tann@EXAMPLE.com").await.expect("an answer"));
        assert!(!store::optout::delete(&mut tx, "ann@example.com").await.expect("an answer"));
        assert!(!store::optout::contains(&mut tx, "ann@example.com").await.expect("an answer"));
        tx.commit().await.expect("a commit");
    }
}
