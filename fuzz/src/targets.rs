//! What is fuzzed: each target takes bytes, and panics where a promise is broken.

use crate::mail::{
    self, Limits, address, author, mbox::Splitter, outline, render, space, subject, word,
};

/// A target: a name, which is also that of its folder of seeds, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 6] = [
    ("message", message),
    ("header", header),
    ("diff", diff),
    ("subject", subject),
    ("address", address),
    ("mbox", mbox),
];

/// A list's address, which some seeds have in `From`.
const LIST: &str = "dev@lists.example.org";

/// A mail is read or refused; what is read has no NUL and an id, and can be written and read again.
pub fn message(data: &[u8]) {
    let Ok(message) = mail::read_within(data, &Limits::default()) else {
        let _ = mail::label(data);
        return;
    };
    assert_eq!(mail::label(data).as_ref(), Some(&message.id));
    assert!(message.headers.is_ascii() && !message.headers.contains('\0'));
    assert!(!message.content.message.contains('\0') && !message.id.bare().is_empty());
    let Ok(author) = message.author(LIST) else {
        return;
    };
    assert!(address::is_address(&author.email) || author.email.chars().count() == 255);
    let ours = render::mbox(&render::Submission {
        id: 1,
        date: message.date_or(crate::domain::Timestamp::from_seconds(0)),
        headers: &message.headers,
        content: &message.content.message,
        diff: message.content.diff.as_deref(),
        submitter_name: author.name.as_deref(),
        submitter_email: &author.email,
        delegate_email: None,
        list_email: LIST,
        responses: vec![&message.content.message],
    });
    mail::read(&ours).expect("what we write can be read");
}

/// A header value is stored in ASCII and then says the same.
pub fn header(data: &[u8]) {
    let text = word::decode(data);
    let stored = word::to_ascii(data);
    assert!(stored.is_ascii() && !stored.contains('\0'));
    assert_eq!(word::decode(stored.as_bytes()), text);
    if !text.is_empty() {
        assert_eq!(word::decode(word::encode(&text).as_bytes()), text);
    }
}

/// Splitting and outlining lose no line.
pub fn diff(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (diff, message) = mail::diff::split(&text);
    let (diff, message) = (diff.unwrap_or_default(), message.unwrap_or_default());
    assert_eq!(diff.len() + message.len(), text.len() + 1);
    for text in [&*text, &diff] {
        let files = outline(text);
        let lines = files.iter().flat_map(outline::FileDiff::lines);
        assert!(lines.map(|line| line.text).eq(text.split_inclusive('\n')));
        let _ = (
            mail::files(text),
            mail::diff_hash(text),
            mail::pull::pull_url(text),
        );
        let _ = mail::depends::dependencies(text);
    }
}

/// A subject's name fits its column, its numbers theirs.
pub fn subject(data: &[u8]) {
    let text = space::squeeze(&String::from_utf8_lossy(data));
    let heading = subject::heading(&text, &["patch", "myproj"]);
    assert!(heading.name.chars().count() <= 255 && heading.version >= 0);
    assert!(
        heading
            .place
            .is_none_or(|place| (0..=32767).contains(&place.number) && place.total >= 0)
    );
    let _ = subject::is_reply(&text);
}

/// Cutting a list of addresses loses nothing; an address that is believed has the form of one.
pub fn address(data: &[u8]) {
    let entries = address::split_list(data);
    let length: usize = entries.iter().map(|entry| entry.len()).sum();
    assert_eq!(length + entries.len() - 1, data.len());
    let text = word::decode(data);
    let found = address::Mailbox::read(&text);
    let _ = found.plain_name();
    let headers = format!(
        "From: X via Dev <{LIST}>\nReply-To: {}",
        word::to_ascii(data)
    );
    for from in [text.as_str(), "X via Dev <dev@lists.example.org>"] {
        if let Ok(author) = author::author(from, &headers, LIST) {
            assert!(author.email.contains('@') || author.email.chars().count() == 255);
        }
    }
}

/// Mails that were put into an archive come out of it unchanged.
pub fn mbox(data: &[u8]) {
    let mut splitter = Splitter::new(data, usize::MAX);
    let mails: Vec<Vec<u8>> = splitter
        .by_ref()
        .map(|mail| mail.expect("memory"))
        .collect();
    assert_eq!(splitter.position(), data.len() as u64);
    let mut archive = Vec::new();
    for mail in &mails {
        push_mail(mail, &mut archive);
    }
    let again = Splitter::new(&archive[..], usize::MAX).map(|mail| mail.expect("memory"));
    let whole_lines = mails.into_iter().map(with_line_end);
    assert!(again.eq(whole_lines));
}

/// Appends a mail as archives in mboxrd form have it.
fn push_mail(mail: &[u8], archive: &mut Vec<u8>) {
    archive.extend_from_slice(b"From x Tue Mar  5 06:07:08 2024\n");
    for line in with_line_end(mail.to_vec()).split_inclusive(|byte| *byte == b'\n') {
        let marks = line.iter().take_while(|byte| **byte == b'>').count();
        if line[marks..].starts_with(b"From ") {
            archive.push(b'>');
        }
        archive.extend_from_slice(line);
    }
    archive.push(b'\n');
}

fn with_line_end(mut mail: Vec<u8>) -> Vec<u8> {
    if !mail.is_empty() && !mail.ends_with(b"\n") {
        mail.push(b'\n');
    }
    mail
}
