//! Mails handed to the running server over a socket.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    process::{Child, Command},
};

use crate::support::{
    free_port,
    program::{Program, ended},
};

const MAIL: &str = "From: Zoë <zoe@example.org>\nSubject: [PATCH] pump: run\nMessage-Id: <m1@example.org>\n\
    Date: Tue, 05 Mar 2024 07:07:08 +0100\nList-Id: <dev.example.org>\n\nStart it.\n---\n--- a/pump.c\n+++ b/pump.c\n\
    @@ -1 +1,2 @@\n x\n+y\n";

/// A server that takes mails, and ends with the test.
struct Server(Option<Child>);

impl Server {
    fn start(program: &Program) -> Server {
        let port = free_port().to_string();
        let serve = ["serve", "--port", &port];
        let mut child = program.command(&serve).spawn().expect("the program");
        let mut line = String::new();
        let out = child.stdout.take().expect("standard output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        Server(Some(child))
    }

    fn stop(mut self) -> i32 {
        let child = self.0.take().expect("it runs");
        let pid = child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(told.expect("kill").success());
        ended(child).code.expect("an end in good order")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

on_both! {
    async fn a_mail_needs_no_database_of_its_own(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        let socket = program.folder.join("intake.sock").display().to_string();
        let program = program.with("PATCHWORK_MAIL__INTAKE__SOCKET", &socket);
        program.make_dev();
        let server = Server::start(&program);
        // Whoever runs this could not reach the database.
        let other = Program::on("sqlite:/nowhere/none.db").with("PATCHWORK_MAIL__INTAKE__SOCKET", &socket);
        assert_eq!(other.parsemail(&[], MAIL).ok(), "");
        let again = other.parsemail(&[], MAIL);
        assert!(again.code == Some(0) && again.err.contains("duplicate: <m1@example.org>"), "{again:?}");
        let unlisted = MAIL.replace("List-Id: <dev.example.org>\n", "").replace("m1@", "m2@");
        let told = other.parsemail(&[], &unlisted);
        assert!(told.code == Some(0) && told.err.contains("no-project"), "{told:?}");
        other.parsemail(&["--list-id", "dev.example.org"], &unlisted).ok();
        other.parsemail(&[], "Subject: x\n\ntext\n").fails(1, &["From"]);
        assert_eq!(program.run(&["dumpdata", "patch"]).ok().lines().count(), 2);
        assert_eq!(server.stop(), 0);
        assert!(!program.folder.join("intake.sock").exists());
        let late = other.parsemail(&[], MAIL);
        assert!(late.code == Some(75) && late.err.starts_with("4.3.0 "), "{late:?}");
    }
}

on_both! {
    async fn without_an_answer_a_mail_is_delivered_all_the_same(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        program.make_dev();
        let path = program.folder.join("intake.sock");
        let program = program.with("PATCHWORK_MAIL__INTAKE__SOCKET", &path.display().to_string());
        // A dead server's file, then servers that say nothing, nonsense, and that they cannot.
        drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
        program.parsemail(&[], MAIL).ok();
        for (number, answer) in ["", "what?\n", "{\"became\":\"deferred\"}\n"].iter().enumerate() {
            std::fs::remove_file(&path).expect("our own file");
            let listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
            let other = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().expect("a client");
                let mut some = [0; 64];
                let _ = stream.read(&mut some);
                let _ = stream.write_all(answer.as_bytes());
            });
            program.parsemail(&[], MAIL.replace("m1@", &format!("n{number}@"))).ok();
            other.join().expect("an end");
        }
        assert_eq!(program.run(&["dumpdata", "patch"]).ok().lines().count(), 4);
    }
}

#[test]
fn half_a_mail_is_not_stored() {
    let program = Program::default().with("PATCHWORK_MAIL__INTAKE__SOCKET", "intake.sock");
    program.run(&["migrate", "-v0"]).ok();
    program.make_dev();
    let server = Server::start(&program);
    let halves = [
        format!("{{\"bytes\":{}}}\n{MAIL}", MAIL.len() + 1),
        MAIL.to_owned(),
        "{\"bytes\":99999999999}\n".to_owned(),
        "x".repeat(20_000),
    ];
    for half in halves {
        let mut stream =
            UnixStream::connect(program.folder.join("intake.sock")).expect("it listens");
        // It may have hung up before all is written.
        let _ = stream.write_all(half.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert_eq!(answer, "");
    }
    program.parsemail(&[], MAIL.replace("m1@", "whole@")).ok();
    assert_eq!(server.stop(), 0);
    assert_eq!(program.run(&["dumpdata", "patch"]).ok().lines().count(), 1);
}
