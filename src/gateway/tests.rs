//! A tiny site through the CGI and FastCGI doors, without a front server.

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
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
    tokio::{sync::mpsc, time::sleep},
};

use super::{
    Door, Ended, Front, Limits, Order, Plan, Trusted, cgi::exchange, environment::Environment,
    methods, serve,
};

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
        .attach(methods())
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

/// A server with a tiny site on a Unix socket, told what to do by `orders`.
fn plan(folder: &Path, scheme: &str, orders: mpsc::Receiver<Order>) -> Plan {
    let url = format!("{scheme}+unix:{}", folder.join("s").display());
    Plan {
        fronts: vec![Front::parse(&url).expect("an address")],
        limits: Limits::default(),
        trusted: Trusted::parse("127.0.0.1").expect("an address"),
        orders: Some(orders),
        may_reload: Box::new(|| true),
    }
}

fn connect(path: &Path) -> UnixStream {
    let started = Instant::now();
    loop {
        match UnixStream::connect(path) {
            Ok(connection) => return connection,
            Err(_) => assert!(started.elapsed() < Duration::from_secs(10), "no server"),
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn fastcgi_answers_and_stops_in_good_order() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("s");
    let (tell, told) = mpsc::channel(1);
    let plan = plan(folder.path(), "fastcgi", told);
    let ended = Arc::new(AtomicBool::new(false));
    let end = ended.clone();
    let site = site().attach(AdHoc::on_shutdown("End", |_| {
        Box::pin(async move { end.store(true, Ordering::SeqCst) })
    }));
    let serving = thread::spawn(move || serve(site, plan));
    let mut connection = connect(&path);
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
    tell.blocking_send(Order::Stop)
        .expect("the server waits for it");
    assert_eq!(split(&receive(&mut connection)).1, "slow");
    let how = serving.join().expect("no panic").expect("served");
    assert!(matches!(how, Ended::Stopped));
    assert!(ended.load(Ordering::SeqCst), "shutdown fairings");
    assert!(!path.exists());
}

/// Sends this over HTTP, and returns all that comes back.
fn talk(path: &Path, said: &str) -> String {
    let mut connection = connect(path);
    connection.write_all(said.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).expect("an answer");
    String::from_utf8(answer).expect("UTF-8")
}

#[test]
fn http_streams_believes_a_front_server_and_leaves_its_sockets_to_a_successor() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("s");
    let (tell, told) = mpsc::channel(1);
    let plan = plan(folder.path(), "http", told);
    let serving = thread::spawn(move || serve(site(), plan));
    let answer = talk(
        &path,
        "GET /echo/x HTTP/1.0\r\nX-Forwarded-For: 203.0.113.9, 192.0.2.7\r\nX-Forwarded-Proto: https\r\n\r\n",
    );
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    assert!(head.starts_with("HTTP/1.0 200 OK"), "{head}");
    assert!(
        has(
            &format!("{head}\r\n"),
            &format!("content-length: {}", body.len())
        ),
        "{head}"
    );
    assert!(body.contains("remote Some(192.0.2.7:0)"), "{body}");
    assert!(body.contains("x-forwarded-proto: https"), "{body}");
    assert!(!body.contains("203.0.113.9"), "{body}");
    // Longer than what is gathered: it comes in pieces, and its length is not known.
    let large = talk(
        &path,
        "GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    assert!(
        has(&large, "transfer-encoding: chunked"),
        "{}",
        &large[..300]
    );
    let (_, pieces) = large.split_once("\r\n\r\n").expect("head and body");
    assert_eq!(pieces.matches('x').count(), 1_000_000);
    // A form's field does not choose the method.
    let post = |method: &str| {
        let body = format!("_method={method}&x=1");
        let length = body.len();
        talk(
            &path,
            &format!(
                "POST /length HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
            ),
        )
    };
    assert!(post("delete").ends_with("18 true"), "{}", post("delete"));

    let mut slow = connect(&path);
    let silent = connect(&path);
    write!(slow, "GET /slow HTTP/1.0\r\n\r\n").expect("sent");
    thread::sleep(Duration::from_millis(100));
    let told = Instant::now();
    tell.blocking_send(Order::Reload)
        .expect("the server waits for it");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).expect("an answer");
    assert!(answer.ends_with("slow"), "{answer}");
    let Ended::Reload(sockets) = serving.join().expect("no panic").expect("served") else {
        panic!("it was told to begin anew");
    };
    assert!(told.elapsed() < Duration::from_secs(5), "{silent:?}");
    // Who comes now waits in the queue.
    assert!(path.exists() && UnixStream::connect(&path).is_ok());
    drop(sockets);
    assert!(!path.exists());
}
