//! What a mailed patch becomes where it is applied: author and commit message as `git am` takes them.

use super::{author, header::Block, space::squeeze};

/// Author and message of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// `Name <address>`.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
    /// The rest of its message, without blank lines around it.
    pub body: String,
}

/// What the first lines of a message may say in place of the headers.
#[derive(Default)]
struct InBody {
    from: Option<String>,
    subject: Option<String>,
}

/// Returns the commit of a mail with this stored header block and message; `list_email` is no author.
pub fn commit(headers: &str, content: &str, list_email: &str) -> Commit {
    let block = Block::split(headers.as_bytes());
    let (inside, text) = in_body(content);
    let from = match inside.from {
        Some(from) => from,
        None => sender(&block, headers, list_email),
    };
    let subject = inside.subject.or_else(|| block.text("Subject"));
    Commit {
        author: from,
        subject: without_marks(&subject.unwrap_or_default()).to_owned(),
        body: cleaned(text),
    }
}

fn sender(block: &Block, headers: &str, list_email: &str) -> String {
    let from = block.text("From").unwrap_or_default();
    match author::author(&from, headers, list_email) {
        Ok(author) => {
            let name = author.name.as_deref().filter(|name| !name.is_empty());
            format!("{} <{}>", name.unwrap_or(&author.email), author.email)
        }
        Err(_) => from,
    }
}

/// Cuts `From:`, `Subject:` and `Date:` off the start of a message.
fn in_body(content: &str) -> (InBody, &str) {
    let start = content.trim_start_matches(['\n', '\r']);
    let (mut found, mut rest, mut any) = (InBody::default(), start, false);
    while let Some((line, after)) = rest.split_once('\n') {
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        let value = squeeze(value);
        match name.to_ascii_lowercase().as_str() {
            "from" if found.from.is_none() => found.from = Some(unquoted(&value)),
            "subject" if found.subject.is_none() => found.subject = Some(value),
            "date" => {}
            _ => break,
        }
        (rest, any) = (after, true);
    }
    // What is not closed by an empty line is text that only looks so.
    let closed = rest
        .split('\n')
        .next()
        .is_none_or(|line| line.trim().is_empty());
    match any && closed {
        true => (found, rest),
        false => (InBody::default(), start),
    }
}

fn unquoted(from: &str) -> String {
    match from.split_once(" <") {
        Some((name, address)) => format!("{} <{address}", name.trim_matches('"')),
        None => from.to_owned(),
    }
}

/// Drops `Re:` and everything in brackets from the start of a subject.
fn without_marks(subject: &str) -> &str {
    let mut rest = subject.trim();
    loop {
        let next = match rest.strip_prefix('[') {
            Some(inside) => inside.split_once(']').map(|(_, rest)| rest),
            None => rest
                .get(..3)
                .filter(|mark| mark.eq_ignore_ascii_case("re:"))
                .map(|_| &rest[3..]),
        };
        match next {
            Some(next) => rest = next.trim_start_matches([' ', '\t', ':']),
            None => return rest,
        }
    }
}

/// Returns the text up to `---`, without blanks at line ends, and never two blank lines in a row.
fn cleaned(text: &str) -> String {
    let mut out = String::new();
    let mut gap = false;
    for line in text.split('\n').map(str::trim_end) {
        if line == "---" {
            break;
        }
        if line.is_empty() {
            gap = !out.is_empty();
            continue;
        }
        if gap {
            out.push('\n');
        }
        gap = false;
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: &str =
        "From: Ada Example <ada@example.com>\nSubject: [PATCH v2 1/2] Re: [net] foo: [bar] baz\n";

    #[test]
    fn what_only_the_mail_says_is_cut_off() {
        let text = "Why.  \n\n\nSigned-off-by: Ada\n--- \nSince v1: less\n---\n a | 2 +-\n";
        let commit = commit(HEADERS, text, "dev@lists.example.org");
        assert_eq!(commit.author, "Ada Example <ada@example.com>");
        assert_eq!(commit.subject, "foo: [bar] baz");
        assert_eq!(commit.body, "Why.\n\nSigned-off-by: Ada\n");
    }

    #[test]
    fn what_the_first_lines_say_counts_more() {
        let text = "\nFrom: \"B, C\" <b@example.org>\nSubject: in the body\n\nText\n";
        let found = commit(HEADERS, text, "dev@lists.example.org");
        assert_eq!(found.author, "B, C <b@example.org>");
        assert_eq!(
            (found.subject.as_str(), found.body.as_str()),
            ("in the body", "Text\n")
        );
        let text = "From: the start it was wrong.\nMore\n";
        let found = commit(HEADERS, text, "dev@lists.example.org");
        assert_eq!(found.body, text);
    }
}
