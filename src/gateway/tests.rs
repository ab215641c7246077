//! A tiny site through the CGI and FastCGI doors, without a front server.

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rocket::{
    Build, Request, Response, Rocket, State,
    data::{Data, ToByteUnit},
    fairing::AdHoc,
    fs::NamedFile,
    get, head,
    http::{Cookie, CookieJar, Status},
    post,
    request::{FromRequest, Outcome},
    response::{Redirect, Responder, stream::TextStream},
    routes,
    tokio::{sync::oneshot, time::sleep},
};

use super::{Door, Limits, Listen, cgi::exchange, environment::Environment, fastcgi};

/// What a request looked like to Rocket.
struct Seen(String);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Seen {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let mut seen = format!("{} {}\n", request.method(), request.uri());
        seen += &format!(
            "remote {:?} host {:?}\n",
            request.remote(),
            request.host().map(ToString::to_string)
        );
        for header in request.headers().iter() {
            seen += &format!("{header}\n");
        }
        for cookie in request.cookies().iter() {
            seen += &format!("jar {}={}\n", cookie.name(), cookie.value());
        }
        Outcome::Success(Seen(seen))
    }
}

#[get("/echo/<_..>")]
fn echo(seen: Seen) -> String {
    seen.0
}

#[post("/length", data = "<body>")]
async fn length(body: Data<'_>) -> std::io::Result<String> {
    let read = body.open(100.mebibytes()).into_bytes().await?;
    Ok(format!("{} {}", read.len(), read.is_complete()))
}

#[get("/redirect")]
fn redirect(jar: &CookieJar<'_>) -> Redirect {
    jar.add(Cookie::new("one", "1"));
    jar.add(Cookie::new("two", "a \"b\""));
    Redirect::to("/elsewhere")
}

#[get("/stream")]
fn stream() -> TextStream![String] {
    TextStream! {
        for piece in 0..3 {
            sleep(Duration::from_millis(20)).await;
            yield format!("piece {piece}\n");
        }
    }
}

#[get("/large")]
fn large() -> TextStream![String] {
    TextStream! {
        for _ in 0..1000 {
            yield "x".repeat(1000);
        }
    }
}

#[get("/slow")]
async fn slow() -> &'static str {
    sleep(Duration::from_millis(300)).await;
    "slow"
}

#[get("/file")]
async fn file(path: &State<PathBuf>) -> Option<NamedFile> {
    NamedFile::open(path.as_path()).await.ok()
}

#[get("/empty")]
fn empty() -> Status {
    Status::NoContent
}

#[get("/panic")]
fn panics() -> &'static str {
    panic!("on purpose")
}

#[head("/own")]
fn own_head() -> OddHeaders {
    OddHeaders
}

#[get("/own")]
fn own() -> OddHeaders {
    OddHeaders
}

/// Headers that a front server must not see.
struct OddHeaders;

impl<'r> Responder<'r, 'static> for OddHeaders {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        Response::build()
            .raw_header("Connection", "close")
            .raw_header("X-Split", "a\r\nX-Evil: b")
            .raw_header("X-Kept", "yes")
            .ok()
    }
}

fn site() -> Rocket<Build> {
    let quiet = rocket::Config {
        log_level: rocket::config::LogLevel::Off,
        ..rocket::Config::debug_default()
    };
    let routes = routes![
        echo, length, redirect, stream, large, slow, file, empty, panics, own_head, own
    ];
    rocket::custom(quiet)
        .mount("/", routes)
        .manage(PathBuf::from("Cargo.toml"))
}

/// Sends a request through the CGI door; returns the head of the answer and its body.
fn ask(method: &str, uri: &str, more: &[(&str, &str)], body: &[u8]) -> (String, String) {
    let base = [
        ("REQUEST_METHOD", method),
        ("REQUEST_URI", uri),
        ("REMOTE_ADDR", "192.0.2.7"),
    ];
    let environment: Environment = base.iter().chain(more).copied().collect();
    let limits = Limits {
        body: 1 << 20,
        connections: 1,
    };
    let mut input = body;
    let mut output = Vec::new();
    exchange(site(), &environment, limits, &mut input, &mut output).expect("answered");
    split(&output)
}

fn split(answer: &[u8]) -> (String, String) {
    let answer = String::from_utf8_lossy(answer);
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    (format!("{head}\r\n"), body.to_owned())
}

fn has(head: &str, line: &str) -> bool {
    head.to_ascii_lowercase()
        .contains(&format!("{}\r\n", line.to_ascii_lowercase()))
}

#[test]
fn a_request_arrives_whole() {
    let (head, body) = ask(
        "GET",
        "/echo/a%2Fb/c+d?q=%20",
        &[
            ("HTTP_HOST", "pw.example.org:8443"),
            ("HTTP_COOKIE", "a=%22x%22; b=2"),
            ("HTTP_X_ANY", "thing"),
            ("HTTPS", "on"),
        ],
        b"",
    );
    assert!(head.starts_with("Status: 200 OK\r\n"), "{head}");
    assert!(
        has(&head, "content-type: text/plain; charset=utf-8"),
        "{head}"
    );
    assert!(
        has(&head, &format!("content-length: {}", body.len())),
        "{head}"
    );
    let lines: Vec<_> = body.lines().collect();
    assert_eq!(lines[0], "GET /echo/a%2Fb/c+d?q=%20");
    assert_eq!(
        lines[1],
        "remote Some(192.0.2.7:0) host Some(\"pw.example.org:8443\")"
    );
    for expected in [
        "x-any: thing",
        "host: pw.example.org:8443",
        "x-forwarded-proto: https",
    ] {
        assert!(lines.contains(&expected), "{expected} in {body}");
    }
    assert!(
        lines.contains(&"jar a=\"x\"") && lines.contains(&"jar b=2"),
        "{body}"
    );
}

#[test]
fn clients_cannot_choose_their_address() {
    let (_, body) = ask("GET", "/echo/x", &[("HTTP_X_REAL_IP", "203.0.113.1")], b"");
    assert!(body.contains("remote Some(192.0.2.7:0)"), "{body}");
}

#[test]
fn bodies_are_bounded() {
    let post =
        |length: &str, body: &[u8]| ask("POST", "/length", &[("CONTENT_LENGTH", length)], body);
    assert_eq!(post("5", b"12345 and more").1, "5 true");
    assert_eq!(post("1000000", &[b'x'; 1_000_000]).1, "1000000 true");
    for (length, body, status) in [
        ("1048577", &b""[..], "Status: 413 "),
        ("5", b"123", "Status: 400 "),
        ("x", b"", "Status: 400 "),
    ] {
        let (head, _) = post(length, body);
        assert!(head.starts_with(status), "{length}: {head}");
    }
    let chunked = ask(
        "POST",
        "/length",
        &[("HTTP_TRANSFER_ENCODING", "chunked")],
        b"to the end",
    );
    assert_eq!(chunked.1, "10 true");
}

#[test]
fn what_rocket_cannot_take_is_refused() {
    assert!(ask("BREW", "/", &[], b"").0.starts_with("Status: 405 "));
    assert!(ask("", "/", &[], b"").0.starts_with("Status: 400 "));
    assert!(ask("OPTIONS", "*", &[], b"").0.starts_with("Status: 400 "));
    assert!(
        ask("GET", "/nowhere", &[], b"")
            .0
            .starts_with("Status: 404 ")
    );
}

#[test]
fn redirects_and_cookies() {
    let (head, _) = ask("GET", "/redirect", &[], b"");
    assert!(head.starts_with("Status: 303 See Other\r\n"), "{head}");
    assert!(has(&head, "location: /elsewhere"), "{head}");
    assert_eq!(
        head.to_ascii_lowercase().matches("set-cookie: ").count(),
        2,
        "{head}"
    );
}

#[test]
fn streams_arrive_whole_and_without_a_length() {
    let (head, body) = ask("GET", "/stream", &[], b"");
    assert_eq!(body, "piece 0\npiece 1\npiece 2\n");
    assert!(
        !head.to_ascii_lowercase().contains("content-length"),
        "{head}"
    );
    assert_eq!(ask("GET", "/large", &[], b"").1.len(), 1_000_000);
}

#[test]
fn files_have_a_length() {
    let contents = fs::read_to_string("Cargo.toml").expect("our own");
    let (head, body) = ask("GET", "/file", &[], b"");
    assert_eq!(body, contents);
    let length = format!("content-length: {}", contents.len());
    assert!(has(&head, &length), "{head}");
    let (head, body) = ask("HEAD", "/file", &[], b"");
    assert!(has(&head, &length), "{head}");
    assert_eq!(body, "");
}

#[test]
fn heads_and_empty_answers_have_no_body() {
    let (head, body) = ask("HEAD", "/stream", &[], b"");
    assert!(head.starts_with("Status: 200 OK\r\n"), "{head}");
    assert!(
        !head.to_ascii_lowercase().contains("content-length"),
        "{head}"
    );
    assert_eq!(body, "");
    let (head, body) = ask("GET", "/empty", &[], b"");
    assert!(head.starts_with("Status: 204 No Content\r\n"), "{head}");
    assert!(
        !head.to_ascii_lowercase().contains("content-length"),
        "{head}"
    );
    assert_eq!(body, "");
}

#[test]
fn headers_of_one_hop_and_split_ones_stay_here() {
    for method in ["GET", "HEAD"] {
        let (head, _) = ask(method, "/own", &[], b"");
        assert!(has(&head, "x-kept: yes"), "{head}");
        assert!(
            !head.contains("onnection") && !head.contains("Evil"),
            "{head}"
        );
    }
}

#[test]
fn panics_and_slow_pages_are_answered() {
    assert!(ask("GET", "/panic", &[], b"").0.starts_with("Status: 500 "));
    assert_eq!(ask("GET", "/slow", &[], b"").1, "slow");
}

#[test]
fn a_site_that_does_not_start_says_so() {
    let broken = site().attach(AdHoc::try_on_ignite("No database", |rocket| async {
        Err(rocket)
    }));
    let environment = [("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/")]
        .into_iter()
        .collect();
    let mut output = Vec::new();
    let result = exchange(
        broken,
        &environment,
        Limits::default(),
        &mut std::io::empty(),
        &mut output,
    );
    assert!(
        result
            .expect_err("no start")
            .to_string()
            .contains("No database")
    );
    assert!(output.starts_with(b"Status: 500 "));
}

#[test]
fn doors() {
    let folder = tempfile::tempdir().expect("folder");
    let listener = UnixListener::bind(folder.path().join("s")).expect("binds");
    let (connected, _other) = UnixStream::pair().expect("socket pair");
    let null = fs::File::open("/dev/null").expect("null");
    assert_eq!(Door::of(&listener, true), Door::FastCgi);
    assert_eq!(Door::of(&listener, false), Door::FastCgi);
    assert_eq!(Door::of(&connected, true), Door::Cgi);
    assert_eq!(Door::of(&null, true), Door::Cgi);
    assert_eq!(Door::of(&null, false), Door::Http);
}

/// Sends a FastCGI record.
fn record(to: &mut UnixStream, kind: u8, content: &[u8]) {
    let [high, low] = u16::try_from(content.len())
        .expect("fits a record")
        .to_be_bytes();
    to.write_all(&[&[1, kind, 0, 1, high, low, 0, 0], content].concat())
        .expect("the server reads");
}

/// Sends a GET request as FastCGI.
fn send_get(to: &mut UnixStream, uri: &str) {
    record(to, 1, &[0, 1, 0, 0, 0, 0, 0, 0]);
    for (name, value) in [
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", uri),
        ("CONTENT_LENGTH", ""),
    ] {
        let lengths = [name.len() as u8, value.len() as u8];
        record(
            to,
            4,
            &[&lengths, name.as_bytes(), value.as_bytes()].concat(),
        );
    }
    record(to, 4, b"");
    record(to, 5, b"");
}

/// Reads an answer over FastCGI to the end of the connection.
fn receive(from: &mut UnixStream) -> Vec<u8> {
    let mut output = Vec::new();
    let mut header = [0; 8];
    while from.read_exact(&mut header).is_ok() {
        let mut content = vec![0; usize::from(u16::from_be_bytes([header[4], header[5]]))];
        from.read_exact(&mut content).expect("whole record");
        from.read_exact(&mut vec![0; usize::from(header[6])])
            .expect("whole record");
        if header[1] == 6 {
            output.extend(content);
        }
    }
    output
}

#[test]
fn fastcgi_answers_and_stops_in_good_order() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("s");
    let listen = Listen::parse(&format!("unix:{}", path.display())).expect("address");
    let (ended, told) = (Arc::new(AtomicBool::new(false)), oneshot::channel::<()>());
    let end = ended.clone();
    let site = site().attach(AdHoc::on_shutdown("End", |_| {
        Box::pin(async move { end.store(true, Ordering::SeqCst) })
    }));
    let serving = thread::spawn(move || {
        fastcgi(site, &listen, Limits::default(), async {
            drop(told.1.await)
        })
    });
    let started = Instant::now();
    let mut connection = loop {
        match UnixStream::connect(&path) {
            Ok(connection) => break connection,
            Err(_) => assert!(started.elapsed() < Duration::from_secs(10), "no server"),
        }
        thread::sleep(Duration::from_millis(10));
    };
    send_get(&mut connection, "/echo/x");
    let (head, body) = split(&receive(&mut connection));
    assert!(head.starts_with("Status: 200 OK\r\n"), "{head}");
    assert!(
        body.starts_with("GET /echo/x\nremote None host None\n"),
        "{body}"
    );

    let mut connection = UnixStream::connect(&path).expect("connects");
    send_get(&mut connection, "/slow");
    thread::sleep(Duration::from_millis(100));
    told.0.send(()).expect("the server waits for it");
    assert_eq!(split(&receive(&mut connection)).1, "slow");
    serving.join().expect("no panic").expect("served");
    assert!(ended.load(Ordering::SeqCst), "shutdown fairings");
    assert!(!path.exists());
}
