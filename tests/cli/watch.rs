//! Maildirs: what arrives is stored and moves on, once.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use crate::support::{
    free_port,
    program::{Program, ended},
};

const MAIL: &str = "From: Zoe <zoe@example.org>\nSubject: [PATCH] pump: run\nMessage-Id: <m1@example.org>\n\
    Date: Tue, 05 Mar 2024 07:07:08 +0100\nList-Id: <dev.example.org>\n\nStart it.\n---\n--- a/pump.c\n+++ b/pump.c\n\
    @@ -1 +1,2 @@\n x\n+y\n";

fn maildir(program: &Program, name: &str) -> std::path::PathBuf {
    let folder = program.folder.join(name);
    for part in ["tmp", "new"] {
        fs::create_dir_all(folder.join(part)).expect("a folder");
    }
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

on_both! {
    async fn what_arrives_is_stored_and_moves_on(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        program.make_dev();
        let (one, two) = (maildir(&program, "one"), maildir(&program, "two"));
        fs::write(one.join("new/1700000002.b"), MAIL.replace("m1@", "m2@")).expect("a mail");
        fs::write(one.join("new/1700000001.a:2,R"), MAIL).expect("a mail");
        fs::write(one.join("new/1700000003.c"), "no mail").expect("a mail");
        fs::write(one.join("tmp/1700000004.d"), MAIL.replace("m1@", "m4@")).expect("half a mail");
        fs::write(two.join("new/1700000001.a"), MAIL).expect("the same mail");
        let (a, b) = (one.display().to_string(), two.display().to_string());
        assert_eq!(program.run(&["watch", "--once", &a, &b]).ok(), "4 mails\n");
        assert_eq!(names(&one.join("cur")), ["1700000001.a:2,S", "1700000002.b:2,S", "1700000003.c:2,S"]);
        assert_eq!(names(&one.join("new")).len() + names(&two.join("new")).len(), 0);
        assert_eq!(program.run(&["dumpdata", "patch"]).ok().lines().count(), 2);
        assert_eq!(program.run(&["watch", "--once", &a, &b]).ok(), "0 mails\n");
    }
}

#[test]
fn it_waits_for_mails_until_told_to_stop() {
    let program = Program::default();
    program.run(&["migrate", "-v0"]).ok();
    program.make_dev();
    let box_ = maildir(&program, "box");
    let name = box_.display().to_string();
    let child = program
        .command(&["watch", &name])
        .spawn()
        .expect("the program");
    fs::write(box_.join("tmp/1.a"), MAIL).expect("a mail");
    fs::rename(box_.join("tmp/1.a"), box_.join("new/1.a")).expect("it arrives");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !box_.join("cur/1.a:2,S").exists() {
        assert!(std::time::Instant::now() < end, "it never came");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let told = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(told.expect("kill").success());
    assert_eq!(ended(child).ok(), "Watching (Ctrl-C ends it)\n");
    assert_eq!(program.run(&["dumpdata", "patch"]).ok().lines().count(), 1);
}

#[test]
fn without_a_database_mails_stay_where_they_are() {
    let away = format!("postgres://nobody@127.0.0.1:{}/none", free_port());
    let program = Program::on(&away).with("PATCHWORK_DATABASE__CONNECT_TIMEOUT", "1");
    let box_ = maildir(&program, "box");
    fs::write(box_.join("new/1.a"), MAIL).expect("a mail");
    let ended = program.run(&["watch", "--once", "-v0", &box_.display().to_string()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(names(&box_.join("new")), ["1.a"]);
    let nothing = program.folder.display().to_string();
    program
        .run(&["watch", "--once", &nothing])
        .fails(1, &["no Maildir", "new/"]);
}

/// Somebody to whom nothing belongs.
const NOBODY: u32 = 65534;

fn give(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            give(&entry.expect("an entry").path());
        }
    }
}

#[test]
fn a_mail_that_cannot_be_read_keeps_no_other_from_being_taken() {
    let program = Program::default();
    program.run(&["migrate", "-v0"]).ok();
    program.make_dev();
    let box_ = maildir(&program, "box");
    let locked = box_.join("new/1.a");
    fs::write(&locked, MAIL).expect("a mail");
    fs::write(box_.join("new/2.b"), MAIL.replace("m1@", "m2@")).expect("a mail");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).expect("a mode");
    let name = box_.display().to_string();
    let mut command = program.command(&["watch", "--once", &name]);
    if fs::metadata(&box_).expect("a folder").uid() == 0 {
        // Root may read everything.
        give(&program.folder);
        command.uid(NOBODY).gid(NOBODY);
    }
    let told = ended(command.spawn().expect("the program"));
    assert_eq!((told.code, &*told.out), (Some(1), "1 mails\n"), "{told:?}");
    assert_eq!(
        told.err.matches("1.a: Permission denied").count(),
        1,
        "{told:?}"
    );
    assert!(
        told.err.contains("1 mails in new/ cannot be read"),
        "{told:?}"
    );
    assert_eq!(names(&box_.join("new")), ["1.a"]);
    assert_eq!(names(&box_.join("cur")), ["2.b:2,S"]);
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o600)).expect("a mode");
    assert_eq!(program.run(&["watch", "--once", &name]).ok(), "1 mails\n");
}
