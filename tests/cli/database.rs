//! `patchwork migrate`.

use patchwork::store::{Kind, migrate};

use crate::support::program::Program;

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
