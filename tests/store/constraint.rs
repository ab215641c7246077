//! What a deletion takes along and what it must not (`domain.md` 1.25).

use patchwork::store::{Conn, Db, Kind, sql};

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
    put(db, ROWS).await;
}

async fn put(db: &Db, rows: &[&'static str]) {
    let mut tx = db.begin().await.expect("a transaction");
    for row in rows {
        let mut query = sql(row);
        if row.contains("$1") {
            query = query.bind(patchwork::domain::Timestamp::from_seconds(1_700_000_000));
        }
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

/// What may be deleted, whether it goes, and how many patches are there afterwards.
const DELETIONS: &[(&str, bool, i64)] = &[
    ("DELETE FROM account WHERE id = 1", true, 2),
    ("DELETE FROM account WHERE id = 2", false, 2),
    ("DELETE FROM person WHERE id = 1", false, 2),
    ("DELETE FROM project WHERE id = 1", false, 2),
    ("DELETE FROM maintainer", true, 2),
    ("DELETE FROM delegation_rule", true, 2),
    ("DELETE FROM state WHERE id = 1", false, 2),
    ("DELETE FROM state WHERE id = 3", false, 2),
    ("DELETE FROM state WHERE id = 10", true, 2),
    ("DELETE FROM tag WHERE id = 1", true, 2),
    ("DELETE FROM patch_tag", true, 2),
    ("DELETE FROM cover WHERE id = 1", true, 2),
    ("DELETE FROM series WHERE id = 1", true, 2),
    ("DELETE FROM series_reference", true, 2),
    ("DELETE FROM patch_relation WHERE id = 1", true, 2),
    ("DELETE FROM patch_body WHERE patch_id = 1", true, 2),
    ("DELETE FROM comment WHERE id = 1", true, 2),
    ("DELETE FROM bundle WHERE id = 1", true, 2),
    ("DELETE FROM bundle_patch", true, 2),
    ("DELETE FROM patch_check WHERE id = 1", true, 2),
    ("DELETE FROM event", true, 2),
    ("DELETE FROM mail", true, 2),
    ("DELETE FROM email_confirmation", true, 2),
    ("DELETE FROM email_optout", true, 2),
    ("DELETE FROM patch_change_notification", true, 2),
    ("DELETE FROM token", true, 2),
    ("DELETE FROM session", true, 2),
    ("DELETE FROM outbox", true, 2),
    ("DELETE FROM patch WHERE id = 1", true, 1),
];

/// What hangs on the patches beside [`ROWS`]: one row of every other table.
const MORE: &[&str] = &[
    "INSERT INTO delegation_rule (project_id, account_id, path) VALUES (1, 1, '*')",
    "INSERT INTO patch_tag (patch_id, tag_id) VALUES (1, 1)",
    "INSERT INTO series_reference (project_id, msgid, series_id, distance) VALUES (1, '<p1@x>', 1, 0)",
    "INSERT INTO patch_relation (id) VALUES (1)",
    "UPDATE patch SET related_id = 1",
    "INSERT INTO bundle (id, owner_id, project_id, name) VALUES (1, 1, 1, 'b')",
    "INSERT INTO bundle_patch (bundle_id, patch_id, position) VALUES (1, 1, 1)",
    "INSERT INTO mail (project_id, msgid, received, outcome, patch_id, size, digest, packed) VALUES (1, '<p1@x>', $1, 'patch', 1, 1, $2, $2)",
    "INSERT INTO email_confirmation (type, email, account_id, key_digest, date) VALUES ('optin', 'a@b', 1, '0123456789012345678901234567890123456789', $1)",
    "INSERT INTO email_optout (email) VALUES ('a@b')",
    "INSERT INTO patch_change_notification (patch_id, last_modified, orig_state_id) VALUES (1, $1, 3)",
    "INSERT INTO session (key_hash, account_id, created, expires) VALUES ($2, 1, $1, $1)",
    "INSERT INTO outbox (sender, recipient, subject, content, created, next_try) VALUES ('a', 'b', 'c', 'd', $1, $1)",
];

on_both! {
    async fn no_deletion_takes_patches_along(db: Db) {
        filled(&db).await;
        put(&db, MORE).await;
        for (deletion, goes, left) in DELETIONS {
            let mut tx = db.begin().await.expect("a transaction");
            let deleted = sql(deletion).run(&mut tx).await;
            assert_eq!(deleted.as_ref().is_ok_and(|rows| *rows > 0), *goes, "{deletion}: {deleted:?}");
            if deleted.is_ok() {
                assert_eq!(number(&mut tx, "SELECT count(*) FROM patch").await, Some(*left), "{deletion}");
            }
        }
    }
}

/// Every reference: table, column, what it refers to, and what becomes of the row when that goes.
const REFERENCES: &[&str] = &[
    "account_permission.account_id > account: CASCADE",
    "audit.account_id > account: SET NULL",
    "awaited.project_id > project: CASCADE",
    "bundle.owner_id > account: CASCADE",
    "bundle.project_id > project: CASCADE",
    "bundle_patch.bundle_id > bundle: CASCADE",
    "bundle_patch.patch_id > patch: CASCADE",
    "comment.cover_id > cover: CASCADE",
    "comment.patch_id > patch: CASCADE",
    "comment.submitter_id > person: NO ACTION",
    "cover.project_id > project: NO ACTION",
    "cover.submitter_id > person: NO ACTION",
    "delegation_rule.account_id > account: CASCADE",
    "delegation_rule.project_id > project: CASCADE",
    "email_confirmation.account_id > account: CASCADE",
    "event.actor_id > account: SET NULL",
    "event.check_id > patch_check: CASCADE",
    "event.comment_id > comment: CASCADE",
    "event.cover_id > cover: CASCADE",
    "event.current_delegate_id > account: SET NULL",
    "event.current_relation_id > patch_relation: SET NULL",
    "event.current_state_id > state: NO ACTION",
    "event.patch_id > patch: CASCADE",
    "event.previous_delegate_id > account: SET NULL",
    "event.previous_relation_id > patch_relation: SET NULL",
    "event.previous_state_id > state: NO ACTION",
    "event.project_id > project: CASCADE",
    "event.series_id > series: CASCADE",
    "group_member.account_id > account: CASCADE",
    "group_member.group_id > account_group: CASCADE",
    "group_permission.group_id > account_group: CASCADE",
    "job.account_id > account: SET NULL",
    "mail.comment_id > comment: SET NULL",
    "mail.cover_id > cover: SET NULL",
    "mail.patch_id > patch: SET NULL",
    "mail.project_id > project: SET NULL",
    "maintainer.account_id > account: CASCADE",
    "maintainer.project_id > project: CASCADE",
    "patch.delegate_id > account: SET NULL",
    "patch.project_id > project: NO ACTION",
    "patch.related_id > patch_relation: SET NULL",
    "patch.series_id > series: SET NULL",
    "patch.state_id > state: NO ACTION",
    "patch.submitter_id > person: NO ACTION",
    "patch_body.patch_id > patch: CASCADE",
    "patch_change_notification.orig_state_id > state: NO ACTION",
    "patch_change_notification.patch_id > patch: CASCADE",
    "patch_check.account_id > account: NO ACTION",
    "patch_check.patch_id > patch: CASCADE",
    "patch_tag.patch_id > patch: CASCADE",
    "patch_tag.tag_id > tag: CASCADE",
    "pending_login.account_id > account: CASCADE",
    "person.account_id > account: SET NULL",
    "person_alias.person_id > person: CASCADE",
    "project_alias.project_id > project: CASCADE",
    "quarantine.project_id > project: SET NULL",
    "recovery_code.account_id > account: CASCADE",
    "review_claim.account_id > account: CASCADE",
    "review_claim.patch_id > patch: CASCADE",
    "review_claim.series_id > series: CASCADE",
    "revision_link.account_id > account: SET NULL",
    "revision_link.earlier_id > series: CASCADE",
    "revision_link.series_id > series: CASCADE",
    "revision_sign.project_id > project: CASCADE",
    "revision_sign.series_id > series: CASCADE",
    "saved_filter.account_id > account: CASCADE",
    "saved_filter.project_id > project: CASCADE",
    "second_factor.account_id > account: CASCADE",
    "series.cover_id > cover: SET NULL",
    "series.project_id > project: NO ACTION",
    "series.submitter_id > person: NO ACTION",
    "series_dependency.from_series_id > series: CASCADE",
    "series_dependency.to_series_id > series: CASCADE",
    "series_reference.project_id > project: CASCADE",
    "series_reference.series_id > series: CASCADE",
    "session.account_id > account: CASCADE",
    "tally.project_id > project: CASCADE",
    "token.account_id > account: CASCADE",
    "undo.account_id > account: CASCADE",
    "unmet_dependency.project_id > project: CASCADE",
    "unmet_dependency.series_id > series: CASCADE",
    "webhook.project_id > project: CASCADE",
    "webhook_delivery.webhook_id > webhook: CASCADE",
];

on_both! {
    async fn references_do_the_same_on_both_engines(db: Db) {
        let text = match db.kind() {
            Kind::Sqlite => {
                "SELECT t.name, f.\"from\", f.\"table\", f.on_delete FROM sqlite_schema t \
                 JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table'"
            }
            Kind::Postgres => {
                "SELECT c.conrelid::regclass::text, a.attname::text, c.confrelid::regclass::text, \
                        CASE c.confdeltype WHEN 'a' THEN 'NO ACTION' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE '?' END \
                   FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] \
                  WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace"
            }
        };
        let mut conn = db.reader().await.expect("a reader");
        let rows: Vec<(String, String, String, String)> = sql(text).all(&mut conn).await.expect("references");
        let mut found: Vec<String> = rows
            .into_iter()
            .map(|(table, column, target, action)| format!("{table}.{column} > {target}: {action}"))
            .collect();
        found.sort();
        assert_eq!(found, REFERENCES);
    }
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
