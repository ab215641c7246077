//! `patchwork parsemail` and the program `patchwork-parsemail`.

use std::{
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use patchwork::store::{Db, Options, sql};

use crate::support::{
    database::{Fresh, block_on, on_postgres},
    program::{Ended, Program, ended},
};

const MAIL: &str = "From: Zoë <zoe@example.org>\nTo: tidepool@lists.example.org\nSubject: [PATCH] pump: run\n\
    Message-Id: <m1@example.org>\nDate: Tue, 05 Mar 2024 07:07:08 +0100\nList-Id: <patches.lists.example.org>\n\n\
    Start it.\n---\n--- a/pump.c\n+++ b/pump.c\n@@ -1 +1,2 @@\n x\n+y\n";

fn ready(url: &str) -> Program {
    let program = Program::on(url);
    program.run(&["loaddata", "default_projects", "-v0"]).ok();
    program
}

on_both! {
    async fn a_patch_is_stored_once(fresh: Fresh) {
        let program = ready(&fresh.url);
        assert_eq!(program.parsemail(&[], MAIL).ok(), "");
        let again = program.parsemail(&[], MAIL);
        assert_eq!((again.code, again.out.as_str()), (Some(0), ""));
        assert!(again.err.contains("duplicate") && again.err.contains("<m1@example.org>"), "{again:?}");
        let silent = program.parsemail(&["--mta"], MAIL).ok();
        assert_eq!(silent, "", "getmail takes any word for a failure");
        assert_eq!(program.run(&["dumpdata", "patch"]).ok().lines().count(), 1);
    }
}

on_both! {
    async fn the_list_may_be_told(fresh: Fresh) {
        let program = ready(&fresh.url);
        let unlisted = MAIL.replace("List-Id: <patches.lists.example.org>\n", "");
        let dropped = program.run_with(&["parsemail"], &unlisted);
        assert_eq!(dropped.code, Some(0));
        assert!(dropped.err.contains("no-project"), "{dropped:?}");
        let file = program.file("mail", unlisted.replace("m1@", "m2@"));
        let file = file.display().to_string();
        program.run(&["parsemail", "--list-id", "<Patches.lists.example.org>", &file]).ok();
        assert_eq!(program.run(&["dumpdata", "patch"]).ok().lines().count(), 1);
    }
}

on_both! {
    async fn what_is_no_mail_is_1_and_0_for_mail_servers(fresh: Fresh) {
        let program = ready(&fresh.url);
        program.parsemail(&[], "Subject: x\n\ntext\n").fails(1, &["From"]);
        program.parsemail(&["--mta"], "Subject: x\n\ntext\n").ok();
        program.parsemail(&["/not/there"], "").fails(1, &["/not/there"]);
        let told = program.parsemail(&["--mta", "/not/there"], "");
        later(told, &["/not/there"]);
    }
}

/// Demands 75, and a first line that tells mail servers so; nothing else.
#[track_caller]
fn later(ended: Ended, parts: &[&str]) {
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (Some(75), ""),
        "{ended:?}"
    );
    assert!(ended.err.starts_with("4.3.0 patchwork: "), "{ended:?}");
    assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
    for part in parts {
        assert!(ended.err.contains(part), "{part:?} is not in {ended:?}");
    }
}

/// Both ways to say it.
fn both(program: &Program, parts: &[&str]) {
    later(program.parsemail(&[], MAIL), parts);
    later(program.run_with(&["parsemail", "--mta"], MAIL), parts);
}

#[test]
fn trouble_that_is_ours_is_75() {
    let away = Program::on("postgres://u:geheim@127.0.0.1:1/n");
    both(&away, &["cannot be reached"]);
    let ended = away.parsemail(&[], MAIL);
    assert!(!ended.err.contains("geheim"), "{ended:?}");
    both(&Program::default(), &["there is no database"]);
    both(&Program::on("mysql://u@h/n"), &["PostgreSQL or SQLite"]);
    both(
        &Program::default().with("PATCHWORK_SERVER__PROT", "1"),
        &["PROT"],
    );
    both(
        &Program::default().with("PATCHWORK_CONFIG", "/not/there.toml"),
        &["/not/there.toml"],
    );
    let broken = Program::default();
    broken.file("site.toml", "[server\n");
    both(
        &broken.with("PATCHWORK_CONFIG", "site.toml"),
        &["site.toml"],
    );
    let behind = Program::default();
    behind.file("patchwork.db", "");
    both(&behind, &["patchwork migrate"]);
    let junk = Program::default();
    junk.file("patchwork.db", "this is no database, ".repeat(100));
    both(&junk, &["no SQLite database"]);
}

#[test]
fn a_slip_in_an_alias_is_75_and_else_2() {
    let program = Program::default();
    later(
        program.parsemail(&["--mta", "--lst-id", "x"], MAIL),
        &["--lst-id"],
    );
    later(
        program.run_with(&["parsemail", "--mta", "a", "b"], MAIL),
        &["'b'"],
    );
    later(
        program.run_with(&["parsmail", "--mta"], MAIL),
        &["parsmail"],
    );
    assert_eq!(program.parsemail(&["--lst-id", "x"], MAIL).code, Some(2));
    assert_eq!(program.parsemail(&["--mta", "--help"], MAIL).code, Some(0));
}

#[test]
fn a_locked_database_is_75_in_time() {
    let program = Program::default().with("PATCHWORK_DATABASE__CONNECT_TIMEOUT", "1");
    program.run(&["migrate", "-v0"]).ok();
    let url = format!("sqlite:{}", program.folder.join("patchwork.db").display());
    block_on(async {
        let db = Db::open(&url, &Options::default()).expect("an address");
        let writing = db.begin().await.expect("the lock");
        let begun = Instant::now();
        later(program.parsemail(&["--mta"], MAIL), &["locked"]);
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{:?}",
            begun.elapsed()
        );
        drop(writing);
        db.close().await;
    });
}

#[test]
fn a_row_that_stays_locked_is_75() {
    on_postgres(async |fresh: Fresh| {
        let program = ready(&fresh.url).with("PATCHWORK_DATABASE__STATEMENT_TIMEOUT", "1");
        let mut writing = fresh.db.begin().await.expect("a transaction");
        sql("UPDATE project SET name = name")
            .run(&mut writing)
            .await
            .expect("the lock");
        later(program.parsemail(&["--mta"], MAIL), &["took too long"]);
        writing.commit().await.expect("a commit");
        program.parsemail(&["--mta"], MAIL).ok();
    });
}

#[test]
fn a_signal_is_75() {
    let program = Program::default();
    for signal in ["TERM", "INT", "HUP"] {
        let mut child = program.start_parsemail(&["--mta"]);
        let stdin = child.stdin.take().expect("standard input");
        // It waits for the mail once it watches for signals.
        sleep(Duration::from_millis(300));
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &child.id().to_string()])
            .status();
        assert!(sent.expect("kill").success());
        later(ended(child), &[&format!("stopped by SIG{signal}")]);
        drop(stdin);
    }
}

#[test]
fn closed_outputs_do_not_matter() {
    let program = Program::default();
    program.run(&["migrate", "-v0"]).ok();
    for (arguments, mail, code) in [("", MAIL, 0), ("--mta --nonsense", MAIL, 75)] {
        let mail = program.file("mail", mail);
        let line = format!(
            "exec {} {arguments} {} <&- >&- 2>&-",
            env!("CARGO_BIN_EXE_patchwork-parsemail"),
            mail.display()
        );
        let done = Command::new("sh")
            .args(["-c", &line])
            .current_dir(&program.folder)
            .status();
        assert_eq!(done.expect("sh").code(), Some(code), "{line}");
    }
}

#[test]
fn a_mail_larger_than_any_is_not_cut() {
    let program = Program::default();
    program.run(&["migrate", "-v0"]).ok();
    let line = format!(
        "(printf 'Subject: x\\n\\n'; head -c 268435456 /dev/zero) | {} --mta",
        env!("CARGO_BIN_EXE_patchwork-parsemail")
    );
    let done = Command::new("sh")
        .args(["-c", &line])
        .current_dir(&program.folder)
        .output()
        .expect("sh");
    assert_eq!(done.status.code(), Some(75));
    assert!(
        String::from_utf8_lossy(&done.stderr).contains("more than 268435456 bytes"),
        "{done:?}"
    );
}

on_both! {
    async fn another_text_under_a_known_id_is_kept_as_evidence(fresh: Fresh) {
        let program = ready(&fresh.url);
        let forged = MAIL.replace("Start it.", "Stop it.");
        let travelled = format!("Received: from relay.example.org\n{MAIL}");
        for mail in [MAIL, &forged, &travelled, &forged, MAIL] {
            program.parsemail(&["--mta"], mail).ok();
        }
        let kept = program.run(&["dumpdata", "mail"]).ok();
        let outcomes: Vec<_> = kept
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
            .map(|row| (row["outcome"].clone(), row["size"].clone(), row["project_id"].clone()))
            .collect();
        let expected = [("patch", MAIL.len()), ("duplicate", forged.len())];
        assert_eq!(outcomes, expected.map(|(word, size)| (word.into(), size.into(), 1.into())));
        assert_eq!(program.run(&["dumpdata", "patch"]).ok().lines().count(), 1);
    }
}

on_both! {
    async fn without_a_project_nothing_is_stored_from_file_or_stdin(fresh: Fresh) {
        let program = ready(&fresh.url);
        let other = MAIL.replace("patches.lists", "elsewhere.lists");
        program.file("mail", &other);
        for ended in [program.run(&["parsemail", "mail"]), program.run_with(&["parsemail"], &other)] {
            assert_eq!(ended.code, Some(0), "{ended:?}");
            assert!(ended.err.contains("no-project"), "{ended:?}");
        }
        assert_eq!(program.run(&["dumpdata", "patch", "cover", "comment", "series", "person"]).ok(), "");
    }
}

on_both! {
    async fn with_a_list_id_from_file_or_stdin_in_ascii_or_utf_8(fresh: Fresh) {
        let program = ready(&fresh.url);
        let mut count = 0;
        for text in ["Start it.", "Démarre-la — naïvely."] {
            for is_file in [true, false] {
                count += 1;
                let mail = MAIL
                    .replace("List-Id: <patches.lists.example.org>\n", "Content-Type: text/plain; charset=utf-8\n")
                    .replace("m1@", &format!("m{count}@"))
                    .replace("Start it.", text);
                let list = ["parsemail", "--list-id", "patches.lists.example.org"];
                match is_file {
                    true => {
                        program.file("mail", mail);
                        program.run(&[&list[..], &["mail"]].concat()).ok();
                    }
                    false => drop(program.run_with(&list, mail).ok()),
                }
                let bodies = program.run(&["dumpdata", "patch_body"]).ok();
                assert_eq!(bodies.lines().count(), count, "one patch each");
                assert!(bodies.lines().last().is_some_and(|body| body.contains(text)), "{bodies}");
            }
        }
    }
}

on_both! {
    async fn an_archive_without_a_project_is_dropped(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        program.file("archive", format!("From x@example.org Tue Mar  5 06:07:08 2024\n{MAIL}"));
        let told = program.run(&["parsearchive", "archive"]).ok();
        assert!(told.starts_with("Processed 1 messages -->\n") && told.contains("     1 dropped\n"), "{told}");
        program.run(&["parsearchive", "missing"]).fails(1, &["missing"]);
        program.run(&["parsemail", "missing"]).fails(1, &["missing"]);
    }
}
