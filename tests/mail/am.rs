//! `git am` takes what we hand out: the commit that comes of it is the one that was sent.

use std::{fs, path::Path};

use patchwork::mail::{self, mbox::Splitter, render};

use super::{LIST, git::Repository, handed_out};
use crate::support::{fresh_folder, skip};

/// What each commit of the series does, as shell.
const COMMITS: [(&str, &str); 13] = [
    ("net: fix leak", "sed -i 's/^line 3$/line three/' a.txt"),
    (
        "new files in new folders",
        "mkdir -p d/e && echo x > d/e/f && echo y > d/g",
    ),
    (
        "Grüße: naïve text — “quoted”\n\nIn der Nachricht: Zoë, 日本語.",
        "printf 'café\\nnaïve —\\n' > ü.txt && echo '日本' >> a.txt",
    ),
    (
        "lines that begin From\n\nFrom here on all is different.\nFrom what we know, it works at 10:30.",
        "printf 'From a\\n>From b\\n' >> a.txt",
    ),
    ("windows line ends", "sed -i 's/^two\\r$/zwei\\r/' crlf.txt"),
    ("no line end at the end of file", "printf 'last' >> a.txt"),
    ("and back", "echo >> a.txt"),
    (
        "binary files",
        "printf '\\000\\001\\377binary' > b.bin && printf '\\377\\000changed' > old.bin",
    ),
    (
        "rename and change",
        "git mv long.txt moved.txt && sed -i 's/^40$/forty/' moved.txt",
    ),
    ("mode and symlink", "chmod +x a.txt && ln -s a.txt link"),
    ("empty file, deleted file", ": > empty && rm d/g"),
    (
        "names with blanks and quotes",
        "echo a > 'my file' && echo b > 'q\"uote' && echo c > 'my file2'",
    ),
    (
        "a paragraph\n\nwith a list:\n\n - one\n - two\n\nAnd a [note] of Zoë's.\n\nSigned-off-by: Zoë Smith <zoe@example.org>",
        "sed -i 's/^line 1$/line one/' a.txt",
    ),
];

/// Makes the commits of the series; returns the repository.
fn source(folder: &Path) -> Repository {
    let source = Repository::new(&folder.join("source"));
    source.git(&["config", "core.quotePath", "true"]);
    let numbers = |range: std::ops::Range<u32>, word: &str| -> String {
        range.map(|n| format!("{word}{n}\n")).collect()
    };
    for (name, content) in [
        ("a.txt", numbers(1..30, "line ")),
        ("crlf.txt", "one\r\ntwo\r\nthree\r\n".to_owned()),
        ("long.txt", numbers(1..80, "")),
        ("old.bin", "\0old".to_owned()),
    ] {
        fs::write(source.folder.join(name), content).expect("a file");
    }
    commit(&source, "base", "true");
    source.git(&["tag", "base"]);
    for (message, change) in COMMITS {
        commit(&source, message, change);
    }
    source
}

fn commit(repository: &Repository, message: &str, change: &str) {
    let script = format!(
        "{change} && git add -A && GIT_AUTHOR_NAME='Zoë Smith' GIT_AUTHOR_EMAIL=zoe@example.org \
         GIT_AUTHOR_DATE='2024-03-05T07:07:08 +0100' git commit -q -F -"
    );
    let output = repository.run(
        &["-c", &format!("alias.do=!{script}"), "do"],
        message.as_bytes(),
    );
    assert!(
        output.status.success(),
        "{message}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The mails of the series, as sent, in order.
fn mails(source: &Repository, options: &[&str]) -> Vec<Vec<u8>> {
    let basic = [
        "format-patch",
        "--stdout",
        "--binary",
        "--thread",
        "-M",
        "base..main",
    ];
    let mailbox = source.git(&[&basic[..], options].concat());
    Splitter::new(mailbox.as_bytes(), 1 << 20)
        .collect::<Result<_, _>>()
        .expect("mails")
}

/// A repository at the base of the series.
fn target(source: &Repository, name: &str) -> Repository {
    let target = Repository::new(&source.folder.with_file_name(name));
    target.git(&["fetch", "-q", "../source", "main:source", "base:base"]);
    target.git(&["checkout", "-q", "--detach", "base"]);
    target
}

/// Tree, author, date and message of a commit.
fn told(repository: &Repository, commit: &str) -> String {
    repository.git(&["log", "-1", "--format=%T%n%an <%ae> %aI%n%B", commit])
}

/// The series in a folder of its own, or none where there is no git.
fn series() -> Option<Repository> {
    if !super::git::is_installed() {
        skip("git am", "git is not installed");
        return None;
    }
    Some(source(&fresh_folder()))
}

#[test]
fn each_patch_becomes_the_commit_that_was_sent() {
    let Some(source) = series() else { return };
    let target = target(&source, "patch");
    for (at, mail) in mails(&source, &[]).iter().enumerate() {
        let message = mail::read(mail).expect("a mail");
        let (sent, parent) = (
            format!("source~{}", COMMITS.len() - 1 - at),
            COMMITS.len() - at,
        );
        target.git(&["checkout", "-q", "--detach", &format!("source~{parent}")]);
        let ours = handed_out(&message, LIST, Vec::new());
        assert_eq!(target.am(&ours), Ok(()), "{}", COMMITS[at].0);
        assert_eq!(
            told(&target, "HEAD"),
            told(&target, &sent),
            "{}",
            COMMITS[at].0
        );
    }
}

#[test]
fn a_series_becomes_its_commits_however_its_mails_were_encoded() {
    let Some(source) = series() else { return };
    for (name, options) in [
        ("plain", &[][..]),
        ("attached", &["--attach"]),
        ("inline", &["--inline"]),
    ] {
        let target = target(&source, name);
        let mails = mails(&source, options);
        let ours: Vec<Vec<u8>> = mails
            .iter()
            .map(|mail| handed_out(&mail::read(mail).expect("a mail"), LIST, Vec::new()))
            .collect();
        assert_eq!(target.am(&render::join(&ours)), Ok(()), "{name}");
        assert_eq!(target.tree("HEAD"), target.tree("source"), "{name}");
        let log = |head| {
            target.git(&[
                "log",
                "--format=%T %an %ae %aI %s",
                &format!("base..{head}"),
            ])
        };
        assert_eq!(log("HEAD"), log("source"), "{name}");
    }
}

#[test]
fn trailers_of_comments_are_in_the_commit() {
    let Some(source) = series() else { return };
    let target = target(&source, "trailers");
    let last = mails(&source, &[]).pop().expect("a mail");
    target.git(&["checkout", "-q", "--detach", "source~1"]);
    let responses = vec![
        "> quoted\n\nReviewed-by: Bob\u{a0}B <bob@example.org>\n",
        "Works.\nTested-by: Eve <eve@example.org>\nsigned-off-by: zoë smith <zoe@example.org>\n",
    ];
    let ours = handed_out(&mail::read(&last).expect("a mail"), LIST, responses);
    assert_eq!(target.am(&ours), Ok(()));
    assert_eq!(target.tree("HEAD"), target.tree("source"));
    let message = target.git(&["log", "-1", "--format=%B"]);
    assert!(
        message.ends_with(
            "Signed-off-by: Zoë Smith <zoe@example.org>\nReviewed-by: Bob\u{a0}B <bob@example.org>\n\
             Tested-by: Eve <eve@example.org>\n\n"
        ),
        "{message}"
    );
}

#[test]
fn a_bundle_is_applied_in_its_own_order() {
    let Some(source) = series() else { return };
    let target = target(&source, "bundle");
    let mails = mails(&source, &[]);
    // These three touch different files: any order goes.
    let order = [11, 1, 8];
    let ours: Vec<Vec<u8>> = order
        .iter()
        .map(|at| handed_out(&mail::read(&mails[*at]).expect("a mail"), LIST, Vec::new()))
        .collect();
    assert_eq!(target.am(&render::join(&ours)), Ok(()));
    let subjects = target.git(&["log", "--reverse", "--format=%s", "base..HEAD"]);
    let expected: Vec<&str> = order.iter().map(|at| COMMITS[*at].0).collect();
    assert_eq!(subjects.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_patch_rewritten_by_the_list_has_its_author_again() {
    let Some(source) = series() else { return };
    let target = target(&source, "dmarc");
    let first = String::from_utf8(mails(&source, &[]).swap_remove(0)).expect("ASCII");
    let (from, rest) = first.split_at(first.find("Date:").expect("a date"));
    let munged = format!(
        "From: =?utf-8?q?Zo=C3=AB?= Smith via Dev <{LIST}>\nReply-To: {}{rest}",
        &from[from.find("From: ").expect("an author") + "From: ".len()..]
    );
    let ours = handed_out(
        &mail::read(munged.as_bytes()).expect("a mail"),
        LIST,
        Vec::new(),
    );
    assert_eq!(target.am(&ours), Ok(()));
    let sent = format!("source~{}", COMMITS.len() - 1);
    assert_eq!(told(&target, "HEAD"), told(&target, &sent));
}

#[test]
fn text_in_latin1_and_a_base64_body_arrive_as_utf_8() {
    let Some(source) = series() else { return };
    let target = target(&source, "charset");
    let diff = source.git(&["diff", "base", "main~12"]);
    let head = "From: Zoë Smith <zoe@example.org>\nSubject: [PATCH] café\nMessage-Id: <l@example.org>\n\
        Date: Tue, 5 Mar 2024 07:07:08 +0100\nMIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\n";
    let body = format!("Très naïf.\n---\n{diff}");
    let latin1 = |text: &str| -> Vec<u8> { text.chars().map(|c| c as u8).collect() };
    let encoded = mail::transfer::to_base64(&latin1(&body));
    for mail in [
        [latin1(head), b"\n".to_vec(), latin1(&body)].concat(),
        [
            latin1(head),
            b"Content-Transfer-Encoding: base64\n\n".to_vec(),
            encoded.into_bytes(),
        ]
        .concat(),
    ] {
        target.git(&["checkout", "-q", "--detach", "base"]);
        let ours = handed_out(&mail::read(&mail).expect("a mail"), LIST, Vec::new());
        assert_eq!(target.am(&ours), Ok(()));
        assert_eq!(
            target.git(&["log", "-1", "--format=%an: %B"]),
            "Zoë Smith: café\n\nTrès naïf.\n\n"
        );
    }
}
