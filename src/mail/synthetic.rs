//! The id of a mail that brings none along: made of what the mail says, so that no mail is lost for
//! want of a `Message-Id`.

use sha2::{Digest, Sha256};

use super::Content;
use super::header::Block;
use crate::domain::MessageId;

/// The headers that go into the id: written by the sender, carried unchanged.
const IDENTITY: [&str; 3] = ["From", "Date", "Subject"];

/// How many hex digits of the hash are kept: as many as git has in a commit id.
const DIGITS: usize = 40;

/// Returns the id of a mail without a usable one: `<40 hex digits@synthetic.invalid>`.
///
/// The digits begin the SHA-256 of decoded `From`, `Date` and `Subject` and of message and diff as they
/// are stored. So a mail has the same id whichever way it came: trace headers, the envelope line, line ends,
/// the transfer encoding and what a list put below the text do not count. Where nothing can be read
/// from the body, its bytes count without CR. The domain is reserved (RFC 2606): no mail has such an id of its own.
pub fn message_id(block: &Block, content: &Content) -> MessageId {
    let mut sha = Sha256::new();
    for name in IDENTITY {
        feed(&block.text(name).unwrap_or_default(), &mut sha);
    }
    if content.is_empty() {
        let body: Vec<u8> = block
            .body
            .iter()
            .copied()
            .filter(|byte| *byte != b'\r')
            .collect();
        sha.update(body.trim_ascii_end());
    } else {
        feed(&content.message, &mut sha);
        let diff = content.diff.as_deref().unwrap_or_default();
        feed(diff.replace('\r', "").trim_end(), &mut sha);
    }
    let hex: String = sha
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    MessageId::new(&format!("<{}@synthetic.invalid>", &hex[..DIGITS]))
}

/// Feeds a text, which holds no NUL, and an end mark.
fn feed(text: &str, sha: &mut Sha256) {
    sha.update(text);
    sha.update([0]);
}

#[cfg(test)]
mod tests {
    use crate::mail;

    fn id(mail: &str) -> String {
        let message = mail::read(mail.as_bytes()).expect("a mail");
        let label = mail::label(mail.as_bytes()).expect("a label");
        assert_eq!(message.id, label);
        message.id.to_string()
    }

    const HEAD: &str = "From: Jane <jane@example.org>\nDate: Sun, 11 Sep 2016 23:22:02 +0100\nSubject: [PATCH] x\n";
    const BODY: &str = "Frée it.\n\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n";

    #[test]
    fn a_mail_has_the_same_id_however_it_travelled() {
        let first = id(&format!("{HEAD}\n{BODY}"));
        assert_eq!(first.len(), "<>".len() + 40 + "@synthetic.invalid".len());
        assert!(first.ends_with("@synthetic.invalid>"), "{first}");
        let quoted = BODY.replace('é', "=C3=A9");
        for other in [
            format!(
                "From x Tue Mar  5 06:07:08 2024\nReceived: a\n{HEAD}Delivered-To: b\n\n{BODY}"
            ),
            format!("{HEAD}\n{BODY}").replace('\n', "\r\n"),
            format!("{HEAD}Message-Id:\n\n{BODY}"),
            format!("{HEAD}Message-Id: \t \n\n{BODY}"),
            format!("{HEAD}Message-Id: <>\n\n{BODY}"),
            format!("{HEAD}Message-Id: < \0>\n\n{BODY}"),
            format!("{HEAD}Message-Id: =?utf-8?b?Z?=\n\n{BODY}"),
            format!("{HEAD}Message-Id: =?utf-8?q?=00?=\n\n{BODY}"),
            format!("{HEAD}\n{BODY}-- \nsig\n______\nDev mailing list\n"),
            format!(
                "{HEAD}Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=utf-8\n\n{quoted}"
            ),
        ] {
            assert_eq!(id(&other), first, "{other}");
        }
    }

    #[test]
    fn different_mails_have_different_ids() {
        let mut ids: Vec<String> = [
            format!("{HEAD}\n{BODY}"),
            format!("{HEAD}\nFree it.\n"),
            format!("{HEAD}\n{BODY}").replace("+b", "+c"),
            format!("{HEAD}\n{BODY}").replace("Jane", "Max"),
            format!("{HEAD}\n{BODY}").replace("11 Sep", "12 Sep"),
            format!("{HEAD}\n{BODY}").replace("[PATCH]", "[PATCH v2]"),
            format!("{HEAD}Content-Type: text/html\n\n<p>a"),
            format!("{HEAD}Content-Type: text/html\n\n<p>b"),
        ]
        .iter()
        .map(|mail| id(mail))
        .collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 8);
    }
}
