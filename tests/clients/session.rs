//! What somebody types, and what must come out: tables in `sessions/`, run by a shell in a clone of the tree.
//!
//! ```text
//! # A remark
//! $ a command of the shell
//! ? its exit code, unless it is 0
//! | what it prints, one after the other, among other things
//! ! what it does not print
//! -          (it prints nothing)
//! ```
//! `$URL`, `$TOKEN` and so on stand for the site's, also in what is printed.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::site::Site;
use crate::{mail::git::Repository, support::fresh_folder};

/// One command.
#[derive(Default)]
struct Step {
    line: usize,
    command: String,
    code: i32,
    expected: Vec<String>,
    unexpected: Vec<String>,
    silent: bool,
}

impl Step {
    /// Returns what is wrong with what came out.
    fn fault(&self, code: Option<i32>, printed: &str) -> Option<String> {
        if code != Some(self.code) {
            return Some(format!("ended with {code:?}, not {}", self.code));
        }
        if self.silent && !printed.is_empty() {
            return Some("is not silent".to_owned());
        }
        let mut rest = printed;
        for text in &self.expected {
            match rest.find(text) {
                Some(at) => rest = &rest[at + text.len()..],
                None => return Some(format!("does not print (any more): {text}")),
            }
        }
        let printed_one = self.unexpected.iter().find(|text| printed.contains(*text));
        printed_one.map(|text| format!("prints: {text}"))
    }
}

fn steps(table: &str, words: &HashMap<&str, String>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (line, text) in (1..).zip(table.lines()) {
        let (mark, rest) = text.split_at(text.len().min(2));
        if mark == "$ " {
            steps.push(Step {
                line,
                command: rest.to_owned(),
                ..Step::default()
            });
            continue;
        }
        let Some(step) = steps.last_mut() else {
            assert!(
                mark.is_empty() || mark.starts_with('#'),
                "line {line}: no command yet"
            );
            continue;
        };
        match mark.trim_end() {
            "?" => step.code = rest.parse().expect("an exit code"),
            "|" => step.expected.push(filled(rest, words)),
            "!" => step.unexpected.push(filled(rest, words)),
            "-" => step.silent = true,
            "" | "#" => {}
            _ => panic!("line {line}: {text}"),
        }
    }
    steps
}

fn filled(text: &str, words: &HashMap<&str, String>) -> String {
    words.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("${name}"), value)
    })
}

/// Returns the folder of the tables and of small programs that they call.
fn helpers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Where a session takes place, and as whom.
pub struct Desk<'a> {
    site: &'a Site,
    programs: PathBuf,
    home: PathBuf,
}

impl<'a> Desk<'a> {
    /// Makes a home with a clone of the tree, for the programs of this folder.
    pub fn new(site: &'a Site, programs: PathBuf) -> Desk<'a> {
        let home = fresh_folder();
        let desk = Desk {
            site,
            programs,
            home,
        };
        let tree = site.tree.to_str().expect("a path in UTF-8");
        let clone = Repository::new(&desk.tree());
        clone.git(&["fetch", "-q", "--tags", tree, "main"]);
        clone.git(&["reset", "-q", "--hard", "base"]);
        desk
    }

    fn tree(&self) -> PathBuf {
        self.home.join("clone")
    }

    /// Writes a file into the home; `$URL` and so on are filled in.
    pub fn file(&self, name: &str, content: &str) {
        let content = filled(content, &self.site.words());
        fs::write(self.home.join(name), content).expect("a file");
    }

    /// Configures git in the clone; `$URL` and so on are filled in.
    pub fn configure(&self, settings: &[(&str, &str)]) {
        let clone = Repository {
            folder: self.tree(),
        };
        for (key, value) in settings {
            clone.git(&["config", key, &filled(value, &self.site.words())]);
        }
    }

    /// Plays the session of this name, and tells all that went wrong.
    pub fn play(&self, name: &str) {
        let table = helpers().join(format!("sessions/{name}.txt"));
        let table = fs::read_to_string(table).expect("a table");
        let steps = steps(&table, &self.site.words());
        let faults: Vec<String> = steps.iter().filter_map(|step| self.type_in(step)).collect();
        assert!(
            faults.is_empty(),
            "{} of {} commands of {name}\n{}\nthe server: {}",
            faults.len(),
            steps.len(),
            faults.join("\n"),
            self.site.log()
        );
    }

    fn type_in(&self, step: &Step) -> Option<String> {
        let output = self.shell(&step.command).output().expect("a shell");
        let printed = String::from_utf8_lossy(&output.stdout);
        let fault = step.fault(output.status.code(), &printed)?;
        Some(format!(
            "line {}: {}\n  {fault}\n{printed}",
            step.line, step.command
        ))
    }

    fn shell(&self, command: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("sh");
        shell
            // What clients print and what they complain of stays in order.
            .args(["-c", &format!("exec 2>&1\n{command}")])
            .env_clear()
            .current_dir(self.tree())
            .envs(self.site.words())
            .env("PATH", format!("{}:{path}", self.programs.display()))
            .env("HOME", &self.home)
            .env("CLIENTS", helpers())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .env("PAGER", "cat")
            .env("NO_COLOR", "1")
            .env("PYTHONUNBUFFERED", "1")
            .stdin(std::process::Stdio::null());
        shell
    }
}
