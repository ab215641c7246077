//! `patchwork serve`: starting and ending; what the site shows is told elsewhere.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixDatagram,
    process::{Child, Command},
    time::{Duration, Instant},
};

use crate::support::{
    database, free_port,
    program::{Program, ended},
};

fn answer(port: u16) -> String {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(mut stream) => {
                stream
                    .write_all(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
                    .expect("a request");
                let mut text = Vec::new();
                stream.read_to_end(&mut text).expect("an answer");
                return String::from_utf8_lossy(&text).into_owned();
            }
            Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(50)),
            Err(error) => panic!("nobody listens: {error}"),
        }
    }
}

#[test]
fn a_site_starts_on_an_empty_folder_and_ends_when_told() {
    let program = Program::default();
    let port = free_port().to_string();
    for arguments in [
        &["serve", "--port", &port][..],
        &["runserver", &format!("127.0.0.1:{port}")],
        &["--set", &format!("server.port={port}")],
    ] {
        let mut child = program.command(arguments).spawn().expect("the program");
        let mut out = BufReader::new(child.stdout.take().expect("standard output"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        assert!(
            line.contains(&format!("http://127.0.0.1:{port}/")),
            "{line}"
        );
        let answer = answer(port.parse().expect("a number"));
        assert!(answer.starts_with("HTTP/1."), "{answer}");
        assert!(answer.contains("Patchwork"), "who serves: {answer}");
        let told = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .expect("kill");
        assert!(told.success());
        let before = Instant::now();
        assert_eq!(ended(child).code, Some(0));
        assert!(
            before.elapsed() < Duration::from_secs(5),
            "{:?}",
            before.elapsed()
        );
    }
    assert_eq!(program.run(&["migrate", "--check"]).ok(), "");
}

/// A server that ends with the test, passed or not.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends this on one connection, and returns all that comes back.
fn talk(port: u16, said: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a server");
    stream.write_all(said.as_bytes()).expect("a request");
    let mut text = Vec::new();
    stream.read_to_end(&mut text).expect("an answer");
    String::from_utf8(text).expect("UTF-8")
}

/// Asks once, in this version of HTTP and with these headers.
fn once(port: u16, path: &str, version: &str, headers: &str) -> String {
    let head = format!("GET {path} HTTP/{version}\r\nConnection: close\r\n{headers}\r\n");
    talk(port, &head)
}

/// A CGI request, as web servers start one.
fn request(program: Program, query: &str) -> Program {
    program
        .with("GATEWAY_INTERFACE", "CGI/1.1")
        .with("REQUEST_METHOD", "GET")
        .with("REQUEST_URI", &format!("/api/?{query}"))
        .with("QUERY_STRING", query)
        .with("HTTP_HOST", "patchwork.example.com")
}

/// Of a query without `=`, Apache makes arguments.
#[test]
fn a_query_is_no_command() {
    for (query, words) in [
        ("backup+stolen.zst", &["backup", "stolen.zst"][..]),
        ("--config+x+cgi", &["--config", "x", "cgi"]),
        ("dumpdata", &["dumpdata"]),
        ("cgi", &["cgi"]),
    ] {
        let program = request(Program::default(), query);
        let answer = program.run(words).ok();
        assert!(answer.starts_with("Status: 200 "), "{query}: {answer}");
        assert!(!program.folder.join("stolen.zst").exists(), "{query}");
    }
    let program = request(Program::default(), "page=1");
    let answer = program.run(&["--set", "api.rest=false", "cgi"]).ok();
    assert!(answer.starts_with("Status: 404 "), "a wrapper's: {answer}");
}

/// Whoever asks gets an answer, the web server's log the reason.
#[test]
fn a_request_to_a_site_that_cannot_be_served_is_answered() {
    let nowhere = Program::on("postgres://patchwork@127.0.0.1:1/patchwork");
    let unset = Program::default().with("PATCHWORK_CONFIG", "/not/there.toml");
    for (program, why) in [(nowhere, "cannot be reached"), (unset, "/not/there.toml")] {
        let ended = request(program, "").run(&[]);
        assert!(ended.out.starts_with("Status: 503 "), "{ended:?}");
        assert!(ended.out.contains("\r\nRetry-After: 30\r\n"), "{ended:?}");
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains(why), "{ended:?}");
    }
}

/// Starts a site that answers; it ends with the test.
fn serving(program: &Program) -> (Server, u16) {
    let port = free_port();
    let child = program
        .command(&["serve", "--port", &port.to_string()])
        .spawn();
    let server = Server(child.expect("the program"));
    answer(port);
    (server, port)
}

/// Whoever reloads twice reloads; the server does not end of it.
#[test]
fn reloads_may_come_at_any_time() {
    let program = Program::default();
    let (mut server, port) = serving(&program);
    for pause in [5, 5, 20, 50, 100, 5, 200, 5] {
        let told = Command::new("kill")
            .args(["-HUP", &server.0.id().to_string()])
            .status();
        assert!(told.expect("kill").success());
        std::thread::sleep(Duration::from_millis(pause));
    }
    answer(port);
    assert_eq!(server.0.try_wait().expect("our own child"), None);
}

#[test]
fn http_is_spoken_as_clients_expect() {
    let program = Program::default();
    let port = free_port();
    let child = program
        .command(&[
            "serve",
            "--port",
            &port.to_string(),
            "--set",
            "server.max_body=1000",
            "--set",
            "server.metrics=local",
        ])
        .spawn()
        .expect("the program");
    let mut server = Server(child);
    let out = server.0.stdout.as_mut().expect("standard output");
    BufReader::new(out)
        .read_line(&mut String::new())
        .expect("a line");
    // Two requests on one connection: the head alone, then as to a proxy.
    let said = talk(
        port,
        "HEAD /api/projects/ HTTP/1.1\r\nHost: one.example.org\r\n\r\n\
         GET http://two.example.org/api/ HTTP/1.1\r\nHost: one.example.org\r\nConnection: close\r\n\r\n",
    );
    let (head, rest) = said.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    // Clients compare the name as it is.
    let link = "\r\nLink: <http://one.example.org/api/projects/?page=1>; rel=\"first\"";
    assert!(
        head.contains(link) && head.contains("\r\nContent-Length: 2"),
        "{head}"
    );
    assert!(rest.starts_with("HTTP/1.1 200 OK\r\n"), "{rest}");
    assert!(
        rest.contains("\"http://two.example.org/api/projects/\""),
        "{rest}"
    );
    let post = |headers: &str, body: &str| {
        let head = "POST /api/bundles/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n";
        talk(port, &format!("{head}{headers}\r\n\r\n{body}"))
    };
    for (answer, code) in [
        (
            post("Transfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"),
            403,
        ),
        (post("Content-Length: 2", "{}"), 403),
        (
            talk(
                port,
                "BREW / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            ),
            405,
        ),
        (talk(port, "GET / / HTTP/1.1\r\nHost: a\r\n\r\n"), 400),
        (once(port, "/api/", "1.1", ""), 400),
        (once(port, "/api/", "1.0", ""), 200),
        (once(port, "/api/", "1.1", "Host: a\r\nHost: b\r\n"), 400),
        (once(port, "/api/", "1.1", "Host: a, b\r\n"), 400),
        // Numbers for monitors of this machine, not for whom a front server passes on.
        (once(port, "/metrics", "1.0", ""), 200),
        (
            once(port, "/metrics", "1.0", "X-Forwarded-Proto: http\r\n"),
            404,
        ),
        (
            once(port, "/metrics", "1.0", "X-Forwarded-For: unknown\r\n"),
            404,
        ),
        (
            once(port, "/metrics", "1.0", "Forwarded: for=unknown\r\n"),
            404,
        ),
        (
            once(port, "/metrics", "1.0", "X-Patchwork-Passed-On:\r\n"),
            200,
        ),
    ] {
        assert!(
            answer.starts_with("HTTP/1.") && answer[8..].starts_with(&format!(" {code} ")),
            "{code}: {answer}"
        );
    }
}

/// What it keeps open to answer quickly must not hold it up.
#[test]
fn a_site_that_was_asked_ends_when_told() {
    let program = Program::default();
    let (mut server, port) = serving(&program);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let request = b"GET /api/patches/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).expect("a request");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    let told = Command::new("kill")
        .args(["-TERM", &server.0.id().to_string()])
        .status();
    assert!(told.expect("kill").success());
    let end = Instant::now() + Duration::from_secs(5);
    while server.0.try_wait().expect("our own child").is_none() {
        assert!(Instant::now() < end, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One request as a front server starts us for it; the head, line by line, and the body.
fn by_cgi(program: &Program, path: &str, known: &str) -> (Vec<String>, String) {
    let mut command = program.command(&["cgi"]);
    for (name, value) in [
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", path),
        ("SERVER_NAME", "one.example.org"),
        ("SERVER_PORT", "80"),
        ("HTTP_HOST", "one.example.org"),
        ("HTTP_IF_NONE_MATCH", known),
    ] {
        command.env(name, value);
    }
    let said = ended(command.spawn().expect("the program")).ok();
    let (head, body) = said.split_once("\r\n\r\n").expect("head and body");
    (head.lines().map(str::to_owned).collect(), body.to_owned())
}

#[test]
fn every_process_of_a_site_knows_an_answer_by_the_same_tag() {
    let mut sites = vec![Program::default()];
    let removed = database::postgres_server().map(|server| {
        let name = database::name();
        sites.push(Program::on(&server.create_empty(&name)));
        name
    });
    let _removed = removed.as_deref().map(database::Removed);
    for program in sites {
        program.run(&["migrate"]).ok();
        program.make_dev();
        for path in ["/api/projects/", "/api/projects/dev/", "/project/dev/list/"] {
            let tag = |head: &[String]| {
                let line = head.iter().find_map(|line| line.strip_prefix("ETag: "));
                line.unwrap_or_else(|| panic!("no tag: {head:?}"))
                    .to_owned()
            };
            let (head, body) = by_cgi(&program, path, "");
            let (again, _) = by_cgi(&program, path, "");
            assert_eq!(tag(&head), tag(&again), "{path}");
            assert!(!body.is_empty());
            let (known, body) = by_cgi(&program, path, &tag(&head));
            assert!(known[0].starts_with("Status: 304 "), "{path}: {known:?}");
            assert_eq!((body.as_str(), tag(&known)), ("", tag(&head)), "{path}");
        }
    }
}

/// Returns the sockets that a process listens with and would leave to a child of its own.
fn left_to_children(process: u32) -> Vec<String> {
    let folder = format!("/proc/{process}");
    let mut listening: Vec<String> = Vec::new();
    for (file, state, inode) in [("net/tcp", 3, 9), ("net/unix", 5, 6)] {
        let table = std::fs::read_to_string(format!("{folder}/{file}")).expect("a table");
        let rows = table
            .lines()
            .map(|row| row.split_whitespace().collect::<Vec<_>>());
        let rows = rows.filter(|row| matches!(row.get(state), Some(&("0A" | "01"))));
        listening.extend(rows.map(|row| format!("socket:[{}]", row[inode])));
    }
    let mut left = Vec::new();
    for entry in std::fs::read_dir(format!("{folder}/fd")).expect("its descriptors") {
        let entry = entry.expect("a descriptor").path();
        let Ok(what) = std::fs::read_link(&entry) else {
            continue;
        };
        let what = what.display().to_string();
        let number = entry.file_name().unwrap_or_default().display().to_string();
        let info = std::fs::read_to_string(format!("{folder}/fdinfo/{number}"));
        let info = info.unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = u32::from_str_radix(flags.unwrap_or("0").trim(), 8).expect("a number");
        if listening.contains(&what) && flags & 0o2_000_000 == 0 {
            left.push(format!("{number}: {what}"));
        }
    }
    left
}

#[test]
fn a_server_that_began_anew_keeps_its_sockets_to_itself() {
    let program = Program::default();
    let manager = program.folder.join("n");
    let told = UnixDatagram::bind(&manager).expect("a socket");
    let patience = Some(Duration::from_secs(20));
    told.set_read_timeout(patience).expect("a limit");
    let program = program.with("NOTIFY_SOCKET", &manager.display().to_string());
    let port = free_port();
    let fronts = [
        format!("http://127.0.0.1:{port}"),
        format!("fastcgi+unix:{}", program.folder.join("s").display()),
    ];
    let [http, fastcgi] = &fronts;
    let child = program
        .command(&["serve", "--listen", http, "--listen", fastcgi])
        .spawn();
    let server = Server(child.expect("the program"));
    for generation in 1..4 {
        let mut word = [0; 1024];
        while !word.starts_with(b"READY=1") {
            told.recv(&mut word).expect("it says when it is ready");
        }
        assert!(answer(port).starts_with("HTTP/1."), "{generation}");
        let left = left_to_children(server.0.id());
        assert!(left.is_empty(), "generation {generation} leaves {left:?}");
        let told = Command::new("kill")
            .args(["-HUP", &server.0.id().to_string()])
            .status();
        assert!(told.expect("kill").success());
    }
}

#[test]
fn a_port_in_use_is_an_error() {
    let program = Program::default();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let ended = program.run(&["serve", "--port", &port]);
    ended.fails(
        1,
        &[&format!(
            "127.0.0.1:{port} is taken; choose another with --port"
        )],
    );
}

#[test]
fn addresses_that_cannot_be_are_refused() {
    let program = Program::default();
    for bad in [
        "example.org:80",
        "uwsgi+unix:/run/x",
        "http+unix:relative",
        "fastcgi+unix:relative",
    ] {
        program
            .run(&["serve", "--listen", bad])
            .fails(1, &["cannot listen on"]);
    }
}

#[test]
fn a_server_database_is_migrated_by_its_owner_only() {
    let Some(server) = database::postgres_server() else {
        return;
    };
    let name = database::name();
    let _removed = database::Removed(&name);
    let program = Program::on(&server.create_empty(&name));
    program
        .run(&["serve", "--port", "0"])
        .fails(1, &["not up to date", "patchwork migrate"]);
    program.run(&["migrate"]).ok();
}

/// Streams of events stay open as long as the server does, and no longer; under CGI one ends with what there is.
#[test]
fn streams_of_events_end_with_the_server() {
    let program = Program::default();
    let (mut server, port) = serving(&program);
    let request = b"GET /events/stream?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut streams: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
            stream.write_all(request).expect("a request");
            stream
        })
        .collect();
    for stream in &mut streams {
        let mut text = String::new();
        let mut piece = [0; 1024];
        while !text.contains("retry: ") {
            let read = stream.read(&mut piece).expect("the begin of a stream");
            assert!(read > 0, "it ends early: {text}");
            text.push_str(&String::from_utf8_lossy(&piece[..read]));
        }
        assert!(text.contains("Content-Type: text/event-stream"), "{text}");
    }
    let told = Command::new("kill")
        .args(["-TERM", &server.0.id().to_string()])
        .status();
    assert!(told.expect("kill").success());
    let end = Instant::now() + Duration::from_secs(5);
    for stream in &mut streams {
        let mut rest = String::new();
        stream.read_to_string(&mut rest).expect("an end");
        assert!(rest.ends_with("0\r\n\r\n"), "a whole answer: {rest:?}");
    }
    while server.0.try_wait().expect("our own child").is_none() {
        assert!(Instant::now() < end, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    let (head, body) = by_cgi(&program, "/events/stream?after=0", "");
    assert!(
        head.iter()
            .any(|line| line == "Content-Type: text/event-stream"),
        "{head:?}"
    );
    assert!(body.starts_with("retry: "), "{body}");
}
