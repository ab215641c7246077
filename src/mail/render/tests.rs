//! Mails written from stored submissions.

use super::*;

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

#[test]
fn a_trailer_is_carried_once() {
    let responses = vec![
        "signed-off-by: Zoë Smith <zoe@dev.example>",
        "Acked-by: Bob\u{a0}B <bob@dev.example>\nacked-by: bob\u{a0}b <bob@dev.example>",
    ];
    let mail = rendered(&Submission {
        responses,
        ..patch()
    });
    assert!(
        mail.contains("zoe@dev.example>\nAcked-by: Bob\u{a0}B <bob@dev.example>\n---\n"),
        "{mail}"
    );
}

#[test]
fn trailers_go_before_a_separator_at_the_top() {
    let content = "---\n a.c | 1 +\n";
    let responses = vec!["Acked-by: Bob <bob@dev.example>"];
    let mail = rendered(&Submission {
        content,
        responses,
        diff: None,
        ..patch()
    });
    assert!(
        mail.ends_with("\n\n\nAcked-by: Bob <bob@dev.example>\n---\n a.c | 1 +\n"),
        "{mail}"
    );
}

#[test]
fn text_without_trailers_stays_as_it_is() {
    let content = "some comment\n---\n some/file | 1 +\n";
    let mail = rendered(&Submission {
        content,
        diff: None,
        ..patch()
    });
    assert!(
        mail.ends_with("\n\nsome comment\n---\n some/file | 1 +\n"),
        "{mail}"
    );
}

#[test]
fn a_mail_rewritten_by_the_list_is_from_its_submitter_again() {
    let headers =
        "From: Zoe via Dev <DEV@lists.example>\nX-Patchwork-Id: 99\nmime-version: 1.0\nSubject: x";
    let mail = rendered(&Submission {
        headers,
        delegate_email: Some("m@dev.example"),
        ..patch()
    });
    assert!(mail.contains("X-Patchwork-Id: 1\nX-Patchwork-Delegate: m@dev.example\nX-Patchwork-Original-From: Zoe via Dev <DEV@lists.example>\nFrom: =?utf-8?q?Zo=C3=AB_Smith?= <zoe@dev.example>\nSubject: x\nDate: Tue, 05 Mar 2024 06:07:08 -0000\n\n"), "{mail}");
    assert!(
        !mail.contains("99") && !mail.contains("mime-version"),
        "{mail}"
    );
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
fn file_names_hold_no_surprises() {
    for (name, file) in [
        ("[v2,1/2] foo: bar/baz (x)", "v2-1-2-foo-bar-baz-x"),
        ("été", "t"),
        ("...", "..."),
        ("??", ""),
    ] {
        assert_eq!(filename(name), file);
    }
}

#[test]
fn mails_are_joined_by_a_blank_line() {
    assert_eq!(join(&[b"a\n".to_vec(), b"b\n".to_vec()]), b"a\n\nb\n");
}
