//! Answering by mail: what is discussed stays on the list, so a page only helps to write to it.

use maud::{Markup, html};

use super::{parts, thread};
use crate::domain::{
    MessageId, Timestamp, comment::Comment, cover::Cover, link::encoded, person, project::Project,
};

/// How long a quoted text is, as part of an address: mail programs take some 2000 characters of it.
const QUOTED: usize = 1500;
/// A reply is quoted shorter: a page may have many.
const QUOTED_OF_REPLY: usize = 700;

/// A mail that can be answered.
pub struct Letter<'a> {
    /// The project whose list it came by.
    pub project: &'a Project,
    /// What it is about.
    pub subject: &'a str,
    /// Its message id.
    pub msgid: &'a MessageId,
    /// Who wrote it, if the name is known.
    pub author: Option<&'a str>,
    /// The writer's address.
    pub email: &'a str,
    /// When it was written.
    pub date: Timestamp,
    /// Its text.
    pub content: &'a str,
}

impl<'a> Letter<'a> {
    /// A cover letter that came by the list of a project.
    pub fn of_cover(project: &'a Project, cover: &'a Cover) -> Letter<'a> {
        Letter {
            project,
            subject: &cover.name,
            msgid: &cover.msgid,
            author: cover.submitter_name.as_deref(),
            email: &cover.submitter_email,
            date: cover.date,
            content: cover.content.as_deref().unwrap_or_default(),
        }
    }

    /// Returns a reply to it as a letter.
    fn to(&self, comment: &'a Comment) -> Letter<'a>
    where
        Self: 'a,
    {
        let content = comment.content.as_deref().unwrap_or_default();
        Letter {
            project: self.project,
            subject: self.subject,
            msgid: &comment.msgid,
            author: comment.submitter_name.as_deref(),
            email: &comment.submitter_email,
            date: comment.date,
            content,
        }
    }

    /// Returns the body of an answer, encoded: the text quoted line by line, as far as there is room.
    fn body(&self, room: usize) -> String {
        let author = person::shown(self.author, self.email);
        let date = self.date.format("%-d %b %Y, %H:%M UTC");
        let mut body = encoded(&format!("On {date}, {author} wrote:\r\n"));
        for line in self.content.trim_end().lines() {
            // What was quoted before is quoted closer.
            let mark = if line.starts_with('>') { ">" } else { "> " };
            let quoted = format!("{}\r\n", format!("{mark}{line}").trim_end());
            let quoted = encoded(&quoted);
            if body.len() + quoted.len() > room {
                break;
            }
            body.push_str(&quoted);
        }
        body
    }
}

/// Returns the address that has a mail program answer a reply.
pub fn to_comment(letter: &Letter, comment: &Comment) -> String {
    address(&letter.to(comment), QUOTED_OF_REPLY)
}

/// Returns the address that has a mail program answer a letter (RFC 6068).
fn address(letter: &Letter, room: usize) -> String {
    with_body(letter, &letter.body(room))
}

/// Returns the address that has a mail program thank for what was applied, and tell as what.
fn thanks(letter: &Letter, applied: &[Applied]) -> String {
    let mut body = letter.body(QUOTED_OF_REPLY);
    body.push_str(&encoded("\r\nApplied, thanks!\r\n\r\n"));
    for (at, one) in applied.iter().enumerate() {
        let place = one.place.as_ref();
        let place = place.map_or_else(String::new, |place| format!("[{place}] "));
        let line = encoded(&format!(
            "{place}{}\r\n      commit: {}\r\n",
            one.name, one.commit
        ));
        if body.len() + line.len() > QUOTED {
            let left = applied.len() - at;
            body.push_str(&encoded(&format!("and {left} more\r\n")));
            break;
        }
        body.push_str(&line);
    }
    with_body(letter, &body)
}

fn with_body(letter: &Letter, body: &str) -> String {
    let subject = match letter.subject.get(..3) {
        Some(re) if re.eq_ignore_ascii_case("re:") => letter.subject.to_owned(),
        _ => format!("Re: {}", letter.subject),
    };
    format!(
        "mailto:{}?cc={}&in-reply-to={}&subject={}&body={}",
        encoded(letter.email),
        encoded(&letter.project.list_email),
        encoded(letter.msgid.as_str()),
        encoded(&subject),
        body,
    )
}

/// A patch that has been applied.
pub struct Applied<'a> {
    /// Its place, as `2/7`.
    pub place: Option<String>,
    /// What it is called.
    pub name: &'a str,
    /// Where it is: an address, or the id of the commit.
    pub commit: String,
}

/// Draws the ways to answer a letter.
pub fn section(letter: &Letter) -> Markup {
    of_series(letter, &[])
}

/// Draws the ways to answer the letter that opens a series, and to tell its author that it was applied.
pub fn of_series(letter: &Letter, applied: &[Applied]) -> Markup {
    let command = format!(
        "git send-email --in-reply-to={} --to={} --cc={} FILE",
        thread::quoted(letter.msgid.as_str()),
        thread::quoted(letter.email),
        thread::quoted(&letter.project.list_email),
    );
    html! {
        section.answer #answer {
            p {
                a.button href=(address(letter, QUOTED)) { "Reply by mail" }
                @if !applied.is_empty() { a.button href=(thanks(letter, applied)) { "Applied, thanks" } }
                span.muted { "to the author and the list, or send a file:" }
            }
            div.command { code { (command) } (parts::copy(&command, "the git send-email command")) }
        }
    }
}
