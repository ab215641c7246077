//! The figures this project promises, measured on the real programs: `make bench`.
//!
//! Prints one line per figure with its target. Nothing here fails on a slow machine: it informs.
//! `ARCHIVE=FILE LIST_ID=ID` measure on a real archive; without them the sample list is repeated.

#[path = "../tests/support/mod.rs"]
#[allow(dead_code, unused_imports)]
mod support;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const PATCHWORK: &str = env!("CARGO_BIN_EXE_patchwork");
const PARSEMAIL: &str = env!("CARGO_BIN_EXE_patchwork-parsemail");

fn main() {
    // `cargo test --benches` runs this too; it only has to start.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the databases");
    let archive = Archive::find(folder.path());
    println!("archive: {} ({} mails)\n", archive.name, archive.mails);
    println!("{:<44} {:>14}   target", "figure", "measured");
    let sqlite = format!("sqlite:{}", folder.path().join("bench.db").display());
    loading("SQLite", &sqlite, &archive, 2000);
    match support::postgres::database_url("bench") {
        Ok(url) => loading("PostgreSQL", &url, &archive, 1500),
        Err(reason) => println!("PostgreSQL skipped: {reason}"),
    }
    single_mail(&sqlite, &archive, folder.path());
    pages(&sqlite, &archive);
    support::postgres::stop();
}

struct Archive {
    name: String,
    path: PathBuf,
    list_id: String,
    mails: usize,
}

impl Archive {
    fn find(folder: &Path) -> Archive {
        match (std::env::var("ARCHIVE"), std::env::var("LIST_ID")) {
            (Ok(path), Ok(list_id)) => Archive {
                name: path.clone(),
                path: path.into(),
                list_id,
                mails: 0,
            }
            .counted(),
            _ => Archive::repeated(folder),
        }
    }

    /// The sample list forty times over; other message ids each time, so that all of it is new.
    fn repeated(folder: &Path) -> Archive {
        let sample = fs::read_to_string(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/lib/sample/tidepool.mbox"
        ));
        let sample = sample.expect("the sample list is part of the project");
        let path = folder.join("sample-x40.mbox");
        let mut file = fs::File::create(&path).expect("a file in our own folder");
        for round in 0..40 {
            let again = sample.replace("@example.", &format!("@r{round}.example."));
            file.write_all(again.as_bytes())
                .expect("room for the archive");
        }
        let list_id = "tidepool.lists.example.org".to_owned();
        Archive {
            name: "the sample list, 40 times".into(),
            path,
            list_id,
            mails: 0,
        }
        .counted()
    }

    fn counted(mut self) -> Archive {
        let name = self.path.to_string_lossy().into_owned();
        let file = fs::File::open(&self.path).expect("the archive can be opened");
        let mut text = Vec::new();
        let read = match name.rsplit('.').next() {
            Some("xz") => liblzma::read::XzDecoder::new(file).read_to_end(&mut text),
            Some("gz") => flate2::read::GzDecoder::new(file).read_to_end(&mut text),
            _ => { file }.read_to_end(&mut text),
        };
        read.expect("the archive can be read");
        let splitter = patchwork::mail::mbox::Splitter::new(text.as_slice(), usize::MAX);
        self.mails = splitter.count();
        self
    }
}

/// A command on a database, with an environment of its own.
fn patchwork(database: &str) -> Command {
    let mut command = Command::new(PATCHWORK);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("DATABASE_URL", database);
    command.env("SECRET_KEY", "a key for measuring, forty characters long");
    command
}

/// Runs to the end and returns the wall time and the peak of resident memory in KiB.
fn watched(mut command: Command) -> (Duration, u64) {
    let start = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the program starts");
    let mut peak = 0;
    loop {
        peak = peak.max(memory(child.id(), "VmHWM").unwrap_or(0));
        if let Some(status) = child.try_wait().expect("our own child") {
            assert!(status.success(), "{command:?} ended with {status}");
            return (start.elapsed(), peak);
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn memory(pid: u32, what: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(what))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn row(figure: &str, measured: String, target: &str) {
    println!("{figure:<44} {measured:>14}   {target}");
}

fn loading(engine: &str, database: &str, archive: &Archive, target: u32) {
    run(patchwork(database).arg("migrate"));
    run(patchwork(database)
        .args(["createproject", "bench", "--name", "Bench"])
        .args([
            "--list-id",
            &archive.list_id,
            "--list-email",
            "bench@example.org",
        ]));
    for round in ["load", "load again"] {
        let mut command = patchwork(database);
        command
            .args(["parsearchive", "--list-id", &archive.list_id])
            .arg(&archive.path);
        let (time, peak) = watched(command);
        let rate = archive.mails as f64 / time.as_secs_f64();
        let target = if round == "load" {
            format!(">= {target} mails/s")
        } else {
            "all duplicates".into()
        };
        row(
            &format!("{engine}: {round}"),
            format!("{rate:.0} mails/s"),
            &target,
        );
        row(
            &format!("{engine}: {round}, peak memory"),
            format!("{} MiB", peak / 1024),
            "< 100 MiB",
        );
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("the program starts");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn single_mail(database: &str, archive: &Archive, folder: &Path) {
    let path = folder.join("one.eml");
    let (mut times, mut peak) = (Vec::new(), 0);
    for number in 0..200 {
        let mail = format!(
            "From: Mara Lindqvist <mara@example.org>\nSubject: [PATCH] bench: number {number}\n\
             Message-Id: <bench-{number}@example.org>\nDate: Mon, 16 Nov 2026 10:00:00 +0000\n\nOne line.\n\n\
             --- a/file\n+++ b/file\n@@ -1 +1 @@\n-old\n+new {number}\n"
        );
        fs::write(&path, mail).expect("room for a mail");
        let mut command = Command::new(PARSEMAIL);
        command
            .env_clear()
            .env("DATABASE_URL", database)
            .args(["--list-id", &archive.list_id]);
        command.stdin(fs::File::open(&path).expect("the mail just written"));
        let (time, memory) = watched(command);
        times.push(time);
        peak = peak.max(memory);
    }
    times.sort_unstable();
    row(
        "patchwork-parsemail, one mail (median)",
        format!("{:.1} ms", milliseconds(times[100])),
        "<= 15 ms",
    );
    row(
        "patchwork-parsemail, one mail (p95)",
        format!("{:.1} ms", milliseconds(times[190])),
        "",
    );
    row(
        "patchwork-parsemail, peak memory",
        format!("{:.1} MiB", peak as f64 / 1024.0),
        "<= 20 MiB",
    );
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// A server that ends with the measurement.
struct Server(Child, String);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    fn start(database: &str) -> Server {
        let port = support::free_port();
        let mut command = patchwork(database);
        command.args([
            "serve",
            "--port",
            &port.to_string(),
            "--set",
            "server.server_timing=true",
        ]);
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let server = Server(child, format!("127.0.0.1:{port}"));
        let start = Instant::now();
        while TcpStream::connect(&server.1).is_err() {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "the server does not answer"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// Returns the header block and the body's length as sent.
    fn get(&self, path: &str) -> (String, usize) {
        let mut stream = TcpStream::connect(&self.1).expect("the server answers");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
        );
        stream
            .write_all(request.as_bytes())
            .expect("the server listens");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the server answers");
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a header block");
        (
            String::from_utf8_lossy(&answer[..end]).into_owned(),
            answer.len() - end - 4,
        )
    }
}

fn pages(database: &str, _archive: &Archive) {
    let server = Server::start(database);
    std::thread::sleep(Duration::from_secs(1));
    let idle = memory(server.0.id(), "VmRSS").unwrap_or(0);
    row(
        "serve, idle, resident",
        format!("{:.1} MiB", idle as f64 / 1024.0),
        "<= 50 MiB",
    );
    for (name, path) in [
        ("list", "/project/bench/list/"),
        (
            "list, any state",
            "/project/bench/list/?state=*&archive=both",
        ),
        ("list, by name", "/project/bench/list/?state=*&order=name"),
        ("list, page 10", "/project/bench/list/?state=*&page=10"),
    ] {
        let mut times = Vec::new();
        let (mut head, mut size) = server.get(path);
        for _ in 0..100 {
            (head, size) = server.get(path);
            times.push(timing(&head, "dur=").unwrap_or(f64::NAN));
        }
        times.sort_by(f64::total_cmp);
        row(
            &format!("{name}: server time, median"),
            format!("{:.2} ms", times[50]),
            "<= 5 ms",
        );
        row(
            &format!("{name}: server time, p95"),
            format!("{:.2} ms", times[95]),
            "",
        );
        row(
            &format!("{name}: statements"),
            format!("{:.0}", timing(&head, "desc=\"").unwrap_or(f64::NAN)),
            "<= 6",
        );
        row(
            &format!("{name}: weight, gzip"),
            format!("{:.1} kB", size as f64 / 1000.0),
            "<= 15 kB",
        );
    }
    let busy = memory(server.0.id(), "VmRSS").unwrap_or(0);
    row(
        "serve, after 400 lists, resident",
        format!("{:.1} MiB", busy as f64 / 1024.0),
        "",
    );
}

/// Reads a number out of `Server-Timing`.
fn timing(head: &str, label: &str) -> Option<f64> {
    let line = head
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("server-timing:"))?;
    let after = line.split(label).nth(1)?;
    after
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .next()?
        .parse()
        .ok()
}
