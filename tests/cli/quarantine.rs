//! `patchwork quarantine`: what is set aside is seen, tried again, dropped.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::support::program::Program;

const SMALL: &str = "mail.intake.max_bytes=200";

fn mail(id: &str) -> String {
    format!(
        "From: Zoë <zoe@example.org>\nSubject: [PATCH] pump: run\nMessage-Id: <{id}@example.org>\n\
         Date: Tue, 05 Mar 2024 07:07:08 +0100\nList-Id: <patches.lists.example.org>\nX-Trick: \u{1b}[2Jgone\n\n\
         Start it.\n---\n--- a/pump.c\n+++ b/pump.c\n@@ -1 +1,2 @@\n x\n+y\n"
    )
}

fn ready(url: &str) -> Program {
    let program = Program::on(url);
    program.run(&["loaddata", "default_projects", "-v0"]).ok();
    program
}

/// Has mails set aside as too large.
fn filled(url: &str, ids: &[&str]) -> Program {
    let program = ready(url);
    for id in ids {
        program.parsemail(&["--mta", "--set", SMALL], mail(id)).ok();
    }
    program
}

on_both! {
    async fn an_empty_quarantine_says_so(fresh: Fresh) {
        let program = ready(&fresh.url);
        assert_eq!(program.run(&["quarantine", "list"]).ok(), "Nothing is in quarantine.\n");
        assert_eq!(program.run(&["quarantine", "list", "--json"]).ok(), "");
        assert_eq!(program.run(&["quarantine", "retry", "--all", "-v0"]).ok(), "");
        for action in ["show", "retry", "drop"] {
            program.run(&["quarantine", action, "7"]).fails(1, &["there is no mail 7 in quarantine"]);
        }
        program.run(&["quarantine", "retry", "--spool"]).fails(1, &["mail.intake.spool is empty"]);
    }
}

on_both! {
    async fn what_is_set_aside_is_listed_and_shown(fresh: Fresh) {
        let program = filled(&fresh.url, &["a", "b", "a"]);
        let told = program.parsemail(&["--set", SMALL], mail("a"));
        assert_eq!(told.code, Some(0));
        assert!(told.err.contains("set aside as 1 of the quarantine"), "{told:?}");
        let list = program.run(&["quarantine", "list"]).ok();
        let lines: Vec<&str> = list.lines().collect();
        assert_eq!(lines.len(), 3, "{list}");
        assert!(lines[0].starts_with("ID  RECEIVED") && lines[1].starts_with("1   20"), "{list}");
        for part in ["example", "<a@example.org>", "limit: the mail has", "more than the 200"] {
            assert!(lines[1].contains(part), "{part}: {list}");
        }
        let json = program.run(&["quarantine", "list", "--json"]).ok();
        let first: serde_json::Value = serde_json::from_str(json.lines().next().expect("a line")).expect("JSON");
        assert_eq!((&first["id"], &first["tries"], &first["kind"]), (&1.into(), &3.into(), &"limit".into()));
        let shown = program.run(&["quarantine", "show", "2"]).ok();
        assert!(shown.contains("<b@example.org>") && shown.contains("Subject: [PATCH] pump: run"), "{shown}");
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        assert_eq!(program.run(&["quarantine", "show", "2", "--raw"]).ok(), mail("b"));
        let check = program.run(&["check"]);
        assert!(check.out.contains("2 mails are in quarantine"), "{check:?}");
    }
}

on_both! {
    async fn what_can_be_taken_in_leaves(fresh: Fresh) {
        let program = filled(&fresh.url, &["a", "b"]);
        let stays = program.run(&["quarantine", "retry", "1", "--set", SMALL]);
        assert_eq!((stays.code, stays.err.as_str()), (Some(1), ""));
        assert!(stays.out.starts_with("1: in quarantine as 1: the mail has"), "{stays:?}");
        program.parsemail(&["--mta"], mail("b")).ok();
        let told = program.run(&["quarantine", "retry", "--all"]).ok();
        assert_eq!(told, "1: stored as patch 2\n2: stored before\n");
        assert_eq!(program.run(&["quarantine", "list"]).ok(), "Nothing is in quarantine.\n");
        assert_eq!(program.run(&["dumpdata", "patch"]).ok().lines().count(), 2);
    }
}

on_both! {
    async fn dropping_is_confirmed(fresh: Fresh) {
        let program = filled(&fresh.url, &["a", "b", "c"]);
        program.run(&["quarantine", "drop", "1"]).fails(1, &["--yes"]);
        program.run(&["quarantine", "drop", "1", "9", "--yes"]).fails(1, &["no mail 9"]);
        assert_eq!(program.run(&["quarantine", "drop", "1", "3", "1", "--yes"]).ok(), "1: dropped\n3: dropped\n");
        assert_eq!(program.run(&["dumpdata", "quarantine"]).ok().lines().count(), 1);
    }
}

on_both! {
    async fn an_archive_sets_aside_too(fresh: Fresh) {
        let program = ready(&fresh.url);
        let mbox = ["a", "b"].map(|id| format!("From x Tue Mar  5 07:07:08 2024\n{}\n", mail(id)));
        program.file("archive", mbox.concat());
        let told = program.run(&["parsearchive", "archive", "--set", SMALL]);
        assert_eq!(told.code, Some(0));
        assert!(told.out.contains("     2 errors\nTotal: 0 new entries\n"), "{told:?}");
        assert!(told.err.contains("<a@example.org>: set aside as 1 of the quarantine"), "{told:?}");
        program.run(&["quarantine", "retry", "--all"]).ok();
        assert_eq!(program.run(&["dumpdata", "patch"]).ok().lines().count(), 2);
    }
}

on_both! {
    async fn a_spool_is_delivered_once_the_database_is_back(fresh: Fresh) {
        let program = ready(&fresh.url);
        let spool = program.folder.join("spool");
        fs::create_dir(&spool).expect("a folder");
        let setting = format!("mail.intake.spool={}", spool.display());
        let away = Program::on("postgres://u@127.0.0.1:1/n").with("PATCHWORK_MAIL__INTAKE__SPOOL", &spool.display().to_string());
        for id in ["a", "b"] {
            assert_eq!(away.parsemail(&["--mta"], mail(id)).ok(), "");
        }
        let told = away.parsemail(&["--list-id", "elsewhere.example.org"], mail("c"));
        assert_eq!(told.code, Some(0));
        assert!(told.err.contains("the mail waits in"), "{told:?}");
        assert_eq!(fs::read_dir(&spool).expect("a list").count(), 3);
        fs::write(spool.join("9.mail"), "junk").expect("a file");
        let told = program.run(&["quarantine", "retry", "--spool", "--set", &setting]);
        let lines: Vec<&str> = told.out.lines().filter_map(|line| line.split_once(": ")).map(|(_, what)| what).collect();
        assert_eq!(lines, ["stored as patch 1", "stored as patch 2", "nothing to store: no-project"]);
        assert_eq!(told.code, Some(1));
        assert!(told.err.contains("9.mail stays in the spool"), "{told:?}");
        let left: Vec<_> = fs::read_dir(&spool).expect("a list").flatten().map(|file| file.file_name()).collect();
        assert_eq!(left, ["9.mail"]);
        fs::remove_file(spool.join("9.mail")).expect("gone");
        let empty = program.run(&["quarantine", "retry", "--spool", "--set", &setting]).ok();
        assert_eq!(empty, "Nothing waits in the spool.\n");
    }
}

#[test]
fn a_spool_that_cannot_be_written_is_75_and_found_by_check() {
    let away = Program::on("postgres://u@127.0.0.1:1/n")
        .with("PATCHWORK_MAIL__INTAKE__SPOOL", "not/there");
    let ended = away.parsemail(&["--mta"], mail("a"));
    assert_eq!(ended.code, Some(75));
    assert!(
        ended.err.starts_with("4.3.0 ") && ended.err.contains("cannot write the spool"),
        "{ended:?}"
    );
    let found = away.run(&["check"]);
    assert!(found.out.contains("error: mail.intake.spool:"), "{found:?}");
}

#[test]
fn a_spool_is_made_by_the_first_mail_that_needs_it() {
    let program = Program::on("postgres://u@127.0.0.1:1/n");
    let folder = program.folder.join("spool");
    let away = program.with(
        "PATCHWORK_MAIL__INTAKE__SPOOL",
        &folder.display().to_string(),
    );
    let found = away.run(&["check"]);
    assert!(found.out.contains("install -d -o USER -m 750"), "{found:?}");
    assert!(!folder.exists(), "whoever checks may not be who delivers");
    assert_eq!(away.parsemail(&["--mta"], mail("a")).code, Some(0));
    let mode = fs::metadata(&folder).expect("a folder").permissions();
    assert_eq!(mode.mode() & 0o777, 0o750);
    assert_eq!(fs::read_dir(&folder).expect("a list").count(), 1);
}

#[test]
fn wrong_words_are_usage_errors() {
    for arguments in [
        &["quarantine"][..],
        &["quarantine", "retry"],
        &["quarantine", "retry", "1", "--all"],
        &["quarantine", "drop"],
        &["quarantine", "show", "x"],
    ] {
        assert_eq!(
            Program::default().run(arguments).code,
            Some(2),
            "{arguments:?}"
        );
    }
}
