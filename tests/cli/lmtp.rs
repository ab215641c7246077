//! Mails over LMTP: an answer for each recipient, one mail stored, and never an answer that makes a bounce.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    process::{Child, Command},
};

use crate::support::{
    free_port,
    program::{Program, ended},
};

const MAIL: &str = "From: Zoë <zoe@example.org>\r\nSubject: [PATCH] pump: run\r\nMessage-Id: <m1@example.org>\r\n\
    Date: Tue, 05 Mar 2024 07:07:08 +0100\r\nList-Id: <dev.example.org>\r\n\r\nStart it.\r\n..hidden\r\n---\r\n--- a/pump.c\r\n+++ b/pump.c\r\n\
    @@ -1 +1,2 @@\r\n x\r\n+y\r\n.\r\n";

/// A door that ends with the test.
struct Door {
    child: Option<Child>,
}

impl Door {
    fn open(program: &Program, listen: &str) -> Door {
        let mut child = program
            .command(&["lmtp", "--listen", listen])
            .spawn()
            .expect("the program");
        let mut line = String::new();
        let out = child.stdout.take().expect("standard output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        assert!(line.starts_with("Taking mails on "), "{line}");
        Door { child: Some(child) }
    }

    fn tell(&self) {
        let pid = self.child.as_ref().expect("it runs").id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(told.expect("kill").success());
    }

    fn end(mut self) {
        let ended = ended(self.child.take().expect("it runs"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A mail server's side.
struct Peer<S: Read + Write>(BufReader<S>);

impl<S: Read + Write> Peer<S> {
    fn new(stream: S) -> Peer<S> {
        let mut peer = Peer(BufReader::new(stream));
        assert!(peer.line().starts_with("220 "));
        peer
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    fn send(&mut self, text: impl AsRef<[u8]>) {
        self.0
            .get_mut()
            .write_all(text.as_ref())
            .expect("it listens");
    }

    /// Says something and returns the last line of the answer.
    fn ask(&mut self, text: &str) -> String {
        self.send(format!("{text}\r\n"));
        loop {
            let line = self.line();
            if line.as_bytes().get(3) != Some(&b'-') {
                return line;
            }
        }
    }

    fn begin(&mut self, recipients: usize) {
        assert!(
            self.ask("MAIL FROM:<zoe@example.org> BODY=8BITMIME SMTPUTF8")
                .starts_with("250 ")
        );
        for number in 0..recipients {
            let told = self.ask(&format!("RCPT TO:<patchwork+{number}@example.org>"));
            assert!(told.starts_with("250 "), "{told}");
        }
    }
}

fn patches(program: &Program) -> usize {
    program.run(&["dumpdata", "patch"]).ok().lines().count()
}

on_both! {
    async fn mails_come_over_a_socket_file(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        program.make_dev();
        let path = program.folder.join("lmtp.sock");
        let door = Door::open(&program, &format!("unix:{}", path.display()));
        let mut peer = Peer::new(UnixStream::connect(&path).expect("a door"));
        assert_eq!(peer.ask("MAIL FROM:<a@example.org>"), "503 5.5.1 say LHLO first");
        assert_eq!(peer.ask("EHLO mx"), "500 5.5.1 this is LMTP: say LHLO");
        peer.send("LHLO mx\r\n");
        let offered: Vec<String> = (0..6).map(|_| peer.line()).collect();
        for extension in ["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 0"] {
            assert!(offered.iter().any(|line| line[4..] == *extension), "{offered:?}");
        }
        assert_eq!(peer.ask("DATA"), "503 5.5.1 there is no recipient");
        // Two recipients, one mail, two answers.
        peer.begin(2);
        assert!(peer.ask("DATA").starts_with("354 "));
        peer.send(MAIL);
        for _ in 0..2 {
            assert!(peer.line().starts_with("250 2.0.0 patch "));
        }
        // All at once, and the same mail again.
        peer.send(format!(
            "MAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n{MAIL}NOOP\r\nQUIT\r\n"
        ));
        let said: Vec<String> = (0..6).map(|_| peer.line()).collect();
        assert_eq!(said[3], "250 2.0.0 known", "{said:?}");
        assert_eq!(said[5], "221 2.0.0 goodbye");
        assert_eq!(patches(&program), 1);
        // A dot after half a line end is of the mail, and so is what looks like another mail behind it.
        let inner = MAIL.replace("m1@", "smuggled@");
        let outer = MAIL.replace("m1@", "m2@").replace("y\r\n.\r\n", "y\n.\r\n");
        peer = Peer::new(UnixStream::connect(&path).expect("a door"));
        peer.ask("LHLO mx");
        peer.send(format!(
            "MAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n{outer}MAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n{inner}QUIT\r\n"
        ));
        let said: Vec<String> = (0..5).map(|_| peer.line()).collect();
        assert!(said[3].starts_with("250 2.0.0 patch "), "{said:?}");
        assert_eq!(said[4], "221 2.0.0 goodbye");
        assert_eq!(patches(&program), 2);
        let raw = program.run(&["dumpdata", "patch"]).ok();
        assert!(!raw.contains("smuggled@"), "{raw}");
        let raw = program.run(&["dumpdata", "patch_body"]).ok();
        assert!(raw.contains("Start it.\\n.hidden\\n"), "{raw}");
        door.tell();
        door.end();
        assert!(!path.exists());
    }
}

#[test]
fn what_is_of_no_use_does_not_bounce() {
    let program = Program::default().with("PATCHWORK_MAIL__INTAKE__MAX_BYTES", "20000");
    program.run(&["migrate", "-v0"]).ok();
    program.make_dev();
    let port = free_port();
    let door = Door::open(&program, &format!("127.0.0.1:{port}"));
    let mut peer = Peer::new(TcpStream::connect(("127.0.0.1", port)).expect("a door"));
    peer.ask("LHLO mx");
    let long = format!(
        "{}{}\r\n.\r\n",
        MAIL.trim_end_matches(".\r\n"),
        "x".repeat(100_000)
    );
    let cases: [(&[u8], &str); 5] = [
        (b"no header at all\r\n.\r\n", "250 2.0.0 kept, of no use"),
        (b".\r\n", "250 2.0.0 kept, of no use"),
        (
            b"From: a@example.org\r\nMessage-Id: <x@h>\r\nSubject: \xff\xfe\r\n\r\n\0\r\n.\r\n",
            "250 2.0.0 nothing to show: no-project",
        ),
        (long.as_bytes(), "250 2.0.0 set aside as 1"),
        (MAIL.as_bytes(), "250 2.0.0 patch 1"),
    ];
    for (mail, expected) in cases {
        peer.begin(1);
        assert!(peer.ask("DATA").starts_with("354 "));
        // In pieces, wherever they end.
        for piece in mail.chunks(7001) {
            peer.send(piece);
        }
        assert_eq!(peer.line(), expected);
    }
    assert!(
        peer.ask("MAIL FROM:<a@example.org> SIZE=99999999999")
            .starts_with("452 ")
    );
    assert!(peer.ask("MAIL nonsense").starts_with("451 "));
    // Half a mail, and then nobody.
    peer.begin(1);
    peer.ask("DATA");
    peer.send(&MAIL.replace("m1@", "half@")[..100]);
    drop(peer);
    let mut endless = Peer::new(TcpStream::connect(("127.0.0.1", port)).expect("a door"));
    endless.send("N".repeat(9000));
    assert!(endless.line().starts_with("421 4.5.2 "));
    // Told to stop: who is in a mail may finish it, who says nothing is sent away.
    let mut idle = Peer::new(TcpStream::connect(("127.0.0.1", port)).expect("a door"));
    let mut busy = Peer::new(TcpStream::connect(("127.0.0.1", port)).expect("a door"));
    busy.ask("LHLO mx");
    busy.begin(1);
    busy.ask("DATA");
    let last = MAIL.replace("m1@", "m2@");
    busy.send(&last[..200]);
    door.tell();
    assert!(idle.line().starts_with("421 4.3.2 "));
    busy.send(&last[200..]);
    assert_eq!(busy.line(), "250 2.0.0 patch 2");
    assert!(busy.line().starts_with("421 4.3.2 "));
    door.end();
    assert_eq!(patches(&program), 2);
}

#[test]
fn without_a_database_mails_stay_or_are_spooled() {
    let away = format!("postgres://nobody@127.0.0.1:{}/none", free_port());
    for has_spool in [false, true] {
        let mut program = Program::on(&away).with("PATCHWORK_DATABASE__CONNECT_TIMEOUT", "1");
        let spool = program.folder.join("spool");
        if has_spool {
            std::fs::create_dir(&spool).expect("a folder");
            program = program.with("PATCHWORK_MAIL__INTAKE__SPOOL", "spool");
            program = program.with("PATCHWORK_DATABASE__DIRECTORY", &program_folder(&spool));
        }
        let path = program.folder.join("lmtp.sock");
        let door = Door::open(&program, &format!("unix:{}", path.display()));
        let mut peer = Peer::new(UnixStream::connect(&path).expect("a door"));
        peer.ask("LHLO mx");
        peer.begin(1);
        peer.ask("DATA");
        peer.send(MAIL);
        let expected = match has_spool {
            true => "250 2.0.0 kept for later",
            false => "451 4.3.0 not now; try again",
        };
        assert_eq!(peer.line(), expected);
        drop(peer);
        door.tell();
        door.end();
    }
}

fn program_folder(spool: &std::path::Path) -> String {
    spool.parent().expect("a folder").display().to_string()
}
