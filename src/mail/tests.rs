//! Whole mails, sound and damaged: what is read from them, and that nothing breaks.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The tables hold raw bytes as the characters of the same number.
fn bytes(text: &Value) -> Vec<u8> {
    text.as_str()
        .expect("a text")
        .chars()
        .map(|c| u8::try_from(c as u32).expect("a byte"))
        .collect()
}

fn table() -> Vec<Value> {
    serde_json::from_str(include_str!("../../tests/data/mail/read.json")).expect("valid table")
}

fn damaged_table() -> Vec<Value> {
    serde_json::from_str(include_str!("../../tests/data/mail/damaged.json")).expect("valid table")
}

/// Everything a case may ask about.
fn report(raw: &[u8]) -> Value {
    let message = match read(raw) {
        Ok(message) => message,
        Err(why) => return json!({ "invalid": why.to_string() }),
    };
    let author = message.author("dev@lists.example.org");
    json!({
        "id": message.id.as_str(),
        "subject": message.subject,
        "reply": message.is_reply,
        "references": message.references.iter().map(MessageId::as_str).collect::<Vec<_>>(),
        "date": message.date.map(|date| date.format("%Y-%m-%d %H:%M:%S")),
        "author": author.as_ref().ok().map(|author| &author.email),
        "lists": message.list_ids.iter().map(ListId::as_str).collect::<Vec<_>>(),
        "ignore": message.hints.ignore,
        "delegate": message.hints.delegate,
        "state": message.hints.state,
        "action": message.hints.action_required,
        "message": message.content.message,
        "diff": message.content.diff,
        "pull": message.content.pull_url,
        "depends": message.dependencies.len(),
        "headers": message.headers,
    })
}

#[test]
fn mails_are_read_as_the_table_says() {
    for case in table() {
        let found = report(&bytes(&case["mail"]));
        for (key, value) in case["found"].as_object().expect("an object") {
            assert_eq!(found[key], *value, "{key} of {}", case["name"]);
        }
    }
}

/// What would become of a damaged mail, as far as that is seen without a database: its content is
/// judged before its author (`mail.md §2`).
fn outcome(raw: &[u8]) -> String {
    match read(raw) {
        Err(Invalid::MissingHeader(name)) => format!("no {name} header"),
        Err(why) => why.to_string(),
        Ok(message) if message.content.is_empty() => "nothing".into(),
        Ok(message) => match message.author("dev@lists.example.org") {
            Err(Invalid::BadAuthor(_)) => "invalid author".into(),
            Err(why) => why.to_string(),
            Ok(_) => "patch".into(),
        },
    }
}

#[test]
fn damaged_mails_come_out_as_the_table_says() {
    for case in damaged_table() {
        let raw = bytes(&case["mail"]);
        assert_eq!(outcome(&raw), case["outcome"], "{}", case["name"]);
        let found = report(&raw);
        for (key, value) in case["found"].as_object().into_iter().flatten() {
            assert_eq!(found[key], *value, "{key} of {}", case["name"]);
        }
    }
}

#[test]
fn a_date_far_ahead_is_not_believed() {
    let mut message =
        read(b"From: a@example.org\nSubject: x\nMessage-Id: <x>\n\n").expect("a mail");
    let now = Timestamp::from_seconds(1_000_000);
    for (date, stored) in [
        (None, now),
        (Some(Timestamp::from_seconds(1)), Timestamp::from_seconds(1)),
        (Some(now.plus_minutes(24 * 60)), now.plus_minutes(24 * 60)),
        (Some(now.plus_minutes(24 * 60 + 1)), now),
    ] {
        message.date = date;
        assert_eq!(message.date_or(now), stored);
    }
}

/// A mail of so many headers, each limit one lower than it needs: refused, and the limit named.
#[test]
fn a_mail_beyond_a_limit_is_refused_by_name() {
    let mail = "From: a@example.org\nSubject: x\nReferences: <a> <b> <a>\nContent-Type: multipart/mixed; boundary=b\n\n\
        --b\nContent-Type: message/rfc822\n\nA: b\n\ncaf\u{e9}\n--b\n\nx\n--b--\n";
    let exact = Limits {
        bytes: mail.len(),
        headers: 4,
        header_bytes: "multipart/mixed; boundary=b".len(),
        block_bytes: mail.find("--b").expect("a boundary"),
        parts: 4,
        depth: 2,
        references: 2,
        text_bytes: "café".len() + "x".len(),
    };
    assert!(read_within(mail.as_bytes(), &exact).is_ok());
    for (limits, what) in [
        (
            Limits {
                bytes: exact.bytes - 1,
                ..exact.clone()
            },
            Limit::Bytes,
        ),
        (
            Limits {
                headers: 3,
                ..exact.clone()
            },
            Limit::Headers,
        ),
        (
            Limits {
                header_bytes: exact.header_bytes - 1,
                ..exact.clone()
            },
            Limit::HeaderBytes,
        ),
        (
            Limits {
                block_bytes: exact.block_bytes - 1,
                ..exact.clone()
            },
            Limit::BlockBytes,
        ),
        (
            Limits {
                parts: 3,
                ..exact.clone()
            },
            Limit::Parts,
        ),
        (
            Limits {
                depth: 1,
                ..exact.clone()
            },
            Limit::Depth,
        ),
        (
            Limits {
                references: 1,
                ..exact.clone()
            },
            Limit::References,
        ),
        (
            Limits {
                text_bytes: exact.text_bytes - 1,
                ..exact.clone()
            },
            Limit::TextBytes,
        ),
    ] {
        let refused = read_within(mail.as_bytes(), &limits).expect_err("too much");
        assert!(refused.is_limit());
        let Invalid::Beyond(beyond) = refused else {
            panic!("{refused}");
        };
        assert_eq!((beyond.limit, beyond.found), (what, beyond.allowed + 1));
    }
    let small = Limits {
        bytes: 7,
        ..Limits::default()
    };
    assert_eq!(
        read_within(b"From: a\n", &small)
            .map_err(|why| why.to_string())
            .map(|_| ()),
        Err("the mail has 8 bytes, more than the 7 allowed".to_owned())
    );
    assert!(!Invalid::MissingHeader("From").is_limit());
}

/// Input made to be slow: each took seconds or more in a careless reader.
#[test]
fn hostile_mails_take_no_time() {
    let head = "From: a@example.org\nSubject: x\nMessage-Id: <x>\n";
    let many = |text: &str| text.repeat(300_000);
    let began = std::time::Instant::now();
    for mail in [
        format!("{head}X: {}\n\n", many("=?a?q?")),
        format!("{head}X: {}é?=\n\n", many("=?a?b?")),
        format!("{head}References: {}\n\n", many("<")),
        format!("{head}References: {}\n\n", many("<a> <b> ")),
        format!("{head}List-Id: {}\n\n", many("<>")),
        format!(
            "From: {}\nSubject: {}\nMessage-Id: <x>\n\n",
            many("<>("),
            many("[a]")
        ),
        format!("{head}Content-Type: text/plain{}\n\nx", many("; a*1*=x")),
        format!(
            "{head}Content-Type: multipart/mixed; boundary=b\n\n{}",
            many("--b\n")
        ),
        format!("{head}\n{}", many("--- a\n")),
        format!("{head}\n{}", many("--- a\n+++ b\n")),
        format!("{head}\n{}", many("diff --git a b\nindex 1\n")),
        format!(
            "{head}\nThe following changes since commit\n{}",
            many("are available in the git repository at:\n ")
        ),
        format!("{head}\n{}", many("_\r\n")),
        format!("{head}{}\n", many("X: y\n")),
    ] {
        let message = read(mail.as_bytes());
        if let Ok(message) = message {
            let _ = message.author("a@example.org");
            let _ = outline(&message.content.diff.unwrap_or_default()).len();
        }
    }
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}

/// Bytes as headers hold them, sound and not.
fn header_value() -> impl Strategy<Value = Vec<u8>> {
    let words: [&[u8]; 28] = [
        b"=?utf-8?q?",
        b"=?utf-8?b?",
        b"=?iso-8859-1?q?",
        b"?=",
        b"=?",
        b"a",
        b"=C3=A9",
        b"w6k=",
        b" ",
        b"\t",
        b"\n ",
        b"\r\n ",
        b"\r",
        b"\x0b",
        b"\x0c",
        b"\0",
        b"\xc3\xa9",
        b"\xff",
        b"<",
        b">",
        b"(",
        b")",
        b"\"",
        b"\\",
        b",",
        b"@",
        b"a@b.c",
        b" via ",
    ];
    let piece = prop_oneof![
        9 => prop::sample::select(words.to_vec()).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// A mail of the table with some bytes changed, dropped or repeated.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let cases = [table(), damaged_table()].concat();
    let mails: Vec<Vec<u8>> = cases.iter().map(|case| bytes(&case["mail"])).collect();
    let blow = (any::<prop::sample::Index>(), any::<u8>(), 0..4);
    (
        prop::sample::select(mails),
        prop::collection::vec(blow, 0..12),
    )
        .prop_map(|(mut mail, blows)| {
            for (at, byte, kind) in blows {
                let at = at.index(mail.len() + 1);
                match kind {
                    0 => mail.insert(at, byte),
                    1 => mail.truncate(at.max(20)),
                    2 if at < mail.len() => mail[at] = byte,
                    _ => mail.extend_from_within(at..),
                }
                mail.truncate(20_000);
            }
            mail
        })
}

proptest! {
    #[test]
    fn a_stored_header_says_what_the_mail_said(value in header_value()) {
        let (text, stored) = (word::decode(&value), word::to_ascii(&value));
        prop_assert!(stored.is_ascii() && !stored.contains('\0'));
        prop_assert_eq!(word::decode(stored.as_bytes()), text.clone(), "stored as {:?}", stored);
        prop_assert_eq!(word::decode(word::encode(&text).as_bytes()), text);
    }

    #[test]
    fn a_list_of_addresses_is_cut_without_loss(value in header_value()) {
        let entries = address::split_list(&value);
        let commas = entries.len() - 1;
        prop_assert_eq!(entries.iter().map(|entry| entry.len()).sum::<usize>() + commas, value.len());
        let text = word::decode(&value);
        let found = Mailbox::read(&text);
        let _ = found.plain_name();
        let headers = format!("From: x\nReply-To: {}", word::to_ascii(&value));
        for from in [&*text, "X via Dev <dev@lists.example.org>"] {
            if let Ok(author) = author::author(from, &headers, "dev@lists.example.org") {
                prop_assert!(author.email.contains('@'), "{author:?}");
            }
        }
    }

    #[test]
    fn what_a_subject_says_fits_its_columns(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "[", "]", " ", ",", "PATCH", "patch", "RFC", "v", "V2", "0", "1/2", "/", " of ", "99999999999", "(v3)", "(",
            "Re:", "re ", "Fwd:", "é", "\u{a0}", "myproj", "x",
        ]), 0..40),
    ) {
        let text = space::squeeze(&pieces.concat());
        let found = subject::heading(&text, &["patch", "myproj"]);
        prop_assert!(found.name.chars().count() <= 255 && found.version >= 0);
        prop_assert!(found.prefixes.iter().all(|prefix| !prefix.eq_ignore_ascii_case("patch")));
        let fits = |place: Place| (0..=32767).contains(&place.number) && place.total >= 0;
        prop_assert!(found.place.is_none_or(fits));
        let again = subject::heading(&found.name, &["patch", "myproj"]);
        prop_assert!(found.prefixes.is_empty() || again.prefixes.starts_with(&found.prefixes) || found.name.len() >= 255);
    }

    #[test]
    fn damaged_mails_are_read_or_refused(mail in damaged()) {
        if let Ok(message) = read(&mail) {
            let _ = message.author("dev@lists.example.org");
            prop_assert!(message.headers.is_ascii());
            prop_assert!(!message.headers.contains('\0'));
            prop_assert!(!message.content.message.contains('\0'));
            let again = Block::split(message.headers.as_bytes());
            let raw = Block::split(&mail);
            for (stored, sent) in again.fields().iter().zip(raw.fields()) {
                prop_assert_eq!(stored.text(), sent.text());
            }
            prop_assert_eq!(again.fields().len(), raw.fields().len());
        }
    }

    #[test]
    fn random_bytes_are_read_or_refused(tail in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut mail = b"From: a@example.org\nSubject: x\nMessage-Id: <x>\n".to_vec();
        mail.extend(&tail);
        prop_assert!(read(&mail).is_ok());
        let _ = read(&tail);
    }

    #[test]
    fn splitting_and_outlining_lose_nothing(
        lines in prop::collection::vec(prop::sample::select(vec![
            "diff --git a/x b/x", "index 1..2", "--- a/x", "+++ b/x", "@@ -1,2 +1,2 @@", "@@ -0,0 +0,0 @@", " a",
            "-b", "+c", "\\ x", "", "text", "GIT binary patch", "literal 3", "Kcm", "Index: x", "Binary files x",
            "rename from x", "new file mode 1", "--- ", "diff -u", "=====", "\"", "diff --git \"a\\303",
        ]), 0..40),
        end in prop::sample::select(vec!["", "\n", "\r\n"]),
    ) {
        let text = lines.join("\n") + end;
        let (diff, message) = super::diff::split(&text);
        let (diff, message) = (diff.unwrap_or_default(), message.unwrap_or_default());
        prop_assert_eq!(diff.len() + message.len(), text.len() + 1);
        for text in [text, diff] {
            let files = outline(&text);
            let together: String = files.iter().flat_map(|file| file.lines()).map(|line| line.text).collect();
            prop_assert_eq!(&together, &text);
            let _ = super::files(&text);
            let _ = diff_hash(&text);
        }
    }
}
