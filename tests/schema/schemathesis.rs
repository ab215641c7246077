//! A stranger to the API: schemathesis reads the description and tries what it allows and what it forbids.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command},
};

use super::{Sample, folder};
use crate::support::{free_port, skip};

/// A try of a description.
struct Run {
    /// The version, as addresses have it.
    version: &'static str,
    /// Whether a maintainer tries it, or nobody.
    is_maintainer: bool,
    /// What is done: every boundary of every value (`coverage`), made-up values, made-up sequences of requests.
    phases: &'static str,
    /// How many made-up cases an operation gets.
    cases: &'static str,
    /// What does not hold there.
    without: &'static [&'static str],
}

const RUNS: &[Run] = &[
    Run {
        version: "",
        is_maintainer: true,
        phases: "coverage,fuzzing,stateful",
        cases: "8",
        without: &[],
    },
    Run {
        version: "",
        is_maintainer: false,
        phases: "fuzzing,stateful",
        cases: "5",
        without: &[],
    },
    Run {
        version: "1.2/",
        is_maintainer: true,
        phases: "fuzzing",
        cases: "5",
        without: &[],
    },
    Run {
        version: "1.0/",
        is_maintainer: false,
        phases: "fuzzing",
        cases: "5",
        // Compatibility: `Allow` names the methods of the newest version, in every version.
        without: &["--exclude-checks", "allow_header_conformance"],
    },
];

/// A server that ends with the test, passed or not.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn strangers_are_not_surprised() {
    let program = folder().join(".venv/bin/schemathesis");
    if !program.exists() {
        let why = "tests/schema/.venv is missing; `make test` installs it where there is a python3";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
        return skip("schemathesis", why);
    }
    for run in RUNS {
        run.play(&program);
    }
}

impl Run {
    fn play(&self, program: &Path) {
        let sample = Sample::load();
        sample.forgets_tries();
        let port = free_port();
        let (_server, log) = serve(&sample, port);
        let mut command = self.command(program, port);
        command.current_dir(&sample.program.folder);
        if self.is_maintainer {
            let header = format!("Authorization: {}", sample.authorization());
            command.args(["--header", &header]);
        }
        let output = command.output().expect("schemathesis");
        let said = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        let log = fs::read_to_string(log).expect("a log");
        let is_good = output.status.success() && !log.contains("panicked");
        assert!(is_good, "api/{}: {said}\n{error}\n{log}", self.version);
        let figures = said.lines().filter(|line| line.contains("generated"));
        println!("api/{}:{}", self.version, figures.collect::<String>());
    }

    fn command(&self, program: &Path, port: u16) -> Command {
        let version = self.version;
        let mut command = Command::new(program);
        command
            .arg("--config-file")
            .arg(folder().join("schemathesis.toml"))
            .arg("run")
            .arg(format!("http://127.0.0.1:{port}/api/{version}openapi.json"))
            .args(["--phases", self.phases, "--max-examples", self.cases])
            .args(self.without);
        command
    }
}

/// Starts the site; what it says goes into a file, lest a pipe fills up.
fn serve(sample: &Sample, port: u16) -> (Server, PathBuf) {
    let log = sample.program.file("log", "");
    let port = port.to_string();
    let mut command = sample.program.command(&["serve", "--port", &port]);
    command.stderr(File::create(&log).expect("a file"));
    let mut child = command.spawn().expect("the program");
    let out = child.stdout.take().expect("standard output");
    let server = Server(child);
    let mut line = String::new();
    let read = BufReader::new(out).read_line(&mut line);
    read.expect("a line when it listens");
    (server, log)
}
