//! Migrations: the same in both folders, run once whoever asks, refused when a newer program was here.

use std::{collections::BTreeSet, path::Path, time::Duration};

use patchwork::store::{
    self, Db, Kind, Options,
    migrate::{self, Status},
    sql,
};

use crate::support::{database, fresh_folder, names, program::Program};

fn files(engine: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(engine);
    names(&folder)
}

#[test]
fn both_engines_have_the_same_files() {
    assert_eq!(files("sqlite"), files("postgres"));
}

#[test]
fn the_program_carries_what_the_folders_hold() {
    for (kind, engine) in [(Kind::Sqlite, "sqlite"), (Kind::Postgres, "postgres")] {
        let carried: BTreeSet<String> = migrate::known(kind)
            .into_iter()
            .map(|(version, name)| format!("{version:04}_{}.sql", name.replace(' ', "_")))
            .collect();
        assert_eq!(carried, files(engine), "{engine}");
    }
}

on_both! {
    async fn a_second_run_finds_nothing_to_do(db: Db) {
        assert_eq!(migrate::run(&db).await.expect("a run"), 0);
        let mut conn = db.reader().await.expect("a reader");
        assert_eq!(migrate::status(&mut conn).await.expect("a status"), Status::Current);
        let plan = migrate::plan(&mut conn).await.expect("a plan");
        assert!(plan.iter().all(|step| step.is_applied) && plan.len() >= 2);
    }
}

on_both! {
    async fn a_newer_schema_is_refused(fresh: Fresh) {
        let mut tx = fresh.db.begin().await.expect("a transaction");
        let newer = match fresh.db.kind() {
            Kind::Sqlite => "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)",
            Kind::Postgres => "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', true, '\\x00', 0)",
        };
        sql(newer).run(&mut tx).await.expect("a row");
        tx.commit().await.expect("a commit");
        let error = migrate::run(&fresh.db).await.expect_err("a refusal");
        assert!(matches!(error, store::Error::Schema(_)), "{error}");
        // Programs are waited for without giving way to tasks, so nothing may be left to roll back.
        fresh.db.close().await;
        let program = Program::on(&fresh.url);
        for command in [&["migrate"][..], &["migrate", "--check"], &["dumpdata"], &["serve", "--port", "0"]] {
            program.run(command).fails(1, &["newer patchwork"]);
        }
        let check = program.run(&["check"]);
        assert_eq!(check.code, Some(1));
        assert!(check.out.contains("newer patchwork"), "{check:?}");
    }
}

/// Two processes at once: one does the work, the other waits and finds nothing left.
#[track_caller]
fn race(url: &str) {
    let program = Program::on(url);
    let racers: Vec<_> = (0..3)
        .map(|_| program.command(&["migrate"]).spawn().expect("the program"))
        .collect();
    let mut told: Vec<String> = racers
        .into_iter()
        .map(|racer| crate::support::program::ended(racer).ok())
        .collect();
    told.sort();
    let applied = told
        .iter()
        .filter(|line| line.starts_with("Applied"))
        .count();
    assert_eq!(applied, 1, "{told:?}");
    assert_eq!(program.run(&["migrate", "--check"]).ok(), "");
}

#[test]
fn two_processes_migrate_one_sqlite_file() {
    race(&format!(
        "sqlite:{}",
        fresh_folder().join("new.db").display()
    ));
}

#[test]
fn two_processes_migrate_one_postgres_database() {
    let Some(server) = database::postgres_server() else {
        return;
    };
    let name = database::name();
    let _removed = database::Removed(&name);
    race(&server.create_empty(&name));
}

#[test]
fn an_empty_database_is_behind() {
    let url = format!("sqlite:{}", fresh_folder().join("empty.db").display());
    database::block_on(async {
        let db = Db::open(&url, &Options::default()).expect("an address");
        let mut conn = db.reader().await.expect("a reader");
        let status = migrate::status(&mut conn).await.expect("a status");
        assert_eq!(status, Status::Behind(migrate::known(Kind::Sqlite).len()));
    });
}

#[test]
fn a_migration_may_take_long() {
    database::on_postgres(async |fresh: database::Fresh| {
        let hasty = Options {
            statement_timeout: Some(Duration::from_millis(200)),
            ..Options::default()
        };
        let db = Db::open(&fresh.url, &hasty).expect("a database");
        let mut other = fresh.db.begin().await.expect("a transaction");
        let lock = sql("SELECT pg_advisory_xact_lock(7241998030561)");
        lock.run(&mut other).await.expect("a lock");
        let release = async {
            tokio::time::sleep(Duration::from_millis(600)).await;
            other.commit().await.expect("a commit");
        };
        let (done, ()) = tokio::join!(migrate::run(&db), release);
        assert_eq!(done.expect("patience"), 0);
    });
}
