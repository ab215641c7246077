//! Bytes to message and back: what a mail says, whatever way it was written, and mails written from
//! what is stored. Pure functions: no I/O, no database, no project.
//!
//! [`read`] is the entry. Mail is hostile: nothing here fails on it except with [`Invalid`], the time
//! taken grows with the length of the mail only, and [`Limits`] bound the rest.

pub mod address;
pub mod author;
pub mod charset;
pub mod commit;
pub mod content;
pub mod date;
pub mod depends;
pub mod diff;
pub mod files;
pub mod hash;
pub mod header;
pub mod hunk;
pub mod limits;
pub mod mbox;
pub mod mime;
pub mod name;
pub mod outline;
pub mod pull;
pub mod range_diff;
pub mod reference;
pub mod render;
pub mod revision;
pub mod space;
pub mod subject;
pub mod synthetic;
pub mod trailer;
pub mod transfer;
pub mod word;

pub use author::Author;
pub use content::Content;
pub use depends::{Dependency, DependencyTarget, DependencyUrl};
pub use files::files;
pub use hash::diff_hash;
pub use limits::{Beyond, Limit, Limits};
pub use outline::outline;
pub use subject::{Heading, Place};

use address::Mailbox;
use header::Block;

use crate::domain::{ListId, MessageId, Timestamp};

/// The headers that may name the list a mail came through, in the order they are asked.
const LIST_HEADERS: [&str; 3] = ["List-Id", "X-Mailing-List", "X-list"];

/// The headers a mail cannot do without, in the order they are missed.
///
/// A `Message-Id` is not among them: a mail without one is given one ([`synthetic::message_id`]).
const REQUIRED: [&str; 2] = ["From", "Subject"];

/// Why a mail cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A header that every mail must have is not there.
    #[error("the mail has no {0} header")]
    MissingHeader(&'static str),
    /// A header that must say something says nothing.
    #[error("the {0} header is empty")]
    EmptyHeader(&'static str),
    /// `From` does not hold an address; what it holds instead.
    #[error("the From header holds no usable address: {0}")]
    BadAuthor(String),
    /// There is more of something than is allowed: the mail was not read to its end.
    #[error(transparent)]
    Beyond(#[from] Beyond),
}

impl Invalid {
    /// Tells whether the mail may be sound, only too much for us: to be kept for a person to look at.
    pub fn is_limit(&self) -> bool {
        matches!(self, Invalid::Beyond(_))
    }
}

/// A mail read: everything in it that does not depend on the project it belongs to.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its message id.
    pub id: MessageId,
    /// The subject, decoded, otherwise as sent.
    pub subject: String,
    /// Whether the subject is that of a reply.
    pub is_reply: bool,
    /// The ids it answers, the nearest first.
    pub references: Vec<MessageId>,
    /// When it was written, by its own account; none if that cannot be read.
    pub date: Option<Timestamp>,
    /// The header block as it is stored.
    pub headers: String,
    /// What the sender wants done with it.
    pub hints: Hints,
    /// The lists it may have come through, the most reliable first.
    pub list_ids: Vec<ListId>,
    /// What it says.
    pub content: Content,
    /// What it says it depends on, in text order; nothing for replies.
    pub dependencies: Vec<Dependency>,
    from: String,
}

/// What the `X-Patchwork-…` headers of a mail ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The mail wants to be ignored.
    pub ignore: bool,
    /// The address of the user who should look after the patch.
    pub delegate: Option<String>,
    /// The name of the state the patch should have.
    pub state: Option<String>,
    /// The reply asks to be addressed.
    pub action_required: bool,
}

/// Reads a mail of any size, within all other limits; an mbox envelope line in front of it is dropped.
pub fn read(raw: &[u8]) -> Result<Message, Invalid> {
    read_within(raw, &Limits::for_any_size())
}

/// Reads a mail that stays within `limits`; an mbox envelope line in front of it is dropped.
///
/// A mail beyond them is refused with [`Invalid::Beyond`] before the work that the limit saves.
pub fn read_within(raw: &[u8], limits: &Limits) -> Result<Message, Invalid> {
    limits.check(Limit::Bytes, raw.len())?;
    let block = Block::split_within(raw, limits)?;
    if let Some(missing) = REQUIRED
        .into_iter()
        .find(|name| block.first(name).is_none())
    {
        return Err(Invalid::MissingHeader(missing));
    }
    let references = reference::references(&block, limits)?;
    let subject = block.text("Subject").unwrap_or_default();
    let is_reply = subject::is_reply(&subject);
    let content = read_content(&block, &subject, limits)?;
    let dependencies = if is_reply {
        Vec::new()
    } else {
        depends::dependencies(&content.message)
    };
    Ok(Message {
        id: reference::message_id(&block)
            .unwrap_or_else(|| synthetic::message_id(&block, &content)),
        is_reply,
        references,
        date: block.text("Date").and_then(|date| date::parse_date(&date)),
        headers: block.stored(),
        hints: Hints::of(&block),
        list_ids: list_ids(&block),
        content,
        dependencies,
        from: block.text("From").unwrap_or_default(),
        subject,
    })
}

/// Returns what a mail that cannot be read is called, for reports: its id, or the one it would be given.
///
/// A mail beyond the limits is called by its own id or not at all.
pub fn label(raw: &[u8]) -> Option<MessageId> {
    let own = header::find(raw, "Message-Id").and_then(|field| reference::id_of(&field.text()));
    own.or_else(|| {
        let limits = Limits::for_any_size();
        let block = Block::split_within(raw, &limits).ok()?;
        let subject = block.text("Subject").unwrap_or_default();
        let content = read_content(&block, &subject, &limits).ok()?;
        Some(synthetic::message_id(&block, &content))
    })
}

/// Returns the lists that a mail names, whether or not the rest of it can be read.
pub fn lists(raw: &[u8]) -> Vec<ListId> {
    let field = |name: &&str| header::find(raw, name);
    let texts = LIST_HEADERS.iter().filter_map(field);
    texts.filter_map(|field| list_id(&field.text())).collect()
}

/// Returns the content; a cover keeps a diff as text, unless it is a pull request (`mail.md §11`).
fn read_content(block: &Block, subject: &str, limits: &Limits) -> Result<Content, Beyond> {
    let parts = mime::text_parts(block, limits)?;
    if subject::is_reply(subject) {
        return Ok(content::of_reply(&parts));
    }
    let content = content::of_submission(&parts);
    let is_cover = subject::heading(subject, &["patch"])
        .place
        .is_some_and(|place| place.number == 0);
    Ok(if is_cover && content.pull_url.is_none() {
        content::of_reply(&parts)
    } else {
        content
    })
}

impl Message {
    /// Reads the subject for a project: its linkname is no prefix worth keeping, nor is `patch`.
    pub fn heading(&self, linkname: &str) -> Heading {
        subject::heading(&self.subject, &["patch", &linkname.to_lowercase()])
    }

    /// Returns the author; where the list put its own address into `From`, the person behind it.
    pub fn author(&self, list_email: &str) -> Result<Author, Invalid> {
        author::author(&self.from, &self.headers, list_email)
    }

    /// Returns the date to store: `now` if the mail has none, or one more than a day ahead, else one
    /// wrong clock would keep a patch on top of the list for years.
    pub fn date_or(&self, now: Timestamp) -> Timestamp {
        self.date
            .filter(|date| *date <= now.plus_minutes(24 * 60))
            .unwrap_or(now)
    }
}

impl Hints {
    fn of(block: &Block) -> Self {
        let filled = |name| block.text(name).filter(|text| !text.is_empty());
        Hints {
            ignore: filled("X-Patchwork-Hint")
                .is_some_and(|hint| hint.eq_ignore_ascii_case("ignore")),
            delegate: filled("X-Patchwork-Delegate").map(|text| Mailbox::read(&text).address),
            state: filled("X-Patchwork-State"),
            action_required: block.first("X-Patchwork-Action-Required").is_some(),
        }
    }
}

/// Returns the list ids that the first header of each kind names.
fn list_ids(block: &Block) -> Vec<ListId> {
    LIST_HEADERS
        .iter()
        .filter_map(|name| block.text(name))
        .filter_map(|text| list_id(&text))
        .collect()
}

/// Returns the last id in angle brackets, else the whole value if it is one word.
fn list_id(text: &str) -> Option<ListId> {
    let mut closed = None;
    for (at, c) in text.char_indices().rev() {
        match (c, closed) {
            ('>', _) => closed = Some(at),
            ('<', Some(end)) if at + 1 < end => return Some(ListId::new(&text[at + 1..end])),
            _ => {}
        }
    }
    (!text.is_empty() && !text.contains(space::is_space)).then(|| ListId::new(text))
}

#[cfg(test)]
mod tests;
