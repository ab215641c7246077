//! The server sends mails soon after they were written, and nobody waits for that.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::Child,
    time::{Duration, Instant},
};

use crate::support::{free_port, program::Program};

/// A server that ends with the test, passed or not.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_mail_leaves_soon_after_its_page() {
    let program = Program::default();
    let port = free_port();
    let child = program
        .command(&[
            "serve",
            "--port",
            &port.to_string(),
            "--set",
            "mail.backend=file",
            "--set",
            "mail.directory=out",
        ])
        .spawn()
        .expect("the program");
    let mut server = Server(child);
    let out = server.0.stdout.as_mut().expect("standard output");
    BufReader::new(out)
        .read_line(&mut String::new())
        .expect("a line");
    let body = "csrfmiddlewaretoken=t&email=ann%40example.org";
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a server");
    let request = format!(
        "POST /mail/optout/ HTTP/1.1\r\nHost: evil.example\r\nSec-Fetch-Site: same-origin\r\nCookie: csrftoken=t\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    // Far less than the minute after which the outbox is looked into anyway.
    let end = Instant::now() + Duration::from_secs(20);
    let mail = loop {
        let sent = fs::read_dir(program.folder.join("out"));
        if let Some(Ok(file)) = sent.ok().and_then(|mut files| files.next()) {
            let text = fs::read_to_string(file.path()).expect("a mail");
            if text.contains("\"raw_message\"") || text.contains("/confirm/") {
                break text;
            }
        }
        assert!(Instant::now() < end, "no mail has left");
        std::thread::sleep(Duration::from_millis(50));
    };
    for part in [
        "To: ann@example.org",
        "Auto-Submitted: auto-generated",
        "http://example.com/confirm/",
    ] {
        assert!(mail.contains(part), "{part} is not in {mail}");
    }
    assert!(!mail.contains("evil.example"), "the request names no host");
}
