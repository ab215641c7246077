//! `patchwork sendtestemail`: every way out.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    thread,
};

use crate::support::program::Program;

fn send(program: &Program, settings: &[&str]) -> crate::support::program::Ended {
    let mut arguments = vec!["sendtestemail", "mara@example.org"];
    for setting in settings {
        arguments.extend(["--set", setting]);
    }
    program.run(&arguments)
}

#[test]
fn the_console_shows_the_mail() {
    let mail = send(&Program::default(), &["mail.backend=console"]).ok();
    for part in [
        "To: mara@example.org\r\n",
        "Content-Transfer-Encoding: quoted-printable\r\n",
    ] {
        assert!(mail.contains(part), "{part:?} is not in {mail}");
    }
}

#[test]
fn a_folder_collects_mails() {
    let program = Program::default();
    let told = send(&program, &["mail.backend=file", "mail.directory=out"]).ok();
    assert!(told.contains("mara@example.org"), "{told}");
    assert_eq!(
        fs::read_dir(program.folder.join("out"))
            .expect("a folder")
            .count(),
        1
    );
}

#[test]
fn nothing_goes_nowhere() {
    let told = send(&Program::default(), &["mail.backend=none"]).ok();
    assert!(told.contains("nowhere"), "{told}");
}

#[test]
fn a_program_gets_the_mail() {
    let program = Program::default().with("PATH", "/usr/bin:/bin");
    let sendmail = program.file(
        "sendmail",
        "#!/bin/sh\necho \"$@\" > arguments\ncat > mail\n",
    );
    fs::set_permissions(&sendmail, fs::Permissions::from_mode(0o755)).expect("permissions");
    let setting = format!("mail.sendmail={}", sendmail.display());
    send(&program, &["mail.backend=sendmail", &setting]).ok();
    let mail = fs::read_to_string(program.folder.join("mail")).expect("a mail");
    assert!(mail.contains("To: mara@example.org"), "{mail}");
    send(
        &program,
        &["mail.backend=sendmail", "mail.sendmail=/bin/false"],
    )
    .fails(1, &["the program /bin/false"]);
}

/// A mail server that takes one mail, or refuses who logs in.
fn server(takes_login: bool) -> (u16, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let served = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut answers = stream.try_clone().expect("a clone");
        let mut all = String::new();
        let mut say = |text: &str| answers.write_all(text.as_bytes()).expect("an answer");
        say("220 here\r\n");
        let mut in_data = false;
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { break };
            all.push_str(&line);
            all.push('\n');
            match line.as_str() {
                "." if in_data => {
                    in_data = false;
                    say("250 taken\r\n");
                }
                _ if in_data => {}
                "DATA" => {
                    in_data = true;
                    say("354 go on\r\n");
                }
                "QUIT" => {
                    say("221 bye\r\n");
                    break;
                }
                _ if line.starts_with("EHLO") => say("250-here\r\n250 AUTH PLAIN LOGIN\r\n"),
                // A server that is unkind enough to repeat the password.
                _ if line.starts_with("AUTH") && !takes_login => say("535 not with geheim-1\r\n"),
                _ => say("250 well\r\n"),
            }
        }
        all
    });
    (port, served)
}

#[test]
fn a_mail_server_gets_the_mail() {
    let (port, served) = server(true);
    let told = send(
        &Program::default(),
        &[&format!("mail.port={port}"), "mail.host=127.0.0.1"],
    )
    .ok();
    assert!(told.contains(&format!("127.0.0.1:{port}")), "{told}");
    let all = served.join().expect("a server");
    assert!(
        all.contains("RCPT TO:<mara@example.org>") && all.contains("Subject: Test mail"),
        "{all}"
    );
}

#[test]
fn a_server_that_falls_silent_is_left_in_time() {
    // One that never greets, and one that has no answer to a login.
    let mute = TcpListener::bind("127.0.0.1:0").expect("a port");
    let half = TcpListener::bind("127.0.0.1:0").expect("a port");
    let ports = [&mute, &half].map(|it| it.local_addr().expect("an address").port());
    thread::spawn(move || {
        let (mut stream, _) = half.accept().expect("a client");
        let greeting = b"220 here\r\n250-here\r\n250 AUTH PLAIN\r\n";
        stream.write_all(greeting).expect("a greeting");
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    for port in ports {
        let port = format!("mail.port={port}");
        let settings = [
            "mail.host=127.0.0.1",
            &port,
            "mail.timeout=1",
            "mail.user=u",
            "mail.password=p",
        ];
        send(&Program::default(), &settings).fails(1, &["it took more than 1 s (mail.timeout)"]);
    }
}

#[test]
fn failures_name_the_server_and_never_the_password() {
    let program = Program::default();
    let (port, served) = server(false);
    let err = send(
        &program,
        &[
            &format!("mail.port={port}"),
            "mail.host=127.0.0.1",
            "mail.user=u",
            "mail.password=geheim-1",
        ],
    )
    .fails(1, &[&format!("127.0.0.1:{port}"), "not with ********"]);
    assert!(!err.contains("geheim"), "{err}");
    drop(served);
    send(&program, &["mail.host=127.0.0.1", "mail.port=1"]).fails(1, &["127.0.0.1:1", "refused"]);
    send(&program, &["mail.from=nobody"]).fails(1, &["mail.from 'nobody'"]);
    program
        .run(&["sendtestemail", "nobody", "--set", "mail.backend=none"])
        .fails(1, &["'nobody'"]);
}
