//! `patchwork migrate`.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::Path,
    time::{Duration, Instant},
};

use patchwork::store::{Kind, migrate};

use crate::support::{
    database,
    program::{Program, ended},
    skip,
};

#[test]
fn a_file_that_cannot_be_the_database_is_told_in_a_sentence() {
    let program = Program::default();
    program.file("letter.db", "Dear database, ".repeat(100));
    std::fs::create_dir(program.folder.join("folder.db")).expect("a folder");
    for (url, told) in [
        (
            "sqlite:letter.db",
            "letter.db: the file is no SQLite database: check database.url",
        ),
        (
            "sqlite:folder.db",
            "folder.db: the file cannot be opened: check",
        ),
    ] {
        program
            .run(&["migrate", "--database", url])
            .fails(1, &[told]);
        let check = program.run(&["check", "--database", url]);
        assert_eq!(check.code, Some(1), "{check:?}");
        assert!(check.out.contains(told), "{check:?}");
    }
}

#[test]
fn a_database_that_may_only_be_read_is_found() {
    let program = Program::default();
    program.run(&["migrate"]).ok();
    let all = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
    };
    let file = program.folder.join("patchwork.db");
    for (folder_mode, file_mode, told) in
        [(0o777, 0o444, "may only be read"), (0o555, 0o666, "folder")]
    {
        all(&program.folder, folder_mode);
        all(&file, file_mode);
        let mut command = program.command(&["check"]);
        // To root nothing is read-only.
        if fs::metadata(&file).expect("the file").uid() == 0 {
            command.uid(65534);
        }
        let Ok(child) = command.spawn() else {
            return skip("check as another user", "it may not start the program");
        };
        let check = ended(child);
        assert_eq!(check.code, Some(1), "{check:?}");
        assert!(
            check.out.contains("error: database sqlite:") && check.out.contains(told),
            "{check:?}"
        );
    }
}

#[test]
fn a_server_says_at_once_why_not() {
    let program = Program::default();
    let refused = "postgres://u:geheim@127.0.0.1:1/n";
    let begun = Instant::now();
    for command in ["migrate", "dumpdata", "serve"] {
        program.run(&[command, "--database", refused]).fails(
            1,
            &[
                "u:********@127.0.0.1:1/n: the database cannot be reached: Connection refused",
                "check host and port",
            ],
        );
    }
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
    let Some(server) = database::postgres_server() else {
        return;
    };
    let name = database::name();
    let url = {
        let _removed = database::Removed(&name);
        server.create_empty(&name)
    };
    program.run(&["migrate", "--database", &url]).fails(
        1,
        &[&format!(
            "there is no database {name} on the server: make it with `createdb {name}`"
        )],
    );
}

#[test]
fn a_database_is_made_planned_and_checked() {
    let program = Program::default();
    let count = migrate::known(Kind::Sqlite).len();
    assert_eq!(
        program.run(&["migrate"]).ok(),
        format!("Applied {count} migrations.\n")
    );
    assert_eq!(
        program.run(&["migrate", "--defaults"]).ok(),
        "The database is up to date.\n"
    );
    assert_eq!(program.run(&["migrate", "--check"]).ok(), "");
    let plan = program.run(&["migrate", "--plan"]).ok();
    assert_eq!(plan.lines().count(), count);
    assert!(plan.starts_with("[X] 0001 schema\n"), "{plan}");
}

#[test]
fn an_empty_file_is_behind() {
    let program = Program::default();
    program.file("patchwork.db", "");
    program
        .run(&["migrate", "--check"])
        .fails(1, &["missing migrations"]);
    assert!(
        program
            .run(&["migrate", "--plan"])
            .ok()
            .starts_with("[ ] 0001 schema\n")
    );
    program
        .run(&["dumpdata"])
        .fails(1, &["not up to date", "patchwork migrate"]);
}
