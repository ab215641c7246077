//! `patchwork loaddata`.

use patchwork::store::sql;

use crate::support::program::Program;

on_both! {
    async fn edited_rows_stay_unless_forced(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        let before = program.run(&["dumpdata", "state", "tag"]).ok();
        let told = program.run(&["loaddata", "default_states", "/opt/patchwork/patchwork/fixtures/default_tags.xml"]).ok();
        assert_eq!(told, "Rows added: 0, overwritten: 0, kept as they were: 13.\n");
        let mut tx = fresh.db.begin().await.expect("a transaction");
        sql("UPDATE state SET name = 'Fresh' WHERE id = 1").run(&mut tx).await.expect("an edit");
        sql("DELETE FROM state WHERE id = 10").run(&mut tx).await.expect("a deletion");
        tx.commit().await.expect("a commit");
        let told = program.run(&["loaddata", "default_states"]).ok();
        assert_eq!(told, "Rows added: 1, overwritten: 0, kept as they were: 9.\n");
        assert!(program.run(&["dumpdata", "state"]).ok().contains("Fresh"));
        let told = program.run(&["loaddata", "default_states.json", "--force"]).ok();
        assert_eq!(told, "Rows added: 0, overwritten: 10, kept as they were: 0.\n");
        assert_eq!(program.run(&["dumpdata", "state", "tag"]).ok(), before);
    }
}

on_both! {
    async fn a_dump_can_be_loaded(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        program.run(&["loaddata", "default_projects"]).ok();
        let dump = program.run(&["dumpdata", "state", "tag", "project"]).ok();
        let other = Program::default();
        other.run(&["migrate"]).ok();
        other.file("site.json", &dump);
        other.run(&["loaddata", "site.json"]).ok();
        assert_eq!(other.run(&["dumpdata", "state", "tag", "project"]).ok(), dump);
        // The next ids come after those that were given.
        let mut tx = fresh.db.begin().await.expect("a transaction");
        sql("INSERT INTO state (name, slug, ordering) VALUES ('x', 'x', 77)").run(&mut tx).await.expect("a new state");
        sql("INSERT INTO tag (name, pattern, abbrev) VALUES ('x', 'x', 'x')").run(&mut tx).await.expect("a new tag");
    }
}

#[test]
fn what_is_no_fixture_is_refused() {
    let program = Program::default();
    program.run(&["migrate"]).ok();
    program
        .run(&["loaddata", "default_users"])
        .fails(1, &["'default_users'", "default_states"]);
    program
        .run(&["loaddata", "none.json"])
        .fails(1, &["none.json"]);
    let cases = [
        ("{\"table\":\"account\",\"id\":1}", "line 1"),
        ("\nnot json", "line 2"),
        (
            "{\"table\":\"tag\",\"id\":9,\"name\":\"x\",\"pattern\":\"(\",\"abbrev\":\"x\",\"show_column\":true}",
            "regular expression",
        ),
    ];
    for (text, part) in cases {
        program.file("bad.json", text);
        program
            .run(&["loaddata", "bad.json"])
            .fails(1, &["bad.json", part]);
    }
}
