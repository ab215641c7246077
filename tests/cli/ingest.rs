//! Git archives of public-inbox: every mail once, and from where the last run ended.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::program::Program;

fn mail(number: u32) -> String {
    format!(
        "From: Zoe <zoe@example.org>\nSubject: [PATCH] pump: run {number}\nMessage-Id: <m{number}@example.org>\n\
         Date: Tue, 05 Mar 2024 07:07:08 +0100\nList-Id: <dev.example.org>\n\nStart it.\n---\n--- a/pump.c\n\
         +++ b/pump.c\n@@ -1 +1,2 @@\n x\n+y{number}\n"
    )
}

/// A repository that is filled as public-inbox does.
struct Repository(PathBuf);

impl Repository {
    fn new(path: PathBuf) -> Repository {
        fs::create_dir_all(&path).expect("a folder");
        let it = Repository(path);
        it.git(&["init", "-q", "."]);
        it
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.org",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(arguments)
            .current_dir(&self.0)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .expect("git");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout)
            .expect("a text")
            .trim()
            .to_owned()
    }

    fn commit(&self) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "x"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// A mail of the second format.
    fn add(&self, number: u32) -> String {
        let _ = fs::remove_file(self.0.join("d"));
        fs::write(self.0.join("m"), mail(number)).expect("a file");
        self.commit()
    }

    /// Takes the mail of the last commit away again.
    fn delete(&self) {
        fs::rename(self.0.join("m"), self.0.join("d")).expect("a file");
        self.commit();
    }

    /// Leaves only what a mirror has.
    fn bare(&self, path: &Path) {
        let path = path.display().to_string();
        self.git(&["clone", "-q", "--bare", ".", &path]);
    }
}

on_both! {
    async fn an_archive_is_read_from_where_it_was_left(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        program.make_dev();
        let inbox = program.folder.join("inbox");
        let (first, second) = (Repository::new(program.folder.join("a")), Repository::new(program.folder.join("b")));
        for number in 0..3 {
            first.add(number);
        }
        first.delete();
        first.bare(&inbox.join("git/0.git"));
        let middle = second.add(3);
        second.add(4);
        second.bare(&inbox.join("git/1.git"));
        let folder = inbox.display().to_string();
        let read = |more: &[&str]| {
            let mut arguments = vec!["ingest", "public-inbox", &folder];
            arguments.extend(more);
            let told = program.run(&arguments).ok();
            told.lines().next().expect("a line").to_owned()
        };
        assert_eq!(read(&[]), "Processed 5 messages -->");
        assert_eq!(program.run(&["dumpdata", "patch"]).ok().lines().count(), 5);
        assert_eq!(read(&[]), "Processed 0 messages -->");
        // It grows.
        second.add(5);
        let epoch = inbox.join("git/1.git").display().to_string();
        second.git(&["push", "-q", &epoch, "HEAD"]);
        assert_eq!(read(&[]), "Processed 1 messages -->");
        assert_eq!(read(&["--from", &middle[..12]]), "Processed 2 messages -->");
        assert_eq!(read(&["--from", "start"]), "Processed 6 messages -->");
        assert_eq!(program.run(&["dumpdata", "patch"]).ok().lines().count(), 6);
        program.run(&["ingest", "public-inbox", "--from", "beef", &folder]).fails(1, &["no commit beef"]);
    }
}

#[test]
fn other_shapes_of_archives() {
    let program = Program::default();
    program.run(&["migrate", "-v0"]).ok();
    program.make_dev();
    let old = Repository::new(program.folder.join("old"));
    let names = ["0f", "a1"].map(|folder| format!("{folder}/{}", "b".repeat(38)));
    for (number, name) in (0..).zip(&names) {
        let path = old.0.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, mail(number)).expect("a mail");
        fs::write(old.0.join("README"), "not a mail").expect("a file");
        old.commit();
    }
    fs::remove_file(old.0.join(&names[0])).expect("a mail");
    old.commit();
    let path = old.0.display().to_string();
    let told = program.run(&["ingest", "public-inbox", &path]).ok();
    assert!(told.starts_with("Processed 2 messages"), "{told}");
    // A purge makes other commits.
    old.git(&["checkout", "-q", "--orphan", "purged"]);
    old.commit();
    let told = program.run(&["ingest", "public-inbox", &path]);
    assert!(
        told.out.starts_with("Processed 1 messages") && told.err.contains("rewritten"),
        "{told:?}"
    );
    let empty = Repository::new(program.folder.join("empty"));
    let path = empty.0.display().to_string();
    let told = program.run(&["ingest", "public-inbox", &path]).ok();
    assert!(told.starts_with("Processed 0 messages"), "{told}");
    let nothing = program.folder.join("nothing");
    fs::create_dir(&nothing).expect("a folder");
    let nothing = nothing.display().to_string();
    program
        .run(&["ingest", "public-inbox", &nothing])
        .fails(1, &["no archive of public-inbox"]);
}

on_both! {
    async fn a_mail_that_git_cannot_read_is_not_passed_over(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        program.make_dev();
        let inbox = Repository::new(program.folder.join("inbox"));
        for number in 0..4 {
            inbox.add(number);
        }
        let blob = inbox.git(&["rev-parse", "HEAD~1:m"]);
        let object = inbox.0.join(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]));
        let away = program.folder.join("away");
        fs::rename(&object, &away).expect("an object");
        let path = inbox.0.display().to_string();
        for _ in 0..2 {
            program
                .run(&["ingest", "public-inbox", &path])
                .fails(1, &["git cannot read", &blob, "missing"]);
            assert_eq!(program.run(&["dumpdata", "patch"]).ok().lines().count(), 2);
        }
        fs::rename(&away, &object).expect("an object");
        let told = program.run(&["ingest", "public-inbox", &path]).ok();
        assert!(told.starts_with("Processed 2 messages"), "{told}");
        assert_eq!(program.run(&["dumpdata", "patch"]).ok().lines().count(), 4);
    }
}

#[test]
fn a_repository_runs_no_programs_and_its_place_is_no_other() {
    let program = Program::default();
    program.run(&["migrate", "-v0"]).ok();
    program.make_dev();
    let inbox = Repository::new(program.folder.join("inbox"));
    inbox.add(0);
    // A commit that says it is signed.
    let signed = inbox.git(&["cat-file", "commit", "HEAD"]).replacen(
        "\n\n",
        "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n AAAA\n -----END PGP SIGNATURE-----\n\n",
        1,
    );
    let signed = program.file("signed", format!("{signed}\n"));
    let path = signed.display().to_string();
    let commit = inbox.git(&["hash-object", "-t", "commit", "-w", &path]);
    inbox.git(&["update-ref", "HEAD", &commit]);
    let ran = program.folder.join("ran");
    let evil = program.file("evil", format!("#!/bin/sh\ntouch {}\n", ran.display()));
    fs::set_permissions(&evil, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("a mode");
    let evil = evil.display().to_string();
    for (key, value) in [
        ("log.showSignature", "true"),
        ("gpg.program", &evil),
        ("core.fsmonitor", &evil),
        ("diff.external", &evil),
        ("color.ui", "always"),
    ] {
        inbox.git(&["config", key, value]);
    }
    let other = Repository::new(program.folder.join("other"));
    let git_dir = other.0.join(".git").display().to_string();
    let program = program.with("GIT_DIR", &git_dir);
    let path = inbox.0.display().to_string();
    let told = program.run(&["ingest", "public-inbox", &path]).ok();
    assert!(told.starts_with("Processed 1 messages"), "{told}");
    assert!(!ran.exists(), "a program ran");
}
