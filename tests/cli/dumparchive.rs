//! `patchwork dumparchive`: one tar archive, a mailbox for each project, nothing left lying about.

use std::{collections::BTreeMap, fs, io::Read, process::Command, thread, time::Duration};

use flate2::read::GzDecoder;
use patchwork::store::sql;

use crate::support::{
    database,
    program::{Program, ended},
};

const SAMPLE: &[u8] = include_bytes!("../../lib/sample/tidepool.mbox");

const PROJECTS: &[(&str, &str, &str)] = &[
    ("tidepool", "tidepool.lists.example.org", ""),
    (
        "tide-small",
        "tidepool.lists.example.org",
        "nothing has this subject",
    ),
    ("other", "other.example.org", ""),
];

fn ready(url: &str) -> Program {
    let program = Program::on(url);
    for (name, list, subject) in PROJECTS {
        let email = format!("{name}@example.org");
        let mut arguments = vec![
            "createproject",
            name,
            "--name",
            name,
            "--list-id",
            list,
            "--list-email",
            &email,
            "-v0",
        ];
        if !subject.is_empty() {
            arguments.extend(["--subject-match", subject]);
        }
        program.run(&arguments).ok();
    }
    program.run_with(&["parsearchive", "-", "-v0"], SAMPLE).ok();
    program
}

/// The files in the folder of a program.
fn files(program: &Program) -> Vec<String> {
    let entries = fs::read_dir(&program.folder).expect("a folder");
    entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name.contains("patchwork_dump_"))
        .collect()
}

/// Runs the command and returns the members of the archive, which it removes.
fn members(program: &Program, arguments: &[&str], ending: &str) -> BTreeMap<String, String> {
    let told = program.run(arguments).ok();
    let [name] = &files(program)[..] else {
        panic!("one file: {:?}", files(program))
    };
    assert_eq!(told, format!("Wrote {name}\n"));
    let digits = name
        .strip_prefix("patchwork_dump_")
        .and_then(|name| name.strip_suffix(ending));
    let shape = digits
        .expect("the name")
        .replace(|c: char| c.is_ascii_digit(), "9");
    assert_eq!(shape, "9999_99_99_999999");
    let path = program.folder.join(name);
    let raw = fs::read(&path).expect("an archive");
    assert_eq!(
        raw.starts_with(&[0x1f, 0x8b]),
        ending == ".tar.gz",
        "as its name says"
    );
    let bytes: Box<dyn Read> = match ending {
        ".tar.gz" => Box::new(GzDecoder::new(&raw[..])),
        _ => Box::new(&raw[..]),
    };
    let mut members = BTreeMap::new();
    for member in tar::Archive::new(bytes).entries().expect("an archive") {
        let mut member = member.expect("a member");
        let name = member.path().expect("a name").display().to_string();
        let mut text = String::new();
        member.read_to_string(&mut text).expect("UTF-8");
        members.insert(name, text);
    }
    fs::remove_file(path).expect("an archive");
    members
}

on_both! {
    async fn every_project_is_a_mailbox(fresh: Fresh) {
        let program = ready(&fresh.url);
        let plain = members(&program, &["dumparchive"], ".tar");
        assert_eq!(plain.keys().collect::<Vec<_>>(), ["other.mbox", "tide-small.mbox", "tidepool.mbox"]);
        assert_eq!(plain["other.mbox"], "");
        let mailbox = &plain["tidepool.mbox"];
        assert_eq!(mailbox.matches("\nX-Patchwork-Id: ").count(), 73);
        let mails = patchwork::mail::mbox::Splitter::new(mailbox.as_bytes(), mailbox.len());
        assert_eq!(mails.filter(Result::is_ok).count(), 73);
        assert_eq!(members(&program, &["dumparchive", "-c"], ".tar.gz"), plain);
        assert_eq!(members(&program, &["dumparchive", "--compress", "-v1"], ".tar.gz"), plain);
    }
}

on_both! {
    async fn lists_may_be_named_and_may_be_shared(fresh: Fresh) {
        let program = ready(&fresh.url);
        let shared = ["dumparchive", "Tidepool.lists.example.org", "<tidepool.lists.example.org>"];
        let two = members(&program, &shared, ".tar");
        assert_eq!(two.keys().collect::<Vec<_>>(), ["tide-small.mbox", "tidepool.mbox"]);
        program
            .run(&["dumparchive", "other.example.org", "elsewhere.example.org"])
            .fails(1, &["no project has the list id 'elsewhere.example.org'"]);
        assert_eq!(files(&program), Vec::<String>::new());
        assert_eq!(program.run(&["dumparchive", "-v0", "other.example.org"]).ok(), "");
        assert_eq!(files(&program).len(), 1);
    }
}

on_both! {
    async fn patches_come_by_date(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        program.run(&["loaddata", "default_projects", "-v0"]).ok();
        for (number, day) in [(1, 7), (2, 5), (3, 6)] {
            let mail = format!(
                "From: ann@example.org\nSubject: [PATCH] {number}\nMessage-Id: <{number}@example.org>\n\
                 Date: 0{day} Mar 2024 07:07:08 +0000\nList-Id: <patches.lists.example.org>\n\n\
                 --- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n"
            );
            program.run_with(&["parsemail"], mail).ok();
        }
        let members = members(&program, &["dumparchive"], ".tar");
        let mailbox = members.values().next().expect("a mailbox");
        let subjects: Vec<&str> = mailbox.lines().filter(|line| line.starts_with("Subject: ")).collect();
        assert_eq!(subjects, ["Subject: [PATCH] 2", "Subject: [PATCH] 3", "Subject: [PATCH] 1"]);
        assert!(mailbox.ends_with("+b\n\n"), "each mail is followed by a newline");
    }
}

/// Only a server lets somebody keep a reader waiting.
#[test]
fn an_interrupted_dump_leaves_nothing_behind() {
    database::on_postgres(async |fresh: database::Fresh| {
        let program = ready(&fresh.url);
        let mut blocker = fresh.db.begin().await.expect("a transaction");
        sql("LOCK TABLE patch_body IN ACCESS EXCLUSIVE MODE")
            .run(&mut blocker)
            .await
            .expect("a lock");
        let child = program
            .command(&["dumparchive"])
            .spawn()
            .expect("the program");
        while files(&program).is_empty() {
            thread::sleep(Duration::from_millis(20));
        }
        assert!(
            files(&program)[0].ends_with(".tar.part"),
            "not under its name yet"
        );
        thread::sleep(Duration::from_millis(200));
        let kill = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        assert!(kill.expect("kill").success());
        let ended = ended(child);
        assert_eq!(
            (ended.code, ended.out.as_str(), ended.err.as_str()),
            (Some(130), "", "")
        );
        assert_eq!(files(&program), Vec::<String>::new());
    });
}
