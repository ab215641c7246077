//! `patchwork dumpdata`: the arguments; what is in a dump is told in `store/dump.rs`.

use crate::support::program::Program;

#[test]
fn tables_are_chosen_by_name() {
    let program = Program::default();
    program.run(&["migrate"]).ok();
    let dump = program.run(&["dumpdata", "tag", "site"]).ok();
    let tables: Vec<&str> = dump
        .lines()
        .filter_map(|line| line.split('"').nth(3))
        .collect();
    assert_eq!(tables, ["tag", "tag", "tag", "site"]);
    program
        .run(&["dumpdata", "nothing"])
        .fails(1, &["there is no table 'nothing'", "patch_body"]);
    assert_eq!(
        program.run(&["dumpdata", "--stable", "--secrets"]).code,
        Some(2)
    );
}
