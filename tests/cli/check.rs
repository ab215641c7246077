//! `patchwork check`.

use patchwork::store::sql;

use crate::support::program::Program;

const CAREFUL: &[&str] = &[
    "--set",
    "site.url=https://pw.example.org",
    "--set",
    "mail.from=pw@example.org",
    "--set",
    "site.secret_key=0123456789abcdef0123456789abcdef",
];

fn check(program: &Program, more: &[&str]) -> crate::support::program::Ended {
    let mut arguments = vec!["check"];
    arguments.extend(CAREFUL);
    arguments.extend(more);
    program.run(&arguments)
}

on_both! {
    async fn a_sound_site_has_no_findings(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        assert!(check(&program, &[]).ok().contains("warning: there is no project yet"));
        program.run(&["loaddata", "default_projects"]).ok();
        assert_eq!(check(&program, &[]).ok(), "No mistakes found.\n");
        assert_eq!(check(&program, &["-v0"]).ok(), "");
        let out = program.run(&["check"]).ok();
        for part in ["mail.from", "site.secret_key", "site.url"] {
            assert!(out.contains(part), "{part} is not in {out}");
        }
    }
}

on_both! {
    async fn mistakes_in_rows_are_found(fresh: Fresh) {
        let mut tx = fresh.db.begin().await.expect("a transaction");
        for text in [
            "DELETE FROM state WHERE ordering = 0",
            "UPDATE tag SET pattern = '(' WHERE id = 1",
            "INSERT INTO project (linkname, name, list_id, list_email, subject_match) VALUES ('p', 'P', 'l', 'e', '[z')",
        ] {
            sql(text).run(&mut tx).await.expect(text);
        }
        tx.commit().await.expect("a commit");
        let ended = check(&Program::on(&fresh.url), &[]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        for part in ["error: no state has ordering 0", "error: tag Acked-by: '('", "error: project p: '[z'"] {
            assert!(ended.out.contains(part), "{part:?} is not in {ended:?}");
        }
        assert_eq!(ended.err, "");
    }
}

#[test]
fn mistakes_in_settings_are_found() {
    let program = Program::default();
    program.run(&["migrate"]).ok();
    let ended = check(
        &program,
        &["--set", "mail.user=$PW_USER", "--set", "mail.from=nobody"],
    );
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.contains("mail.user is '$PW_USER'"), "{ended:?}");
    assert!(ended.out.contains("mail.from 'nobody'"), "{ended:?}");
}

#[test]
fn a_database_that_is_away_is_an_error() {
    let program = Program::default();
    let ended = check(&program, &[]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.out.contains("error: there is no database"),
        "{ended:?}"
    );
    program.file("patchwork.db", "");
    let ended = check(&program, &[]);
    assert!(ended.out.contains("run `patchwork migrate`"), "{ended:?}");
    let away = check(
        &program,
        &[
            "--database",
            "postgres://u:geheim@127.0.0.1:1/n",
            "--set",
            "database.connect_timeout=1",
        ],
    );
    assert_eq!(away.code, Some(1));
    assert!(
        away.out.contains("cannot be reached") && !away.out.contains("geheim"),
        "{away:?}"
    );
}
