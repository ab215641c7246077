//! Whole conversations over socket pairs: the tests play the web server.

use std::{
    io::{BufRead, Read, Write},
    net::{TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixStream},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    Config, Request, Role, Stop, connection::Connection, inherited, pairs, record::kind, run_with,
    serve::serve, socket::Socket,
};

/// The web server's end of a connection.
struct Front<S>(S);

/// A record as the web server sees it: type, id, content.
type Record = (u8, u16, Vec<u8>);

/// What the web server got for a request.
#[derive(Debug, Default, PartialEq)]
struct Answer {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    status: i32,
    outcome: u8,
}

impl<S: Read + Write> Front<S> {
    /// Sends a record, padded as nginx does.
    fn send(&mut self, kind: u8, id: u16, content: &[u8]) {
        let [id1, id0] = id.to_be_bytes();
        let [len1, len0] = u16::try_from(content.len())
            .expect("fits a record")
            .to_be_bytes();
        let padding = (8 - content.len() % 8) % 8;
        let mut record = vec![1, kind, id1, id0, len1, len0, padding as u8, 0];
        record.extend_from_slice(content);
        record.resize(record.len() + padding, 0xAA);
        self.0.write_all(&record).expect("the server reads");
    }

    fn begin(&mut self, id: u16, role: u8, keep: bool) {
        self.send(
            kind::BEGIN_REQUEST,
            id,
            &[0, role, u8::from(keep), 0, 0, 0, 0, 0],
        );
    }

    fn params(&mut self, id: u16, params: &[(&[u8], &[u8])]) {
        let mut raw = Vec::new();
        params.iter().for_each(|pair| pairs::put(&mut raw, *pair));
        raw.chunks(60_000)
            .for_each(|part| self.send(kind::PARAMS, id, part));
        self.send(kind::PARAMS, id, &[]);
    }

    fn body(&mut self, id: u16, body: &[u8]) {
        body.chunks(8_192)
            .for_each(|part| self.send(kind::STDIN, id, part));
        self.send(kind::STDIN, id, &[]);
    }

    fn get(&mut self, id: u16, keep: bool, params: &[(&[u8], &[u8])]) {
        self.begin(id, 1, keep);
        self.params(id, params);
        self.body(id, b"");
    }

    /// Reads a record; `None` when the server has closed.
    fn record(&mut self) -> Option<Record> {
        let mut header = [0; 8];
        self.0.read_exact(&mut header).ok()?;
        assert_eq!(header[0], 1);
        let mut content = vec![0; usize::from(u16::from_be_bytes([header[4], header[5]]))];
        self.0.read_exact(&mut content).expect("whole record");
        self.0
            .read_exact(&mut [0; 255][..usize::from(header[6])])
            .expect("whole record");
        Some((
            header[1],
            u16::from_be_bytes([header[2], header[3]]),
            content,
        ))
    }

    /// Reads an answer to its end.
    fn answer(&mut self, id: u16) -> Answer {
        let mut answer = Answer::default();
        loop {
            let (kind, of, content) = self.record().expect("an answer to its end");
            assert_eq!(of, id);
            match kind {
                kind::STDOUT => answer.stdout.extend(content),
                kind::STDERR => answer.stderr.extend(content),
                kind::END_REQUEST => {
                    answer.status =
                        i32::from_be_bytes(*content.first_chunk().expect("eight bytes"));
                    answer.outcome = content[4];
                    return answer;
                }
                other => panic!("record of type {other}"),
            }
        }
    }
}

/// Serves one connection and hands out its other end; the thread returns whether it ended well.
fn connect<F>(config: Config, handler: F) -> (Front<UnixStream>, JoinHandle<std::io::Result<()>>)
where
    F: Fn(Request) + Send + 'static,
{
    let (front, back) = UnixStream::pair().expect("socket pair");
    front
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("time limit");
    let connection = Connection::new(Socket::new(OwnedFd::from(back)), config.max_connections);
    (
        Front(front),
        thread::spawn(move || serve(connection, &config, &handler)),
    )
}

/// Answers with the request: parameters by name, then the body.
fn echo(mut request: Request) {
    let mut said = Vec::new();
    for (name, value) in request.params_bytes() {
        said.extend_from_slice(&[name, b"=", value, b";"].concat());
    }
    request.stdin().read_to_end(&mut said).expect("whole body");
    request
        .stdout()
        .write_all(&said)
        .expect("the front server reads");
}

fn said(text: &[u8]) -> Answer {
    Answer {
        stdout: text.to_vec(),
        ..Answer::default()
    }
}

#[test]
fn a_request_in_single_bytes() {
    let (server, mut recorded) = (
        connect(Config::default(), echo),
        Front(std::io::Cursor::new(Vec::new())),
    );
    recorded.begin(1, 1, false);
    recorded.params(1, &[(b"A", b"1"), (b"B", &[b'x'; 300])]);
    recorded.body(1, b"body");
    let (mut front, serving) = server;
    for byte in recorded.0.into_inner() {
        front.0.write_all(&[byte]).expect("the server reads");
    }
    assert_eq!(
        front.answer(1),
        said(&[b"A=1;B=".as_slice(), &[b'x'; 300], b";body"].concat())
    );
    assert!(front.record().is_none(), "closed without keep-alive");
    assert!(serving.join().expect("no panic").is_ok());
}

#[test]
fn parameters_keep_their_bytes() {
    let (mut front, _serving) = connect(Config::default(), |mut request| {
        assert_eq!(request.param("LATIN"), None);
        assert_eq!(request.param_bytes("LATIN"), Some(&b"caf\xe9"[..]));
        assert_eq!(request.param("AFTER").as_deref(), Some("here"));
        assert_eq!(request.param("TWICE").as_deref(), Some("2"));
        let names: Vec<_> = request.params().map(|(name, _)| name).collect();
        assert_eq!(names, ["TWICE", "AFTER", "TWICE"]);
        assert_eq!(request.role(), Role::Responder);
        request
            .stdout()
            .write_all(b"fine")
            .expect("the front server reads");
    });
    front.get(
        1,
        false,
        &[
            (b"TWICE", b"1"),
            (b"LATIN", b"caf\xe9"),
            (b"AFTER", b"here"),
            (b"TWICE", b"2"),
        ],
    );
    assert_eq!(front.answer(1), said(b"fine"));
}

#[test]
fn many_parameters_are_answered_and_too_many_refused() {
    let names: Vec<Vec<u8>> = (0..30_000).map(|n| format!("P{n}").into_bytes()).collect();
    let many: Vec<(&[u8], &[u8])> = names
        .iter()
        .map(|name| (name.as_slice(), &b"v"[..]))
        .collect();
    let count = |mut request: Request| {
        let counted = request.params().count().to_string();
        request
            .stdout()
            .write_all(counted.as_bytes())
            .expect("the front server reads");
    };
    let (mut front, _serving) = connect(
        Config {
            max_params: 1 << 20,
            ..Config::default()
        },
        count,
    );
    front.get(1, false, &many);
    assert_eq!(front.answer(1), said(b"30000"));

    let (mut front, serving) = connect(
        Config {
            max_params: 100_000,
            ..Config::default()
        },
        count,
    );
    front.begin(1, 1, false);
    front.send(kind::PARAMS, 1, &[0; 60_000]);
    front.send(kind::PARAMS, 1, &[0; 60_000]);
    assert!(front.record().is_none());
    assert!(serving.join().expect("no panic").is_err());
}

#[test]
fn garbage_drops_the_connection() {
    let cases: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        // BeginRequest of one byte.
        &[1, 1, 0, 1, 0, 1, 0, 0, 0],
        // BeginRequest for the connection itself.
        &[1, 1, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
        // Parameters that claim more than is there.
        &[
            1, 1, 0, 1, 0, 3, 0, 0, 0, 1, 0, 1, 4, 0, 1, 0, 3, 0, 0, 9, 9, 9, 1, 4, 0, 1, 0, 0, 0,
            0,
        ],
    ];
    for case in cases {
        let (mut front, serving) = connect(Config::default(), |_| panic!("nothing to handle"));
        front.0.write_all(case).expect("the server reads");
        assert!(front.record().is_none());
        assert!(serving.join().expect("no panic").is_err(), "{case:?}");
    }
}

#[test]
fn peers_may_leave_between_requests_but_not_within() {
    let (front, serving) = connect(Config::default(), echo);
    drop(front);
    assert!(serving.join().expect("no panic").is_ok());

    let (mut front, serving) = connect(Config::default(), |mut request| {
        let failed = request
            .stdin()
            .read_to_end(&mut Vec::new())
            .expect_err("the body is cut short");
        assert_eq!(failed.kind(), std::io::ErrorKind::UnexpectedEof);
    });
    front.begin(1, 1, true);
    front.params(1, &[]);
    front.send(kind::STDIN, 1, b"half of it");
    drop(front);
    assert!(serving.join().expect("no panic").is_err());
}

#[test]
fn panics_become_answers() {
    let (mut front, _serving) = connect(Config::default(), |mut request| {
        if request.param("LATE").is_some() {
            request
                .stdout()
                .write_all(b"Status: 200 OK\r\n\r\nhalf")
                .expect("the front server reads");
        }
        panic!("on purpose");
    });
    front.get(1, true, &[]);
    let answer = front.answer(1);
    assert!(answer.stdout.starts_with(b"Status: 500 "));
    assert_eq!(answer.status, 1);
    // Once there was output, only the end of the connection can tell.
    front.get(2, true, &[(b"LATE", b"1")]);
    assert_eq!(front.record().expect("the half").0, kind::STDOUT);
    assert!(front.record().is_none());
}

#[test]
fn connections_are_kept_for_more_requests() {
    let (mut front, serving) = connect(Config::default(), |mut request| {
        // The body stays unread.
        let number = request.param("N").unwrap_or_default();
        request
            .stderr()
            .write_all(b"note")
            .expect("the front server reads");
        request
            .stdout()
            .write_all(number.as_bytes())
            .expect("the front server reads");
        request.exit(7);
    });
    for number in 1..=50_u16 {
        let text = number.to_string();
        front.begin(number, 1, number < 50);
        front.params(number, &[(b"N", text.as_bytes())]);
        front.body(number, &[b'b'; 20_000]);
        let expected = Answer {
            stderr: b"note".to_vec(),
            status: 7,
            ..said(text.as_bytes())
        };
        assert_eq!(front.answer(number), expected);
    }
    assert!(front.record().is_none());
    drop(front);
    assert!(serving.join().expect("no panic").is_ok());
}

#[test]
fn large_bodies_pass_both_ways() {
    let body: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (mut front, _serving) = connect(Config::default(), echo);
    let mut sending = Front(front.0.try_clone().expect("clone"));
    let sent = body.clone();
    let sender = thread::spawn(move || {
        sending.begin(1, 1, false);
        sending.params(1, &[]);
        sending.body(1, &sent);
    });
    assert!(front.answer(1).stdout == body);
    sender.join().expect("no panic");
}

#[test]
fn an_early_answer_is_not_lost() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let mut front =
        Front(TcpStream::connect(listener.local_addr().expect("address")).expect("connects"));
    let connection = Connection::new(Socket::new(listener.accept().expect("accepts").0.into()), 1);
    let early = |mut request: Request| {
        request
            .stdout()
            .write_all(b"413")
            .expect("the front server reads")
    };
    let serving = thread::spawn(move || serve(connection, &Config::default(), &early));
    front.begin(1, 1, false);
    front.params(1, &[]);
    front.body(1, &[0; 5_000_000]);
    assert_eq!(front.answer(1), said(b"413"));
    drop(front);
    assert!(serving.join().expect("no panic").is_ok());
}

#[test]
fn management_records_are_answered_at_any_time() {
    let (mut front, _serving) = connect(
        Config {
            max_connections: 9,
            ..Config::default()
        },
        echo,
    );
    let mut asked = Vec::new();
    [&b"FCGI_MAX_CONNS"[..], b"FCGI_MPXS_CONNS", b"ELSE"]
        .iter()
        .for_each(|n| pairs::put(&mut asked, (n, b"")));
    front.send(kind::GET_VALUES, 0, &asked);
    let mut told = Vec::new();
    pairs::put(&mut told, (b"FCGI_MAX_CONNS", b"9"));
    pairs::put(&mut told, (b"FCGI_MPXS_CONNS", b"0"));
    assert_eq!(
        front.record().expect("values"),
        (kind::GET_VALUES_RESULT, 0, told)
    );
    front.send(77, 0, b"?");
    assert_eq!(
        front.record().expect("word"),
        (kind::UNKNOWN_TYPE, 0, vec![77, 0, 0, 0, 0, 0, 0, 0])
    );
    front.begin(3, 9, true);
    assert_eq!(front.answer(3).outcome, 3, "unknown role");

    front.begin(1, 1, false);
    front.params(1, &[]);
    front.send(kind::STDIN, 1, b"one ");
    front.get(2, false, &[(b"second", b"request")]);
    assert_eq!(front.answer(2).outcome, 1, "no multiplexing");
    front.send(kind::GET_VALUES, 0, &[]);
    assert_eq!(front.record().expect("values").0, kind::GET_VALUES_RESULT);
    front.body(1, b"two");
    assert_eq!(front.answer(1), said(b"one two"));
}

#[test]
fn aborted_requests_end() {
    let (mut front, _serving) = connect(Config::default(), |mut request| {
        assert!(request.stdin().fill_buf().is_err());
        assert!(request.is_aborted());
        assert!(request.stdout().write_all(b"too late").is_err());
    });
    front.begin(1, 1, true);
    front.send(kind::ABORT_REQUEST, 1, &[]);
    assert_eq!(front.answer(1), Answer::default());
    front.begin(2, 1, false);
    front.params(2, &[]);
    front.send(kind::ABORT_REQUEST, 2, &[]);
    assert_eq!(front.answer(2), Answer::default());
}

#[test]
fn authorizers_have_no_body_and_filters_a_file() {
    let (mut front, _serving) = connect(Config::default(), |mut request| {
        let mut read = String::new();
        request
            .stdin()
            .read_to_string(&mut read)
            .expect("whole body");
        if request.role() == Role::Filter {
            let mut stdin = request.stdin();
            stdin.start_filter_data();
            stdin.read_to_string(&mut read).expect("whole file");
        }
        write!(request.stdout(), "{read}.").expect("the front server reads");
    });
    front.begin(1, 2, true);
    front.params(1, &[]);
    assert_eq!(front.answer(1), said(b"."));
    front.begin(2, 3, false);
    front.params(2, &[]);
    front.body(2, b"in ");
    front.send(kind::DATA, 2, b"file");
    front.send(kind::DATA, 2, b"");
    assert_eq!(front.answer(2), said(b"in file."));
}

#[test]
fn unused_connections_are_closed() {
    let (mut front, serving) = connect(
        Config {
            idle: Some(Duration::from_millis(50)),
            ..Config::default()
        },
        echo,
    );
    front.get(1, true, &[]);
    assert_eq!(front.answer(1), said(b""));
    assert!(front.record().is_none());
    assert!(serving.join().expect("no panic").is_ok());
}

#[test]
fn an_abandoned_answer_has_no_end() {
    let (mut front, _serving) = connect(Config::default(), |mut request| {
        request
            .stdout()
            .write_all(b"half")
            .expect("the front server reads");
        request.abandon();
    });
    front.get(1, true, &[]);
    assert_eq!(front.record().expect("the half").2, b"half");
    assert!(front.record().is_none());
}

#[test]
fn a_stop_finishes_what_runs_and_keeps_the_bound() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = listener.local_addr().expect("address");
    let stop = Stop::new().expect("descriptors");
    let config = Config {
        max_connections: 2,
        stop: Some(stop.clone()),
        ..Config::default()
    };
    let slow = |mut request: Request| {
        thread::sleep(Duration::from_millis(300));
        request
            .stdout()
            .write_all(b"slow")
            .expect("the front server reads");
    };
    let serving = thread::spawn(move || run_with(slow, listener, config));
    let connect = || Front(TcpStream::connect(address).expect("connects"));
    let (mut idle, mut busy, mut waiting) = (connect(), connect(), connect());
    idle.get(1, true, &[]);
    assert_eq!(idle.answer(1), said(b"slow"));
    busy.get(1, true, &[]);
    waiting.get(1, true, &[]);
    waiting
        .0
        .set_read_timeout(Some(Duration::from_millis(150)))
        .expect("time limit");
    assert!(waiting.record().is_none(), "two places, both taken");
    let stopped = Instant::now();
    stop.stop();
    assert_eq!(busy.answer(1), said(b"slow"));
    assert!(idle.record().is_none());
    assert!(serving.join().expect("no panic").is_ok());
    assert!(stopped.elapsed() < Duration::from_secs(2));
}

#[test]
fn only_listening_sockets_are_served() {
    let (one, _other) = UnixStream::pair().expect("socket pair");
    assert!(run_with(echo, &one, Config::default()).is_err());
    assert!(inherited(-1).is_err());
    assert!(inherited(12_345).is_err());
}
