//! `patchwork demo`.

use std::{
    io::{BufRead, BufReader},
    process::Command,
};

use patchwork::store::{Db, Options};

use crate::support::{
    free_port,
    program::{Program, ended},
    tally,
};

#[test]
fn a_demo_is_made_once_and_found_again() {
    let program = Program::default();
    let first = program.run(&["demo", "--no-serve"]).ok();
    assert!(first.starts_with("Made the demo"), "{first}");
    for part in [
        "admin",
        "mara",
        "tobias",
        "password",
        "patchwork parsearchive ARCHIVE.mbox --database",
    ] {
        assert!(first.contains(part), "{part:?} is not in {first}");
    }
    let dump = |program: &Program| {
        program
            .run(&[
                "dumpdata",
                "--stable",
                "--database",
                "sqlite:patchwork-demo/patchwork.db",
            ])
            .ok()
    };
    let before = dump(&program);
    for table in [
        "\"patch\"",
        "\"comment\"",
        "\"patch_check\"",
        "\"maintainer\"",
        "\"review_claim\"",
    ] {
        assert!(before.contains(table), "nothing of {table}");
    }
    assert!(
        program
            .run(&["demo", "--no-serve"])
            .ok()
            .starts_with("Found the demo")
    );
    assert_eq!(dump(&program), before);
    let url = format!(
        "sqlite:{}",
        program.folder.join("patchwork-demo/patchwork.db").display()
    );
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(async {
            let db = Db::open(&url, &Options::default()).expect("an address");
            tally::is_right(&db).await;
            db.close().await;
        });
}

#[test]
fn a_served_demo_is_told_once_and_ends_when_told() {
    let program = Program::default();
    let port = free_port();
    let mut child = program
        .command(&["demo", "--port", &port.to_string()])
        .spawn()
        .expect("the program");
    let out = BufReader::new(child.stdout.as_mut().expect("standard output"));
    let mut lines = Vec::new();
    for line in out.lines() {
        lines.push(line.expect("a line"));
        if lines
            .last()
            .is_some_and(|line| line.starts_with("Serving on"))
        {
            break;
        }
    }
    let made = lines
        .iter()
        .filter(|line| line.starts_with("Made the demo"));
    assert_eq!(made.count(), 1, "{lines:?}");
    program
        .run(&["demo", "--port", &port.to_string()])
        .fails(1, &["is taken; choose another with --port"]);
    let told = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .expect("kill");
    assert!(told.success());
    assert_eq!(ended(child).code, Some(0));
}

on_both! {
    async fn a_demo_stays_out_of_real_sites(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        program.run(&["loaddata", "default_projects"]).ok();
        program.run(&["demo", "--no-serve", "--database", &fresh.url]).fails(1, &["a database of its own"]);
        assert_eq!(program.run(&["dumpdata", "account"]).ok(), "");
        // Without --database it is a file of its own, whatever the settings say.
        program.run(&["demo", "--no-serve", "-v0"]).ok();
        assert_eq!(program.run(&["dumpdata", "account"]).ok(), "");
    }
}
