//! What a deletion takes along and what it must not (`domain.md` 1.25).

use patchwork::store::{Conn, Db, sql};

/// A project with a series of two patches behind a cover, a comment, a check, and events of all of it.
/// Every id is 1 except where there are two of a kind.
const ROWS: &[&str] = &[
    "INSERT INTO account (id, username, password, date_joined) VALUES (1, 'mara', '', $1), (2, 'ci', '', $1)",
    "INSERT INTO person (id, email, key, account_id) VALUES (1, 'mara@example.org', 'mara@example.org', 1)",
    "INSERT INTO project (id, linkname, name, list_id, list_email) VALUES (1, 'tidepool', 'Tidepool', 'tidepool.example.org', 'tidepool@example.org')",
    "INSERT INTO maintainer (account_id, project_id) VALUES (1, 1)",
    "INSERT INTO cover (id, project_id, submitter_id, msgid, date, name) VALUES (1, 1, 1, '<c@x>', $1, 'cover')",
    "INSERT INTO series (id, project_id, submitter_id, cover_id, date, total) VALUES (1, 1, 1, 1, $1, 2)",
    "INSERT INTO patch (id, project_id, submitter_id, state_id, delegate_id, series_id, number, date, msgid, name, name_key) \
     VALUES (1, 1, 1, 1, 1, 1, 1, $1, '<p1@x>', 'one', 'one'), (2, 1, 1, 1, NULL, 1, 2, $1, '<p2@x>', 'two', 'two')",
    "INSERT INTO patch_body (patch_id, content) VALUES (1, 'text'), (2, 'text')",
    "INSERT INTO comment (id, patch_id, submitter_id, date, msgid) VALUES (1, 1, 1, $1, '<r@x>')",
    "INSERT INTO patch_check (id, patch_id, account_id, date) VALUES (1, 1, 2, $1)",
    "INSERT INTO event (id, category, project_id, date, actor_id, patch_id, previous_state_id, current_state_id, previous_delegate_id, current_delegate_id) \
     VALUES (1, 'patch-delegated', 1, $1, 1, 1, 1, 2, 1, 1)",
    "INSERT INTO token (id, account_id, key_hash, created) VALUES (1, 1, $2, $1)",
];

async fn filled(db: &Db) {
    let mut tx = db.begin().await.expect("a transaction");
    for row in ROWS {
        let mut query = sql(row).bind(patchwork::domain::Timestamp::from_seconds(1_700_000_000));
        if row.contains("$2") {
            query = query.bind(vec![1_u8; 32]);
        }
        query
            .run(&mut tx)
            .await
            .unwrap_or_else(|error| panic!("{row}: {error}"));
    }
    tx.commit().await.expect("a commit");
}

async fn does(db: &Db, text: &'static str) -> bool {
    let mut tx = db.begin().await.expect("a transaction");
    match sql(text).run(&mut tx).await {
        Ok(rows) => {
            assert!(rows > 0, "{text} found nothing");
            tx.commit().await.is_ok()
        }
        Err(_) => false,
    }
}

async fn number(conn: &mut Conn, text: &'static str) -> Option<i64> {
    let (number,): (Option<i64>,) = sql(text).one(conn).await.expect(text);
    number
}

on_both! {
    async fn a_user_goes_and_patches_stay(db: Db) {
        filled(&db).await;
        assert!(does(&db, "DELETE FROM account WHERE id = 1").await);
        let mut conn = db.reader().await.expect("a reader");
        assert_eq!(number(&mut conn, "SELECT count(*) FROM patch").await, Some(2));
        assert_eq!(number(&mut conn, "SELECT delegate_id FROM patch WHERE id = 1").await, None);
        assert_eq!(number(&mut conn, "SELECT account_id FROM person WHERE id = 1").await, None);
        assert_eq!(number(&mut conn, "SELECT count(*) FROM event").await, Some(1));
        for column in [
            "SELECT actor_id FROM event", "SELECT previous_delegate_id FROM event", "SELECT current_delegate_id FROM event",
        ] {
            assert_eq!(number(&mut conn, column).await, None, "{column}");
        }
        for gone in ["SELECT count(*) FROM token", "SELECT count(*) FROM maintainer"] {
            assert_eq!(number(&mut conn, gone).await, Some(0), "{gone}");
        }
    }
}

on_both! {
    async fn who_reported_checks_stays(db: Db) {
        filled(&db).await;
        assert!(!does(&db, "DELETE FROM account WHERE id = 2").await);
    }
}

on_both! {
    async fn who_sent_something_stays(db: Db) {
        filled(&db).await;
        assert!(!does(&db, "DELETE FROM person WHERE id = 1").await);
    }
}

on_both! {
    async fn a_cover_goes_and_its_series_stays(db: Db) {
        filled(&db).await;
        assert!(does(&db, "DELETE FROM cover WHERE id = 1").await);
        let mut conn = db.reader().await.expect("a reader");
        assert_eq!(number(&mut conn, "SELECT count(*) FROM series").await, Some(1));
        assert_eq!(number(&mut conn, "SELECT cover_id FROM series").await, None);
        assert_eq!(number(&mut conn, "SELECT count(*) FROM patch").await, Some(2));
    }
}

on_both! {
    async fn a_series_goes_and_its_patches_stay_without_numbers(db: Db) {
        filled(&db).await;
        assert!(does(&db, "DELETE FROM series WHERE id = 1").await);
        let mut conn = db.reader().await.expect("a reader");
        assert_eq!(number(&mut conn, "SELECT count(*) FROM patch WHERE series_id IS NULL AND number IS NULL").await, Some(2));
    }
}

on_both! {
    async fn a_state_in_use_stays(db: Db) {
        filled(&db).await;
        assert!(!does(&db, "DELETE FROM state WHERE id = 1").await, "a patch has it");
        assert!(!does(&db, "DELETE FROM state WHERE id = 2").await, "an event tells of it");
        assert!(does(&db, "DELETE FROM state WHERE id = 10").await);
    }
}

on_both! {
    async fn a_patch_takes_along_what_was_said_of_it(db: Db) {
        filled(&db).await;
        assert!(does(&db, "DELETE FROM patch WHERE id = 1").await);
        let mut conn = db.reader().await.expect("a reader");
        for gone in [
            "SELECT count(*) FROM comment", "SELECT count(*) FROM patch_check", "SELECT count(*) FROM event",
            "SELECT count(*) FROM patch_body WHERE patch_id = 1",
        ] {
            assert_eq!(number(&mut conn, gone).await, Some(0), "{gone}");
        }
        assert_eq!(number(&mut conn, "SELECT count(*) FROM series").await, Some(1));
    }
}

on_both! {
    async fn a_project_with_patches_stays(db: Db) {
        filled(&db).await;
        assert!(!does(&db, "DELETE FROM project WHERE id = 1").await);
    }
}

on_both! {
    async fn one_of_a_kind_is_one(db: Db) {
        filled(&db).await;
        for twice in [
            "INSERT INTO person (email, key) VALUES ('MARA@example.org', 'x')",
            "INSERT INTO project (linkname, name, list_id, list_email) VALUES ('other', 'Other', 'tidepool.example.org', 'x@y')",
            "INSERT INTO patch (project_id, submitter_id, state_id, series_id, number, date, msgid, name, name_key) SELECT 1, 1, 1, 1, 1, date, '<p3@x>', 'x', 'x' FROM cover",
            "INSERT INTO patch (project_id, submitter_id, state_id, date, msgid, name, name_key) SELECT 1, 1, 1, date, '<p1@x>', 'x', 'x' FROM cover",
            "INSERT INTO state (name, slug, ordering) VALUES ('Newer', 'newer', 0)",
            "INSERT INTO comment (submitter_id, date, msgid) SELECT 1, date, '<n@x>' FROM cover",
            "INSERT INTO series_dependency (from_series_id, to_series_id, position) VALUES (1, 1, 1)",
        ] {
            assert!(!does(&db, twice).await, "{twice}");
        }
    }
}

on_both! {
    async fn ids_are_never_used_twice(db: Db) {
        const MORE: &str = "INSERT INTO patch_relation DEFAULT VALUES";
        assert!(does(&db, MORE).await && does(&db, MORE).await);
        assert!(does(&db, "DELETE FROM patch_relation").await);
        assert!(does(&db, MORE).await);
        let mut conn = db.reader().await.expect("a reader");
        assert_eq!(number(&mut conn, "SELECT id FROM patch_relation").await, Some(3));
    }
}
