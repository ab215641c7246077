//! Ids and addresses as types: each knows its own spellings, nobody else strips or adds.

use std::fmt;

/// Declares the row id of an entity, so that a patch's id is never taken for a person's.
macro_rules! row_id {
    ($($name:ident $what:literal),* $(,)?) => {$(
        #[doc = concat!("The id of ", $what, ".")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
        #[sqlx(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

row_id! {
    ProjectId "a project",
    PersonId "a person: an address seen on a list",
    UserId "a user: a login account",
    StateId "a state of patches",
    TagId "a tag",
    PatchId "a patch",
    CoverId "a cover letter",
    SeriesId "a series",
    CommentId "a comment of a patch or a cover",
    CheckId "a check",
    RelationId "a set of related patches",
    MailId "a received mail",
    BundleId "a bundle",
    EventId "an event",
    OutboxId "a mail that waits to leave",
    QuarantineId "a mail set aside",
    WebhookId "a webhook",
    DeliveryId "an event on its way to a webhook",
}

/// How many characters of an id, a name or an address are kept (`mail.md §15`).
pub const MAX_CHARS: usize = 255;

/// Returns the first [`MAX_CHARS`] characters of `text`.
pub fn cut(text: &str) -> &str {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// A message id as mail, database and API spell it: usually with angle brackets, cut to 255 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct MessageId(String);

impl MessageId {
    /// Takes an id in its stored spelling; anything over 255 characters is cut away.
    pub fn new(stored: &str) -> Self {
        MessageId(cut(stored).to_owned())
    }

    /// Takes an id as an address of ours spells it, without the brackets.
    pub fn from_url(bare: &str) -> Self {
        MessageId::new(&format!("<{bare}>"))
    }

    /// Returns the stored spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the id without angle brackets, as archives and `git` take it.
    pub fn bare(&self) -> &str {
        self.0.trim_matches(['<', '>'])
    }

    /// Returns the id as a path segment of our own links: a slash becomes `%252F`, as stored links
    /// of twenty years have it and every front end passes it untouched (`web.md §1.2`).
    pub fn url(&self) -> String {
        let mut out = String::with_capacity(self.0.len() + 8);
        for byte in self.bare().bytes() {
            match byte {
                b'/' => out.push_str("%252F"),
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(byte as char),
                _ if b"-._~!$&'()*+,;=:@".contains(&byte) => out.push(byte as char),
                _ => out.push_str(&format!("%{byte:02X}")),
            }
        }
        out
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a mailing list (RFC 2919), lower-cased: such ids ignore case (`mail.md §4`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct ListId(String);

impl ListId {
    /// Takes an id in any case, without angle brackets.
    pub fn new(text: &str) -> Self {
        ListId(text.trim().to_lowercase())
    }

    /// Returns the lower-cased id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ListId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The SHA-1 over the meaning of a diff, as 40 lower-case hex digits (`domain.md §6`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct DiffHash(String);

impl DiffHash {
    /// Takes the digits; the caller has computed or read them.
    pub fn new(hex: String) -> Self {
        DiffHash(hex)
    }

    /// Returns the digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DiffHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_knows_its_spellings() {
        let id = MessageId::new("<a/b%c+d@example.org>");
        assert_eq!(id.bare(), "a/b%c+d@example.org");
        assert_eq!(id.url(), "a%252Fb%25c+d@example.org");
        assert_eq!(MessageId::from_url("a@b").as_str(), "<a@b>");
    }

    #[test]
    fn long_ids_are_cut_at_a_character() {
        let id = MessageId::new(&"é".repeat(300));
        assert_eq!(id.as_str().chars().count(), MAX_CHARS);
    }
}
