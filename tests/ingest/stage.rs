//! The projects, users and rules that scenes play with, and an empty stage between them.

use patchwork::{
    domain::Timestamp,
    store::{self, Conn, Db, Kind, sql},
};

/// Projects: linkname, subject pattern. Those with the same word before the dash share a list.
const PROJECTS: [(&str, &str); 8] = [
    ("dev", ""),
    ("other", ""),
    ("rules", ""),
    ("plain", ""),
    ("shared", ""),
    ("shared-keyword", "keyword"),
    ("shared-x", r".*PROJECT[\s]?X.*"),
    ("picky-only", "needle"),
];

/// Users: name, address, whether active.
const USERS: [(&str, &str, bool); 5] = [
    ("alice", "Alice@example.com", true),
    ("bob", "bob@example.com", true),
    ("gone", "gone@example.com", false),
    ("gone2", "twice@example.com", false),
    ("twice", "Twice@example.com", true),
];

/// Rules of the project `rules`: path, user, priority.
const RULES: [(&str, i64, i64); 4] = [
    ("net/*", 1, 0),
    ("net/special.c", 2, 5),
    ("doc/*", 1, 0),
    ("gone/*", 3, 0),
];

/// Tables that mails write to; those that refer come before those that are referred to.
pub const TABLES: [&str; 17] = [
    "tally",
    "event",
    "quarantine",
    "unmet_dependency",
    "awaited",
    "mail",
    "comment",
    "patch_tag",
    "patch_body",
    "patch_change_notification",
    "bundle_patch",
    "series_dependency",
    "series_reference",
    "patch",
    "series",
    "cover",
    "person",
];

/// Returns the list id of a project.
pub fn list_id(project: &str) -> String {
    let list = project.split('-').next().unwrap_or_default();
    format!("{list}.lists.example.org")
}

/// Opens a fresh database, sets up the projects, users and rules in it, and does not wait for the disk.
pub async fn open(url: &str) -> Db {
    let db = open_again(url);
    set_up(&db).await;
    db
}

/// Opens a database as another process would.
pub fn open_again(url: &str) -> Db {
    let options = store::Options {
        bulk: true,
        ..store::Options::default()
    };
    Db::open(url, &options).expect("an address")
}

/// Sets up the projects, users and rules.
async fn set_up(db: &Db) {
    let mut tx = db.begin().await.expect("a transaction");
    for (name, email, active) in USERS {
        sql("INSERT INTO account (username, email, password, is_active, date_joined) VALUES ($1, $2, '!', $3, $4)")
            .bind(name)
            .bind(email)
            .bind(active)
            .bind(Timestamp::from_seconds(0))
            .run(&mut tx)
            .await
            .expect("a user");
    }
    for (linkname, pattern) in PROJECTS {
        let list = list_id(linkname);
        sql("INSERT INTO project (linkname, name, list_id, list_email, subject_match, use_tags) VALUES ($1, $1, $2, $3, $4, $5)")
            .bind(linkname)
            .bind(&list)
            .bind(list.replacen(".lists", "@lists", 1))
            .bind(pattern)
            .bind(linkname != "plain")
            .run(&mut tx)
            .await
            .expect("a project");
    }
    for (path, user, priority) in RULES {
        sql("INSERT INTO delegation_rule (project_id, account_id, path, priority) VALUES (3, $1, $2, $3)")
            .bind(user)
            .bind(path)
            .bind(priority)
            .run(&mut tx)
            .await
            .expect("a rule");
    }
    tx.commit().await.expect("a commit");
}

/// Removes all that mails left; ids of series, patches and covers begin at 1 again.
pub async fn clear(db: &Db) {
    let mut tx = db.begin().await.expect("a transaction");
    for table in TABLES {
        let mut one = sql("DELETE FROM ");
        one.push(table);
        one.run(&mut tx).await.expect("an empty table");
    }
    match tx.kind() {
        Kind::Sqlite => {
            sql("DELETE FROM sqlite_sequence WHERE name NOT IN ('account', 'project')")
                .run(&mut tx)
                .await
                .expect("ids from 1");
        }
        // Much quicker than TRUNCATE, which makes new files for every table and index.
        Kind::Postgres => {
            sql(
                "SELECT setval(pg_get_serial_sequence(name, 'id'), 1, false) \
                 FROM unnest(ARRAY['series', 'patch', 'cover']) AS name",
            )
            .run(&mut tx)
            .await
            .expect("ids from 1");
        }
    }
    tx.commit().await.expect("a commit");
}

/// Returns how many rows each table has.
pub async fn counts(conn: &mut Conn) -> Vec<(&'static str, i64)> {
    let mut counts = Vec::new();
    for table in TABLES {
        let mut one = sql("SELECT count(*) FROM ");
        one.push(table);
        let (count,): (i64,) = one.one(conn).await.expect("a count");
        counts.push((table, count));
    }
    counts
}
