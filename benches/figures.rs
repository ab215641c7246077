//! The figures this project promises, measured on the real programs: `make bench`.
//!
//! Prints one line per figure with its target. Nothing here fails on a slow machine: it informs.
//! `ARCHIVE=FILE LIST_ID=ID` measure on a real archive; without them the sample list is repeated.
//! `cargo bench -- load` measures one part only: load, index, growth, mail, stream, pages, doors, large, api, compare, live, search.

#[path = "../tests/support/mod.rs"]
#[allow(dead_code, unused_imports)]
mod support;

use std::{
    ffi::OsStr,
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
    let sqlite = Engine {
        name: "SQLite",
        url: format!("sqlite:{}", folder.path().join("bench.db").display()),
        load: 3000,
        mail: 10,
    };
    let mut engines = vec![sqlite];
    match support::postgres::database_url("bench") {
        Ok(url) => engines.push(Engine {
            name: "PostgreSQL",
            url,
            load: 2000,
            mail: 15,
        }),
        Err(reason) => println!("PostgreSQL skipped: {reason}"),
    }
    for engine in &engines {
        engine.prepare(&archive.list_id);
        if is_wanted("load") || is_wanted("pages") || is_wanted("doors") || is_wanted("api") {
            loading(engine, &archive);
        }
        if is_wanted("index") {
            indexing(engine, &archive, folder.path());
        }
        if is_wanted("mail") {
            let socket = folder.path().join("intake.sock");
            single_mail(engine, &archive.list_id, folder.path(), None);
            let _server = Server::taking_mails(&engine.url, &socket);
            single_mail(engine, &archive.list_id, folder.path(), Some(&socket));
        }
        if is_wanted("stream") {
            stream(engine, &archive.list_id);
        }
    }
    if is_wanted("live") {
        engines.iter().for_each(live);
    }
    if is_wanted("pages") {
        pages(&engines[0].url);
    }
    if is_wanted("doors") {
        doors(&engines[0].url, folder.path());
    }
    if is_wanted("large") {
        engines.iter().for_each(large);
    }
    if is_wanted("api") {
        engines.iter().for_each(api);
    }
    if is_wanted("compare") {
        engines.iter().for_each(compare);
    }
    if is_wanted("growth") || is_wanted("search") {
        engines.iter().for_each(growth);
    }
    if is_wanted("search") {
        engines.iter().for_each(search);
    }
    support::postgres::stop();
}

/// Says whether a part was asked for; all are when none is named.
fn is_wanted(part: &str) -> bool {
    let mut named = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .peekable();
    named.peek().is_none() || named.any(|word| word == part)
}

/// A database and what is promised on it.
struct Engine {
    name: &'static str,
    url: String,
    /// Mails per second of an archive.
    load: u32,
    /// Milliseconds for one mail.
    mail: u32,
}

impl Engine {
    fn prepare(&self, list_id: &str) {
        run(patchwork(&self.url).arg("migrate"));
        let mut projects = vec![("bench", list_id)];
        projects.extend((list_id != SAMPLE_LIST).then_some(("sample", SAMPLE_LIST)));
        for (linkname, list_id) in projects {
            let mut command = patchwork(&self.url);
            command.args(["createproject", linkname, "--name", linkname]);
            run(command.args(["--list-id", list_id, "--list-email", "bench@example.org"]));
        }
    }
}

const SAMPLE_LIST: &str = "tidepool.lists.example.org";

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

    /// The sample list; not all of its mails are UTF-8, and how they are damaged here does not matter.
    fn sample() -> String {
        let sample = fs::read(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/lib/sample/tidepool.mbox"
        ));
        String::from_utf8_lossy(&sample.expect("the sample list is part of the project"))
            .into_owned()
    }

    /// The same mails with other message ids, people, and ids of what they revise.
    fn renamed(sample: &str, round: usize) -> String {
        let sample = sample.replace("example.", &format!("r{round}.example."));
        sample.replace("change-id: ", &format!("change-id: r{round}-"))
    }

    /// The sample list forty times over, all of it new each time.
    fn repeated(folder: &Path) -> Archive {
        let sample = Archive::sample();
        let path = folder.join("sample.mbox");
        let mut file = fs::File::create(&path).expect("a file in our own folder");
        for round in 0..40 {
            file.write_all(Archive::renamed(&sample, round).as_bytes())
                .expect("room for the archive");
        }
        Archive {
            name: "the sample list, 40 times".into(),
            path,
            list_id: SAMPLE_LIST.to_owned(),
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

/// Returns the seconds of a processor that a process has used.
fn processor(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit(") ").next().unwrap_or_default();
    let fields: Vec<f64> = after
        .split(' ')
        .map(|it| it.parse().unwrap_or(0.0))
        .collect();
    // Linux counts in hundredths here.
    fields
        .get(11..13)
        .map_or(0.0, |two| two.iter().sum::<f64>() / 100.0)
}

fn row(figure: &str, measured: String, target: &str) {
    println!("{figure:<44} {measured:>14}   {target}");
}

fn loading(engine: &Engine, archive: &Archive) {
    for round in ["load", "load again"] {
        let (rate, peak) = load(engine, archive, &[]);
        let target = match round {
            "load" => format!(">= {} mails/s", engine.load),
            _ => "all duplicates".into(),
        };
        let figure = format!("{}: {round}", engine.name);
        row(&figure, format!("{rate:.0} mails/s"), &target);
        let peak = format!("{} MiB", peak / 1024);
        row(&format!("{figure}, peak memory"), peak, "< 150 MiB");
    }
}

/// Loads an archive with the index of texts and without, in turn, each time into a new database.
fn indexing(engine: &Engine, archive: &Archive, folder: &Path) {
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..7 {
        for (rates, arguments) in rates.iter_mut().zip([&[][..], &["--search-later", "-v0"]]) {
            let url = match engine.name {
                "SQLite" => {
                    let path = folder.join("index.db");
                    let _ = fs::remove_file(&path);
                    format!("sqlite:{}", path.display())
                }
                _ => support::postgres::database_url("bench_index").expect("it was there before"),
            };
            let engine = Engine { url, ..*engine };
            engine.prepare(&archive.list_id);
            rates.push(load(&engine, archive, arguments).0);
        }
    }
    for rates in &mut rates {
        rates.sort_by(f64::total_cmp);
    }
    let [with, without] = rates.map(|rates| rates[rates.len() / 2]);
    let figure = format!("{}: load with the index", engine.name);
    let target = format!(
        "{:.0} % of {without:.0} without; >= 75 %",
        with / without * 100.0
    );
    row(&figure, format!("{with:.0} mails/s"), &target);
}

/// Loads an archive and returns the mails per second, and the peak of resident memory in KiB.
fn load(engine: &Engine, archive: &Archive, arguments: &[&str]) -> (f64, u64) {
    let mut command = patchwork(&engine.url);
    command
        .args(["parsearchive", "--list-id", &archive.list_id])
        .args(arguments)
        .arg(&archive.path);
    let (time, peak) = watched(command);
    (archive.mails as f64 / time.as_secs_f64(), peak)
}

/// Loads the sample list until there are 110,000 mails, through a pipe, and looks at the clock on the way: compares
/// the rate between 100,000 and 110,000 with that between 5,000 and 15,000. What the program has read ahead is the
/// same at both ends, so it does not count.
fn growth(engine: &Engine) {
    let sample = Archive::sample();
    let mut command = patchwork(&engine.url);
    command.args(["parsearchive", "--list-id", SAMPLE_LIST, "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let mut passed = Vec::new();
    for round in 0..705 {
        passed.push(Instant::now());
        let again = Archive::renamed(&sample, 1000 + round);
        pipe.write_all(again.as_bytes()).expect("the program reads");
    }
    drop(pipe);
    assert!(child.wait().expect("our own child").success());
    let rate = |from: usize| 64.0 * 156.0 / (passed[from + 64] - passed[from]).as_secs_f64();
    let (early, late) = (rate(32), rate(640));
    let target = format!(
        "{:.0} % of {early:.0} after 5,000; >= 80 %",
        late / early * 100.0
    );
    let figure = format!("{}: rate after 100,000 mails", engine.name);
    row(&figure, format!("{late:.0} mails/s"), &target);
}

/// Searches the mails that [`growth`] has loaded: words that hundreds have and words that nearly all have.
fn search(engine: &Engine) {
    let server = Server::start(&engine.url);
    std::thread::sleep(Duration::from_secs(1));
    let mut all = Vec::new();
    for query in [
        "leak",
        "no-such-word",
        "patch",
        "the",
        "use+after+free",
        "%22signed+off+by%22",
        "subject:fix",
        "diff:return",
        "file:Makefile",
        "comment:looks",
        "from:mara",
        "from:mara+is:comment",
        "reviewed-by:tobias",
        "state:new+return",
        "is:open+the+-return",
        "return+after:2025-11-01",
        "(fix+OR+add)+project:bench",
        "loc*",
    ] {
        let path = format!("/search/?q={query}");
        let times = server_times(&server, &path, 9);
        let figure = format!("{}: search, {query}", engine.name);
        row(&figure, format!("{:.1} ms", times[4]), "");
        all.extend(times);
    }
    all.sort_by(f64::total_cmp);
    let figure = format!("{}: search in 110,000 mails, p95", engine.name);
    row(
        &figure,
        format!("{:.1} ms", all[all.len() * 95 / 100]),
        "<= 50 ms",
    );
}

/// Loads two revisions of 20 patches, each a little different, and asks what changed: anew, and once more.
fn compare(engine: &Engine) {
    const ID: &str = "compare.example.org";
    let mut command = patchwork(&engine.url);
    command.args(["createproject", "compare", "--name", "compare"]);
    run(command.args(["--list-id", ID, "--list-email", "compare@example.org"]));
    let mut command = patchwork(&engine.url);
    command.args(["parsearchive", "--list-id", ID, "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    for version in 1..=2 {
        for number in 1..=20 {
            let mail = revised(version, number);
            pipe.write_all(mail.as_bytes()).expect("the program reads");
        }
    }
    drop(pipe);
    assert!(child.wait().expect("our own child").success());
    let server = Server::start(&engine.url);
    let series = |version: u32| -> String {
        let answer = server.send(&format!(
            "GET /api/patches/?msgid=compare-{version}-1@example.org HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            server.1
        ));
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let after = answer.rsplit("/series/").next().unwrap_or_default();
        after.split('/').next().unwrap_or_default().to_owned()
    };
    let path = format!("/project/compare/series/{}/diff/{}/", series(1), series(2));
    let (first, _) = server.get(&path);
    let times = server_times(&server, &path, 20);
    let figure = format!("{}: 20 patches compared", engine.name);
    let cold = timing(&first, "dur=").unwrap_or(f64::NAN);
    row(&figure, format!("{cold:.1} ms"), "<= 300 ms");
    row(
        &format!("{figure} again, median"),
        format!("{:.1} ms", times[10]),
        "<= 10 ms",
    );
}

/// A patch of 300 lines in its first or second revision.
fn revised(version: u32, number: u32) -> String {
    let line = |at: u32| match version == 2 && (at + number).is_multiple_of(37) {
        true => format!("+\tchanged {at} of {number};\n"),
        false => format!("+\tcall({}, {number});\n", at * at % 101),
    };
    let lines: String = (0..300).map(line).collect();
    let head = match number {
        1 => String::new(),
        _ => format!("In-Reply-To: <compare-{version}-1@example.org>\n"),
    };
    format!(
        "From mara@example.org Mon Nov 16 10:00:00 2026\nFrom: Mara Lindqvist <mara@example.org>\n\
         Subject: [PATCH v{version} {number}/20] compare: part {number}\n\
         Message-Id: <compare-{version}-{number}@example.org>\n{head}List-Id: <compare.example.org>\n\
         Date: Mon, 16 Nov 2026 1{version}:00:{number:02} +0000\n\nWhy {number}.\n---\n\
         diff --git a/f{number} b/f{number}\nnew file mode 100644\n--- /dev/null\n+++ b/f{number}\n@@ -0,0 +1,300 @@\n{lines}\n"
    )
}

/// Brings 20 mails a second for 10 s, as a mail server does, and tells how long each takes to be stored.
fn stream(engine: &Engine, list_id: &str) {
    let mut running = Vec::new();
    for number in 0..200 {
        let mail = mail(&format!("stream-{number}"));
        let mut command = parsemail(engine, list_id);
        let start = Instant::now();
        let mut child = command
            .stdin(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(mail.as_bytes()).expect("the program reads");
        drop(stdin);
        let wait = move || {
            assert!(child.wait().expect("our own child").success());
            start.elapsed()
        };
        running.push(std::thread::spawn(wait));
        std::thread::sleep(Duration::from_millis(50).saturating_sub(start.elapsed()));
    }
    let ends = running
        .into_iter()
        .map(|one| one.join().expect("a thread that waits"));
    let mut times: Vec<Duration> = ends.collect();
    times.sort_unstable();
    let figure = format!("{}: 20 mails/s, pipe to commit, p99", engine.name);
    row(
        &figure,
        format!("{:.1} ms", milliseconds(times[197])),
        "<= 50 ms",
    );
}

fn parsemail(engine: &Engine, list_id: &str) -> Command {
    let mut command = Command::new(PARSEMAIL);
    command
        .env_clear()
        .env("DATABASE_URL", &engine.url)
        .args(["--list-id", list_id]);
    command
}

fn mail(name: &str) -> String {
    format!(
        "From: Mara Lindqvist <mara@example.org>\nSubject: [PATCH] bench: {name}\n\
         Message-Id: <bench-{name}@example.org>\nDate: Mon, 16 Nov 2026 10:00:00 +0000\n\nOne line.\n\n\
         --- a/file\n+++ b/file\n@@ -1 +1 @@\n-old\n+new {name}\n"
    )
}

fn run(command: &mut Command) {
    let output = command.output().expect("the program starts");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Has a program take a mail on its standard input.
fn hand_in(command: &mut Command, mail: &str) {
    let mut child = command
        .stdin(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("its standard input");
    input.write_all(mail.as_bytes()).expect("it listens");
    drop(input);
    assert!(child.wait().expect("an end").success());
}

/// Times single mails: each by a process that does all of it, or handed to a server over its socket.
fn single_mail(engine: &Engine, list_id: &str, folder: &Path, socket: Option<&Path>) {
    let path = folder.join("one.eml");
    let (mut times, mut peak) = (Vec::new(), 0);
    for number in 0..200 {
        let way = socket.map_or("alone", |_| "handed");
        fs::write(&path, mail(&format!("{way}-{number}"))).expect("room for a mail");
        let mut command = parsemail(engine, list_id);
        command.envs(socket.map(|socket| ("PATCHWORK_MAIL__INTAKE__SOCKET", socket)));
        command.stdin(fs::File::open(&path).expect("the mail just written"));
        let (time, memory) = watched(command);
        times.push(time);
        peak = peak.max(memory);
    }
    times.sort_unstable();
    let way = socket.map_or("alone", |_| "to the server");
    let figure = format!("{}: parsemail {way}", engine.name);
    row(
        &format!("{figure}, median"),
        format!("{:.1} ms", milliseconds(times[100])),
        &format!("<= {} ms", engine.mail),
    );
    let p95 = format!("{:.1} ms", milliseconds(times[190]));
    row(&format!("{figure}, p95"), p95, "");
    let peak = format!("{:.1} MiB", peak as f64 / 1024.0);
    row(&format!("{figure}, peak memory"), peak, "<= 15 MiB");
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
    /// Starts a server to which mails can be handed.
    fn taking_mails(database: &str, socket: &Path) -> Server {
        let _ = fs::remove_file(socket);
        let setting = format!("mail.intake.socket={}", socket.display());
        let server = Server::start_with(database, &["--set", &setting]);
        let start = Instant::now();
        while !socket.exists() {
            let is_early = start.elapsed() < Duration::from_secs(5);
            assert!(is_early, "the server does not take mails");
            std::thread::sleep(Duration::from_millis(5));
        }
        server
    }

    fn start(database: &str) -> Server {
        Server::start_with(database, &[])
    }

    fn start_with(database: &str, arguments: &[&str]) -> Server {
        let port = support::free_port();
        let mut command = patchwork(database);
        command.args([
            "serve",
            "--port",
            &port.to_string(),
            "--set",
            "server.server_timing=true",
        ]);
        command.args(arguments);
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

    /// Sends a request and returns the whole answer.
    fn send(&self, request: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.1).expect("the server answers");
        stream
            .write_all(request.as_bytes())
            .expect("the server listens");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the server answers");
        answer
    }

    /// Asks for one thing for a few seconds, 16 at a time.
    fn load(&self, figure: &str, path: &str, tag: Option<String>, target: &str) {
        self.load_with(figure, path, tag, None, target);
    }

    /// Asks like [`Server::load`], by a program of wrk's if one is given.
    fn load_with(
        &self,
        figure: &str,
        path: &str,
        tag: Option<String>,
        program: Option<&Path>,
        target: &str,
    ) {
        let mut command = Command::new("wrk");
        command.args(["-t1", "-c16", "-d4s", "--latency"]);
        command.args(
            program
                .into_iter()
                .flat_map(|file| [OsStr::new("-s"), file.as_os_str()]),
        );
        command.args(tag.map(|tag| format!("-HIf-None-Match: {tag}")));
        command.arg(format!("http://{}{path}", self.1));
        let before = processor(self.0.id());
        let output = command.output().expect("wrk runs");
        let used = processor(self.0.id()) - before;
        let said = String::from_utf8_lossy(&output.stdout);
        let word = |label: &str| {
            let line = said
                .lines()
                .find(|line| line.trim_start().starts_with(label))?;
            line.split_whitespace().nth(1).map(str::to_owned)
        };
        let rate = word("Requests/sec:").unwrap_or_default();
        let count = said.lines().find(|line| line.contains(" requests in "));
        let count = count.and_then(|line| line.split_whitespace().next()?.parse().ok());
        let a_core = count.unwrap_or(0.0) / used;
        let p99 = word("99%").unwrap_or_default();
        let errors = said
            .lines()
            .filter(|line| line.contains("Non-2xx") && !figure.ends_with("304"));
        let measured = format!("{rate}/s, {a_core:.0} a core, p99 {p99}");
        row(figure, measured, target);
        errors.for_each(|line| println!("{line}"));
    }

    /// Returns the header block and the body's length as sent.
    fn get(&self, path: &str) -> (String, usize) {
        let answer = self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n",
            self.1
        ));
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

/// How many streams of events are promised to stay open in how many MiB.
const STREAMS: usize = 1000;

fn live(engine: &Engine) {
    let server = Server::start(&engine.url);
    let pid = server.0.id();
    // What pages and the database take is there before.
    for _ in 0..20 {
        server.get("/api/events/");
    }
    let before = memory(pid, "VmRSS").unwrap_or(0);
    let ask = || {
        let mut stream = TcpStream::connect(&server.1).expect("the server answers");
        let request = format!("GET /events/stream HTTP/1.1\r\nHost: {}\r\n\r\n", server.1);
        stream.write_all(request.as_bytes()).expect("a request");
        let mut piece = [0; 512];
        while !String::from_utf8_lossy(&piece).contains("retry: ") {
            assert!(
                stream.read(&mut piece).expect("a stream") > 0,
                "a stream ends early"
            );
        }
        stream
    };
    let mut streams: Vec<TcpStream> = (0..STREAMS).map(|_| ask()).collect();
    std::thread::sleep(Duration::from_secs(2));
    let used = processor(pid);
    std::thread::sleep(Duration::from_secs(10));
    let idle = (processor(pid) - used) * 10.0;
    let after = memory(pid, "VmRSS").unwrap_or(0);
    let grown = (after.saturating_sub(before)) as f64 / 1024.0;
    let name = engine.name;
    row(
        &format!("{name}: {STREAMS} idle event streams"),
        format!("{grown:.1} MiB, {idle:.1} % CPU"),
        "64 MiB",
    );
    let mut command = parsemail(engine, SAMPLE_LIST);
    let said = Instant::now();
    hand_in(&mut command, &mail(&format!("live-{name}")));
    let stored = said.elapsed();
    for stream in &mut streams {
        let mut text = Vec::new();
        let mut piece = [0; 4096];
        while !text.windows(6).any(|six| six == b"data: ") {
            let read = stream.read(&mut piece).expect("a stream");
            assert!(read > 0, "a stream ends early");
            text.extend_from_slice(&piece[..read]);
        }
    }
    let told = said.elapsed() - stored;
    row(
        &format!("{name}: an event reaches all of them after"),
        format!("{:.0} ms", milliseconds(told)),
        "",
    );
}

fn pages(database: &str) {
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

const LIST: &str = "/project/bench/list/";

/// What the list costs through the other doors: CGI with the start of a process, FastCGI behind nginx.
fn doors(database: &str, folder: &Path) {
    let mut times: Vec<f64> = (0..31).map(|_| milliseconds(cgi(database))).collect();
    times.sort_by(f64::total_cmp);
    row(
        "list by CGI, process and all, median",
        format!("{:.1} ms", times[15]),
        "<= 30 ms",
    );
    let socket = folder.join("fastcgi.sock");
    let port = support::free_port();
    let mut command = patchwork(database);
    command.args(["serve", "--socket-mode", "666", "--listen"]);
    command.arg(format!("http://127.0.0.1:{port}"));
    command.arg("--listen");
    command.arg(format!("fastcgi+unix:{}", socket.display()));
    let child = command.stdout(Stdio::null()).spawn();
    let server = Server(
        child.expect("the server starts"),
        format!("127.0.0.1:{port}"),
    );
    let Some(nginx) = nginx(folder, &socket) else {
        println!("nginx is not installed: FastCGI skipped");
        return;
    };
    for server in [&server, &nginx] {
        let start = Instant::now();
        while TcpStream::connect(&server.1).is_err() {
            let is_early = start.elapsed() < Duration::from_secs(20);
            assert!(is_early, "nobody answers at {}", server.1);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    server.load("list, direct", LIST, None, "");
    nginx.load("list, nginx and FastCGI", LIST, None, ">= 70 % of it");
}

/// Answers one request for the list by CGI; returns how long that took.
fn cgi(database: &str) -> Duration {
    let start = Instant::now();
    let mut command = patchwork(database);
    command.arg("cgi").stdin(Stdio::null());
    command.envs([("REQUEST_METHOD", "GET"), ("REQUEST_URI", LIST)]);
    let output = command.output().expect("the program starts");
    let time = start.elapsed();
    assert!(output.stdout.starts_with(b"Status: 200 "));
    time
}

/// Starts nginx before a FastCGI socket, if it is there.
fn nginx(folder: &Path, socket: &Path) -> Option<Server> {
    let port = support::free_port();
    let (folder, socket) = (folder.display(), socket.display());
    let names = [
        "REQUEST_METHOD $request_method",
        "REQUEST_URI $request_uri",
        "REMOTE_ADDR $remote_addr",
    ];
    let parameters = names.map(|it| format!("fastcgi_param {it};")).concat();
    let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};"))
        .collect();
    let configuration = format!(
        "daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{}}\n\
         http {{ access_log off; {folders} upstream app {{ server unix:{socket}; keepalive 16; }}\n\
         server {{ listen 127.0.0.1:{port}; location / {{ {parameters} fastcgi_keep_conn on; fastcgi_pass app; }} }} }}\n"
    );
    let file = format!("{folder}/nginx.conf");
    fs::write(&file, configuration).expect("room for a file");
    let mut command = Command::new("/usr/sbin/nginx");
    command.args(["-e", "stderr", "-c", &file]);
    let child = command.stderr(Stdio::null()).spawn().ok()?;
    Some(Server(child, format!("127.0.0.1:{port}")))
}

/// What is asked of the list of half a million patches.
const LISTS: [&str; 34] = [
    "",
    "?state=*",
    "?state=*&archive=both",
    "?state=*&page=100",
    "?state=accepted",
    "?order=date",
    "?order=name",
    "?order=name&state=*",
    "?order=state",
    "?order=submitter",
    "?order=submitter&state=*",
    "?order=delegate",
    "?order=delegate&state=*",
    "?order=delegate&state=*&archive=both",
    "?submitter=12",
    "?submitter=person+77",
    "?submitter=person",
    "?submitter=no-such",
    "?delegate=Nobody",
    "?delegate=Nobody&state=*",
    "?delegate=1&state=*",
    "?series=1000",
    "?state=*&archive=both&page=4990",
    "?q=driver&state=*",
    "?q=fix",
    "?q=fix&state=*",
    "?q=driver+lock&state=*",
    "?q=sub42+leak&state=*",
    "?q=%22part+4242%22&state=*",
    "?q=no-such-word&state=*",
    "?since=2024-01-01&state=*",
    "?checks=fail&state=*",
    "?checks=none&state=*",
    "?comments=unaddressed&state=*",
];

/// Lists of a project with half a million patches: how long each takes, the median of a few.
fn large(engine: &Engine) {
    make_user(&engine.url, "desk");
    fill_patches(&engine.url, 500_000);
    let server = Server::start(&engine.url);
    std::thread::sleep(Duration::from_secs(1));
    // Each connection plans what it is asked anew a few times.
    server_times(&server, "/project/large/list/", 30);
    for query in LISTS {
        let path = format!("/project/large/list/{query}");
        let times = server_times(&server, &path, 9);
        let figure = format!("{}: 500,000 patches, {query}", engine.name);
        row(&figure, format!("{:.1} ms", times[4]), "<= 10 ms");
    }
}

/// Makes a project with so many patches: of 5,000 people, in series of four, most of them done with.
fn fill_patches(database: &str, many: i64) {
    use patchwork::store::{Db, Kind, Options, sql, tally};
    let fill = async {
        let options = Options {
            statement_timeout: None,
            bulk: true,
            ..Options::default()
        };
        let db = Db::open(database, &options).expect("an address");
        let mut tx = db.begin().await.expect("a transaction");
        make(&mut tx, 1, &["INSERT INTO project (linkname, name, list_id, list_email) SELECT 'large', 'large', 'large.example.org', 'l@example.org' FROM n WHERE i <= $1"]).await;
        make(&mut tx, 5_000, &["INSERT INTO person (email, name, key) SELECT 'p' || i || '@large.example.com', 'Person ' || i, 'person ' || i || ' p' || i || '@large.example.com' FROM n"]).await;
        let series = match db.kind() {
            Kind::Sqlite => {
                "INSERT INTO series (project_id, submitter_id, name, date, version, total) SELECT (SELECT id FROM project WHERE linkname = 'large'), (SELECT min(id) FROM person WHERE email LIKE '%@large.example.com') + (i * 7919) % 5000, 'series ' || i, 1400000000000000 + i * 3000000000, 1, 4 FROM n"
            }
            Kind::Postgres => {
                "INSERT INTO series (project_id, submitter_id, name, date, version, total) SELECT (SELECT id FROM project WHERE linkname = 'large'), (SELECT min(id) FROM person WHERE email LIKE '%@large.example.com') + (i * 7919) % 5000, 'series ' || i, to_timestamp(1400000000 + i * 3000), 1, 4 FROM n"
            }
        };
        make(&mut tx, many / 4, &[series]).await;
        let patches = match db.kind() {
            Kind::Sqlite => {
                "INSERT INTO patch (project_id, submitter_id, state_id, delegate_id, series_id, number, archived, date, msgid, name, name_key) SELECT s.project_id, s.submitter_id, CASE WHEN i % 50 = 0 THEN 1 + (i / 50) % 2 ELSE 3 + i % 8 END, CASE WHEN i % 3 = 0 THEN (SELECT min(id) FROM account) END, s.id, 1 + (i - 1) % 4, CASE WHEN i % 5 = 0 AND i % 50 <> 0 THEN 1 ELSE 0 END, s.date + (i - 1) % 4, '<' || i || '@large.example.com>', '[' || (1 + (i - 1) % 4) || '/4] ' || (CASE WHEN i % 40 = 7 THEN 'driver' ELSE 'sub' || ((i * 7) % 97) END) || ': ' || (CASE i % 5 WHEN 0 THEN 'fix a leak of ' WHEN 1 THEN 'add support for ' WHEN 2 THEN 'drop the lock around ' WHEN 3 THEN 'use helpers in ' ELSE 'clean up ' END) || 'part ' || i, (CASE WHEN i % 40 = 7 THEN 'driver' ELSE 'sub' || ((i * 7) % 97) END) || ': ' || (CASE i % 5 WHEN 0 THEN 'fix a leak of ' WHEN 1 THEN 'add support for ' WHEN 2 THEN 'drop the lock around ' WHEN 3 THEN 'use helpers in ' ELSE 'clean up ' END) || 'part ' || i FROM n JOIN series s ON s.id = (SELECT min(id) FROM series WHERE project_id = (SELECT id FROM project WHERE linkname = 'large')) + (i - 1) / 4"
            }
            Kind::Postgres => {
                "INSERT INTO patch (project_id, submitter_id, state_id, delegate_id, series_id, number, archived, date, msgid, name, name_key) SELECT s.project_id, s.submitter_id, CASE WHEN i % 50 = 0 THEN 1 + (i / 50) % 2 ELSE 3 + i % 8 END, CASE WHEN i % 3 = 0 THEN (SELECT min(id) FROM account) END, s.id, 1 + (i - 1) % 4, i % 5 = 0 AND i % 50 <> 0, s.date + ((i - 1) % 4) * interval '1 microsecond', '<' || i || '@large.example.com>', '[' || (1 + (i - 1) % 4) || '/4] ' || (CASE WHEN i % 40 = 7 THEN 'driver' ELSE 'sub' || ((i * 7) % 97) END) || ': ' || (CASE i % 5 WHEN 0 THEN 'fix a leak of ' WHEN 1 THEN 'add support for ' WHEN 2 THEN 'drop the lock around ' WHEN 3 THEN 'use helpers in ' ELSE 'clean up ' END) || 'part ' || i, (CASE WHEN i % 40 = 7 THEN 'driver' ELSE 'sub' || ((i * 7) % 97) END) || ': ' || (CASE i % 5 WHEN 0 THEN 'fix a leak of ' WHEN 1 THEN 'add support for ' WHEN 2 THEN 'drop the lock around ' WHEN 3 THEN 'use helpers in ' ELSE 'clean up ' END) || 'part ' || i FROM n JOIN series s ON s.id = (SELECT min(id) FROM series WHERE project_id = (SELECT id FROM project WHERE linkname = 'large')) + (i - 1) / 4"
            }
        };
        make(&mut tx, many, &[patches]).await;
        fill_marks(&mut tx, many).await;
        tally::recount(&mut tx).await.expect("counts");
        tx.commit().await.expect("a commit");
        let mut conn = db.reader().await.expect("a reader");
        let statistics = match db.kind() {
            Kind::Sqlite => "PRAGMA optimize",
            Kind::Postgres => "ANALYZE",
        };
        let _ = sql(statistics).run(&mut conn).await;
        drop(conn);
        db.close().await;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(fill);
}

/// The numbers from 1 to `$1`, for statements that make so many rows.
const NUMBERS: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) ";
const FIRST_PATCH: &str = "(SELECT min(id) FROM patch WHERE project_id = (SELECT id FROM project WHERE linkname = 'large'))";
const FIRST_SERIES: &str = "(SELECT min(id) FROM series WHERE project_id = (SELECT id FROM project WHERE linkname = 'large'))";
/// A reply of a kilobyte, most of it quoted; every fourth ends with a trailer.
const REPLY: &str = "replace('1111111111111111', '1', '> A line that is quoted, as people do before they say something.
') || CASE WHEN i % 4 = 0 THEN 'Reviewed-by: Person ' || i ELSE 'I have read it all, and wonder about the lock.' END";

/// Makes rows from pieces of a statement that asks for [`NUMBERS`] up to `many`.
async fn make(tx: &mut patchwork::store::Tx, many: i64, pieces: &[&'static str]) {
    let mut query = patchwork::store::sql(NUMBERS);
    for piece in pieces {
        query.push(piece);
    }
    query.bind(many).run(tx).await.expect("rows");
}

/// Adds what is told of so many patches: 6 replies and 10 checks for each 10 of them, cover letters, trailers, revisions, promises
/// of reviews.
async fn fill_marks(tx: &mut patchwork::store::Tx, many: i64) {
    let (later, never) = match tx.kind() {
        patchwork::store::Kind::Sqlite => (" + ", "9000000000000000"),
        patchwork::store::Kind::Postgres => {
            (" + interval '1 microsecond' * ", "to_timestamp(9000000000)")
        }
    };
    make(tx, many / 20, &["INSERT INTO cover (project_id, submitter_id, msgid, date, name, content) SELECT s.project_id, s.submitter_id, '<cover-' || s.id || '@large.example.com>', s.date, '[0/4] ' || s.name, 'Why.' FROM n JOIN series s ON s.id = ", FIRST_SERIES, " + n.i * 5 - 5"]).await;
    make(tx, many / 20, &["UPDATE series SET cover_id = (SELECT c.id FROM cover c WHERE c.msgid = '<cover-' || series.id || '@large.example.com>' AND c.project_id = series.project_id) WHERE id IN (SELECT ", FIRST_SERIES, " + i * 5 - 5 FROM n)"]).await;
    make(tx, many * 3 / 5, &["INSERT INTO comment (patch_id, submitter_id, addressed, date, msgid, content) SELECT p.id, CASE WHEN i % 3 = 0 THEN p.submitter_id ELSE (SELECT min(id) FROM person WHERE email LIKE '%@large.example.com') + i % 5000 END, CASE WHEN i % 100 = 0 THEN FALSE END, p.date", later, "(i % 7 * 3600000000), '<reply-' || i || '@large.example.com>', ", REPLY, " FROM n JOIN patch p ON p.id = ", FIRST_PATCH, " + (n.i * 5) / 3 - 1"]).await;
    make(tx, many / 25, &["INSERT INTO comment (cover_id, submitter_id, date, msgid, content) SELECT c.id, c.submitter_id, c.date", later, "3600000000, '<reply-to-' || i || '@large.example.com>', ", REPLY, " FROM n JOIN cover c ON c.msgid = '<cover-' || (", FIRST_SERIES, " + n.i * 5 - 5) || '@large.example.com>'"]).await;
    make(tx, many, &["INSERT INTO patch_check (patch_id, account_id, date, state, context) SELECT p.id, (SELECT min(id) FROM account), p.date", later, "(60000000 * (i % 2 + 1)), CASE WHEN i / 7 % 20 = 0 THEN 3 WHEN i / 7 % 33 = 1 THEN 2 WHEN i / 7 % 50 = 2 THEN 0 ELSE 1 END, CASE WHEN i % 2 = 0 THEN 'build' ELSE 'style' END FROM n JOIN patch p ON p.id = ", FIRST_PATCH, " + (n.i - 1) / 2 * 2 + (n.i - 1) / 10 % 2"]).await;
    make(
        tx,
        many * 3 / 20,
        &[
            "INSERT INTO patch_tag (patch_id, tag_id, count) SELECT ",
            FIRST_PATCH,
            " + i * 20 / 3 - 1, (SELECT id FROM tag WHERE abbrev = 'R'), 1 + i % 2 FROM n",
        ],
    )
    .await;
    make(tx, many / 40 - 1, &["INSERT INTO revision_link (series_id, earlier_id, reason, claimed, date) SELECT s.id, s.id - 5, 'title', CASE WHEN i % 9 = 0 THEN TRUE ELSE FALSE END, s.date FROM n JOIN series s ON s.id = ", FIRST_SERIES, " + n.i * 10"]).await;
    make(tx, many / 2500, &["INSERT INTO review_claim (patch_id, account_id, made, ends) SELECT p.id, (SELECT min(id) FROM account), p.date, ", never, " FROM n JOIN patch p ON p.id = (SELECT max(id) FROM patch) - i * 7"]).await;
}

/// Asks the API as fast as it answers, 16 at a time, and tells requests a second, and for each second of a processor
/// that the server used: the load generator takes its share of the machine.
fn api(engine: &Engine) {
    if Command::new("wrk").arg("-v").output().is_err() {
        println!("the API is not measured: wrk is not installed");
        return;
    }
    let key = make_user(&engine.url, "bench");
    let server = Server::start(&engine.url);
    let name = engine.name;
    let (head, _) = server.get("/api/patches/?per_page=100");
    let tag = head.lines().find_map(|line| {
        let (name, tag) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("etag").then(|| tag.to_owned())
    });
    let list = "/api/patches/?per_page=100";
    server.load(
        &format!("{name}: API, list of 100"),
        list,
        None,
        ">= 300 a core, p99 <= 20 ms",
    );
    // Answers asked for again are kept: each of these is asked for once.
    let program = std::env::temp_dir().join(format!("patchwork-bench-{}.lua", std::process::id()));
    let each_anew = "local n = 0\nrequest = function()\n  n = n + 1\n  return wrk.format(nil, wrk.path .. '&n=' .. n)\nend\n";
    std::fs::write(&program, each_anew).expect("a file for wrk");
    server.load_with(
        &format!("{name}: API, list of 100, each made anew"),
        list,
        None,
        Some(&program),
        ">= 300 a core",
    );
    let _ = std::fs::remove_file(&program);
    server.load(
        &format!("{name}: API, one patch"),
        "/api/patches/100/",
        None,
        ">= 2000",
    );
    server.load(&format!("{name}: API, 304"), list, tag, ">= 5000");
    bulk(&server, name, &key);
    for (many, label) in [(20_000, "20 thousand"), (2_000_000, "2 million")] {
        fill_events(&engine.url, many);
        let figure = format!("{name}: API, events at {label}");
        server.load(
            &figure,
            "/api/events/?per_page=100",
            None,
            "the same at both",
        );
    }
}

/// Makes a maintainer and returns a token.
fn make_user(database: &str, name: &str) -> String {
    let mut command = patchwork(database);
    command.env("PATCHWORK_PASSWORD", "low-tide-at-noon");
    command.args([
        "createuser",
        name,
        "--email",
        &format!("{name}@example.com"),
    ]);
    run(command.args(["--maintainer", "bench"]));
    let output = patchwork(database).args(["token", name]).output();
    let output = output.expect("the program starts");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Makes the same change to a hundred patches, a few times, and tells the median.
fn bulk(server: &Server, name: &str, key: &str) {
    let ids: Vec<String> = (101..=200).map(|id: u32| id.to_string()).collect();
    let mut times: Vec<Duration> = (0..9)
        .map(|round| {
            let state = if round % 2 == 0 { "accepted" } else { "new" };
            let body = format!("{{\"ids\":[{}],\"state\":\"{state}\"}}", ids.join(","));
            let start = Instant::now();
            let answer = server.send(&format!(
                "PATCH /api/patches/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Token {key}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            ));
            assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let median = format!("{:.1} ms", milliseconds(times[4]));
    row(
        &format!("{name}: API, 100 patches at once"),
        median,
        "<= 100 ms",
    );
}

/// Adds events until there are so many.
fn fill_events(database: &str, many: i64) {
    use patchwork::store::{Db, Options, sql, tally};
    let fill = async {
        let options = Options {
            statement_timeout: None,
            bulk: true,
            ..Options::default()
        };
        let db = Db::open(database, &options).expect("an address");
        let mut tx = db.begin().await.expect("a transaction");
        sql(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1 - (SELECT count(*) FROM event)) \
             INSERT INTO event (category, project_id, date, patch_id) \
             SELECT 'patch-created', e.project_id, e.date, e.patch_id FROM n JOIN (SELECT row_number() OVER (ORDER BY id) - 1 AS place, \
             project_id, date, patch_id FROM event WHERE category = 'patch-created' LIMIT 1000) e ON e.place = n.i % 1000",
        )
        .bind(many)
        .run(&mut tx)
        .await
        .expect("events");
        tally::recount(&mut tx).await.expect("counts");
        tx.commit().await.expect("a commit");
        db.close().await;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(fill);
}

/// Asks for a page so many times. Returns what the server says that it took, in milliseconds, the shortest first.
fn server_times(server: &Server, path: &str, count: usize) -> Vec<f64> {
    let mut times: Vec<f64> = (0..count)
        .map(|_| timing(&server.get(path).0, "dur=").unwrap_or(f64::NAN))
        .collect();
    times.sort_by(f64::total_cmp);
    times
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
