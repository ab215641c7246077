//! A throw-away git repository, driven through the real program.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// A repository with nothing of its user's settings.
pub struct Repository {
    /// Its working tree.
    pub folder: PathBuf,
}

/// Tells whether there is a git to run.
pub fn is_installed() -> bool {
    let version = Command::new("git").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

impl Repository {
    /// Makes an empty repository in a folder, which is created.
    pub fn new(folder: &Path) -> Repository {
        fs::create_dir_all(folder).expect("a folder");
        let repository = Repository {
            folder: folder.to_owned(),
        };
        repository.git(&["init", "-q", "-b", "main"]);
        for (key, value) in [
            ("user.name", "Committer"),
            ("user.email", "committer@example.org"),
            ("gc.auto", "0"),
            ("maintenance.auto", "false"),
            ("core.fsync", "none"),
            ("core.autocrlf", "false"),
            ("advice.detachedHead", "false"),
        ] {
            repository.git(&["config", key, value]);
        }
        repository
    }

    /// Runs git, with this on its standard input.
    pub fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(&self.folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git runs");
        let mut stdin = child.stdin.take().expect("its input");
        let input = input.to_owned();
        // A program that stops reading closes the pipe; that shows in its status.
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().expect("git ends");
        let _ = writer.join();
        output
    }

    /// Runs git, which must succeed; returns what it prints.
    pub fn git(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments, b"");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Applies a mailbox; the complaint if git does not take it, and then nothing has changed.
    ///
    /// CR at line ends is kept: a mail does not tell whether it belongs to the file.
    pub fn am(&self, mailbox: &[u8]) -> Result<(), String> {
        let output = self.run(&["am", "-q", "--keep-cr", "--patch-format=mbox"], mailbox);
        if output.status.success() {
            return Ok(());
        }
        let _ = fs::remove_dir_all(self.folder.join(".git/rebase-apply"));
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Returns the id of the tree of a commit.
    pub fn tree(&self, commit: &str) -> String {
        let tree = self.git(&["rev-parse", &format!("{commit}^{{tree}}")]);
        tree.trim_end().to_owned()
    }
}
