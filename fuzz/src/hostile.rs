//! Mails of 16 MiB made to be slow, one of each shape: each must be read or refused within two seconds.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use patchwork_fuzz::mail::{self, Limits, mbox::Splitter};

/// How long one mail may take.
const PATIENCE: Duration = Duration::from_secs(2);

const BYTES: usize = 16 << 20;

const HEAD: &str = "From: a@example.org\nSubject: x\nMessage-Id: <x>\n";

/// What the mails repeat: in the body, in a header, as parts.
const REPEATED: [&str; 34] = [
    "<",
    ">",
    "[",
    "]",
    "(",
    "\"",
    "\\",
    "=?",
    "?=",
    "=?a?q?",
    "=?a?b?",
    "=?a?q?b?= ",
    "=?utf-8?q?=C3?= ",
    "<>",
    "<a> ",
    "a@b.c, ",
    "x",
    "é",
    "\n",
    "\r\n",
    "X: y\n",
    "--b\n",
    "--b\n\n",
    "--- ",
    "--- a\n",
    "--- a\n+++ b\n",
    "--- a\n+++ b\n@@ -1 +1 @@\n",
    "From ",
    "From x Tue Mar  5 06:07:08 2024\n\n",
    "diff --git a b\nindex 1\n",
    "GIT binary patch\nliteral 1\n",
    "_\n",
    "Depends-on: <a>\n",
    "The following changes since commit\nare available in the git repository at:\n ",
];

/// The heads they follow.
const HEADS: [&str; 5] = [
    "\n",
    "Content-Type: multipart/mixed; boundary=b\n\n",
    "Content-Transfer-Encoding: quoted-printable\n\n",
    "Content-Transfer-Encoding: base64\n\n",
    "References: ",
];

fn main() -> ExitCode {
    let (mut slowest, mut mails) = (Duration::ZERO, 0);
    for head in HEADS {
        for word in REPEATED {
            let mut mail = [HEAD, head].concat();
            mail += &word.repeat((BYTES - mail.len()) / word.len());
            let took = time(mail.as_bytes());
            if took > PATIENCE {
                println!("{took:?} for {word:?} after {head:?}");
            }
            slowest = slowest.max(took);
            mails += 1;
        }
    }
    println!("{mails} mails of 16 MiB, the slowest {slowest:?}");
    if slowest > PATIENCE {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Returns the longest time that anything done with a mail takes.
fn time(raw: &[u8]) -> Duration {
    let mut diff = String::new();
    let reading = measured(|| {
        if let Ok(message) = mail::read_within(raw, &Limits::default()) {
            let _ = message.author("a@example.org");
            diff = message.content.diff.unwrap_or_default();
        }
    });
    [
        measured(|| drop(mail::label(raw))),
        measured(|| assert!(Splitter::new(raw, BYTES).count() > 0)),
        measured(|| drop(mail::outline(&diff))),
        measured(|| drop(mail::files(&diff))),
        measured(|| drop(mail::diff_hash(&diff))),
    ]
    .into_iter()
    .fold(reading, Duration::max)
}

fn measured(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}
