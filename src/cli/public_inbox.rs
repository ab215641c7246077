//! Reads archives of public-inbox: git repositories with one mail a commit. `git` itself reads them.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, OnceLock},
};

use anyhow::{Context, bail};

use crate::ingest::{MOST_BYTES, archive::Item};

/// A repository of an archive: all of it, or one of its epochs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repository {
    /// Where it is, whole and without detours.
    pub path: PathBuf,
}

/// A mail of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The commit that brought it.
    pub commit: String,
    /// Under which name git has it.
    pub blob: String,
}

/// Returns the repositories of an archive, the oldest first: the epochs in `git/` of the second format, or the folder itself.
pub(super) fn repositories(folder: &Path) -> anyhow::Result<Vec<Repository>> {
    let told = || format!("cannot read {}", folder.display());
    let folder = folder.canonicalize().with_context(told)?;
    let mut epochs = Vec::new();
    // As public-inbox has them, or as they were mirrored, all in one folder.
    for place in [folder.join("git"), folder.clone()] {
        let Ok(entries) = fs::read_dir(&place) else {
            continue;
        };
        for entry in entries {
            let path = entry.with_context(told)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let number = name
                .strip_suffix(".git")
                .and_then(|number| number.parse::<u64>().ok());
            if let Some(number) = number.filter(|_| path.is_dir()) {
                epochs.push((number, path));
            }
        }
        if !epochs.is_empty() {
            break;
        }
    }
    if epochs.is_empty() {
        if !folder.join("HEAD").is_file() && !folder.join(".git").exists() {
            bail!(
                "{} is no archive of public-inbox: it has no git/0.git, and is no git repository",
                folder.display()
            );
        }
        return Ok(vec![Repository { path: folder }]);
    }
    epochs.sort();
    Ok(epochs
        .into_iter()
        .map(|(_, path)| Repository { path })
        .collect())
}

/// A repository's own settings name programs, and whoever made it may have chosen them.
const QUIET: &[&str] = &[
    "--no-pager",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "log.showSignature=false",
];

/// Says whether a variable tells git of another repository, as those do that a hook gets. Which files of settings there
/// are is the administrator's to say.
fn is_of_another(name: &str) -> bool {
    let is_file = matches!(
        name,
        "GIT_CONFIG_GLOBAL" | "GIT_CONFIG_SYSTEM" | "GIT_CONFIG_NOSYSTEM"
    );
    name.starts_with("GIT_") && !is_file
}

impl Repository {
    /// Returns the name under which is remembered how far it was read.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn git(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        for (name, _) in std::env::vars_os() {
            if is_of_another(&name.to_string_lossy()) {
                command.env_remove(name);
            }
        }
        command.args(QUIET).arg("-C").arg(&self.path);
        // What is asked for is never fetched, nobody is asked for a password, and no repository around it is read.
        command
            .args(arguments)
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .envs(
                self.path
                    .parent()
                    .map(|folder| ("GIT_CEILING_DIRECTORIES", folder)),
            )
            .stdin(Stdio::null());
        command
    }

    fn ask(&self, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
        let output = self.git(arguments).output().context("cannot run git")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let first = said.lines().next().unwrap_or("it failed").to_owned();
            bail!("git cannot read {}: {first}", self.path.display());
        }
        Ok(output.stdout)
    }

    /// Says whether a commit is part of what the repository holds now: a purge makes new commits of all after it.
    pub fn has(&self, commit: &str) -> bool {
        let asked = self.ask(&["merge-base", "--is-ancestor", commit, "HEAD"]);
        asked.is_ok()
    }

    /// Returns the whole name of a commit.
    pub fn commit(&self, name: &str) -> Option<String> {
        let wanted = format!("{name}^{{commit}}");
        let found = self.ask(&[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &wanted,
        ]);
        let text = String::from_utf8(found.ok()?).ok()?;
        Some(text.trim().to_owned())
    }

    /// Returns the mails after a commit, the oldest first. Commits that take mails away bring none.
    pub fn after(&self, commit: Option<&str>) -> anyhow::Result<Vec<Entry>> {
        // A repository without a commit has no HEAD.
        if self.commit("HEAD").is_none() {
            self.ask(&["rev-parse", "--git-dir"])?;
            return Ok(Vec::new());
        }
        let range = commit.map_or_else(|| "HEAD".to_owned(), |commit| format!("{commit}..HEAD"));
        let log = self.ask(&[
            "log",
            "--reverse",
            "--first-parent",
            "-m",
            "--root",
            "--raw",
            "--no-abbrev",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            "--no-show-signature",
            "--no-color",
            "--format=%H",
            "--end-of-options",
            &range,
            "--",
        ])?;
        Ok(entries(&String::from_utf8_lossy(&log)))
    }

    /// Returns the mails that entries name, in order.
    pub fn mails(&self, entries: Vec<Entry>) -> anyhow::Result<Mails> {
        let mut command = self.git(&["cat-file", "--batch"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot run git")?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (Some(input), Some(output)) = (input, output) else {
            bail!("cannot talk to git");
        };
        Ok(Mails {
            child,
            input,
            output: BufReader::with_capacity(1 << 18, output),
            entries: entries.into_iter(),
            unread: Arc::default(),
        })
    }
}

/// Reads what `git log --raw --format=%H` says.
fn entries(log: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut commit = "";
    for line in log.lines() {
        let Some(change) = line.strip_prefix(':') else {
            if !line.is_empty() {
                commit = line;
            }
            continue;
        };
        // :100644 100644 OLD NEW M<tab>PATH
        let Some((about, path)) = change.split_once('\t') else {
            continue;
        };
        let mut words = about.split(' ');
        let (mode, blob, status) = (words.nth(1), words.nth(1), words.next());
        let is_file = mode.is_some_and(|mode| mode.starts_with("100"));
        let is_new = matches!(status, Some("A" | "M"));
        if let Some(blob) = blob.filter(|_| is_file && is_new && is_mail(path)) {
            found.push(Entry {
                commit: commit.to_owned(),
                blob: blob.to_owned(),
            });
        }
    }
    found
}

/// The second format calls a mail `m`, and `d` what takes one away; the first spreads them over folders by a digest.
fn is_mail(path: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match path.split_once('/') {
        None => path == "m",
        Some((folder, name)) => {
            folder.len() == 2 && name.len() == 38 && is_hex(folder) && is_hex(name)
        }
    }
}

/// Mails as `git cat-file --batch` gives them.
pub(super) struct Mails {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    entries: std::vec::IntoIter<Entry>,
    /// What ended it early.
    pub unread: Arc<OnceLock<Unread>>,
}

/// A mail that git does not give.
#[derive(Clone, Debug)]
pub(super) struct Unread {
    /// Which.
    pub entry: Entry,
    /// Why.
    pub why: String,
}

impl Mails {
    /// Reads a mail. The inner error is a mail that is there and of no use.
    fn read(&mut self, blob: &str) -> std::io::Result<Item> {
        writeln!(self.input, "{blob}")?;
        let mut head = String::new();
        self.output.read_line(&mut head)?;
        let size = head
            .trim_end()
            .rsplit_once(" blob ")
            .map(|(_, size)| size.parse::<u64>());
        let Some(Ok(size)) = size else {
            let said = match head.trim_end() {
                "" => "git has ended",
                said => said,
            };
            return Err(std::io::Error::other(said.to_owned()));
        };
        if size > MOST_BYTES {
            std::io::copy(&mut (&mut self.output).take(size + 1), &mut std::io::sink())?;
            return Ok(Err(format!("{blob} has {size} bytes, more than any mail")));
        }
        let mut raw = Vec::new();
        (&mut self.output).take(size).read_to_end(&mut raw)?;
        let mut end = [0];
        self.output.read_exact(&mut end)?;
        Ok(Ok(raw))
    }
}

impl Iterator for Mails {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if self.unread.get().is_some() {
            return None;
        }
        let entry = self.entries.next()?;
        match self.read(&entry.blob) {
            Ok(mail) => Some(mail),
            Err(error) => {
                let why = error.to_string();
                let _ = self.unread.set(Unread { entry, why });
                None
            }
        }
    }
}

impl Drop for Mails {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_another_repository_are_known() {
        for (name, expected) in [
            ("GIT_DIR", true),
            ("GIT_CONFIG_COUNT", true),
            ("GIT_CONFIG_GLOBAL", false),
            ("GITHUB_TOKEN", false),
            ("PATH", false),
        ] {
            assert_eq!(is_of_another(name), expected, "{name}");
        }
    }

    #[test]
    fn what_commits_bring_is_read() {
        let zero = "0".repeat(40);
        let (a, b, c) = ("a".repeat(40), "b".repeat(40), "c".repeat(40));
        let v1 = format!("{}/{}", "01", "f".repeat(38));
        let log = format!(
            "c1\n\n:000000 100644 {zero} {a} A\tm\nc2\n\n:100644 100644 {a} {b} M\tm\nc3\n\n\
             :000000 100644 {zero} {a} A\td\n:100644 000000 {b} {zero} D\tm\nc4\nc5\n\n:000000 100644 {zero} {c} A\t{v1}\n\
             :000000 100644 {zero} {c} A\tREADME\n"
        );
        let found: Vec<_> = entries(&log)
            .into_iter()
            .map(|entry| (entry.commit, entry.blob))
            .collect();
        let expected = [("c1", a), ("c2", b), ("c5", c)];
        assert_eq!(
            found,
            expected.map(|(commit, blob)| (commit.to_owned(), blob))
        );
    }
}
