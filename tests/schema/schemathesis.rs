//! A stranger to the API: schemathesis reads the description and tries what it allows and what it forbids.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command},
};

use super::{Sample, folder};
use crate::support::{free_port, skip};

/// Which descriptions are tried, and whether by a maintainer or by nobody.
const RUNS: &[(&str, bool)] = &[("", true), ("1.2/", false)];

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
    for (version, is_maintainer) in RUNS {
        run(&program, version, *is_maintainer);
    }
}

fn run(program: &Path, version: &str, is_maintainer: bool) {
    let sample = Sample::load();
    let port = free_port();
    let (_server, log) = serve(&sample, port);
    let mut command = Command::new(program);
    command
        .current_dir(&sample.program.folder)
        .arg("--config-file")
        .arg(folder().join("schemathesis.toml"))
        .arg("run")
        .arg(format!("http://127.0.0.1:{port}/api/{version}openapi.json"));
    if is_maintainer {
        let header = format!("Authorization: {}", sample.authorization());
        command.args(["--header", &header]);
    }
    let output = command.output().expect("schemathesis");
    let said = String::from_utf8_lossy(&output.stdout);
    let log = fs::read_to_string(log).expect("a log");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{version}: {said}\n{error}\n{log}");
    assert!(!log.contains("panicked"), "{version}: {log}");
    let figures = said.lines().filter(|line| line.contains("generated"));
    println!("api/{version}: {}", figures.collect::<String>().trim());
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
