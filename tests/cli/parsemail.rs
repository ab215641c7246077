//! `patchwork parsemail` and the program `patchwork-parsemail`.

use crate::support::program::Program;

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
        let large = program.parsemail(&["--set", "mail.intake.max_bytes=100"], MAIL);
        large.fails(1, &["more than the 100"]);
    }
}

#[test]
fn a_database_that_is_away_is_75() {
    let away = Program::on("postgres://u:geheim@127.0.0.1:1/n")
        .with("PATCHWORK_DATABASE__CONNECT_TIMEOUT", "1");
    let err = away.parsemail(&[], MAIL).fails(75, &["cannot be reached"]);
    assert!(!err.contains("geheim"), "{err}");
    away.run_with(&["parsemail", "--mta"], MAIL)
        .fails(75, &["cannot be reached"]);
    Program::default()
        .parsemail(&[], MAIL)
        .fails(75, &["there is no database"]);
    // With --mta even our own mistakes must not bounce somebody's mail.
    Program::default()
        .with("PATCHWORK_SERVER__PROT", "1")
        .parsemail(&["--mta"], MAIL)
        .fails(75, &["PROT"]);
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
