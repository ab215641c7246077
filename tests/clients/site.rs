//! A site as the sessions know it: a project with patches, accounts, a token, and the real server.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::OnceLock,
};

use super::{http, mails};
use crate::support::{database, free_port, fresh_folder, program::Program, skip};

/// The password of everybody.
const PASSWORD: &str = "secret-of-all";

/// A served site. Its server ends with it.
pub struct Site {
    program: Program,
    server: Child,
    /// Host and port.
    pub host: String,
    /// The token of the maintainer `m`.
    pub token: String,
    /// The hash of the diff of patch 1.
    pub hash: String,
    /// A repository with the tree that the patches are for, at the tag `base`.
    pub tree: PathBuf,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Runs a session on a site on SQLite. All begin with a copy of the same database.
pub fn on_sqlite(session: impl FnOnce(&Site)) {
    static PREPARED: OnceLock<(PathBuf, String)> = OnceLock::new();
    let (file, token) = PREPARED.get_or_init(|| {
        let url = database::sqlite_url();
        let token = prepare(&Program::on(&url));
        (url["sqlite:".len()..].into(), token)
    });
    let copy = fresh_folder().join("patchwork.db");
    fs::copy(file, &copy).expect("a copy");
    session(&Site::new(&format!("sqlite:{}", copy.display()), token));
}

/// Runs a session on a site on PostgreSQL, or says that there is none.
pub fn on_postgres(session: impl FnOnce(&Site)) {
    let Some(server) = database::postgres_server() else {
        return;
    };
    let name = database::name();
    let _removed = database::Removed(&name);
    let url = server.create(&name);
    let token = prepare(&Program::on(&url));
    session(&Site::new(&url, &token));
}

impl Site {
    fn new(url: &str, token: &str) -> Site {
        let program = Program::on(url);
        let tree = fresh_folder().join("tree");
        mails::tree(&tree);
        let port = free_port();
        let server = serve(&program, port);
        let mut site = Site {
            program,
            server,
            host: format!("127.0.0.1:{port}"),
            token: token.to_owned(),
            hash: String::new(),
            tree,
        };
        let patch = http::Request::get("/api/patches/1/").send(&site);
        site.hash = patch.json()["hash"].as_str().expect("a hash").to_owned();
        site
    }

    /// Returns its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.host)
    }

    /// Returns what sessions may write as `$NAME`.
    pub fn words(&self) -> HashMap<&'static str, String> {
        HashMap::from([
            ("URL", self.url()),
            ("HOST", self.host.clone()),
            ("TOKEN", self.token.clone()),
            ("PASSWORD", PASSWORD.to_owned()),
            ("HASH", self.hash.clone()),
        ])
    }

    /// Returns the last that the server said.
    pub fn log(&self) -> String {
        let log = fs::read_to_string(self.program.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

/// Fills a database; returns the token of `m`.
fn prepare(program: &Program) -> String {
    projects(program);
    deliver(program);
    accounts(program);
    program.run(&["token", "m"]).ok().trim().to_owned()
}

fn projects(program: &Program) {
    for (linkname, name) in [("p", "P"), ("q", "Q")] {
        let list_id = format!("{linkname}.example.com");
        let list_email = format!("{linkname}@example.com");
        let mut arguments = vec!["createproject", linkname, "--name", name, "-v0"];
        arguments.extend(["--list-id", &list_id, "--list-email", &list_email]);
        arguments.push("--show-dependencies");
        program.run(&arguments).ok();
    }
}

/// Makes a maintainer, somebody who maintains nothing, and the submitter, whose mails have been seen already.
fn accounts(program: &Program) {
    for (name, email) in [
        ("m", "m@example.com"),
        ("other", "other@example.com"),
        ("ada", "ada@example.com"),
    ] {
        let mut arguments = vec!["createuser", name, "--email", email, "-v0"];
        if name == "m" {
            arguments.extend(["--maintainer", "p"]);
        }
        let mut command = program.command(&arguments);
        let made = command.env("PATCHWORK_PASSWORD", PASSWORD).output();
        assert!(made.is_ok_and(|output| output.status.success()), "{name}");
    }
}

fn deliver(program: &Program) {
    for mail in mails::first() {
        program.parsemail(&["-v0"], mail).ok();
    }
    let archive = program.file("archive.mbox", mails::archive());
    let archive = archive.to_str().expect("a path in UTF-8");
    program.run(&["parsearchive", "-v0", archive]).ok();
}

/// Starts the server and waits until it listens. What it says goes to a file: nobody reads a pipe.
fn serve(program: &Program, port: u16) -> Child {
    let log = fs::File::create(program.folder.join("log")).expect("a log");
    let port = port.to_string();
    let mut server = program
        .command(&["serve", "--port", &port, "--set", "api.xmlrpc=true"])
        .stderr(log)
        .spawn()
        .expect("the program");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("standard output"))
        .read_line(&mut line)
        .expect("a line");
    assert!(line.contains(&port), "what serves: {line}");
    server
}

/// Returns the folder of a client's programs, or says why the test is skipped. Where nobody looks, it must be there.
pub fn client(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/venv");
    let programs = folder.join(name).join("bin");
    if starts(&programs.join("python")) {
        return Some(programs);
    }
    let why = "tests/clients/venv is missing; `make test` installs it with python3 and pip";
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
    skip("clients", why);
    None
}

fn starts(python: &Path) -> bool {
    let version = Command::new(python).arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}
