//! Mails written from stored submissions.

use super::*;
use serde_json::Value;

const HEADERS: &str = "From: =?utf-8?q?Zo=C3=AB?= Smith <zoe@dev.example>\n\
    To: dev@lists.example\n\
    Subject: [PATCH 1/2] net: fix leak\n\
    Date: Tue, 05 Mar 2024 07:07:08 +0100\n\
    Message-Id: <m1@dev.example>\n\
    Content-Type: text/plain; charset=iso-8859-1\n\
    List-Id: <dev.lists.example>";

const DIFF: &str = "diff --git a/a.c b/a.c\n\
    index 1111111..2222222 100644\n\
    --- a/a.c\n\
    +++ b/a.c\n\
    @@ -1 +1,2 @@\n \
    x\n\
    +y\n";

/// A patch about which a test says only what matters to it.
fn patch() -> Submission<'static> {
    Submission {
        id: 1,
        date: Timestamp::from_seconds(1_709_618_828),
        headers: HEADERS,
        content: "Free the buffer on error.\n\nSigned-off-by: Zoë Smith <zoe@dev.example>\n\
            ---\nv2: rebased\n\n a.c | 1 +\n 1 file changed\n",
        diff: Some(DIFF),
        submitter_name: Some("Zoë Smith"),
        submitter_email: "zoe@dev.example",
        delegate_email: None,
        list_email: "dev@lists.example",
        responses: Vec::new(),
    }
}

fn rendered(submission: &Submission) -> String {
    String::from_utf8(mbox(submission)).expect("UTF-8")
}

#[test]
fn a_patch_with_comments_is_the_worked_example() {
    let responses = vec![
        "> quoted\n\nReviewed-by: Bob <bob@dev.example>\n",
        "Works.\ntested-by: Al <al@dev.example>\nFixes: 123",
    ];
    let expected = include_str!("../../../tests/data/mail/render.mbox");
    assert_eq!(
        rendered(&Submission {
            responses,
            ..patch()
        }),
        expected
    );
}

/// The rows change the patch of the worked example; what the mail must and must not hold is text.
#[test]
fn mailboxes_are_as_the_table_says() {
    let table: Vec<Value> =
        serde_json::from_str(include_str!("../../../tests/data/mail/render.json"))
            .expect("valid table");
    for case in table {
        let text = |key: &str, usual| case.get(key).map_or(usual, |value| value.as_str());
        let list = |key: &str| -> Vec<&str> {
            let list = case[key].as_array();
            list.into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect()
        };
        let usual = patch();
        let mail = rendered(&Submission {
            headers: text("headers", Some(HEADERS)).expect("headers"),
            content: text("content", Some(usual.content)).expect("content"),
            diff: text("diff", usual.diff),
            submitter_name: text("submitter", usual.submitter_name),
            delegate_email: text("delegate", None),
            responses: list("responses"),
            ..usual
        });
        let head = &mail[..mail.find("\n\n").expect("a blank line") + 1];
        for part in list("holds") {
            assert!(mail.contains(part), "{}: {part:?} in {mail}", case["name"]);
        }
        for name in list("once") {
            let field = format!("\n{}: ", name.to_lowercase());
            assert_eq!(
                head.to_lowercase().matches(&field).count(),
                1,
                "{}: {name}",
                case["name"]
            );
        }
        for part in list("lacks") {
            assert!(!mail.contains(part), "{}: {part:?} in {mail}", case["name"]);
        }
        if let Some(end) = text("ends", None) {
            assert!(mail.ends_with(end), "{}: {mail}", case["name"]);
        }
    }
}

#[test]
fn names_are_quoted_or_encoded_as_needed() {
    for (name, header) in [
        (None, "a@example.org"),
        (Some(""), "a@example.org"),
        (Some("A B"), "A B <a@example.org>"),
        (Some("B, \"A\""), r#""B, \"A\"" <a@example.org>"#),
        (Some("Zoë"), "=?utf-8?q?Zo=C3=AB?= <a@example.org>"),
        (Some("éé"), "=?utf-8?b?w6nDqQ==?= <a@example.org>"),
        (Some("ééé"), "=?utf-8?b?w6nDqcOp?= <a@example.org>"),
        (Some("A\nBcc: b"), "\"A Bcc: b\" <a@example.org>"),
    ] {
        assert_eq!(name_and_address(name, "a@example.org"), header);
    }
}

#[test]
fn mails_are_joined_by_a_blank_line() {
    assert_eq!(join(&[b"a\n".to_vec(), b"b\n".to_vec()]), b"a\n\nb\n");
}
